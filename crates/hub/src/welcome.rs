//! Somebody connected: whether we serve him, what he speaks, and who he is as long as he says nothing.

use std::io::IoSlice;
use std::sync::Arc;

use remuda_model::hub::{BusAuth, HubSocket, StoreAuth};
use remuda_wire::resp::CommandParser;
use remuda_wire::zmtp;

use crate::access::User;
use crate::complaints::Complaint;
use crate::connection::{Connection, Protocol};
use crate::core::Core;
use crate::hub::Hub;
use crate::limits;
use crate::redis::session::Session;
use crate::stream::{Remote, Stream};
use crate::timers::Due;
use crate::zeromq::mechanisms::Way;
use crate::zeromq::peer::Peer;

impl Hub {
    /// Takes a connection in, if there is room and it comes from somebody we serve; says whether.
    pub(crate) fn welcome(&mut self, endpoint: usize, stream: Stream) -> bool {
        let sort = self.endpoints[endpoint].sort;
        if sort == HubSocket::Herd {
            return self.welcome_server(stream);
        }
        if !self.has_room(sort) {
            self.turn_away(sort, stream);
            return false;
        }
        let Ok(remote) = stream.remote() else {
            self.core.figures.rejected += 1;
            return false;
        };
        if let Remote::Local { uid, .. } = &remote
            && !self.core.settings.peer_uids.contains(uid)
        {
            self.core.figures.rejected += 1;
            let name = &self.endpoints[endpoint].name;
            let why = format!("turned away from {name}: no service that uses the hub runs as user {uid}");
            self.core.say_of(&remote, &why);
            return false;
        }
        let now = self.core.moment.tick;
        let core = &self.core;
        let key = self.connections.insert(|key| {
            let origin = Connection::origin_of(key, &remote);
            let user = who(core, sort, &remote);
            let protocol = match sort {
                HubSocket::Store => {
                    let mut parser = CommandParser::new(limits::resp());
                    parser.set_authenticated(user.is_some());
                    let database = core.engines.first_database();
                    let session = Session { database, ..Session::new(key, user, origin, now) };
                    Protocol::Redis(Box::new(session), parser)
                }
                HubSocket::Bus | HubSocket::Pub | HubSocket::Pull | HubSocket::Herd => {
                    let options = core.mechanisms.options(sort, way(core, &remote));
                    let wire = zmtp::Connection::accept(Arc::clone(options));
                    Protocol::ZeroMq(Box::new(Peer::new(wire, user, origin, remote.clone())))
                }
            };
            Connection::new(key, stream, remote, endpoint, protocol, now)
        });
        self.enter(key)
    }

    /// There are as many as may be. A Redis client is told; a ZeroMQ peer comes back by itself, until there is room.
    fn turn_away(&mut self, sort: HubSocket, mut stream: Stream) {
        self.core.figures.rejected += 1;
        let spec = &self.core.settings.spec;
        let (complaint, line) = if sort == HubSocket::Store {
            // It is told if the kernel takes the line at once, which it does for a new connection.
            let _ = stream.write_slices(&[IoSlice::new(b"-ERR max number of clients reached\r\n")]);
            let line = format!(
                "{} Redis clients are connected, as many as store.clients_max lets in",
                spec.store.clients_max
            );
            (Complaint::TooManyClients, line)
        } else {
            let line = format!(
                "{} ZeroMQ peers are connected, as many as bus.peers_max lets in",
                spec.bus.peers_max
            );
            (Complaint::TooManyPeers, line)
        };
        if self.core.complaints.may_say(complaint, self.core.moment.tick) {
            self.core.say(&format!("{line}; others are turned away"));
        }
    }

    /// Has a connection that was put in watched; says whether it can be.
    pub(crate) fn enter(&mut self, key: crate::table::Key) -> bool {
        let Some(connection) = self.connections.get_mut(key) else { return false };
        if let Err(error) = self.poller.add(&connection.stream, key.token(), connection.interest) {
            self.core.say(&format!("watch a new connection, which is closed: {error}"));
            self.connections.remove(key);
            return false;
        }
        match &mut connection.protocol {
            Protocol::ZeroMq(peer) => {
                // Its greeting does not wait for the other's.
                peer.speak(&mut connection.outbox);
                self.core.figures.zeromq_peers += 1;
                let (due, within) = match peer.wire.peer() {
                    None => (Due::Greeting, limits::GREETING_WITHIN),
                    Some(_) => (Due::Heartbeat, self.core.settings.spec.bus.heartbeat),
                };
                self.core.timers.set(key, due, self.core.moment.tick + within);
            }
            Protocol::Redis(session, _) => {
                self.core.figures.redis_clients += 1;
                if session.user.is_none() {
                    self.core.timers.set(key, Due::Greeting, self.core.moment.tick + limits::GREETING_WITHIN);
                }
            }
            Protocol::Herd(_) => self.expect_server(key),
        }
        self.mark(key);
        true
    }

    fn has_room(&self, sort: HubSocket) -> bool {
        let spec = &self.core.settings.spec;
        let (now, max) = match sort {
            HubSocket::Store => (self.core.figures.redis_clients, spec.store.clients_max),
            _ => (self.core.figures.zeromq_peers, spec.bus.peers_max),
        };
        u32::try_from(now).is_ok_and(|now| now < max)
    }
}

/// How whoever is at the other end shows who it is.
fn way(core: &Core, remote: &Remote) -> Way {
    match remote {
        Remote::Local { uid, .. } if core.trusts(*uid) => Way::Trusted,
        Remote::Local { .. } => Way::Local,
        Remote::Internet(_) => Way::Internet,
    }
}

/// Who somebody is that has not said so: nobody, where he has to.
pub(crate) fn who(core: &Core, sort: HubSocket, remote: &Remote) -> Option<Arc<User>> {
    let spec = &core.settings.spec;
    match (remote, sort) {
        (Remote::Local { uid, .. }, _) => core.trusts(*uid).then(|| core.users.trusted()),
        (Remote::Internet(_), HubSocket::Store) => {
            (spec.store.auth == StoreAuth::None).then(|| core.users.anonymous())
        }
        (Remote::Internet(_), _) => (spec.bus.auth == BusAuth::None).then(|| core.users.anonymous()),
    }
}

#[cfg(test)]
mod tests;
