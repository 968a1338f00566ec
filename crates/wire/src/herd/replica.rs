//! How two servers find what their stores differ in, as bytes. Hashes and sums have eight bytes, or four, big end first.

use bytes::{BufMut as _, Bytes, BytesMut};
use remuda_herd::replica::{ASKED_MAX, KNOWN_MAX, Message, Stamp, Stretch, WANTED_MAX};

use super::decode::DecodeError;
use super::reader::Reader;
use super::writer::{bytes, count, flag, node, number};

#[cfg(test)]
mod tests;

/// The kinds of frames; the first is [`OTHERS_FROM`](super::OTHERS_FROM).
mod kind {
    pub(super) const BEGIN: u8 = 32;
    pub(super) const BEGUN: u8 = 33;
    pub(super) const REFUSED: u8 = 34;
    pub(super) const ASK: u8 = 35;
    pub(super) const SUMS: u8 = 36;
    pub(super) const ASK_LEAVES: u8 = 37;
    pub(super) const LEAVES: u8 = 38;
    pub(super) const WANT: u8 = 39;
    pub(super) const STATES: u8 = 40;
}

/// Branches of a node of the tree.
const BRANCHES: usize = 16;
/// Bytes of a key's hash and fingerprint.
const KEY_BYTES: usize = 8;

/// Appends the payload of `message` to `out` and says which kind of frame it belongs in.
pub fn encode(message: &Message, out: &mut BytesMut) -> u8 {
    number(out, u64::from(message.pull()));
    match message {
        Message::Begin { scopes, known, by_tree, resume, .. } => {
            out.put_u64(*scopes);
            put_known(out, known);
            flag(out, *by_tree);
            flag(out, resume.is_some());
            if let Some((epoch, position)) = resume {
                number(out, epoch.0);
                number(out, *position);
            }
            kind::BEGIN
        }
        Message::Begun { is_recent, known, horizon, epoch, root, .. } => {
            flag(out, *is_recent);
            put_known(out, known);
            number(out, horizon.0);
            number(out, epoch.0);
            out.put_u64(*root);
            kind::BEGUN
        }
        Message::Refused { scopes, .. } => {
            out.put_u64(*scopes);
            kind::REFUSED
        }
        Message::Ask { level, nodes, .. } => {
            out.put_u8(*level);
            count(out, nodes.len());
            nodes.iter().for_each(|at| number(out, u64::from(*at)));
            kind::ASK
        }
        Message::Sums { level, sums, .. } => {
            out.put_u8(*level);
            count(out, sums.len());
            for (at, sums) in sums {
                number(out, u64::from(*at));
                sums.iter().for_each(|sum| out.put_u64(*sum));
            }
            kind::SUMS
        }
        Message::AskLeaves { leaves, .. } => {
            count(out, leaves.len());
            leaves.iter().for_each(|leaf| number(out, u64::from(*leaf)));
            kind::ASK_LEAVES
        }
        Message::Leaves { leaves, is_last, .. } => put_leaves(out, leaves, *is_last),
        Message::Want { hashes, names_only, .. } => {
            count(out, hashes.len());
            hashes.iter().for_each(|hash| out.put_u64(*hash));
            flag(out, *names_only);
            kind::WANT
        }
        Message::States { states, position, is_last, .. } => {
            count(out, states.len());
            states.iter().for_each(|state| bytes(out, state));
            number(out, *position);
            flag(out, *is_last);
            kind::STATES
        }
    }
}

fn put_known(out: &mut BytesMut, known: &[Stretch]) {
    count(out, known.len());
    for stretch in known {
        node(out, stretch.node);
        number(out, stretch.after.0);
        number(out, stretch.upto.0);
    }
}

fn put_leaves(out: &mut BytesMut, leaves: &[(u16, Vec<(u32, u32)>)], is_last: bool) -> u8 {
    count(out, leaves.len());
    for (leaf, keys) in leaves {
        number(out, u64::from(*leaf));
        count(out, keys.len());
        for (hash, fingerprint) in keys {
            out.put_u32(*hash);
            out.put_u32(*fingerprint);
        }
    }
    flag(out, is_last);
    kind::LEAVES
}

/// The message of a frame. `bytes_max`: bytes of one key's state.
///
/// # Errors
/// [`DecodeError`]; what is returned otherwise takes no more memory than the frame and a small multiple of it.
pub fn decode(kind: u8, payload: Bytes, bytes_max: usize) -> Result<Message, DecodeError> {
    let mut reader = Reader::new(payload);
    let message = read(kind, &mut reader, bytes_max)?;
    reader.end()?;
    Ok(message)
}

fn read(kind: u8, reader: &mut Reader, bytes_max: usize) -> Result<Message, DecodeError> {
    let pull = reader.narrow()?;
    Ok(match kind {
        kind::BEGIN => Message::Begin {
            pull,
            scopes: reader.fixed()?,
            known: known(reader)?,
            by_tree: reader.flag()?,
            resume: if reader.flag()? { Some((reader.epoch()?, reader.number()?)) } else { None },
        },
        kind::BEGUN => Message::Begun {
            pull,
            is_recent: reader.flag()?,
            known: known(reader)?,
            horizon: Stamp(reader.number()?),
            epoch: reader.epoch()?,
            root: reader.fixed()?,
        },
        kind::REFUSED => Message::Refused { pull, scopes: reader.fixed()? },
        kind::ASK => {
            let level = reader.byte()?;
            Message::Ask { pull, level, nodes: reader.list("a list of nodes", ASKED_MAX, Reader::narrow)? }
        }
        kind::SUMS => {
            let level = reader.byte()?;
            Message::Sums { pull, level, sums: reader.list("a list of nodes", ASKED_MAX, sums)? }
        }
        kind::ASK_LEAVES => {
            Message::AskLeaves { pull, leaves: reader.list("a list of leaves", ASKED_MAX, Reader::narrow)? }
        }
        kind::LEAVES => Message::Leaves {
            pull,
            leaves: reader.list("a list of leaves", ASKED_MAX, leaf)?,
            is_last: reader.flag()?,
        },
        kind::WANT => Message::Want {
            pull,
            hashes: reader.list("a list of keys", WANTED_MAX, Reader::fixed)?,
            names_only: reader.flag()?,
        },
        kind::STATES => Message::States {
            pull,
            states: states(reader, bytes_max)?,
            position: reader.number()?,
            is_last: reader.flag()?,
        },
        other => return Err(DecodeError::Kind(other)),
    })
}

fn known(reader: &mut Reader) -> Result<Vec<Stretch>, DecodeError> {
    reader.list("what is known", KNOWN_MAX, |reader| {
        Ok(Stretch { node: reader.node()?, after: Stamp(reader.number()?), upto: Stamp(reader.number()?) })
    })
}

fn sums(reader: &mut Reader) -> Result<(u32, [u64; BRANCHES]), DecodeError> {
    let at = reader.narrow()?;
    let mut sums = [0; BRANCHES];
    for sum in &mut sums {
        *sum = reader.fixed()?;
    }
    Ok((at, sums))
}

fn leaf(reader: &mut Reader) -> Result<(u16, Vec<(u32, u32)>), DecodeError> {
    let at = reader.narrow()?;
    let most = reader.left() / KEY_BYTES;
    let keys = reader.list("a leaf", most, |reader| Ok((reader.half()?, reader.half()?)))?;
    Ok((at, keys))
}

fn states(reader: &mut Reader, bytes_max: usize) -> Result<Vec<Bytes>, DecodeError> {
    // Each has a byte for its length at least.
    let most = reader.left();
    reader.list("a list of states", most, |reader| reader.bytes("a state", bytes_max))
}
