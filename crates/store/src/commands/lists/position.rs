//! Where an element is in a list.

use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::value::List;

pub(crate) fn lpos(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (key, element) = (command[1], command[2]);
    let (mut rank, mut count, mut max_compared) = (1i64, None, 0);
    let mut words = command[3..].iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(Failure::Syntax)?;
        let size =
            |name| number::integer(value).and_then(|size| usize::try_from(size).ok()).ok_or(negative(name));
        if is_word(word, "RANK") {
            rank = check_rank(number::integer_argument(value)?)?;
        } else if is_word(word, "COUNT") {
            count = Some(size("COUNT")?);
        } else if is_word(word, "MAXLEN") {
            max_compared = size("MAXLEN")?;
        } else {
            return Err(Failure::Syntax);
        }
    }
    let found = match call.keys.read::<List>(key)? {
        Some(list) => positions(list, element, rank, count.unwrap_or(1), max_compared),
        None => Vec::new(),
    };
    if count.is_none() {
        return Ok(match found.first() {
            Some(&at) => call.count(at),
            None => call.null(),
        });
    }
    call.answer.array(found.len());
    for at in found {
        call.count(at);
    }
    Ok(Flow::Done)
}

fn positions(list: &List, element: &[u8], rank: i64, count: usize, max_compared: usize) -> Vec<usize> {
    let skipped = usize::try_from(rank.unsigned_abs()).unwrap_or(usize::MAX) - 1;
    let max_compared = if max_compared == 0 { usize::MAX } else { max_compared };
    let count = if count == 0 { usize::MAX } else { count };
    let last = list.len().saturating_sub(1);
    if rank > 0 {
        let found = list.iter().enumerate().take(max_compared).filter(|(_, each)| ***each == *element);
        return found.skip(skipped).take(count).map(|(at, _)| at).collect();
    }
    let found = list.iter().rev().enumerate().take(max_compared).filter(|(_, each)| ***each == *element);
    found.skip(skipped).take(count).map(|(at, _)| last - at).collect()
}

fn check_rank(rank: i64) -> Result<i64, Failure> {
    match rank {
        0 => Err(Failure::text(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to \
             start from the end of the list",
        )),
        i64::MIN => Err(Failure::text(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        )),
        rank => Ok(rank),
    }
}

fn negative(option: &str) -> Failure {
    Failure::Text(format!("ERR {option} can't be negative").into())
}
