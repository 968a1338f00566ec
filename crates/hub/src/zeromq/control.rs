//! What REQ, DEALER and ROUTER peers ask the hub, and how it answers: the first frame is a verb.
//!
//! | frames | answer |
//! |---|---|
//! | `CALL service timeout_ms body` | `OK body` or `ERROR reason` |
//! | `SERVE service [capacity]` | `OK`; from then on `CALL id service body caller` arrive |
//! | `REPLY id body`, `FAIL id reason` | none, unless nobody waits: `ERROR reason` |
//! | `LEAVE service` | `OK` |
//! | `PUB topic payload …` | `OK receivers` |
//! | `SYNC prefix timeout_ms` | `OK` once somebody has subscribed to exactly this prefix |
//! | `REPLAY prefix after` | `OK lost`, then sequence, topic, payload of each message |
//! | `LOCK`, `RENEW`, `UNLOCK`, `LOCKINFO`, `LOCKS` | as in [`crate::locks::words`]: `OK …`, `NIL` or `ERROR reason` |
//! | `PING` | `OK PONG` |
//! | any command of the store | `OK value …`, `NIL`, or `ERROR reason` |
//!
//! What stands before the verb up to an empty frame (REQ sends such a frame by itself) is an envelope: it comes back in
//! front of the answer, so that a DEALER can tell its answers apart.

/// Frames before the verb: at most so many are looked at.
const ENVELOPE_FRAMES_MAX: usize = 8;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// What the answer begins with, the empty frame included.
    pub(crate) envelope: &'a [&'a [u8]],
    /// The verb and what follows it; never empty.
    pub(crate) words: &'a [&'a [u8]],
}

/// Splits `frames`; `None` when there is no verb.
pub(crate) fn split<'a>(frames: &'a [&'a [u8]]) -> Option<Asked<'a>> {
    let delimiter = frames.iter().take(ENVELOPE_FRAMES_MAX).position(|frame| frame.is_empty());
    let begin = match delimiter {
        // An empty frame among the words of a request without an envelope is a word.
        Some(position) if position == 0 || !is_verb(frames[0]) => position + 1,
        _ => 0,
    };
    let (envelope, words) = frames.split_at(begin);
    (!words.is_empty()).then_some(Asked { envelope, words })
}

fn is_verb(frame: &[u8]) -> bool {
    const VERBS: [&str; 14] = [
        "CALL", "SERVE", "REPLY", "FAIL", "LEAVE", "PUB", "SYNC", "REPLAY", "PING", "LOCK", "RENEW",
        "UNLOCK", "LOCKINFO", "LOCKS",
    ];
    VERBS.iter().any(|verb| frame.eq_ignore_ascii_case(verb.as_bytes()))
        || remuda_store::lookup(frame).is_some()
}
