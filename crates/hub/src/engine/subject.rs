//! Topics as subjects of NATS.
//!
//! A subject is a row of tokens with dots between them; none may be empty, and blanks and `*` and `>` mean something
//! else. A topic's dots stay what they are, so that `orders.new` is `orders.new` for everybody; an empty token becomes
//! `%`, and bytes that may not be become `%` and two hexadecimal digits. What is UTF-8 stays as it is. Each token is
//! written for itself, so that whole tokens at the beginning of a topic are a beginning of its subject.

/// What matches every subject, and at the end of one everything below it.
pub(crate) const ALL: &[u8] = b">";
/// Shard channels live below this, apart from topics: no topic's subject begins so, since a `$` is escaped there.
const SHARD: &[u8] = b"$remuda-shard.";

/// The subject of `topic`.
pub(crate) fn of_topic(topic: &[u8]) -> Vec<u8> {
    let mut subject = Vec::with_capacity(topic.len() + 8);
    append(topic, &mut subject);
    subject
}

/// The subject of a shard channel.
pub(crate) fn of_shard(channel: &[u8]) -> Vec<u8> {
    let mut subject = SHARD.to_vec();
    append(channel, &mut subject);
    subject
}

/// A subject that has all topics beginning with `prefix`, and others too: NATS knows no parts of tokens.
pub(crate) fn of_prefix(prefix: &[u8]) -> Vec<u8> {
    let whole = prefix.iter().rposition(|byte| *byte == b'.');
    let mut subject = Vec::new();
    if let Some(end) = whole {
        append(&prefix[..end], &mut subject);
        subject.push(b'.');
    }
    subject.extend_from_slice(ALL);
    subject
}

/// What a subject stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Topic(Vec<u8>),
    Shard(Vec<u8>),
}

/// What `subject` stands for; `None`: it is one of the server's own, or of another use of the server.
pub(crate) fn named(subject: &[u8]) -> Option<Named> {
    if let Some(channel) = subject.strip_prefix(SHARD) {
        return Some(Named::Shard(decoded(channel)?));
    }
    if subject.starts_with(b"$") || subject.starts_with(b"_INBOX.") {
        return None;
    }
    Some(Named::Topic(decoded(subject)?))
}

/// All subjects with wildcards, and the one without, that have `subject`.
pub(crate) fn covering(subject: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let dots = subject.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at + 1);
    let above = std::iter::once(0).chain(dots).map(|end| [&subject[..end], ALL].concat());
    above.chain(std::iter::once(subject.to_vec()))
}

fn append(topic: &[u8], subject: &mut Vec<u8>) {
    let first = subject.len();
    for (place, token) in topic.split(|byte| *byte == b'.').enumerate() {
        if place > 0 {
            subject.push(b'.');
        }
        if token.is_empty() {
            subject.push(b'%');
        }
        // A token that NATS or other uses of it have for themselves.
        let is_taken = place == 0 && first == 0 && token == b"_INBOX";
        let is_text = std::str::from_utf8(token).is_ok();
        for (at, byte) in token.iter().enumerate() {
            let is_plain = match byte {
                0..=b' ' | 0x7f | b'*' | b'>' | b'%' => false,
                b'$' => place > 0 || at > 0,
                0x80.. => is_text,
                _ => !(is_taken && at == 0),
            };
            if is_plain {
                subject.push(*byte);
            } else {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                subject.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
        }
    }
}

fn decoded(subject: &[u8]) -> Option<Vec<u8>> {
    let mut topic = Vec::with_capacity(subject.len());
    for (place, token) in subject.split(|byte| *byte == b'.').enumerate() {
        if place > 0 {
            topic.push(b'.');
        }
        if token == b"%" {
            continue;
        }
        let mut at = 0;
        while let Some(byte) = token.get(at) {
            if *byte == b'%' {
                let digits = std::str::from_utf8(token.get(at + 1..at + 3)?).ok()?;
                topic.push(u8::from_str_radix(digits, 16).ok()?);
                at += 3;
            } else {
                topic.push(*byte);
                at += 1;
            }
        }
    }
    Some(topic)
}

#[cfg(test)]
mod tests;
