//! Redis clients as members of the bus.

use remuda_bus::{Encoding, Filter, FilterKind, Membership, Role};
use remuda_wire::resp::Version;

use super::Core;
use crate::redis::session::Session;
use crate::table::Key;

impl Core {
    /// What `session` says of itself has changed: the bus is told.
    pub(crate) fn speaks(&mut self, session: &Session) {
        if session.is_member {
            self.rejoin(session.key, membership(self, session));
        }
    }

    /// Joins again with other words for oneself; subscriptions and what waits go along.
    pub(crate) fn rejoin(&mut self, key: Key, membership: Membership) {
        let member = key.member();
        let filters: Vec<(Filter, u64)> =
            self.bus.subscriptions(member).map(|(filter, times)| (filter.clone(), times)).collect();
        let waiting: Vec<u8> = self.bus.slices(member).flatten().copied().collect();
        self.bus.leave(member);
        if self.bus.join(member, membership).is_err() {
            return;
        }
        self.bus.enqueue(member, &waiting);
        for (filter, times) in filters {
            for _ in 0..times {
                // It had room a moment ago.
                let _ = self.bus.subscribe(member, filter.clone());
            }
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
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, session: &Session, filter: &Filter) {
        self.bus.unsubscribe(session.key.member(), filter);
    }

    /// Publishes for a Redis client; says how many heard it.
    pub(crate) fn publish(
        &mut self,
        session: &Session,
        shard: bool,
        topic: &[u8],
        payload: &[u8],
    ) -> Result<u64, String> {
        self.tell_changes();
        let published = if shard {
            self.bus.publish_shard(session.origin, topic, payload)
        } else {
            self.bus.publish_one(session.origin, topic, payload)
        };
        published.map_err(|error| error.to_string())
    }

    /// Ends what a client has begun. It stays a member of the bus, where replies of it may wait.
    pub(crate) fn start_over(&mut self, session: &Session) {
        self.store.forget(session.key.client());
        let kinds = [FilterKind::Channel, FilterKind::Pattern, FilterKind::Shard, FilterKind::Sequenced];
        for kind in kinds.into_iter().filter(|_| session.is_member) {
            self.bus.unsubscribe_all(session.key.member(), kind);
        }
        self.stop_serving(session.key);
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
