//! Redis clients as members of the bus.

use remuda_bus::{Encoding, Filter, FilterKind, Membership, Reserved, Role};
use remuda_wire::resp::Version;

use super::Core;
use crate::redis::session::Session;

impl Core {
    /// What `session` says of itself has changed: the bus is told.
    pub(crate) fn speaks(&mut self, session: &Session) {
        if session.is_member {
            let membership = membership(self, session);
            if let Err(error) = self.bus.change(session.key.member(), membership) {
                self.say(&error);
            }
        }
    }

    /// `session` speaks another version: so does its connection to the store's engine.
    pub(crate) fn speaks_anew(&mut self, session: &mut Session) {
        self.speaks(session);
        if let Some(store) = &mut self.engines.store {
            store.speaks(session, self.moment.tick);
        }
    }

    pub(crate) fn subscribe(&mut self, session: &mut Session, filter: Filter) -> Result<(), String> {
        // What changed before the subscription is no news to it, and was gathered without values if nobody listened.
        self.tell_changes();
        if !session.is_member {
            let membership = membership(self, session);
            self.bus.join(session.key.member(), membership).map_err(|error| error.to_string())?;
            session.is_member = true;
        }
        self.bus.subscribe(session.key.member(), filter).map_err(|error| error.to_string())?;
        session.has_subscribed = true;
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, session: &Session, filter: &Filter) {
        self.bus.unsubscribe(session.key.member(), filter);
    }

    /// Ends what a client has begun. It stays a member of the bus, where replies of it may wait.
    pub(crate) fn start_over(&mut self, session: &mut Session) {
        self.store.forget(session.key.client());
        if let Some(store) = &mut self.engines.store {
            store.close(session);
        }
        let kinds = [FilterKind::Channel, FilterKind::Pattern, FilterKind::Shard, FilterKind::Sequenced];
        for kind in kinds.into_iter().filter(|_| session.is_member) {
            self.bus.unsubscribe_all(session.key.member(), kind);
        }
        self.stop_serving(session.key);
        self.locks.gone(self.moment.tick, session.key.number());
    }

    /// Whether somebody listens to changes of the store.
    pub(crate) fn tells_of_changes(&self) -> bool {
        self.bus.is_heard(Reserved::Store) || self.bus.is_heard(Reserved::Keyspace)
    }

    /// Publishes the changes of the store so far.
    pub(crate) fn tell_changes(&mut self) {
        self.news.publish(&mut self.bus, &self.notifications);
    }
}

/// What the bus has to know of a Redis client.
fn membership(core: &Core, session: &Session) -> Membership {
    Membership {
        encoding: match session.version {
            Version::Resp2 => Encoding::Resp2,
            Version::Resp3 => Encoding::Resp3,
        },
        origin: session.origin,
        hears_itself: session.hears_itself,
        sees_store_events: session.user.as_ref().is_some_and(|user| user.is_known),
        role: Role::Subscriber,
        queue: core.limits().redis,
    }
}
