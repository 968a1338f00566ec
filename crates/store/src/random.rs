//! Random choices from a seed: the same store replays the same choices.

use remuda_model::split_mix;

/// The generator.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        split_mix(&mut self.0)
    }

    /// A number below `len`, every one as likely; zero when there is none.
    pub(crate) fn below(&mut self, len: usize) -> usize {
        let wide = u128::from(self.next()) * (len as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}
