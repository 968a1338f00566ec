//! Who is linked to whom, by what the nodes say of their links.

use std::collections::BTreeMap;

use super::message::{Fact, LinkState};
use crate::NodeId;

/// A way from one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    /// Its length.
    pub(crate) links: u32,
    /// The node behind its first link.
    pub(crate) first: NodeId,
}

/// The herd as a graph.
#[derive(Debug)]
pub(crate) struct Graph {
    index: BTreeMap<NodeId, usize>,
    /// For each node: neighbours, and whether the link between them works.
    edges: Vec<Vec<(usize, bool)>>,
}

impl Graph {
    /// The graph that these facts draw. A link works when one end says so and none says that it is down; a node that has
    /// left has no links that work.
    pub(crate) fn of<'facts>(facts: impl Iterator<Item = &'facts Fact>) -> Self {
        let mut claims: BTreeMap<(NodeId, NodeId), (bool, bool)> = BTreeMap::new();
        let mut index = BTreeMap::new();
        for fact in facts {
            index.insert(fact.node, 0);
            for (peer, state) in &fact.links {
                index.insert(*peer, 0);
                let between = (fact.node.min(*peer), fact.node.max(*peer));
                let (works, is_down) = claims.entry(between).or_default();
                let says_down = fact.is_leaving || *state == LinkState::Down;
                *works |= !says_down;
                *is_down |= says_down;
            }
        }
        for (at, place) in index.values_mut().enumerate() {
            *place = at;
        }
        let mut edges = vec![Vec::new(); index.len()];
        for ((one, other), (works, is_down)) in claims {
            let (one, other) = (index[&one], index[&other]);
            let works = works && !is_down;
            edges[one].push((other, works));
            edges[other].push((one, works));
        }
        Self { index, edges }
    }

    /// The nodes that `from` reaches over links that work, and the shortest way to each.
    pub(crate) fn reached(&self, from: NodeId) -> BTreeMap<NodeId, Way> {
        let Some(start) = self.index.get(&from) else { return BTreeMap::new() };
        let names: Vec<NodeId> = self.index.keys().copied().collect();
        let mut ways = vec![None; self.edges.len()];
        ways[*start] = Some(Way { links: 0, first: from });
        let mut open = std::collections::VecDeque::from([*start]);
        while let Some(at) = open.pop_front() {
            let Some(way) = ways[at] else { continue };
            for (next, works) in &self.edges[at] {
                if *works && ways[*next].is_none() {
                    let first = if at == *start { names[*next] } else { way.first };
                    ways[*next] = Some(Way { links: way.links.saturating_add(1), first });
                    open.push_back(*next);
                }
            }
        }
        let named = names.into_iter().zip(ways).filter_map(|(node, way)| Some((node, way?)));
        named.collect()
    }

    /// The parts into which the graph falls without `middle`, each a list of nodes, by all links there are.
    pub(crate) fn parts_without(&self, middle: NodeId) -> Vec<Vec<NodeId>> {
        let names: Vec<NodeId> = self.index.keys().copied().collect();
        let mut is_seen = vec![false; self.edges.len()];
        if let Some(middle) = self.index.get(&middle) {
            is_seen[*middle] = true;
        }
        let mut parts = Vec::new();
        for start in 0..self.edges.len() {
            if is_seen[start] {
                continue;
            }
            is_seen[start] = true;
            let (mut part, mut open) = (Vec::new(), vec![start]);
            while let Some(at) = open.pop() {
                part.push(names[at]);
                for (next, _) in &self.edges[at] {
                    if !is_seen[*next] {
                        is_seen[*next] = true;
                        open.push(*next);
                    }
                }
            }
            parts.push(part);
        }
        parts
    }
}
