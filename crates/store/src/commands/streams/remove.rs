//! `XTRIM` and `XDEL`: entries out; and the options that `XADD` shares with `XTRIM`.
//!
//! An approximate trim depends on how entries lie in blocks, which is not the same after a restart. So the log is told
//! the length that was left.

use super::decimal;
use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::Stream;
use crate::stream::entries::{BLOCK_MAX_ENTRIES, Keep, Trim};
use crate::stream::id::StreamId;
use crate::stream::log::Log;

/// Entries that one approximate trim removes at most when nothing is said: Redis' hundred nodes.
const LIMIT: usize = 100 * BLOCK_MAX_ENTRIES;

/// The value behind `MAXLEN` or `MINID`, whether it is approximate, and the rest.
type Threshold<'a> = (&'a [u8], bool, &'a [&'a [u8]]);

/// The options of `XADD` and `XTRIM`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trimming {
    /// `NOMKSTREAM`.
    pub(super) makes_no_stream: bool,
    /// What to trim, if anything.
    pub(super) trim: Option<Trim>,
}

impl Trimming {
    /// Reads options up to the first word that is none; the rest. An addition takes `NOMKSTREAM` too.
    pub(super) fn parse<'a>(
        words: &'a [&'a [u8]],
        is_addition: bool,
    ) -> Result<(Self, &'a [&'a [u8]]), Failure> {
        let (mut makes_no_stream, mut keep, mut is_approximate, mut limit) = (false, None, false, None);
        let mut rest = words;
        loop {
            rest = match rest {
                [b"*", ..] => break,
                [word, after @ ..] if is_addition && is_word(word, "NOMKSTREAM") => {
                    makes_no_stream = true;
                    after
                }
                [word, after @ ..] if is_word(word, "MAXLEN") && !after.is_empty() => {
                    let (value, about, after) = threshold(after)?;
                    is_approximate = about;
                    set_once(&mut keep, max_len(value)?)?;
                    after
                }
                [word, after @ ..] if is_word(word, "MINID") && !after.is_empty() => {
                    let (value, about, after) = threshold(after)?;
                    is_approximate = about;
                    set_once(&mut keep, Keep::From(StreamId::parse(value, 0)?))?;
                    after
                }
                [word, value, after @ ..] if is_word(word, "LIMIT") => {
                    limit = Some(removed_at_most(value)?);
                    after
                }
                _ => break,
            };
        }
        if limit.is_some() && keep.is_none() {
            let text = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
            return Err(Failure::text(text));
        }
        if limit.is_some() && !is_approximate {
            let text = "ERR syntax error, LIMIT cannot be used without the special ~ option";
            return Err(Failure::text(text));
        }
        let limit = limit.or(is_approximate.then_some(LIMIT)).filter(|&limit| limit > 0);
        let trim = keep.map(|keep| Trim { keep, is_approximate, limit });
        Ok((Self { makes_no_stream, trim }, rest))
    }
}

pub(super) fn xtrim(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let (trimming, rest) = Trimming::parse(&command[2..], false)?;
    let trim = trimming.trim.filter(|_| rest.is_empty()).ok_or(Failure::Syntax)?;
    let key = command[1];
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(call.integer(0)) };
    let removed = stream.log.trim(trim);
    let len = log_len(&stream.log);
    if removed > 0 {
        call.keys.changed(key, Class::Stream, "xtrim");
        call.keys.effect(&[b"XTRIM", key, b"MAXLEN", b"=", len.as_bytes()]);
    }
    Ok(call.count(removed))
}

pub(super) fn xdel(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let key = command[1];
    if call.keys.read::<Stream>(key)?.is_none() {
        return Ok(call.integer(0));
    }
    let ids: Vec<StreamId> =
        command[2..].iter().map(|text| StreamId::parse(text, 0)).collect::<Result<_, _>>()?;
    let Some(stream) = call.keys.write::<Stream>(key)? else { return Ok(call.integer(0)) };
    let removed = ids.into_iter().filter(|&id| stream.log.delete(id)).count();
    if removed > 0 {
        call.keys.changed(key, Class::Stream, "xdel");
    }
    Ok(call.count(removed))
}

/// The number of entries, as the log is told it.
pub(super) fn log_len(log: &Log) -> String {
    decimal(u64::try_from(log.entries().len()).unwrap_or(u64::MAX))
}

/// Reads what stands behind `MAXLEN` or `MINID`.
fn threshold<'a>(words: &'a [&'a [u8]]) -> Result<Threshold<'a>, Failure> {
    match words {
        [b"~", value, rest @ ..] => Ok((value, true, rest)),
        [b"=", value, rest @ ..] | [value, rest @ ..] => Ok((value, false, rest)),
        [] => Err(Failure::Syntax),
    }
}

fn set_once(keep: &mut Option<Keep>, value: Keep) -> Result<(), Failure> {
    let is_same = |old: Keep| std::mem::discriminant(&old) == std::mem::discriminant(&value);
    if keep.is_some_and(|old| !is_same(old)) {
        let text = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
        return Err(Failure::text(text));
    }
    *keep = Some(value);
    Ok(())
}

fn max_len(text: &[u8]) -> Result<Keep, Failure> {
    let len = number::integer_argument(text)?;
    let negative = Failure::text("ERR The MAXLEN argument must be >= 0.");
    u64::try_from(len).map(Keep::Newest).map_err(|_negative| negative)
}

fn removed_at_most(text: &[u8]) -> Result<usize, Failure> {
    let limit = number::integer_argument(text)?;
    let negative = Failure::text("ERR The LIMIT argument must be >= 0.");
    usize::try_from(limit).map_err(|_negative| negative)
}
