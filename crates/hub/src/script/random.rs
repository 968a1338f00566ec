//! Numbers that look random and are the same in every run: a script that draws can be tested. Redis 7 draws anew.
//!
//! The generator is that of drand48(3), as in Redis after `math.randomseed`; it is seeded with 0 before each script.

use std::cell::Cell;

const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
const MASK: u64 = (1 << 48) - 1;

/// The generator's state.
#[derive(Debug, Default)]
pub(super) struct Random {
    state: Cell<u64>,
}

impl Random {
    /// Begins the sequence of `seed`.
    pub(super) fn seed(&self, seed: u32) {
        self.state.set((u64::from(seed) << 16) | 0x330e);
    }

    /// The next number, from 0 to less than 1.
    pub(super) fn next(&self) -> f64 {
        let state = self.state.get().wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        self.state.set(state);
        let most = i32::MAX.unsigned_abs();
        let bits = u32::try_from(state >> 17).expect("31 bits are left") % most;
        f64::from(bits) / f64::from(most)
    }
}
