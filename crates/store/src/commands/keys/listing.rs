//! Which keys there are.

use remuda_model::glob_matches;

use crate::call::{Call, Flow};
use crate::commands::scan::{Scan, answer_step};
use crate::failure::Failure;
use crate::name::Name;

/// Tries to find a key whose time is not over before the first such key is searched for.
const RANDOM_TRIES: usize = 100;

pub(crate) fn keys(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let keys = &call.keys;
    let matching = |key: &&[u8]| glob_matches(command[1], key) && keys.entry(key).is_some();
    let names = || keys.space().entries.keys().map(AsRef::as_ref).filter(matching);
    let found: Vec<&[u8]> = names().collect();
    call.answer.array(found.len());
    for key in found {
        call.answer.bulk(key);
    }
    Ok(Flow::Done)
}

pub(crate) fn scan(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let scan = Scan::new(command[1])?.options(&command[2..], true, false)?;
    let (start, end) = scan.step(call.keys.space().entries.len());
    let mut found: Vec<Name> = Vec::new();
    let mut over: Vec<Name> = Vec::new();
    for index in (start..end).rev() {
        let Some((key, entry)) = call.keys.space().entries.get_index(index) else { continue };
        if !scan.takes(key) {
            continue;
        }
        if call.keys.entry(key).is_none() {
            over.push(key.clone());
        } else if scan.kind.is_none_or(|kind| kind.eq_ignore_ascii_case(entry.value.kind().name().as_bytes()))
        {
            found.push(key.clone());
        }
    }
    for key in over {
        call.keys.exists(&key);
    }
    let flow = answer_step(call, start, found.len());
    for key in found {
        call.answer.bulk(&key);
    }
    Ok(flow)
}

pub(crate) fn randomkey(call: &mut Call<'_>, _: &[&[u8]]) -> Result<Flow, Failure> {
    for _ in 0..RANDOM_TRIES {
        let len = call.keys.space().entries.len();
        let index = call.keys.store.random.below(len);
        let Some((key, _)) = call.keys.space().entries.get_index(index) else { return Ok(call.null()) };
        let key = key.clone();
        if call.keys.exists(&key) {
            return Ok(call.bulk(&key));
        }
    }
    let keys = &call.keys;
    let key = keys.space().entries.keys().find(|key| keys.entry(key).is_some());
    match key {
        Some(key) => call.answer.bulk(key),
        None => call.answer.null(),
    }
    Ok(Flow::Done)
}

pub(crate) fn dbsize(call: &mut Call<'_>, _: &[&[u8]]) -> Result<Flow, Failure> {
    let len = call.keys.space().entries.len();
    Ok(call.count(len))
}
