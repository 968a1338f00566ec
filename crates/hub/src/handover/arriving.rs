//! Connections read from the book of a former hub, until their descriptors are there.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use remuda_model::Tick;
use remuda_wire::resp::{CommandParser, Version};
use remuda_wire::zmtp::{self, SavedConnection, SavedCurve, SocketType};

use super::HandoverError;
use super::book::Record;
use super::connections::ROLES;
use crate::access::User;
use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::limits;
use crate::redis::session::{Replies, Session};
use crate::stream::{Remote, Stream};
use crate::table::Key;
use crate::zeromq::peer::{Peer, Pending, Role};

/// A connection while its records are read.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) key: Key,
    pub(crate) endpoint: String,
    closing: bool,
    input: Bytes,
    output: Bytes,
    /// The output follows on something that was written already.
    is_parted: bool,
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
            is_parted: record.flag(6).unwrap_or(false),
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
        if self.is_parted {
            connection.outbox.part();
        }
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

fn read_user(record: &Record, at: usize, core: &Core) -> Result<Option<Arc<User>>, HandoverError> {
    let name = record.text(at)?;
    Ok((!name.is_empty()).then_some(core.users.restored(&name, record.flag(at + 1)?)))
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
