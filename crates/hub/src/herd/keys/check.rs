//! Whether the shared keys are the same here and on all other servers, asked by an operator.
//!
//! Every server that is there is compared with, some at a time: over its link, or through those that lead to it. What is not
//! there is named. Nothing is changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use remuda_herd::NodeId;
use remuda_herd::replica::{Input, ReplicaEvent};
use remuda_herd::spread::Standing;
use remuda_model::hub::{HerdCheck, HerdDifference, HerdUnreached};

use crate::core::Core;

/// Servers compared with at once: each has one question under way, and all of them may go over one link.
const AT_ONCE_MAX: usize = 16;
/// Differing keys that are told, of all servers together; the others are counted.
const TOLD_MAX: usize = 10_000;

/// A comparison, under way or complete.
#[derive(Debug, Default)]
pub(super) struct Check {
    found: HerdCheck,
    /// Keys that differ: where, in which database, and the server's name. A comparison that begins anew finds them again.
    differing: BTreeMap<(NodeId, u32, Bytes), String>,
    waiting: VecDeque<NodeId>,
    under_way: BTreeSet<NodeId>,
}

impl Check {
    fn result(&self) -> HerdCheck {
        let pending = self.waiting.len() + self.under_way.len();
        let differing = self.differing.iter().map(|((node, database, key), name)| HerdDifference {
            node: node.to_string(),
            name: name.clone(),
            database: *database,
            key: String::from_utf8_lossy(key).into_owned(),
        });
        HerdCheck {
            pending: u64::try_from(pending).unwrap_or(u64::MAX),
            differing: differing.collect(),
            ..self.found.clone()
        }
    }
}

impl Core {
    /// Compares the shared keys with those of all servers of the herd.
    pub(crate) fn begin_check(&mut self) -> Result<HerdCheck, &'static str> {
        let inside = self.herd.as_mut().and_then(|herd| herd.inside.as_mut());
        let inside = inside.ok_or("ERR this server is no member of a herd")?;
        let keys = inside.keys.as_mut().ok_or("ERR no keys are shared: herd.keys is empty")?;
        let linked: BTreeSet<NodeId> = inside.links.values().copied().collect();
        let view = inside.spread.view();
        let mut check = Check::default();
        // A neighbour of which nothing is known yet is one, too.
        let unknown = linked.iter().filter(|node| view.members.iter().all(|member| member.node != **node));
        check.waiting.extend(unknown);
        for member in view.members.iter().filter(|member| member.node != view.me) {
            let why = match member.standing {
                _ if linked.contains(&member.node) => "",
                Standing::Here => "",
                Standing::Suspected => "suspected",
                Standing::Lost => "lost",
                Standing::Left => "left",
            };
            if why.is_empty() {
                check.waiting.push_back(member.node);
            } else {
                let (node, name) = (member.node.to_string(), member.name.clone());
                check.found.unreached.push(HerdUnreached { node, name, why: why.to_owned() });
            }
        }
        check.found.peers = u64::try_from(check.waiting.len()).unwrap_or(u64::MAX);
        keys.check = check;
        self.go_on_checking();
        self.check_result()
    }

    /// Begins with further servers, as those before are done.
    pub(super) fn go_on_checking(&mut self) {
        loop {
            let Some(keys) = self.keys() else { return };
            if keys.check.under_way.len() >= AT_ONCE_MAX {
                return;
            }
            let Some(node) = keys.check.waiting.pop_front() else { return };
            keys.check.under_way.insert(node);
            self.step_keys(Input::Check(node));
        }
    }

    /// A link has come up with a server that was asked through others, or over another link: its answer may be lost.
    pub(in crate::herd) fn check_again(&mut self, node: NodeId) {
        if self.keys().is_some_and(|keys| keys.check.under_way.contains(&node)) {
            self.step_keys(Input::Check(node));
        }
    }

    /// A server cannot be compared with.
    pub(in crate::herd) fn leave_unchecked(&mut self, node: NodeId, why: &str) {
        let name = self.bare_name_of(node);
        let Some(keys) = self.keys() else { return };
        if keys.check.under_way.remove(&node) {
            let unreached = HerdUnreached { node: node.to_string(), name, why: why.to_owned() };
            keys.check.found.unreached.push(unreached);
        }
    }

    /// What the comparison has found so far.
    pub(crate) fn check_result(&mut self) -> Result<HerdCheck, &'static str> {
        self.keys().map(|keys| keys.check.result()).ok_or("ERR no keys are shared here")
    }

    pub(super) fn note_check(&mut self, event: &ReplicaEvent) {
        match event {
            ReplicaEvent::Differs { peer, database, key } => {
                let name = self.bare_name_of(*peer);
                let Some(keys) = self.keys() else { return };
                let differing = &mut keys.check.differing;
                if differing.len() < TOLD_MAX {
                    differing.insert((*peer, *database, key.clone()), name);
                }
            }
            ReplicaEvent::Checked { peer, differing } => {
                let Some(keys) = self.keys() else { return };
                if keys.check.under_way.remove(peer) {
                    keys.check.found.differing_keys += differing;
                }
            }
            ReplicaEvent::Abandoned(peer) => self.leave_unchecked(*peer, "silent"),
            ReplicaEvent::ScopesDiffer(peer) => self.leave_unchecked(*peer, "shares other keys"),
            _ => {}
        }
    }
}
