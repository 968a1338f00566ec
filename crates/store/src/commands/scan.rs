//! Cursors: walking a collection in steps while it changes.
//!
//! A cursor is the number of elements still to be seen. The walk goes from the last to the first, and a removal moves
//! elements only towards the first or from the end to a place in front: what is there all the while is seen, and may be
//! seen twice, as Redis allows too. Nothing is kept for a walk that somebody left unfinished.

use remuda_model::glob_matches;

use crate::call::{Call, Flow};
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;

/// Elements of a step when nothing is said.
const STEP: usize = 10;
/// A collection of up to this size is answered in one step, as Redis does with those it packs.
const WHOLE_MAX: usize = 128;

/// The arguments of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan<'a> {
    pub(crate) cursor: usize,
    pub(crate) count: usize,
    pub(crate) pattern: Option<&'a [u8]>,
    /// The type asked for, with `SCAN`.
    pub(crate) kind: Option<&'a [u8]>,
    /// Whether values are left out, with `HSCAN`.
    pub(crate) only_names: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(cursor: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(cursor).ok().filter(|text| !text.starts_with('+'));
        let cursor: u64 = text.and_then(|text| text.parse().ok()).ok_or(Failure::InvalidCursor)?;
        let cursor = usize::try_from(cursor).unwrap_or(usize::MAX);
        Ok(Self { cursor, count: STEP, pattern: None, kind: None, only_names: false })
    }

    /// Reads the options; `TYPE` where `has_kind`, `NOVALUES` where `has_values`.
    pub(crate) fn options(
        mut self,
        words: &[&'a [u8]],
        has_kind: bool,
        has_values: bool,
    ) -> Result<Self, Failure> {
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if has_values && is_word(word, "NOVALUES") {
                self.only_names = true;
                continue;
            }
            let value = words.next().ok_or(Failure::Syntax)?;
            if is_word(word, "COUNT") {
                let count = number::integer_argument(value)?;
                self.count = usize::try_from(count).ok().filter(|&count| count > 0).ok_or(Failure::Syntax)?;
            } else if is_word(word, "MATCH") {
                self.pattern = Some(value).filter(|&pattern| pattern != b"*");
            } else if has_kind && is_word(word, "TYPE") {
                self.kind = Some(value);
            } else {
                return Err(Failure::Syntax);
            }
        }
        Ok(self)
    }

    /// Whether the pattern takes `name`.
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob_matches(pattern, name))
    }

    /// From where to before where this step reaches in a table of `len`. The cursor after it is where it begins.
    pub(crate) fn step(&self, len: usize) -> (usize, usize) {
        let end = if self.cursor == 0 { len } else { self.cursor.min(len) };
        (end.saturating_sub(self.count), end)
    }

    /// As [`step`](Self::step), for the elements of one value: all at once when they are few.
    pub(crate) fn step_within(&self, len: usize) -> (usize, usize) {
        if len <= WHOLE_MAX { (0, len) } else { self.step(len) }
    }
}

/// Answers with the cursor that comes next and opens the array of `len` answers.
pub(crate) fn answer_step(call: &mut Call<'_>, next: usize, len: usize) -> Flow {
    call.answer.array(2);
    call.answer.bulk(itoa::Buffer::new().format(next).as_bytes());
    call.answer.array(len);
    Flow::Done
}
