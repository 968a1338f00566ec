//! The herd's part of a turn of the loop: what is due, whom to call, and what the machine wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use remuda_herd::spread::{Input, Summary};
use remuda_sys::event::{Interest, Poller};
use remuda_sys::socket::begin_connect;
use remuda_trust::Session;
use remuda_trust::session::SessionOptions;

use super::dial::{Phase, host_and_port};
use super::peer::PeerSession;
use super::{ACCEPTED_MAX, CLERK, Herd, RESOLVER, SERVERS_MAX, TOLD_EVERY, time};
use crate::connection::{Connection, Protocol};
use crate::error::HubError;
use crate::hub::Hub;
use crate::outbox::Outbox;
use crate::stream::{Remote, Stream};
use crate::table::Key;
use crate::timers::Due;

/// A turn that comes later than this was held up.
const LATE_MIN: Duration = Duration::from_millis(250);

impl Herd {
    /// Has what threads do for it watched.
    pub(crate) fn watch(&self, poller: &Poller) -> Result<(), HubError> {
        poller.add(&self.resolver, RESOLVER, Interest::Read)?;
        poller.add(&self.clerk, CLERK, Interest::Read)?;
        Ok(())
    }
}

impl Hub {
    /// Does what is due, and what the machine wants.
    pub(crate) fn drive_herd(&mut self) {
        let now = self.core.moment.tick;
        let Some(herd) = &mut self.core.herd else { return };
        for (filter, is_added) in
            if self.core.engines.bus.is_none() { self.core.bus.take_asked() } else { Vec::new() }
        {
            herd.wanted.change(&filter, is_added);
        }
        if let Some(why) = herd.look(now) {
            self.complain(&why);
        }
        let Some(herd) = &mut self.core.herd else { return };
        if herd.inside.is_none() {
            return;
        }
        if herd.wanted.is_news && herd.told_at + TOLD_EVERY <= now {
            herd.wanted.is_news = false;
            herd.told_at = now;
            // A bus that an engine carries is the same everywhere without the herd.
            let summary =
                if self.core.engines.bus.is_none() { herd.wanted.summary() } else { Summary::nothing() };
            herd.step(now, Input::Interest(summary));
        }
        if let Some(above) = herd.rival.take_due(now)
            && let Err(why) = herd.clerk.be_born(above)
        {
            log::error!("begin a new life of this node: {why}");
            herd.rival.failed(now);
        }
        let Some(inside) = &mut herd.inside else { return };
        if let Some(late) = inside.spread.deadline().and_then(|due| time(now).checked_sub(due)) {
            if late >= LATE_MIN {
                // A script, or the machine itself: silence of that time was ours.
                inside.spread.step(time(now), Input::Lagged(late), &mut inside.orders);
            }
            inside.spread.step(time(now), Input::Tick, &mut inside.orders);
        }
        self.core.tick_keys();
        self.core.tell_settled(self.core.durability.settled());
        let Some(inside) = self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut()) else { return };
        let linked: Vec<_> = inside.links.values().copied().collect();
        for id in inside.dials.take_due(now, |node| linked.contains(&node)) {
            self.call(id);
        }
        self.carry_out_orders();
    }

    fn call(&mut self, id: u64) {
        let Some(herd) = &mut self.core.herd else { return };
        let Some(dial) = herd.inside.as_mut().and_then(|inside| inside.dials.get_mut(id)) else { return };
        dial.attempts += 1;
        let address = dial.address.clone();
        if let Ok(address) = address.parse() {
            return self.connect(id, &[address]);
        }
        let asked = match host_and_port(&address) {
            Some((host, port)) => herd.resolver.ask(id, host, port),
            None => Err("it is no address".to_owned()),
        };
        match asked {
            Ok(()) => dial.phase = Phase::Resolving,
            Err(why) => self.call_failed(id, &why),
        }
    }

    fn call_failed(&mut self, id: u64, why: &str) {
        let now = self.core.moment.tick;
        let Some(herd) = &mut self.core.herd else { return };
        let sought = herd.inside.as_mut().and_then(|inside| inside.dials.failed(id, why, now, false));
        if let Some(node) = sought {
            herd.step(now, Input::Unreachable(node));
        }
    }

    /// Names were resolved.
    pub(crate) fn hear_resolver(&mut self) {
        let found = self.core.herd.as_ref().map(|herd| herd.resolver.found()).unwrap_or_default();
        for (id, found) in found {
            match found {
                Ok(addresses) if !addresses.is_empty() => self.connect(id, &addresses),
                Ok(_) => self.call_failed(id, "its name stands for no address"),
                Err(why) => self.call_failed(id, &why),
            }
        }
    }

    fn connect(&mut self, id: u64, addresses: &[SocketAddr]) {
        if self.known_servers() >= SERVERS_MAX {
            return self.call_failed(id, "there are too many connections with other servers");
        }
        if let Err(why) = self.try_to_connect(id, addresses) {
            self.call_failed(id, &why);
        }
    }

    fn try_to_connect(&mut self, id: u64, addresses: &[SocketAddr]) -> Result<(), String> {
        let moment = self.core.moment;
        let Some(inside) = self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut()) else {
            return Ok(());
        };
        let hello = inside.hello(moment.wall_ms);
        let Some(dial) = inside.dials.get_mut(id) else { return Ok(()) };
        let address = dial.choose(addresses).ok_or("it has no address")?;
        let wanted = dial.node.filter(|_| dial.is_once);
        let session = Session::connect(
            &inside.endpoint,
            wanted,
            Some(hello),
            SessionOptions::default(),
            time(moment.tick),
        )
        .map_err(|error| error.to_string())?;
        let stream = begin_connect(address).map_err(|error| error.to_string())?;
        let stream = Stream::tcp(stream).map_err(|error| error.to_string())?;
        let peer = PeerSession::new(session, Some(id));
        let key = self.take_in(stream, Remote::Internet(address), peer);
        if let Some(dial) = self.core.herd.as_mut().and_then(|herd| herd.inside.as_mut()?.dials.get_mut(id)) {
            dial.phase = Phase::Connected { key, since: moment.tick };
        }
        if self.enter(key) { Ok(()) } else { Err("its connection cannot be watched".to_owned()) }
    }

    fn take_in(&mut self, stream: Stream, remote: Remote, peer: PeerSession) -> Key {
        let now = self.core.moment.tick;
        self.connections.insert(|key| Connection {
            key,
            stream,
            remote,
            // It came in by none of them.
            endpoint: usize::MAX,
            input: BytesMut::new(),
            outbox: Outbox::default(),
            protocol: Protocol::Herd(Box::new(peer)),
            interest: Interest::Read,
            is_watched: true,
            paused: false,
            closing: false,
            heard: now,
            half: 0,
            sent: 0,
            is_dirty: false,
            is_held: false,
        })
    }

    /// Another server connected, or a stranger; says whether it is let in.
    pub(crate) fn welcome_server(&mut self, stream: Stream) -> bool {
        let moment = self.core.moment;
        let has_room = self.known_servers() < ACCEPTED_MAX;
        let Ok(remote) = stream.remote() else { return false };
        let herd = self.core.herd.as_mut().filter(|herd| has_room && !herd.rival.has_won());
        let Some(inside) = herd.and_then(|herd| herd.inside.as_mut()) else {
            self.core.figures.rejected += 1;
            return false;
        };
        let hello = inside.hello(moment.wall_ms);
        let session = Session::accept(
            Arc::clone(&inside.endpoint),
            hello,
            SessionOptions::default(),
            time(moment.tick),
        );
        let key = self.take_in(stream, remote.clone(), PeerSession::new(session, None));
        let crowded_out = self.core.herd.as_mut().and_then(|herd| herd.strangers.came(key, &remote));
        if let Some(stranger) = crowded_out {
            self.end_for(stranger, "others called, and it had not said who it is");
        }
        self.enter(key)
    }

    /// Connections with other servers, less those of strangers.
    fn known_servers(&self) -> usize {
        let strangers = self.core.herd.as_ref().map_or(0, |herd| herd.strangers.count());
        self.core.figures.servers.saturating_sub(strangers)
    }

    /// Ends a connection with another server at once.
    pub(super) fn end_for(&mut self, key: Key, why: &str) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Protocol::Herd(peer) = &mut connection.protocol {
            peer.trouble = Some(why.to_owned());
            self.end(key);
        }
    }

    /// A connection with another server that has not said who it is in time, or not gone.
    pub(crate) fn server_is_late(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Protocol::Herd(peer) = &mut connection.protocol {
            let within = SessionOptions::default().handshake_within.as_secs();
            peer.trouble.get_or_insert_with(|| format!("it did not say who it is within {within} s"));
            self.core.figures.silent += 1;
            self.end(key);
        }
    }

    /// A connection with another server is watched: it has so long to say who it is.
    pub(crate) fn expect_server(&mut self, key: Key) {
        self.core.figures.servers += 1;
        let late = self.core.moment.tick + SessionOptions::default().handshake_within;
        self.core.timers.set(key, Due::Greeting, late);
    }
}
