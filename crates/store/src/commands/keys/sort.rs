//! `SORT`: the elements of a list, set or sorted set in another order, or what other keys say of them.

use std::cmp::Ordering;

use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::number;
use crate::value::{Digits, End, Hash, List, Text, Value};

/// What was asked for.
#[derive(Debug, Default)]
struct Options<'a> {
    by: Option<&'a [u8]>,
    gets: Vec<&'a [u8]>,
    limit: Option<(i64, i64)>,
    alpha: bool,
    descending: bool,
    store: Option<&'a [u8]>,
}

/// An element and what it is ordered by.
struct Sorted {
    element: Box<[u8]>,
    score: f64,
    weight: Option<Box<[u8]>>,
}

pub(crate) fn sort(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let options = options(&command[2..], true)?;
    run(call, command[1], &options)
}

pub(crate) fn sort_ro(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let options = options(&command[2..], false)?;
    run(call, command[1], &options)
}

fn run(call: &mut Call<'_>, key: &[u8], options: &Options<'_>) -> Result<Flow, Failure> {
    call.keys.exists(key);
    let elements = elements(&call.keys, key, options.descending)?;
    let is_set = matches!(call.keys.entry(key).map(|entry| &entry.value), Some(Value::Set(_)));
    let sorts = options.by.is_none_or(|pattern| pattern.contains(&b'*'));
    // A set has no order: what goes into the log must not depend on the one it has here.
    let alpha = options.alpha || (!sorts && is_set && options.store.is_some());
    let mut sorted = weigh(&call.keys, elements, if sorts { options.by } else { None }, alpha || !sorts)?;
    if sorts || (is_set && options.store.is_some()) {
        sorted.sort_by(|a, b| {
            let order = compare(a, b, alpha);
            if options.descending { order.reverse() } else { order }
        });
    }
    let (start, end) = limit(sorted.len(), options.limit);
    let mut found: Vec<Option<Box<[u8]>>> = Vec::new();
    for Sorted { element, .. } in sorted.drain(start..end) {
        if options.gets.is_empty() {
            found.push(Some(element));
            continue;
        }
        found.extend(options.gets.iter().map(|pattern| resolve(&call.keys, pattern, &element)));
    }
    match options.store {
        Some(target) => Ok(store(call, target, found)),
        None => {
            call.answer.array(found.len());
            for each in found {
                call.bulk_or_null(each.as_deref());
            }
            Ok(Flow::Done)
        }
    }
}

fn elements(keys: &Keys<'_>, key: &[u8], descending: bool) -> Result<Vec<Box<[u8]>>, Failure> {
    let Some(entry) = keys.entry(key) else { return Ok(Vec::new()) };
    Ok(match &entry.value {
        Value::List(list) => list.iter().cloned().collect(),
        Value::Set(set) => set.iter().map(Into::into).collect(),
        Value::SortedSet(set) => {
            let mut members: Vec<Box<[u8]>> = set.iter().map(|(member, _)| member.into()).collect();
            if descending {
                members.reverse();
            }
            members
        }
        Value::Text(_) | Value::Hash(_) | Value::Stream(_) => return Err(Failure::WrongType),
    })
}

fn weigh(
    keys: &Keys<'_>,
    elements: Vec<Box<[u8]>>,
    by: Option<&[u8]>,
    alpha: bool,
) -> Result<Vec<Sorted>, Failure> {
    let mut sorted = Vec::with_capacity(elements.len());
    for element in elements {
        let weight = by.map(|pattern| resolve(keys, pattern, &element));
        let weight = weight.unwrap_or_else(|| Some(element.clone()));
        let score = match &weight {
            Some(text) if !alpha => {
                let refused = Failure::text("ERR One or more scores can't be converted into double");
                // As C's `strtod` reads it: nothing at all is 0.
                if text.is_empty() { 0.0 } else { number::float(text).ok_or(refused)? }
            }
            _ => 0.0,
        };
        sorted.push(Sorted { element, score, weight });
    }
    Ok(sorted)
}

fn compare(a: &Sorted, b: &Sorted, alpha: bool) -> Ordering {
    let order = if alpha { a.weight.cmp(&b.weight) } else { a.score.total_cmp(&b.score) };
    order.then_with(|| a.element.cmp(&b.element))
}

/// What a pattern says of an element: `#` is itself, `weight_*` a string, `object_*->field` a field of a hash.
fn resolve(keys: &Keys<'_>, pattern: &[u8], element: &[u8]) -> Option<Box<[u8]>> {
    if pattern == b"#" {
        return Some(element.into());
    }
    let star = pattern.iter().position(|&byte| byte == b'*')?;
    let rest = &pattern[star + 1..];
    let arrow = rest.windows(2).position(|pair| pair == b"->").filter(|at| at + 2 < rest.len());
    let name = [&pattern[..star], element, &rest[..arrow.unwrap_or(rest.len())]].concat();
    match arrow {
        Some(at) => keys.look::<Hash>(&name).ok()??.get(&rest[at + 2..]).map(Into::into),
        None => keys.look::<Text>(&name).ok()?.map(|text| text.bytes(&mut Digits::new()).into()),
    }
}

fn limit(len: usize, limit: Option<(i64, i64)>) -> (usize, usize) {
    let Some((offset, count)) = limit else { return (0, len) };
    let start = usize::try_from(offset).unwrap_or(0).min(len);
    let count = usize::try_from(count).unwrap_or(len);
    (start, start.saturating_add(count).min(len))
}

fn store(call: &mut Call<'_>, target: &[u8], found: Vec<Option<Box<[u8]>>>) -> Flow {
    let len = found.len();
    if found.is_empty() {
        if call.keys.remove(target, Class::Generic, "del") {
            call.keys.effect(&[b"DEL", target]);
        }
        return call.count(0);
    }
    let mut list = List::new();
    for each in found {
        list.push(End::Right, each.unwrap_or_default());
    }
    call.keys.effect(&[b"DEL", target]);
    list.dump(target, &mut |command| call.keys.effect(command));
    call.keys.put(target, Value::List(Box::new(list)), Class::List, "sortstore");
    call.count(len)
}

fn options<'a>(words: &[&'a [u8]], may_store: bool) -> Result<Options<'a>, Failure> {
    let mut options = Options::default();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if is_word(word, "ASC") {
            options.descending = false;
        } else if is_word(word, "DESC") {
            options.descending = true;
        } else if is_word(word, "ALPHA") {
            options.alpha = true;
        } else if is_word(word, "LIMIT") {
            let (offset, count) = words.next().zip(words.next()).ok_or(Failure::Syntax)?;
            options.limit = Some((number::integer_argument(offset)?, number::integer_argument(count)?));
        } else if is_word(word, "BY") {
            options.by = Some(words.next().ok_or(Failure::Syntax)?);
        } else if is_word(word, "GET") {
            options.gets.push(words.next().ok_or(Failure::Syntax)?);
        } else if is_word(word, "STORE") && may_store {
            options.store = Some(words.next().ok_or(Failure::Syntax)?);
        } else {
            return Err(Failure::Syntax);
        }
    }
    Ok(options)
}
