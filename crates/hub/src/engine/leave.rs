//! What a hub does about its engines before another one takes over: it ends what waits there, waits for answers that are
//! near, and writes down what becomes of those that are not.

use std::time::Duration;

use remuda_sys::event::Readiness;

use super::bus_link::BusLink;
use super::gateway::Gateway;
use super::parting::{AGAIN_AFTER, Unanswered};
use crate::connection::{Connection, Protocol};
use crate::hub::{Hub, moment};
use crate::redis::session::Waiting;
use crate::table::Key;

/// How long a hub that is relieved waits for answers that are under way.
const DRAIN_WITHIN: Duration = Duration::from_millis(500);
/// How long of that replicas are waited for (`WAIT`): then the client gets the count of those that are there.
const COUNT_WITHIN: Duration = Duration::from_millis(250);

impl Hub {
    /// Waits a moment for answers that are under way, before another hub takes over.
    pub(crate) fn settle_engines(&mut self) {
        self.core.moment = moment();
        let began = self.core.moment.tick;
        let (count_from, until) = (began + COUNT_WITHIN, began + DRAIN_WITHIN);
        if let Some(store) = &mut self.core.engines.store {
            store.set_leaving(true);
            store.end_waits(began, false);
        }
        if let Some(link) = &mut self.core.engines.bus {
            link.ask_for_an_echo();
        }
        self.drive_engines();
        while self.core.moment.tick < until && self.core.engines.are_busy() {
            let now = self.core.moment.tick;
            let has_waits = self.core.engines.store.as_ref().is_some_and(Gateway::has_waits);
            let next = if has_waits || now >= count_from { now + AGAIN_AFTER } else { count_from };
            let Ok(news) = self.poller.wait(Some(next.min(until).since(now))) else { break };
            let is_engine = |news: &Readiness| (super::FIRST_TOKEN..1 << 32).contains(&news.token.0);
            let news: Vec<Readiness> = news.filter(is_engine).collect();
            self.core.moment = moment();
            for news in news {
                self.hear_engine(news);
            }
            let now = self.core.moment.tick;
            if let Some(store) = &mut self.core.engines.store {
                store.end_waits(now, now >= count_from);
            }
            self.drive_engines();
        }
    }

    /// No hub takes over after all: what waited at the engines waits there again, and who was held up goes on.
    pub(crate) fn stay_with_engines(&mut self) {
        let Some(store) = &mut self.core.engines.store else { return };
        store.set_leaving(false);
        let is_held_up = |connection: &Connection| match &connection.protocol {
            Protocol::Redis(session, _) => {
                session.waiting == Some(Waiting::Upstream) && store.outstanding(session) == 0
            }
            Protocol::ZeroMq(_) | Protocol::Herd(_) => false,
        };
        let held_up: Vec<Key> = self
            .connections
            .iter()
            .filter_map(|(key, connection)| is_held_up(connection).then_some(key))
            .collect();
        for key in held_up {
            self.resume(key);
        }
    }

    /// Notes what another hub has to know of clients whose answers have not come: what is asked again, and what is not.
    pub(crate) fn leave_engines(&mut self) {
        if let Some((bytes, unsure)) = self.core.engines.bus.as_mut().and_then(BusLink::leaves_unsent) {
            log::warn!(
                "the bus's engine was given up for the next hub after {} ms: {bytes} bytes for it were not taken and are lost, \
                 {unsure} messages have no answer",
                DRAIN_WITHIN.as_millis()
            );
        }
        // What they asked for is asked for by the next hub.
        while let Some(waiter) = self.core.engines.bus.as_mut().and_then(BusLink::pop_waiter) {
            self.confirm_to(waiter);
        }
        for key in self.connections.keys() {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            let Protocol::Redis(session, _) = &mut connection.protocol else { continue };
            (session.owed, session.is_cut) = (0, false);
            match (session.waiting, &self.core.engines.store) {
                (Some(Waiting::Engine), _) => session.owed = usize::from(!session.is_muted),
                (None | Some(Waiting::Upstream), Some(store)) => {
                    let Unanswered { again, owed, is_cut } = store.leaves(session);
                    session.waits_with = again;
                    (session.owed, session.is_cut) = (owed, is_cut);
                }
                _ => {}
            }
        }
    }
}
