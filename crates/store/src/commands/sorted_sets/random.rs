//! `ZRANDMEMBER`: members by chance, from the store's seeded generator.

use super::answer_members;
use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::commands::random::{Wanted, nothing};
use crate::failure::Failure;
use crate::sorted_set::SortedSet;

pub(super) fn zrandmember(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let wanted = command.get(2).map(|count| Wanted::new(count)).transpose()?;
    let with_scores = match command.get(3..) {
        None | Some([]) => false,
        Some([word]) if is_word(word, "WITHSCORES") => true,
        Some(_) => return Err(Failure::Syntax),
    };
    if with_scores && matches!(wanted, Some(Wanted::Different(count)) if count > usize::MAX / 4) {
        return Err(Failure::text("ERR value is out of range"));
    }
    let mut random = call.keys.store.random.clone();
    let Some(set) = call.keys.read::<SortedSet>(command[1])? else {
        return Ok(nothing(call, wanted.is_some()));
    };
    let indices = wanted.unwrap_or(Wanted::Different(1)).indices(set.len(), &mut random);
    let members = indices.iter().map(|&index| set.by_index(index).expect("the index is below the length"));
    if wanted.is_some() {
        answer_members(call.answer, members, with_scores);
    } else {
        members.for_each(|(member, _)| call.answer.bulk(member));
    }
    call.keys.store.random = random;
    Ok(Flow::Done)
}
