//! Tickets by which a client goes on with a session, at whichever worker it arrives.
//!
//! Nothing is kept: what a session needs is in the ticket, encrypted. All gateway workers of an instance make the same
//! keys, of the secret they share and of the time, so that a ticket of one is good at another, and after a reload. A key is
//! used for [`PERIOD_SECS`] and opens tickets for as long again; who learns a period's key learns no other period's.
//!
//! A ticket is: the period (8 bytes), a salt (16), and what is sealed by ChaCha20-Poly1305 under a key of its own, which
//! follows from the period's key and the salt. No key seals twice, so that the nonce need not count.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use remuda_model::hub::Secret;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use rustls::server::ProducesTickets;

#[cfg(test)]
mod tests;

/// Seconds a key seals for, and the least that a ticket is good for. 6 h.
pub(super) const PERIOD_SECS: u64 = 6 * 60 * 60;
const PERIOD_BYTES: usize = 8;
const SALT_BYTES: usize = 16;
const HEAD_BYTES: usize = PERIOD_BYTES + SALT_BYTES;

/// Seals and opens tickets; equal for all who have the secret and the same context.
pub(super) struct Tickets {
    root: hmac::Key,
    clock: fn() -> u64,
}

impl Tickets {
    /// `context` parts tickets that must not be taken for each other: those of clients whose certificate was asked for by
    /// some authority, and others.
    pub(super) fn new(secret: &Secret, context: &[u8]) -> Self {
        Self::with_clock(secret, context, now)
    }

    fn with_clock(secret: &Secret, context: &[u8], clock: fn() -> u64) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let mut root = hmac::Context::with_key(&secret);
        root.update(b"tls tickets:");
        root.update(context);
        Self { root: hmac::Key::new(hmac::HMAC_SHA256, root.sign().as_ref()), clock }
    }

    fn key(&self, period: u64, salt: &[u8]) -> LessSafeKey {
        let period = hmac::sign(&self.root, &period.to_be_bytes());
        let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, period.as_ref()), salt);
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).expect("both have 32 bytes"))
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(PERIOD_SECS).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let period = (self.clock)() / PERIOD_SECS;
        let random = remuda_sys::random::bytes::<SALT_BYTES>().ok()?;
        let mut sealed = plain.to_vec();
        self.key(period, &random).seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).ok()?;
        Some([&period.to_be_bytes()[..], &random, &sealed].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let (head, sealed) = cipher.split_at_checked(HEAD_BYTES)?;
        let (period, salt) = head.split_at(PERIOD_BYTES);
        let period = u64::from_be_bytes(period.try_into().ok()?);
        let current = (self.clock)() / PERIOD_SECS;
        if period != current && Some(period) != current.checked_sub(1) {
            return None;
        }
        let mut opened = sealed.to_vec();
        let len = self.key(period, salt).open_in_place(nonce(), Aad::empty(), &mut opened).ok()?.len();
        opened.truncate(len);
        Some(opened)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets(***)")
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
