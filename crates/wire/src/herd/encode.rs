//! From a message to its frame.

use bytes::{BufMut as _, BytesMut};
use remuda_herd::spread::{
    Contact, Fact, Farewell, Graft, Have, Interest, Known, LinkState, Message, Payload, Sample, Skip,
    Summary, Update,
};

use super::kind;
use super::writer::{bytes, count, flag, life, node, number, texts};

/// Appends the payload of `message` to `out` and says which kind of frame it belongs in.
pub fn encode(message: &Message, out: &mut BytesMut) -> u8 {
    match message {
        Message::Known(known) => put_known(out, known),
        Message::Fact(fact) => put_fact(out, fact),
        Message::Interest(interest) => put_interest(out, interest),
        Message::Have(have) => put_have(out, have),
        Message::Update(update) => put_update(out, update),
        Message::Skip(Skip { origin, epoch, next, lost }) => {
            life(out, *origin, *epoch);
            number(out, *next);
            number(out, *lost);
            kind::SKIP
        }
        Message::Graft(Graft { origin, epoch, next }) => {
            life(out, *origin, *epoch);
            number(out, *next);
            kind::GRAFT
        }
        Message::Prune(origin) => {
            node(out, *origin);
            kind::PRUNE
        }
        Message::Ping(turn) => {
            number(out, *turn);
            kind::PING
        }
        Message::Pong(turn) => {
            number(out, *turn);
            kind::PONG
        }
        Message::Sample(sample) => put_sample(out, sample),
        Message::Bye(farewell) => {
            out.put_u8(match farewell {
                Farewell::Leaving => 0,
                Farewell::Full => 1,
                Farewell::Doubled => 2,
                Farewell::Removed => 3,
            });
            kind::BYE
        }
    }
}

fn put_known(out: &mut BytesMut, known: &Known) -> u8 {
    count(out, known.entries.len());
    for entry in &known.entries {
        life(out, entry.node, entry.epoch);
        number(out, entry.fact);
        number(out, entry.interest);
    }
    flag(out, known.is_last);
    kind::KNOWN
}

fn put_fact(out: &mut BytesMut, fact: &Fact) -> u8 {
    life(out, fact.node, fact.epoch);
    number(out, fact.version);
    bytes(out, fact.name.as_bytes());
    texts(out, &fact.addresses);
    number(out, u64::from(fact.protocol));
    count(out, fact.links.len());
    for (peer, state) in &fact.links {
        node(out, *peer);
        out.put_u8(match state {
            LinkState::Up => 0,
            LinkState::Suspect => 1,
            LinkState::Down => 2,
        });
    }
    flag(out, fact.is_leaving);
    kind::FACT
}

fn put_interest(out: &mut BytesMut, interest: &Interest) -> u8 {
    life(out, interest.node, interest.epoch);
    number(out, interest.version);
    flag(out, matches!(interest.summary, Summary::Everything));
    let prefixes = interest.summary.prefixes();
    count(out, prefixes.len());
    for prefix in prefixes {
        bytes(out, prefix);
    }
    kind::INTEREST
}

fn put_have(out: &mut BytesMut, have: &Have) -> u8 {
    count(out, have.entries.len());
    for entry in &have.entries {
        life(out, entry.origin, entry.epoch);
        number(out, entry.next);
        number(out, u64::from(entry.hops));
        number(out, entry.age_ms);
    }
    flag(out, have.is_standing);
    kind::HAVE
}

fn put_update(out: &mut BytesMut, update: &Update) -> u8 {
    life(out, update.origin, update.epoch);
    number(out, update.sequence);
    number(out, update.skipped);
    number(out, update.lost);
    number(out, u64::from(update.hops));
    match &update.payload {
        Payload::Messages(batch) => {
            out.put_slice(&batch.bytes);
            kind::MESSAGES
        }
        Payload::Change(change) => {
            out.put_slice(change);
            kind::CHANGE
        }
    }
}

fn put_sample(out: &mut BytesMut, sample: &Sample) -> u8 {
    count(out, sample.contacts.len());
    for Contact { node: at, addresses } in &sample.contacts {
        node(out, *at);
        texts(out, addresses);
    }
    flag(out, sample.is_question);
    kind::SAMPLE
}
