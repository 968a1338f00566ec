//! The machine: one step for each fact.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::cache::Cache;
use super::input::{Input, LinkId};
use super::kinds::Kinds;
use super::link::{GROUPS, Link, OWN_TREES_UP_TO, SHARED_GROUPS, group};
use super::member::{Member, Standing};
use super::message::{Fact, Interest, LinkState, Message, Payload};
use super::options::{Mode, SpreadOptions};
use super::order::{Disconnected, Event, Order};
use super::origin::Origin;
use super::overlay::Overlay;
use super::random::Random;
use super::routes::Routes;
use super::summary::Summary;
use super::timers::{Timer, Timers};
use super::view::Counters;
use crate::{Epoch, NodeId};

/// Nodes that were removed and are remembered as such; 4,096. The shell refuses them at the handshake too.
pub(crate) const REMOVED_MAX: usize = 4_096;

/// What one node knows and does of what spreads.
#[derive(Debug)]
pub struct Spread {
    pub(crate) me: NodeId,
    pub(crate) epoch: Epoch,
    pub(crate) options: SpreadOptions,
    pub(crate) now: Duration,
    pub(crate) began: Option<Duration>,
    pub(crate) random: Random,
    pub(crate) timers: Timers,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) origins: BTreeMap<NodeId, Origin>,
    /// How many origins are in each of the [`GROUPS`].
    pub(crate) crowd: Vec<u32>,
    /// How many trees there are: [`GROUPS`] or [`SHARED_GROUPS`].
    pub(crate) trees: usize,
    pub(crate) cache: Cache,
    pub(crate) members: BTreeMap<NodeId, Member>,
    pub(crate) removed: BTreeSet<NodeId>,
    /// Peers of links there are or were in this life, and how these are.
    pub(crate) ties: BTreeMap<NodeId, LinkState>,
    pub(crate) routes: Routes,
    pub(crate) kinds: Kinds,
    pub(crate) overlay: Overlay,
    /// Whether there were nodes for whom there was no room.
    pub(crate) is_partial: bool,
    pub(crate) is_tree: bool,
    pub(crate) is_leaving: bool,
    /// How unwell this node is itself: 0 to 8, as Lifeguard's local health multiplier.
    pub(crate) ailment: u32,
    /// The latest life of this node that anybody knows of, if it is not this one.
    pub(crate) superseded_by: Option<Epoch>,
    pub(crate) counters: Counters,
}

/// The version of a life's first fact, by chance: of two servers with one number that begin one life, as of a folder that
/// was copied, one has a later version than the other knows of itself, and that other one notices. With the same first
/// version each would stay for the others what the other one was a moment ago.
fn first_version(me: NodeId, seed: u64) -> u64 {
    // A sequence of its own; half of the bits leave room for all that a life may say.
    1 + (Random::new((seed ^ me.0).rotate_left(32)).next() >> 32)
}

impl Spread {
    /// A node alone. `epoch` has to be higher than in any life before; `seed` decides what chance would. It has to be
    /// another one in each life and on each machine: by it a double is known that begins the very same life.
    #[must_use]
    pub fn new(me: NodeId, epoch: Epoch, options: SpreadOptions, seed: u64) -> Self {
        let fact = Fact {
            node: me,
            epoch,
            version: first_version(me, seed),
            name: options.name.clone(),
            addresses: options.addresses.clone(),
            protocol: Self::PROTOCOL,
            links: Vec::new(),
            is_leaving: false,
        };
        let mut member = Member::new(Arc::new(fact), Duration::ZERO, false);
        member.standing = Standing::Here;
        let summary = Summary::Everything;
        member.interest = Some(Arc::new(Interest { node: me, epoch, version: 1, summary }));
        let is_tree = options.mode == Mode::Tree;
        Self {
            me,
            epoch,
            now: Duration::ZERO,
            began: None,
            random: Random::new(seed ^ me.0),
            timers: Timers::default(),
            links: BTreeMap::new(),
            origins: BTreeMap::new(),
            crowd: vec![0; GROUPS],
            trees: if options.members_max == 0 { SHARED_GROUPS } else { GROUPS },
            cache: Cache::default(),
            members: BTreeMap::from([(me, member)]),
            removed: BTreeSet::new(),
            ties: BTreeMap::new(),
            routes: Routes::open(),
            kinds: Kinds::default(),
            overlay: Overlay::default(),
            is_partial: options.members_max == 0,
            is_tree,
            is_leaving: false,
            ailment: 0,
            superseded_by: None,
            counters: Counters::default(),
            options,
        }
    }

    /// The newest version of the protocol that this machine speaks.
    pub const PROTOCOL: u16 = 2;

    /// Takes in one fact that came at `now`, and appends what is to be done, in this order. `now` counts from any start;
    /// a step back counts as standing still.
    pub fn step(&mut self, now: Duration, input: Input, orders: &mut Vec<Order>) {
        self.now = self.now.max(now);
        if self.began.is_none() {
            self.begin();
        }
        match input {
            Input::Up(up) => self.link_up(&up, orders),
            Input::Down { link } => self.link_down(link, orders),
            Input::Received { link, message } => self.received(link, message, orders),
            Input::Sent { link, weight } => self.sent(link, weight, orders),
            Input::Publish(batch) => self.publish_batch(batch, orders),
            Input::Change(change) => self.publish(Payload::Change(change), orders),
            Input::Interest(summary) => self.want(summary, orders),
            Input::Unreachable(node) => self.unreachable(node, orders),
            Input::Introduce { node, addresses } => self.introduce(node, addresses, orders),
            Input::Remove(node) => self.remove(node, orders),
            Input::Lagged(late) => self.lagged(late),
            Input::Leave => self.leave(orders),
            Input::Tick => {}
        }
        while let Some(timer) = self.timers.pop(self.now) {
            self.wake(timer, orders);
        }
    }

    /// When [`Input::Tick`] is due at the latest, on the clock of [`Spread::step`].
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.timers.next()
    }

    fn begin(&mut self) {
        self.began = Some(self.now);
        if let Some(member) = self.members.get_mut(&self.me) {
            member.since = self.now;
        }
        let own = Origin::new(self.me, self.epoch, 1, self.now, Duration::ZERO);
        self.crowd[group(self.me, GROUPS)] += 1;
        self.origins.insert(self.me, own);
        if self.options.is_discovering {
            let first = self.random.jitter(self.options.shuffle_first);
            self.timers.set(Timer::Shuffle, self.now + first);
        }
    }

    /// The tree an origin's messages go along.
    pub(crate) fn tree_of(&self, origin: NodeId) -> usize {
        group(origin, self.trees)
    }

    /// Whether the origin is alone on its tree.
    pub(crate) fn has_own_tree(&self, origin: NodeId) -> bool {
        let sharing = self.crowd.iter().skip(self.tree_of(origin)).step_by(self.trees);
        sharing.sum::<u32>() == 1
    }

    /// Gives a herd of `present` nodes as many trees as it can use.
    pub(crate) fn choose_trees(&mut self, present: usize) {
        let is_small = present <= OWN_TREES_UP_TO && !self.is_partial;
        self.trees = if is_small { GROUPS } else { SHARED_GROUPS };
    }

    fn wake(&mut self, timer: Timer, orders: &mut Vec<Order>) {
        match timer {
            Timer::Announce => self.announce(orders),
            Timer::Missing(origin) => self.ask_for_missing(origin, orders),
            Timer::Pulse(link) => self.pulse(link, orders),
            Timer::Survey => self.survey(orders),
            Timer::Fact => self.tell_fact(orders),
            Timer::Absence(node) => self.absent(node, orders),
            Timer::Shuffle => self.shuffle(orders),
            Timer::Sweep => self.sweep(),
        }
    }

    fn received(&mut self, id: LinkId, message: Message, orders: &mut Vec<Order>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.heard = self.now;
        link.counters.bytes_received += u64::try_from(message.weight()).unwrap_or(u64::MAX);
        if !message.is_within_limits(self.options.update_bytes_max) {
            self.counters.malformed += 1;
            self.close(id, None, Disconnected::Malformed, orders);
            return;
        }
        if link.state == LinkState::Suspect {
            self.recovered(id);
        }
        match message {
            Message::Known(known) => self.acquaint(id, &known, orders),
            Message::Fact(fact) => self.take_fact(id, fact, orders),
            Message::Interest(interest) => self.take_interest(id, interest, orders),
            Message::Have(have) => self.take_have(id, &have, orders),
            Message::Update(update) => self.take_update(id, update, orders),
            Message::Skip(skip) => self.take_skip(id, skip, orders),
            Message::Graft(graft) => self.take_graft(id, graft, orders),
            Message::Prune(origin) => self.take_prune(id, origin),
            Message::Ping(number) => self.send(id, Message::Pong(number), orders),
            Message::Pong(number) => self.take_pong(id, number),
            Message::Sample(sample) => self.take_sample(id, sample, orders),
            Message::Bye(farewell) => self.take_bye(id, farewell, orders),
        }
    }

    fn remove(&mut self, node: NodeId, orders: &mut Vec<Order>) {
        if node == self.me || !self.removed.insert(node) {
            return;
        }
        if self.removed.len() > REMOVED_MAX {
            self.removed.pop_first();
        }
        let doomed = self.links.iter().filter(|(_, link)| link.peer == node);
        let doomed: Vec<LinkId> = doomed.map(|(id, _)| *id).collect();
        for id in doomed {
            self.close(id, Some(super::message::Farewell::Removed), Disconnected::Removed, orders);
        }
        self.ties.remove(&node);
        self.overlay.forget(node);
        self.forget_origin(node);
        if self.members.remove(&node).is_some() {
            orders.push(Order::Tell(Event::Removed(node)));
        }
        self.timers.cancel(Timer::Absence(node));
        self.fact_changed();
        self.graph_changed();
    }

    fn leave(&mut self, orders: &mut Vec<Order>) {
        if self.is_leaving {
            return;
        }
        self.is_leaving = true;
        self.tell_fact(orders);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for id in links {
            self.pump(id, orders);
            self.close(id, Some(super::message::Farewell::Leaving), Disconnected::Leaving, orders);
        }
    }
}
