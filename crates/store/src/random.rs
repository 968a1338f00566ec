//! Random choices from a seed (splitmix64): the same store replays the same choices.

/// The generator.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `len`, every one as likely; zero when there is none.
    pub(crate) fn below(&mut self, len: usize) -> usize {
        let wide = u128::from(self.next()) * (len as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}
