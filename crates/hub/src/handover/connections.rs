//! Connections written down: their descriptors travel beside the book, in its order.

use bytes::BytesMut;
use remuda_wire::resp::{Version, Writer};
use remuda_wire::zmtp::SavedConnection;

use super::book::Pages;
use crate::access::User;
use crate::connection::{Connection, Protocol};
use crate::redis::session::{Replies, Session, Waiting};
use crate::timers::{Due, Timers};
use crate::zeromq::peer::{Peer, Role};

/// As they are numbered in the book.
pub(super) const ROLES: [Role; 5] =
    [Role::Unknown, Role::Publisher, Role::Subscriber, Role::Consumer, Role::Asker];

/// The answer to what an engine was given and has not answered when the hub is replaced.
const UNKNOWN: &str = "ERR the hub was replaced meanwhile; whether this was carried out is not known";

/// Writes down a connection; says whether it can be passed on. One that has not greeted yet cannot.
pub(crate) fn write(connection: &mut Connection, endpoint: &str, timers: &Timers, pages: &mut Pages) -> bool {
    let sync_until = timers.at(connection.key, Due::Sync);
    let key = connection.key.number().to_string();
    // Not in the connection itself: should the other hub fail, the rest of an answer may come after all.
    let is_cut = matches!(&connection.protocol, Protocol::Redis(session, _) if session.is_cut);
    let closing: &[u8] = if connection.closing || is_cut { b"1" } else { b"0" };
    let Connection { protocol, outbox, input, .. } = connection;
    let parted: &[u8] = if outbox.is_parted() { b"1" } else { b"0" };
    match protocol {
        // Links are made anew: what one of them was given is in nobody's hands but its own.
        Protocol::Herd(_) => false,
        Protocol::Redis(session, _) => {
            // What it waits for is asked again, unless that would do something twice.
            let again = match session.waiting {
                Some(Waiting::Engine) => &[][..],
                None if session.upstream.is_none() => &[],
                Some(_) | None => &session.waits_with[..],
            };
            let input = [again, input].concat();
            // Not in the outbox, for the same reason.
            let mut output = BytesMut::new();
            if session.owed > 0 {
                output.extend_from_slice(outbox.bytes());
                for _each in 0..session.owed {
                    Writer::new(&mut output, session.version).error(UNKNOWN);
                }
            }
            let output = if session.owed > 0 { &output } else { outbox.bytes() };
            pages.add(&[b"connection", key.as_bytes(), endpoint.as_bytes(), closing, &input, output, parted]);
            write_session(session, pages);
            true
        }
        Protocol::ZeroMq(peer) => {
            let Some(mut saved) = peer.wire.save() else { return false };
            // Requests that were understood and not carried out are understood anew.
            let rest =
                peer.behind.as_ref().map_or(&[][..], |(batch, from)| match batch.messages.get(*from) {
                    Some(span) => &batch.bytes[usize::try_from(span.start).unwrap_or(usize::MAX)..],
                    None => &[],
                });
            let mut input = input.to_vec();
            match &mut saved.curve {
                Some(curve) => drop(curve.clear.splice(..0, rest.iter().copied())),
                None => drop(input.splice(..0, rest.iter().copied())),
            }
            let output = outbox.bytes();
            pages.add(&[b"connection", key.as_bytes(), endpoint.as_bytes(), closing, &input, output, parted]);
            write_peer(peer, &saved, pages);
            if let (Some((prefix, pending)), Some(until)) = (&peer.sync, sync_until) {
                let until = until.0.to_string();
                let signer = pending.signer.as_deref().unwrap_or_default();
                let mut fields: Vec<&[u8]> = vec![b"sync", prefix, until.as_bytes(), signer.as_bytes()];
                fields.extend(pending.envelope.iter().map(AsRef::as_ref));
                pages.add(&fields);
            }
            true
        }
    }
}

fn write_user(user: Option<&User>) -> [String; 2] {
    match user {
        None => [String::new(), "0".to_owned()],
        Some(user) => [user.name.clone(), u8::from(user.is_known).to_string()],
    }
}

fn write_session(session: &Session, pages: &mut Pages) {
    let [user, known] = write_user(session.user.as_deref());
    let [first, first_known] = write_user(session.first_user.as_deref());
    let replies = match session.replies {
        Replies::On => 0,
        Replies::Off => 1,
        Replies::SkipNext => 2,
        Replies::Skip => 3,
    };
    // The command it waits with is carried out again, and its reply is not wanted then either.
    let is_asked_again = session.waiting != Some(Waiting::Engine);
    let replies = match session.is_muted && is_asked_again && replies == 0 {
        true => 3,
        false => replies,
    };
    let numbers = [
        u64::from(session.version == Version::Resp3),
        u64::from(session.database),
        session.origin.0,
        u64::from(session.is_member),
        u64::from(session.hears_itself),
        replies,
        session.commands,
        u64::from(session.is_watching || session.has_lost_watch),
        u64::from(session.transaction.is_open()),
        u64::from(session.transaction.is_poisoned()),
        session.opened.0,
    ]
    .map(|number| number.to_string());
    let mut fields: Vec<&[u8]> = vec![
        b"redis",
        user.as_bytes(),
        known.as_bytes(),
        first.as_bytes(),
        first_known.as_bytes(),
        session.name.as_bytes(),
        session.library.as_bytes(),
        session.library_version.as_bytes(),
    ];
    fields.extend(numbers.iter().map(String::as_bytes));
    pages.add(&fields);
    let sets: [(&[u8], _); 4] = [
        (b"channel", &session.channels),
        (b"pattern", &session.patterns),
        (b"shard", &session.shards),
        (b"sequenced", &session.sequenced),
    ];
    for (what, names) in sets {
        for name in names {
            pages.add(&[b"hears", what, name]);
        }
    }
    session.transaction.for_each(|database, command| {
        let database = database.to_string();
        let mut fields: Vec<&[u8]> = vec![b"queued", database.as_bytes()];
        fields.extend_from_slice(command);
        pages.add(&fields);
    });
}

fn write_peer(peer: &Peer, saved: &SavedConnection, pages: &mut Pages) {
    let [user, known] = write_user(peer.user.as_deref());
    let role = ROLES.iter().position(|role| *role == peer.role).unwrap_or(0);
    let numbers = [
        role as u64,
        peer.origin.0,
        u64::from(peer.is_member),
        u64::from(peer.hears_itself),
        peer.next_ticket,
        u64::from(saved.peer.minor),
    ]
    .map(|number| number.to_string());
    let mut fields: Vec<&[u8]> = vec![
        b"zeromq",
        user.as_bytes(),
        known.as_bytes(),
        saved.peer.socket_type.name().as_bytes(),
        saved.peer.own_type.name().as_bytes(),
        &saved.peer.identity,
        &saved.peer.resource,
        &saved.output,
    ];
    fields.extend(numbers.iter().map(String::as_bytes));
    fields.push(peer.signer.as_deref().unwrap_or_default().as_bytes());
    pages.add(&fields);
    if let Some(curve) = &saved.curve {
        let numbers = [u64::from(curve.is_server), curve.next, curve.opened].map(|number| number.to_string());
        pages.add(&[
            b"curve",
            &curve.own_key,
            &curve.peer_key,
            numbers[0].as_bytes(),
            numbers[1].as_bytes(),
            numbers[2].as_bytes(),
            &curve.clear,
        ]);
    }
}
