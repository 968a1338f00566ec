//! What a trial has shown, in the words of Plumtree's paper.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::NodeId;
use crate::sim::world::World;

/// What a trial has shown.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Nodes at the beginning.
    pub nodes: usize,
    /// How many nodes have how many links, when the first message goes.
    pub degrees: BTreeMap<usize, usize>,
    /// Each message while all are there.
    pub broadcasts: Vec<Broadcast>,
    /// What came after nodes were killed.
    pub aftermath: Option<Aftermath>,
    /// The most bytes one node keeps for repairs at the end.
    pub cached_bytes_max: usize,
    /// The most links one node has had to do with at the end.
    pub links_max: usize,
    /// Messages lost, over all nodes, by their own count.
    pub lost: u64,
    /// Whether any node was given something twice, or out of order.
    pub is_disordered: bool,
}

/// One message and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Broadcast {
    /// Nodes that were there, the sender apart.
    pub others: usize,
    /// Those among them that got it.
    pub reached: usize,
    /// Relative message redundancy: copies sent for each node that got it, less the one it needs.
    pub redundancy: f64,
    /// Last delivery hop: the most links it came over anywhere.
    pub last_hop: u16,
    /// When the last got it.
    pub last_at: Duration,
    /// Other messages (digests, pings, repairs) for each node in this time.
    pub others_per_node: f64,
}

/// What came after nodes were killed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aftermath {
    /// Nodes that live.
    pub living: usize,
    /// Those that got the first message after it, within one second.
    pub first_soon: usize,
    /// Those that got it in the end.
    pub first: usize,
    /// How long after it a message was sent that reached all that live within a second, as did all that followed.
    pub repaired_after: Option<Duration>,
    /// Messages of all that were sent, for all nodes, that never came.
    pub missed: usize,
}

/// A message that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken {
    origin: NodeId,
    sequence: u64,
    at: Duration,
}

impl Report {
    /// The second half of the messages: trees stand then.
    #[must_use]
    pub fn stable(&self) -> &[Broadcast] {
        &self.broadcasts[self.broadcasts.len() / 2..]
    }

    pub(super) fn finish(&mut self, world: &World) {
        for place in 0..world.len() {
            let Some(view) = world.machine(place).map(crate::spread::Spread::view) else { continue };
            self.cached_bytes_max = self.cached_bytes_max.max(view.cached_bytes);
            self.links_max = self.links_max.max(view.links.len());
            self.lost += view.counters.lost;
        }
        self.is_disordered = world.record.disorder().is_some();
    }

    pub(super) fn repairs(&mut self, world: &World, killed_at: Duration, spoken: &[Spoken]) {
        let soon = Duration::from_secs(1);
        let living: Vec<usize> =
            (0..world.len()).filter(|place| *place != 0 && world.machine(*place).is_some()).collect();
        let mut soon_by = vec![0; spoken.len()];
        let mut all_by = vec![0; spoken.len()];
        for place in &living {
            let heard = world.record.heard[*place].get(&world.id(0)).map_or(&[][..], Vec::as_slice);
            for (at, message) in spoken.iter().enumerate() {
                let Ok(found) = heard.binary_search_by_key(&message.sequence, |heard| heard.sequence) else {
                    continue;
                };
                all_by[at] += 1;
                soon_by[at] += usize::from(heard[found].at <= message.at + soon);
            }
        }
        let after_last_bad = soon_by.iter().rposition(|got| *got < living.len()).map_or(0, |at| at + 1);
        self.aftermath = Some(Aftermath {
            living: living.len(),
            first_soon: soon_by.first().copied().unwrap_or(0),
            first: all_by.first().copied().unwrap_or(0),
            repaired_after: spoken.get(after_last_bad).map(|message| message.at - killed_at),
            missed: all_by.iter().map(|got| living.len() - got).sum(),
        });
    }
}

/// One node says something.
pub(super) fn speak(world: &mut World, sender: usize) -> Spoken {
    let origin = world.id(sender);
    let at = world.now();
    world.publish(sender, b"trial", 64);
    let published = world.machine(sender).map_or(0, |machine| machine.counters().published);
    Spoken { origin, sequence: published, at }
}

/// One node says something, and all that follows is watched for a while.
pub(super) fn measure(world: &mut World, sender: usize, pause: Duration) -> Broadcast {
    let (updates, others) = (world.record.updates, world.record.others);
    let spoken = speak(world, sender);
    world.run(pause);
    let (mut reached, mut last_hop, mut last_at) = (0, 0, Duration::ZERO);
    for heard in &world.record.heard {
        let last = heard.get(&spoken.origin).and_then(|heard| heard.last());
        if let Some(last) = last.filter(|last| last.sequence == spoken.sequence) {
            reached += 1;
            last_hop = last_hop.max(last.hops);
            last_at = last_at.max(last.at - spoken.at);
        }
    }
    let copies = f64::from(u32::try_from(world.record.updates - updates).unwrap_or(u32::MAX));
    let rest = f64::from(u32::try_from(world.record.others - others).unwrap_or(u32::MAX));
    let nodes = f64::from(u32::try_from(world.len()).unwrap_or(u32::MAX));
    Broadcast {
        others: world.len() - 1,
        reached,
        redundancy: copies / f64::from(u32::try_from(reached.max(1)).unwrap_or(u32::MAX)) - 1.0,
        last_hop,
        last_at,
        others_per_node: rest / nodes,
    }
}

pub(super) fn degrees(world: &World) -> BTreeMap<usize, usize> {
    let mut degrees = BTreeMap::new();
    for place in 0..world.len() {
        let links = world.machine(place).map_or(0, |machine| machine.view().links.len());
        *degrees.entry(links).or_insert(0) += 1;
    }
    degrees
}
