//! What the replica orders, carried out: what is to be written down, to be told others, and to be said to operators.

use remuda_herd::replica::{Order, ReplicaEvent};
use remuda_herd::spread::Input as SpreadInput;

use super::super::held::Word;
use super::saved::{COMMAND, NOTE, write_bound};
use crate::complaints::Complaint;
use crate::core::Core;

impl Core {
    /// Carries out what the replica ordered, and ends the record.
    pub(super) fn settle_keys(&mut self) {
        let orders = self.keys().map(|keys| std::mem::take(&mut keys.orders)).unwrap_or_default();
        let mut words = Vec::new();
        for order in orders {
            match order {
                Order::Reserve(stamp) => {
                    write_bound(stamp, &mut |command| self.durability.add(0, command));
                    if let Some(keys) = self.keys() {
                        keys.bound = stamp;
                    }
                }
                Order::Note(note) => self.durability.add(0, &[COMMAND, NOTE, &note]),
                Order::Spread(change) => words.push(Word::Change(change)),
                Order::Send(node, message) => words.push(Word::Letter(node, message)),
                Order::Event(event) => self.tell_of_keys(&event),
            }
        }
        self.durability.end_record();
        let newest = self.durability.newest();
        if let Some(keys) = self.keys() {
            for word in words {
                keys.has_refused |= !keys.held.push(newest, word);
            }
        }
        self.tell_settled(self.durability.settled());
    }

    /// Tells other servers what waited for the disk, as far as that has everything up to `settled`.
    pub(crate) fn tell_settled(&mut self, settled: u64) {
        let now = self.moment.tick;
        let Some(herd) = &mut self.herd else { return };
        while let Some(keys) = herd.inside.as_mut().and_then(|inside| inside.keys.as_mut()) {
            match keys.held.pop(settled) {
                Some(Word::Change(change)) => herd.step(now, SpreadInput::Change(change)),
                Some(Word::Letter(node, message)) => keys.letters.push_back((node, message)),
                None => return,
            }
        }
    }

    fn tell_of_keys(&mut self, event: &ReplicaEvent) {
        self.note_check(event);
        let is_told = match event {
            ReplicaEvent::Synced { keys, .. } => *keys > 0,
            ReplicaEvent::Differs { .. } | ReplicaEvent::Checked { .. } => false,
            _ => true,
        };
        if !is_told || !self.may_tell(Complaint::HerdKeys) {
            return;
        }
        match event {
            ReplicaEvent::Quarantined { node, ahead_ms } => log::warn!(
                "a change of {} is {ahead_ms} ms ahead of this server's clock, and waits: one of the two clocks is wrong",
                self.name_of(*node)
            ),
            ReplicaEvent::Oversized { database, key, bytes } => log::warn!(
                "key {:?} of database {database} has {bytes} bytes, too many to be shared: it stays on this server",
                String::from_utf8_lossy(key)
            ),
            ReplicaEvent::ScopesDiffer(node) => log::error!(
                "{} shares other keys than this server: herd.keys has to be the same on both",
                self.name_of(*node)
            ),
            ReplicaEvent::Synced { peer, keys, bytes, took_ms } => log::info!(
                "{keys} shared keys were brought up to date from {} with {bytes} bytes in {took_ms} ms",
                self.name_of(*peer)
            ),
            ReplicaEvent::Abandoned(node) => {
                log::warn!("{} does not go on telling what its shared keys are", self.name_of(*node));
            }
            ReplicaEvent::Differs { .. } | ReplicaEvent::Checked { .. } => {}
        }
    }
}
