//! One ZeroMQ peer: what it is, and who it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use remuda_bus::{Bus, Origin};
use remuda_model::message::Batch;
use remuda_wire::zmtp::{self, SocketType};

use crate::access::User;
use crate::core::Core;
use crate::outbox::Outbox;
use crate::signature;
use crate::stream::Remote;
use crate::table::Key;

/// What the hub is to a peer, by the socket type it announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has not said yet.
    Unknown,
    /// PUSH, PUB, XPUB: what it sends is published.
    Publisher,
    /// SUB, XSUB: it hears what it subscribed to; what an XSUB sends is published.
    Subscriber,
    /// PULL: each message goes to one of them.
    Consumer,
    /// REQ, DEALER, ROUTER, REP: it asks, or answers calls.
    Asker,
}

/// A request that is answered later.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    /// What the answer begins with.
    pub(crate) envelope: Vec<Bytes>,
    /// Whose key signs the answer.
    pub(crate) signer: Option<String>,
}

impl Pending {
    /// Encodes the answer.
    pub(crate) fn encode(&self, core: &Core, words: &[&[u8]], out: &mut BytesMut) {
        let envelope: Vec<&[u8]> = self.envelope.iter().map(AsRef::as_ref).collect();
        signature::encode(core, self.signer.as_deref(), &envelope, words, out);
    }
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) wire: zmtp::Connection,
    pub(crate) role: Role,
    /// Who it is; `None` as long as it has to prove it.
    pub(crate) user: Option<Arc<User>>,
    /// Where its messages come from.
    pub(crate) origin: Origin,
    pub(crate) hears_itself: bool,
    /// Whether the bus knows it.
    pub(crate) is_member: bool,
    /// Its calls, by ticket.
    pub(crate) calls: BTreeMap<u64, Pending>,
    pub(crate) next_ticket: u64,
    /// Its questions about locks, by ticket.
    pub(crate) locks: BTreeMap<u64, Pending>,
    /// A prefix that it waits to be subscribed to, and how to answer the question.
    pub(crate) sync: Option<(Vec<u8>, Pending)>,
    /// Requests that were not carried out because answers pile up, from this one of the batch on.
    pub(crate) behind: Option<(Batch, usize)>,
    /// The service in whose name it signed that it serves: calls for it are signed with the same key.
    pub(crate) signer: Option<String>,
    pub(crate) remote: Remote,
    /// Whether a heartbeat of ours is unanswered.
    pub(crate) is_doubted: bool,
}

impl Peer {
    pub(crate) fn new(
        wire: zmtp::Connection,
        user: Option<Arc<User>>,
        origin: Origin,
        remote: Remote,
    ) -> Self {
        Self {
            wire,
            role: Role::Unknown,
            user,
            origin,
            hears_itself: true,
            is_member: false,
            calls: BTreeMap::new(),
            next_ticket: 0,
            locks: BTreeMap::new(),
            sync: None,
            behind: None,
            signer: None,
            remote,
            is_doubted: false,
        }
    }

    /// Whether what it sends goes to others. A SUB sends subscriptions and heartbeats alone, which never wait.
    pub(crate) fn publishes(&self) -> bool {
        match self.role {
            Role::Publisher => true,
            Role::Subscriber => self.wire.peer().is_some_and(|peer| peer.socket_type == SocketType::Xsub),
            Role::Unknown | Role::Consumer | Role::Asker => false,
        }
    }

    /// Sends `frames`, whole messages.
    pub(crate) fn send(&mut self, frames: &[u8], outbox: &mut Outbox) {
        self.wire.seal(frames, outbox.bytes());
    }

    /// Hands on what the wire itself has to say.
    pub(crate) fn speak(&mut self, outbox: &mut Outbox) {
        let output = self.wire.output();
        if !output.is_empty() {
            outbox.bytes().extend_from_slice(output);
            output.clear();
        }
    }

    /// Seals what waits on the bus, as far as `ahead` bytes go.
    pub(crate) fn seal(&mut self, key: Key, bus: &mut Bus, outbox: &mut Outbox, ahead: usize) {
        let mut count = 0;
        let mut sealed = BytesMut::new();
        for slice in bus.slices(key.member()) {
            if outbox.len() + sealed.len() > ahead {
                break;
            }
            self.wire.seal(slice, &mut sealed);
            count += slice.len();
        }
        if count > 0 {
            outbox.bytes().extend_from_slice(&sealed);
            bus.written(key.member(), count);
        }
    }
}
