//! Who is linked to whom, by what the nodes say of their links.

use std::collections::BTreeMap;

use super::message::{Fact, LinkState};
use crate::NodeId;

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

    /// The nodes that `from` reaches over links that work, and how many links away they are.
    pub(crate) fn reached(&self, from: NodeId) -> BTreeMap<NodeId, u32> {
        let Some(start) = self.index.get(&from) else { return BTreeMap::new() };
        let mut distance = vec![None; self.edges.len()];
        distance[*start] = Some(0);
        let mut open = std::collections::VecDeque::from([*start]);
        while let Some(at) = open.pop_front() {
            let further = distance[at].map_or(0, |links: u32| links.saturating_add(1));
            for (next, works) in &self.edges[at] {
                if *works && distance[*next].is_none() {
                    distance[*next] = Some(further);
                    open.push_back(*next);
                }
            }
        }
        let named = self.index.iter().filter_map(|(node, at)| distance[*at].map(|links| (*node, links)));
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
