//! Who is reached, and what is wanted where: read anew from the facts after they change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::graph::{Graph, Way};
use super::input::LinkId;
use super::kinds::Kinds;
use super::machine::Spread;
use super::member::Standing;
use super::options::Mode;
use super::order::{Event, Order};
use super::routes::{PREFIXES_MAX, Wanted};
use super::summary::{Prefixes, Summary};
use super::timers::Timer;
use crate::NodeId;

/// How long changes are gathered before the graph is read. Meanwhile nothing is filtered.
const GATHER: Duration = Duration::from_millis(50);

impl Spread {
    pub(crate) fn graph_changed(&mut self) {
        self.routes.is_open = true;
        self.timers.start(Timer::Survey, self.now + GATHER);
    }

    pub(crate) fn survey(&mut self, orders: &mut Vec<Order>) {
        let graph = Graph::of(self.members.values().map(|member| member.fact.as_ref()));
        let mut reached = graph.reached(self.me);
        // A neighbour is there, whatever is said of it.
        for link in self.links.values() {
            reached.insert(link.peer, Way { links: 1, first: link.peer });
        }
        let nodes: Vec<NodeId> = self.members.keys().copied().filter(|node| *node != self.me).collect();
        for node in nodes {
            self.stand(node, reached.get(&node).copied(), orders);
        }
        self.choose_mode(orders);
        self.route(&graph);
    }

    /// Judges one node by whether a way leads to it.
    fn stand(&mut self, node: NodeId, way: Option<Way>, orders: &mut Vec<Order>) {
        let Some(member) = self.members.get_mut(&node) else { return };
        let before = member.standing;
        let now = match (before, way) {
            _ if member.fact.is_leaving => Standing::Left,
            (_, Some(_)) => Standing::Here,
            (Standing::Here, None) => Standing::Suspected,
            (Standing::Left, None) => Standing::Lost,
            (standing, None) => standing,
        };
        member.distance = way.map_or(member.distance, |way| way.links);
        member.first = way.map(|way| way.first);
        if before == now {
            if now == Standing::Lost {
                self.timers.start(Timer::Absence(node), self.now + self.options.forget_after);
            }
            return;
        }
        member.standing = now;
        member.since = self.now;
        let event = match (before, now) {
            (_, Standing::Left) => Event::Left(node),
            (_, Standing::Suspected) => Event::Suspected(node),
            (_, Standing::Lost) => Event::Lost(node),
            (Standing::Suspected, Standing::Here) => Event::Refuted(node),
            (_, Standing::Here) if member.is_new => Event::Joined(node),
            (_, Standing::Here) => Event::Healed(node),
        };
        member.is_new &= now != Standing::Here;
        orders.push(Order::Tell(event));
        match now {
            Standing::Here => self.timers.cancel(Timer::Absence(node)),
            Standing::Suspected => {
                let wait = self.options.lost_after * (1 + self.ailment);
                self.timers.set(Timer::Absence(node), self.now + wait);
            }
            Standing::Lost | Standing::Left => {
                self.timers.set(Timer::Absence(node), self.now + self.options.forget_after);
            }
        }
    }

    /// A node has been suspected, or lost, for long enough.
    pub(crate) fn absent(&mut self, node: NodeId, orders: &mut Vec<Order>) {
        let Some(member) = self.members.get_mut(&node) else { return };
        match member.standing {
            Standing::Here => {}
            Standing::Suspected => {
                member.standing = Standing::Lost;
                member.since = self.now;
                orders.push(Order::Tell(Event::Lost(node)));
                self.timers.set(Timer::Absence(node), self.now + self.options.forget_after);
            }
            Standing::Lost | Standing::Left => self.drop_member(node, orders),
        }
    }

    /// Forgets what a node said of itself.
    pub(crate) fn drop_member(&mut self, node: NodeId, orders: &mut Vec<Order>) {
        self.timers.cancel(Timer::Absence(node));
        let Some(member) = self.members.remove(&node) else { return };
        if member.is_neighbour_only && member.standing == Standing::Here {
            orders.push(Order::Tell(Event::Lost(node)));
        }
        self.ties.remove(&node);
        for link in self.links.values_mut() {
            link.facts_due.remove(&node);
            link.interests_due.remove(&node);
        }
        self.is_partial = self.options.members_max == 0
            || self.is_partial && self.members.len() >= self.options.members_max;
        self.graph_changed();
    }

    /// Nodes that are there, this one among them.
    pub(crate) fn present(&self) -> usize {
        self.members.values().filter(|member| member.standing == Standing::Here).count()
    }

    fn choose_mode(&mut self, orders: &mut Vec<Order>) {
        let present = self.present();
        self.choose_trees(present);
        let is_tree = match self.options.mode {
            Mode::Flood => false,
            Mode::Tree => true,
            Mode::Auto => {
                self.is_partial
                    || present >= Mode::TREE_FROM
                    || (self.is_tree && present >= Mode::FLOOD_BELOW)
            }
        };
        if is_tree != self.is_tree {
            self.is_tree = is_tree;
            orders.push(Order::Tell(Event::Mode { is_tree }));
        }
    }

    /// Finds what is wanted behind each link.
    fn route(&mut self, graph: &Graph) {
        if self.is_partial || !self.options.is_filtering {
            self.routes.is_open = true;
            self.kinds = Kinds::default();
            return;
        }
        let others = self.members.iter().filter(|(node, _)| **node != self.me);
        let told = others.filter_map(|(node, member)| Some((*node, &member.interest.as_ref()?.summary)));
        self.kinds = Kinds::of(told);
        let mut by_node = BTreeMap::new();
        for part in graph.parts_without(self.me) {
            let wanted = self.wanted_by(&part);
            by_node.extend(part.into_iter().map(|node| (node, wanted.clone())));
        }
        let wanted_of = |peer| by_node.get(peer).cloned().unwrap_or(Wanted::Everything);
        let by_link: BTreeMap<LinkId, Wanted> =
            self.links.iter().map(|(id, link)| (*id, wanted_of(&link.peer))).collect();
        self.routes.replace(by_link);
    }

    /// What these nodes want together.
    fn wanted_by(&self, nodes: &[NodeId]) -> Wanted {
        let mut prefixes: Vec<Bytes> = Vec::new();
        for node in nodes {
            let member = self.members.get(node);
            match member.and_then(|member| member.interest.as_ref()).map(|interest| &interest.summary) {
                Some(Summary::Prefixes(some)) => prefixes.extend(some.iter().cloned()),
                Some(Summary::Everything) | None => return Wanted::Everything,
            }
            if prefixes.len() > PREFIXES_MAX {
                return Wanted::Everything;
            }
        }
        Wanted::Prefixes(Arc::new(Prefixes::of(prefixes)))
    }
}
