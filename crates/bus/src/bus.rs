//! The bus: members come and go, subscribe, and get what is published.
//!
//! The shell gives it whole batches as they are read, and takes from each member's queue slices to write. Nothing here
//! waits or reads a clock: the shell says what time it is ([`Bus::tick`]) before what happens at that time, and asks when
//! to come back ([`Bus::deadline`]).
//!
//! ```
//! use std::time::Duration;
//! use remuda_bus::{Bus, BusOptions, Encoding, Filter, MemberId, Membership, Origin, Overflow, QueueLimits, Role};
//!
//! let mut bus = Bus::new(BusOptions::default());
//! let listener = MemberId(1);
//! let membership = Membership {
//!     encoding: Encoding::Resp3,
//!     origin: Origin(1),
//!     hears_itself: true,
//!     sees_store_events: false,
//!     role: Role::Subscriber,
//!     queue: QueueLimits::new(Overflow::Disconnect),
//! };
//! bus.join(listener, membership)?;
//! bus.subscribe(listener, Filter::Channel("news".into()))?;
//! assert_eq!(bus.publish_one(Origin(2), b"news", b"rain")?, 1);
//! let waiting: Vec<u8> = bus.slices(listener).flatten().copied().collect();
//! assert_eq!(waiting, b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\nrain\r\n");
//! bus.written(listener, waiting.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod publish;
mod replay;

use remuda_model::Tick;

use crate::consumers::Consumers;
use crate::filter::{Filter, FilterKind, SubscribeError, Subscribed};
use crate::member::{Encoding, MemberId, Membership, Role};
use crate::members::Members;
use crate::options::BusOptions;
use crate::pool::Pool;
use crate::queue::Gone;
use crate::ring::Ring;
use crate::route::Routes;
use crate::subscriptions::Subscriptions;
use crate::view::Totals;

pub use publish::{PublishError, Published};
pub use replay::CaughtUp;

/// Rings a bus has at most: each message is held against each.
const RINGS_MAX: usize = 64;

/// The bus.
#[derive(Debug)]
pub struct Bus {
    pub(crate) options: BusOptions,
    now: Tick,
    pub(crate) members: Members,
    pub(crate) subscriptions: Subscriptions,
    routes: Routes,
    pub(crate) pool: Pool,
    pub(crate) consumers: Consumers,
    pub(crate) rings: Vec<Ring>,
    pub(crate) next_sequence: u64,
    /// The number before the first message this bus can know of.
    pub(crate) began: u64,
    pub(crate) totals: Totals,
    /// Memory used again and again: the frames of a message made here, and where encoded messages end.
    frames: Vec<u8>,
    ends: Vec<usize>,
}

/// Why somebody could not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// [`BusOptions::members_max`] are here.
    #[error("cannot join the bus: it has {0} members, as many as it takes")]
    Full(usize),
    /// Its number is taken.
    #[error("cannot join the bus: member {} is there already, and stays as it is", .0.0)]
    Taken(MemberId),
    /// Work goes out as ZMTP frames only.
    #[error("cannot join the bus: a consumer has to speak ZMTP")]
    Unfit,
}

/// Why somebody could not take part in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It is not here.
    #[error("cannot change member {} of the bus: it is not there", .0.0)]
    Unknown(MemberId),
    /// That would be another member.
    #[error("cannot change a member of the bus: its role, and whether it speaks ZMTP, stay")]
    Unfit,
}

impl Bus {
    /// An empty bus; its time is 0 until the first [`Bus::tick`].
    #[must_use]
    pub fn new(options: BusOptions) -> Self {
        let seed = options.hash_seed;
        let first = options.first_sequence.max(1);
        let rings =
            options.rings.iter().take(RINGS_MAX).map(|spec| Ring::new(spec.clone(), first - 1)).collect();
        Self {
            now: Tick::default(),
            members: Members::new(seed),
            subscriptions: Subscriptions::new(seed, options.is_relayed || options.is_shared),
            routes: Routes::new(seed),
            pool: Pool::default(),
            consumers: Consumers::new(options.backlog_bytes_max, options.backlog_from_start),
            rings,
            next_sequence: first,
            began: first - 1,
            totals: Totals::default(),
            frames: Vec::new(),
            ends: Vec::new(),
            options,
        }
    }

    /// Takes somebody in.
    ///
    /// # Errors
    /// [`JoinError`]; nothing has changed then.
    pub fn join(&mut self, id: MemberId, membership: Membership) -> Result<(), JoinError> {
        let role = membership.role;
        let seat = self.join_quietly(id, membership)?;
        if role == Role::Consumer {
            self.consumers.enter(seat, &mut self.members);
        }
        Ok(())
    }

    /// Seats somebody without giving it work yet.
    pub(crate) fn join_quietly(&mut self, id: MemberId, membership: Membership) -> Result<u32, JoinError> {
        if self.members.seat(id).is_some() {
            return Err(JoinError::Taken(id));
        }
        if self.members.len() >= self.options.members_max {
            return Err(JoinError::Full(self.members.len()));
        }
        let (role, encoding) = (membership.role, membership.encoding);
        if role == Role::Consumer && encoding != Encoding::Zmtp {
            return Err(JoinError::Unfit);
        }
        let seat = self.members.add(id, membership);
        if role == Role::Subscriber {
            self.subscriptions.enter(seat, encoding);
        }
        Ok(seat)
    }

    /// Lets somebody go: its subscriptions end and what waits for it is dropped; a consumer's work goes to the others.
    /// False when nobody of that number was here.
    pub fn leave(&mut self, id: MemberId) -> bool {
        let Some((seat, mut member)) = self.members.remove(id) else { return false };
        self.totals.left_dropped_messages += member.counters.dropped_messages;
        self.totals.left_dropped_bytes += member.counters.dropped_bytes;
        let gone = match member.membership.role {
            Role::Subscriber => {
                self.subscriptions.leave(seat);
                member.queue.clear(&mut self.pool)
            }
            Role::Consumer => self.consumers.leave(seat, member.queue, &mut self.members, &mut self.pool),
        };
        self.totals.left_messages += gone.messages;
        self.totals.left_bytes += gone.bytes;
        true
    }

    /// Has a member take part in another way from now on: what waits for it, what it has had and what it has subscribed to
    /// stay. Its role cannot change, nor can it go from or to ZMTP, whose subscriptions and messages are of another kind.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing has changed then.
    pub fn change(&mut self, id: MemberId, membership: Membership) -> Result<(), ChangeError> {
        let seat = self.members.seat(id).ok_or(ChangeError::Unknown(id))?;
        let member = self.members.at_mut(seat).ok_or(ChangeError::Unknown(id))?;
        let (before, now) = (member.membership.encoding, membership.encoding);
        let is_fit = (before == Encoding::Zmtp) == (now == Encoding::Zmtp);
        if !is_fit || member.membership.role != membership.role {
            return Err(ChangeError::Unfit);
        }
        member.change(membership);
        self.subscriptions.speak(seat, now);
        Ok(())
    }

    /// Lets a member have what `filter` says, from the next message on.
    ///
    /// # Errors
    /// [`SubscribeError`]; nothing has changed then.
    pub fn subscribe(&mut self, id: MemberId, filter: Filter) -> Result<Subscribed, SubscribeError> {
        let seat = self.members.seat(id).ok_or(SubscribeError::Unknown(id))?;
        self.subscriptions.add(seat, filter, 1, &self.options)
    }

    /// Ends a subscription; what waits already stays. A prefix that was subscribed several times loses one.
    pub fn unsubscribe(&mut self, id: MemberId, filter: &Filter) -> Subscribed {
        match self.members.seat(id) {
            Some(seat) => self.subscriptions.remove(seat, filter),
            None => Subscribed { count: 0, is_changed: false },
        }
    }

    /// Which filters members got (true) and lost since the last call, in order, each as often as it happened; nothing
    /// unless [`BusOptions::is_relayed`] or [`BusOptions::is_shared`].
    pub fn take_asked(&mut self) -> Vec<(Filter, bool)> {
        self.subscriptions.take_asked()
    }

    /// Ends all subscriptions of a kind; what waits already stays.
    pub fn unsubscribe_all(&mut self, id: MemberId, kind: FilterKind) {
        let Some(seat) = self.members.seat(id) else { return };
        let filters = self.subscriptions.of(seat).filter(|(filter, _)| filter.kind() == kind);
        let filters: Vec<(Filter, u64)> = filters.map(|(filter, times)| (filter.clone(), times)).collect();
        for (filter, times) in &filters {
            for _each in 0..*times {
                self.subscriptions.remove(seat, filter);
            }
        }
    }

    /// Queues bytes that are no message of the bus, such as an answer to a command, behind what waits; no overflow policy
    /// drops them. False when the member is not here, or is doomed since there is no room.
    pub fn enqueue(&mut self, id: MemberId, bytes: &[u8]) -> bool {
        let Some(seat) = self.members.seat(id) else { return false };
        let Some(member) = self.members.at_mut(seat) else { return false };
        if member.is_doomed || bytes.is_empty() {
            return !member.is_doomed;
        }
        let answer = self.pool.copy(bytes, 0);
        self.pool.hold(answer.chunk, answer.len());
        if member.take_answer(answer, &mut self.pool) {
            self.members.wake(seat);
            return true;
        }
        self.members.doom(seat, &mut self.pool);
        false
    }

    /// What waits for a member, in order: to be written as it is, as much as a write takes. At most as many slices as
    /// there are segments; take 64 of them for one `writev`.
    pub fn slices(&self, id: MemberId) -> impl Iterator<Item = &[u8]> {
        let member = self.members.get(id);
        member.into_iter().flat_map(|member| member.queue.segments().map(|segment| self.pool.bytes(segment)))
    }

    /// Notes that `bytes` of what [`Bus::slices`] gave have been written.
    pub fn written(&mut self, id: MemberId, bytes: usize) {
        let Some(seat) = self.members.seat(id) else { return };
        self.members.written(seat, bytes, &mut self.pool);
        let is_consumer =
            self.members.at(seat).is_some_and(|member| member.membership.role == Role::Consumer);
        if is_consumer && !self.consumers.backlog().is_empty() {
            self.consumers.hand_to(seat, &mut self.members);
        }
    }

    /// Appends the members for whom something waits since nothing did.
    pub fn take_awake(&mut self, out: &mut Vec<MemberId>) {
        self.members.take_awake(out);
    }

    /// Appends the members whose queue overflowed and whose policy is to go. They get nothing any more; the shell ends
    /// their connection and lets them [`leave`](Bus::leave).
    pub fn take_doomed(&mut self, out: &mut Vec<MemberId>) {
        self.members.take_doomed(out);
    }

    /// Whether publishers are to be held: somebody's queue has been more than half full and not below a quarter since,
    /// and there is patience left for it.
    #[must_use]
    pub fn is_congested(&self) -> bool {
        self.members.is_congested()
    }

    /// Says what time it is, before anything that happens then.
    pub fn tick(&mut self, now: Tick) {
        self.now = self.now.max(now);
        self.members.tick(self.now);
    }

    /// When [`Bus::tick`] has something to do at the latest: the patience with somebody ends.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.members.deadline()
    }

    /// Copies what is kept of sparse chunks out of them, once those are large.
    fn tidy(&mut self) {
        if self.pool.sparse() <= self.options.sparse_bytes_max {
            return;
        }
        for member in self.members.iter_mut() {
            member.queue.compact(&mut self.pool);
        }
        for ring in &mut self.rings {
            ring.compact(&mut self.pool);
        }
        self.consumers.compact(&mut self.pool);
    }

    /// Work that was dropped since it found no room.
    pub(crate) fn work_dropped(&self) -> Gone {
        self.consumers.dropped
    }
}
