//! What becomes of a connection whose time for something is over.

use remuda_wire::resp::Writer;

use crate::connection::{Connection, Protocol};
use crate::hub::Hub;
use crate::redis::session::Waiting;
use crate::table::Key;
use crate::timers::Due;

impl Hub {
    pub(crate) fn fall_due(&mut self, key: Key, due: Due) {
        match due {
            Due::Greeting => self.greeting_over(key),
            Due::Sync => self.synced(key, false),
            Due::Call => self.no_call_came(key),
            Due::Heartbeat => self.ask_for_life(key),
        }
    }

    fn greeting_over(&mut self, key: Key) {
        let Some(connection) = self.connections.get(key) else { return };
        let has_said = match &connection.protocol {
            Protocol::Herd(_) => return self.server_is_late(key),
            Protocol::ZeroMq(peer) => peer.wire.peer().is_some(),
            Protocol::Redis(session, _) => session.user.is_some(),
        };
        if !has_said {
            self.core.figures.silent += 1;
            self.end(key);
        }
    }

    fn no_call_came(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Protocol::Redis(session, _) = &mut connection.protocol
            && session.waiting == Some(Waiting::Call)
        {
            if !self.core.services.stop_asking(key.peer()) {
                // A call came in this very turn, and is on its way.
                return;
            }
            if session.wakes() {
                Writer::new(connection.outbox.bytes(), session.version).null_array();
            }
            self.go_on(key);
        }
    }

    /// A peer that was silent is asked whether it lives; one that was asked and stayed silent is gone.
    fn ask_for_life(&mut self, key: Key) {
        let every = self.core.settings.spec.bus.heartbeat;
        let now = self.core.moment.tick;
        let Some(connection) = self.connections.get_mut(key) else { return };
        if connection.paused {
            // It is we who do not listen.
            return self.core.timers.set(key, Due::Heartbeat, now + every);
        }
        let heard = connection.heard;
        let Connection { protocol, outbox, .. } = connection;
        let Protocol::ZeroMq(peer) = protocol else { return };
        if now.since(heard) < every {
            peer.is_doubted = false;
            return self.core.timers.set(key, Due::Heartbeat, heard + every);
        }
        if peer.is_doubted {
            self.core.figures.silent += 1;
            return self.end(key);
        }
        // Peers that speak ZMTP 3.0 have no heartbeats; the kernel's keep-alive finds the dead among them.
        if peer.wire.ping(0, b"") {
            peer.is_doubted = true;
            peer.speak(outbox);
            self.core.timers.set(key, Due::Heartbeat, now + every);
            self.mark(key);
        }
    }
}
