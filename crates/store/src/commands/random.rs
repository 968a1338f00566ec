//! Random elements of a collection: how many, and whether one may come twice.

use crate::call::{Call, Flow};
use crate::failure::Failure;
use crate::number;
use crate::random::Random;

/// Largest count of elements that may repeat: an answer has to end.
const REPEATED_MAX: i64 = 1 << 24;

/// How many random elements are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// So many different ones, or all.
    Different(usize),
    /// So many, the same ones perhaps.
    Repeated(usize),
}

impl Wanted {
    /// Reads a count; a negative one is of elements that may repeat.
    pub(crate) fn new(text: &[u8]) -> Result<Self, Failure> {
        let count = number::integer_argument(text)?;
        if count >= 0 {
            return Ok(Self::Different(usize::try_from(count).unwrap_or(usize::MAX)));
        }
        let count = count.checked_neg().ok_or(Failure::text(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ))?;
        let repeated = Some(count).filter(|&count| count <= REPEATED_MAX).ok_or(Failure::OutOfRange)?;
        Ok(Self::Repeated(usize::try_from(repeated).unwrap_or(0)))
    }

    /// Indices of a collection of `len`, which is not zero.
    pub(crate) fn indices(self, len: usize, random: &mut Random) -> Vec<usize> {
        match self {
            Self::Repeated(count) => (0..count).map(|_| random.below(len)).collect(),
            Self::Different(count) if count >= len => (0..len).collect(),
            // Floyd's sampling: each set of `count` indices is as likely, whatever the length.
            Self::Different(count) => {
                let mut chosen = std::collections::BTreeSet::new();
                for top in len - count..len {
                    let index = random.below(top + 1);
                    chosen.insert(if chosen.contains(&index) { top } else { index });
                }
                let mut indices: Vec<usize> = chosen.into_iter().collect();
                for last in (1..indices.len()).rev() {
                    indices.swap(last, random.below(last + 1));
                }
                indices
            }
        }
    }
}

/// Answers that there is nothing to choose from.
pub(crate) fn nothing(call: &mut Call<'_>, has_count: bool) -> Flow {
    if has_count { call.empty_array() } else { call.null() }
}
