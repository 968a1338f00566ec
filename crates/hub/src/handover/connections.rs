//! Connections written down and read again: their descriptors travel beside the book, in its order.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use remuda_model::Tick;
use remuda_wire::resp::{CommandParser, Version, Writer};
use remuda_wire::zmtp::{self, SavedConnection, SavedCurve, SocketType};

use super::HandoverError;
use super::book::{Pages, Record};
use crate::access::User;
use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::limits;
use crate::redis::session::{Replies, Session, Waiting};
use crate::stream::{Remote, Stream};
use crate::table::Key;
use crate::timers::{Due, Timers};
use crate::zeromq::peer::{Peer, Pending, Role};

const ROLES: [Role; 5] = [Role::Unknown, Role::Publisher, Role::Subscriber, Role::Consumer, Role::Asker];

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
            pages.add(&[b"connection", key.as_bytes(), endpoint.as_bytes(), closing, &input, output]);
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
            pages.add(&[b"connection", key.as_bytes(), endpoint.as_bytes(), closing, &input, outbox.bytes()]);
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

fn read_user(record: &Record, at: usize, core: &Core) -> Result<Option<Arc<User>>, HandoverError> {
    let name = record.text(at)?;
    Ok((!name.is_empty()).then_some(core.users.restored(&name, record.flag(at + 1)?)))
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

/// A connection while its records are read.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) key: Key,
    pub(crate) endpoint: String,
    closing: bool,
    input: Bytes,
    output: Bytes,
    protocol: Option<Half>,
}

#[derive(Debug)]
enum Half {
    Redis(Box<Session>),
    ZeroMq(Box<PeerHalf>),
}

#[derive(Debug)]
struct PeerHalf {
    user: Option<Arc<User>>,
    role: Role,
    numbers: [u64; 4],
    signer: Option<String>,
    saved: SavedConnection,
    sync: Option<Sync>,
}

/// A subscription that a peer waits for.
#[derive(Debug)]
struct Sync {
    prefix: Vec<u8>,
    until: Tick,
    signer: Option<String>,
    envelope: Vec<Bytes>,
}

impl Arriving {
    pub(crate) fn new(record: &Record) -> Result<Self, HandoverError> {
        Ok(Self {
            key: Key::from_number(record.number(1)?),
            endpoint: record.text(2)?,
            closing: record.flag(3)?,
            input: record.field(4)?.clone(),
            output: record.field(5)?.clone(),
            protocol: None,
        })
    }

    /// Takes in a record that belongs to it.
    pub(crate) fn read(&mut self, record: &Record, core: &Core) -> Result<(), HandoverError> {
        match (record.what(), &mut self.protocol) {
            (b"redis", _) => {
                self.protocol = Some(Half::Redis(Box::new(read_session(self.key, record, core)?)));
            }
            (b"hears", Some(Half::Redis(session))) => {
                let name = record.field(2)?.to_vec();
                match record.field(1)?.as_ref() {
                    b"channel" => session.channels.insert(name),
                    b"pattern" => session.patterns.insert(name),
                    b"shard" => session.shards.insert(name),
                    _ => session.sequenced.insert(name),
                };
            }
            (b"queued", Some(Half::Redis(session))) => {
                let command: Vec<&[u8]> = record.rest(2).iter().map(AsRef::as_ref).collect();
                session.transaction.queue(u32::try_from(record.number(1)?).unwrap_or(0), &command);
            }
            (b"zeromq", _) => self.protocol = Some(Half::ZeroMq(Box::new(read_peer(record, core)?))),
            (b"sync", Some(Half::ZeroMq(peer))) => {
                peer.sync = Some(Sync {
                    prefix: record.field(1)?.to_vec(),
                    until: Tick(record.number(2)?),
                    signer: Some(record.text(3)?).filter(|signer| !signer.is_empty()),
                    envelope: record.rest(4).to_vec(),
                });
            }
            (b"curve", Some(Half::ZeroMq(peer))) => peer.saved.curve = Some(read_curve(record)?),
            _ => {}
        }
        Ok(())
    }

    /// Which subscription it waits for, and until when.
    pub(crate) fn sync(&self) -> Option<(Vec<u8>, Tick)> {
        match &self.protocol {
            Some(Half::ZeroMq(peer)) => peer.sync.as_ref().map(|sync| (sync.prefix.clone(), sync.until)),
            _ => None,
        }
    }

    /// The connection, with its descriptor.
    pub(crate) fn arrive(self, fd: OwnedFd, endpoint: usize, core: &Core, now: Tick) -> Option<Connection> {
        let stream = Stream::adopt(fd).ok()?;
        let remote = stream.remote().ok()?;
        let protocol = match self.protocol? {
            Half::Redis(mut session) => {
                session.user = believed(core, &remote, session.user.take());
                session.first_user = believed(core, &remote, session.first_user.take());
                let mut parser = CommandParser::new(limits::resp());
                parser.set_authenticated(session.user.is_some());
                Protocol::Redis(session, parser)
            }
            Half::ZeroMq(half) => {
                let wire = zmtp::Connection::restore(&half.saved, limits::zmtp(&core.settings.spec));
                let [origin, is_member, hears_itself, next_ticket] = half.numbers;
                let user = believed(core, &remote, half.user);
                let mut peer = Peer::new(wire, user, remuda_bus::Origin(origin), remote.clone());
                peer.signer = half.signer;
                peer.role = half.role;
                peer.is_member = is_member != 0;
                peer.hears_itself = hears_itself != 0;
                peer.next_ticket = next_ticket;
                peer.sync = half
                    .sync
                    .map(|sync| (sync.prefix, Pending { envelope: sync.envelope, signer: sync.signer }));
                Protocol::ZeroMq(Box::new(peer))
            }
        };
        let mut connection = Connection::new(self.key, stream, remote, endpoint, protocol, now);
        connection.closing = self.closing;
        connection.input.extend_from_slice(&self.input);
        connection.outbox.bytes().extend_from_slice(&self.output);
        Some(connection)
    }
}

/// Who is trusted without a token may have been so under the rules of before.
fn believed(core: &Core, remote: &Remote, user: Option<Arc<User>>) -> Option<Arc<User>> {
    let is_trusted = match remote {
        Remote::Local { uid, .. } => core.trusts(*uid),
        Remote::Internet(_) => true,
    };
    user.filter(|user| is_trusted || **user != *core.users.trusted())
}

fn read_session(key: Key, record: &Record, core: &Core) -> Result<Session, HandoverError> {
    let origin = remuda_bus::Origin(record.number(10)?);
    let mut session = Session::new(key, read_user(record, 1, core)?, origin, Tick(record.number(18)?));
    session.first_user = read_user(record, 3, core)?;
    session.name = record.text(5)?;
    session.library = record.text(6)?;
    session.library_version = record.text(7)?;
    session.version = if record.flag(8)? { Version::Resp3 } else { Version::Resp2 };
    session.database = u32::try_from(record.number(9)?).unwrap_or(0);
    session.is_member = record.flag(11)?;
    session.hears_itself = record.flag(12)?;
    session.replies = match record.number(13)? {
        1 => Replies::Off,
        2 => Replies::SkipNext,
        3 => Replies::Skip,
        _ => Replies::On,
    };
    session.commands = record.number(14)?;
    session.has_lost_watch = record.flag(15)?;
    if record.flag(16)? {
        session.transaction.begin();
    }
    if record.flag(17)? {
        session.transaction.poison();
    }
    Ok(session)
}

fn read_peer(record: &Record, core: &Core) -> Result<PeerHalf, HandoverError> {
    let kind = |number| {
        let name = record.field(number)?;
        SocketType::from_name(name).ok_or_else(|| HandoverError::Book("a socket type is unknown".to_owned()))
    };
    let role = usize::try_from(record.number(8)?).ok().and_then(|role| ROLES.get(role));
    Ok(PeerHalf {
        user: read_user(record, 1, core)?,
        role: *role.unwrap_or(&Role::Unknown),
        numbers: [record.number(9)?, record.number(10)?, record.number(11)?, record.number(12)?],
        signer: Some(record.text(14)?).filter(|name| !name.is_empty()),
        saved: SavedConnection {
            peer: zmtp::Peer {
                socket_type: kind(3)?,
                own_type: kind(4)?,
                identity: record.field(5)?.clone(),
                minor: u8::try_from(record.number(13)?).unwrap_or(0),
                resource: record.field(6)?.clone(),
            },
            output: record.field(7)?.to_vec(),
            curve: None,
        },
        sync: None,
    })
}

fn read_curve(record: &Record) -> Result<SavedCurve, HandoverError> {
    let key = |number| {
        let field: Result<[u8; 32], _> = record.field(number)?.as_ref().try_into();
        field.map_err(|error| HandoverError::Book(format!("a key: {error}")))
    };
    Ok(SavedCurve {
        own_key: key(1)?,
        peer_key: key(2)?,
        is_server: record.flag(3)?,
        next: record.number(4)?,
        opened: record.number(5)?,
        clear: record.field(6)?.to_vec(),
    })
}
