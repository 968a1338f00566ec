//! Signed messages: which have been seen before.
//!
//! A signature proves who wrote a message, not that it has not been recorded and sent again. So a message carries its time
//! and a number used once: it is taken while its time is within the window around now, and its number is remembered for
//! as long as it could be taken. What is remembered is bounded; when it is full, what comes is refused rather than
//! something forgotten.
//!
//! Should the wall clock be set forward and back again, messages older than what was forgotten meanwhile stay refused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bounds of a [`ReplayWindow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayWindowOptions {
    /// How far the time of a message may be from now, before and after; 30 s.
    pub window: Duration,
    /// Numbers remembered, of all keys; 100,000.
    pub nonces_max: usize,
    /// Numbers remembered of one key, so that one cannot fill the window for all; 20,000.
    pub nonces_per_key_max: usize,
}

/// The messages seen within the window.
#[derive(Debug)]
pub struct ReplayWindow {
    options: ReplayWindowOptions,
    seen: BTreeSet<(u64, [u8; 16])>,
    /// The same, oldest first.
    by_time: BTreeSet<(u64, u64, [u8; 16])>,
    /// Numbers remembered of each key.
    keys: BTreeMap<u64, usize>,
    /// Nothing up to this time is taken any more, since what was seen then is forgotten.
    forgotten_ms: Option<u64>,
}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is older than the window.
    #[error("the message is {late_ms} ms older than it may be; look at the clocks of both sides")]
    Late {
        /// By how much.
        late_ms: u64,
    },
    /// Its time is to come.
    #[error(
        "the message is {early_ms} ms further in the future than it may be; look at the clocks of both sides"
    )]
    Early {
        /// By how much.
        early_ms: u64,
    },
    /// It has been seen before.
    #[error("the message has been seen before")]
    Replayed,
    /// As many are remembered as may.
    #[error("{0} messages have been seen within the window, as many as are remembered")]
    Full(usize),
}

impl Default for ReplayWindowOptions {
    fn default() -> Self {
        Self { window: Duration::from_secs(30), nonces_max: 100_000, nonces_per_key_max: 20_000 }
    }
}

impl ReplayWindow {
    /// Nothing has been seen yet.
    #[must_use]
    pub fn new(options: ReplayWindowOptions) -> Self {
        Self {
            options,
            seen: BTreeSet::new(),
            by_time: BTreeSet::new(),
            keys: BTreeMap::new(),
            forgotten_ms: None,
        }
    }

    /// Takes a message whose signature is good: now is `now_ms`, its own time `timestamp_ms`, both in milliseconds since
    /// 1970.
    ///
    /// # Errors
    /// [`Refused`]; the message is not remembered then.
    pub fn accept(
        &mut self,
        now_ms: u64,
        key_id: u64,
        timestamp_ms: u64,
        nonce: [u8; 16],
    ) -> Result<(), Refused> {
        let window = u64::try_from(self.options.window.as_millis()).unwrap_or(u64::MAX);
        let oldest = now_ms.saturating_sub(window);
        self.forget_before(oldest);
        let oldest = self.forgotten_ms.map_or(oldest, |forgotten| oldest.max(forgotten.saturating_add(1)));
        if timestamp_ms < oldest {
            return Err(Refused::Late { late_ms: oldest - timestamp_ms });
        }
        let newest = now_ms.saturating_add(window);
        if timestamp_ms > newest {
            return Err(Refused::Early { early_ms: timestamp_ms - newest });
        }
        if self.seen.contains(&(key_id, nonce)) {
            return Err(Refused::Replayed);
        }
        let of_key = self.keys.get(&key_id).copied().unwrap_or_default();
        if self.seen.len() >= self.options.nonces_max {
            return Err(Refused::Full(self.seen.len()));
        }
        if of_key >= self.options.nonces_per_key_max {
            return Err(Refused::Full(of_key));
        }
        self.insert(timestamp_ms, key_id, nonce);
        Ok(())
    }

    /// What is remembered, oldest first, as time, key and number: for a successor's [`Self::remember`].
    pub fn remembered(&self) -> impl Iterator<Item = (u64, u64, [u8; 16])> + '_ {
        self.by_time.iter().copied()
    }

    /// Up to which time nothing is taken any more, since what was seen then is forgotten: for a successor's
    /// [`Self::forget_until`].
    #[must_use]
    pub fn forgotten_ms(&self) -> Option<u64> {
        self.forgotten_ms
    }

    /// Takes nothing up to this time any more.
    pub fn forget_until(&mut self, timestamp_ms: u64) {
        self.forgotten_ms = self.forgotten_ms.max(Some(timestamp_ms));
    }

    /// Takes over what another window remembered. What is beyond the bounds of this one is forgotten, so nothing as old
    /// as that is taken any more.
    pub fn remember(&mut self, timestamp_ms: u64, key_id: u64, nonce: [u8; 16]) {
        if self.seen.contains(&(key_id, nonce)) {
            return;
        }
        let of_key = self.keys.get(&key_id).copied().unwrap_or_default();
        if self.seen.len() >= self.options.nonces_max || of_key >= self.options.nonces_per_key_max {
            return self.forget_until(timestamp_ms);
        }
        self.insert(timestamp_ms, key_id, nonce);
    }

    /// How many messages are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    fn insert(&mut self, timestamp_ms: u64, key_id: u64, nonce: [u8; 16]) {
        self.seen.insert((key_id, nonce));
        self.by_time.insert((timestamp_ms, key_id, nonce));
        *self.keys.entry(key_id).or_default() += 1;
    }

    fn forget_before(&mut self, oldest: u64) {
        while let Some((timestamp, key_id, nonce)) = self.by_time.first().copied()
            && timestamp < oldest
        {
            self.by_time.remove(&(timestamp, key_id, nonce));
            self.seen.remove(&(key_id, nonce));
            if let Some(count) = self.keys.get_mut(&key_id) {
                *count -= 1;
                if *count == 0 {
                    self.keys.remove(&key_id);
                }
            }
            self.forget_until(timestamp);
        }
    }
}

#[cfg(test)]
mod tests;
