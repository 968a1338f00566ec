//! Keys that all servers share: what happens to them here is told to the others, what the others tell is written here.
//!
//! The replica is told after each command, transaction or script what it did to shared keys. What it wants to be written
//! down goes into the journal in the same record as the effects, as commands that are the hub's own:
//!
//! | command | what it says |
//! |---|---|
//! | `REMUDA.HERD NOTE bytes` | who changed a key when |
//! | `REMUDA.HERD RESERVE stamp` | no stamp above this one has been given out |

mod check;
mod saved;
mod settle;

use std::collections::{BTreeSet, VecDeque};

use remuda_herd::replica::{Input, Message, Now, Order, Replica, ReplicaOptions, Scope, Scopes, Stamp};
use remuda_herd::{Epoch, NodeId};
use remuda_model::hub::{HerdKeys, HerdSpec};
use remuda_store::{Moment, Store};

use super::held::Held;
use super::shelf::StoreShelf;
use super::touch::{Gone, Touches};
use crate::core::Core;

use check::Check;
pub(crate) use saved::{COMMAND, Saved};
use saved::{NOTE, write_bound};

/// The shared keys of a member.
#[derive(Debug)]
pub(crate) struct SharedKeys {
    pub(super) replica: Replica,
    bound: Stamp,
    orders: Vec<Order>,
    /// What waits for the disk before others are told.
    held: Held,
    /// What is to be said to whom, now.
    pub(super) letters: VecDeque<(NodeId, Message)>,
    check: Check,
    /// Servers without a link that were answered last; the newest is the last.
    pub(super) askers: VecDeque<NodeId>,
    /// Whether changes of others were refused, or letters to them left out, as the disk is not well.
    has_refused: bool,
}

impl SharedKeys {
    /// Those that `spec` names, as they were written down.
    pub(super) fn new(
        spec: &HerdSpec,
        me: NodeId,
        epoch: Epoch,
        moment: Moment,
        seed: u64,
        saved: Saved,
    ) -> Self {
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let scopes =
            Scopes::new(spec.keys.iter().map(|prefix| (prefix.as_bytes(), Scope::Herd)), Scope::Local);
        let options = ReplicaOptions {
            ahead_max_ms: millis(spec.future_max),
            grace_ms: millis(spec.tombstones),
            compare_ms: millis(spec.compare_every),
            ..ReplicaOptions::default()
        };
        let mut replica = Replica::new(me, epoch, now(moment), saved.bound, scopes, options, seed);
        let mut refused = 0_u64;
        for note in &saved.notes {
            refused += u64::from(replica.restore(now(moment), note).is_err());
        }
        if refused > 0 {
            log::error!(
                "{refused} notes on shared keys cannot be read; those keys are compared with other servers"
            );
        }
        Self {
            replica,
            bound: saved.bound,
            orders: Vec::new(),
            held: Held::default(),
            letters: VecDeque::new(),
            check: Check::default(),
            askers: VecDeque::new(),
            has_refused: false,
        }
    }

    /// All of it, for another life.
    pub(super) fn save(&self) -> Saved {
        let mut saved = Saved { notes: Vec::new(), bound: self.bound };
        self.replica.export(&mut |note| saved.notes.push(note));
        saved
    }

    /// All of it, for a journal that begins anew.
    pub(super) fn write(&self, sink: &mut dyn FnMut(&[&[u8]])) {
        write_bound(self.bound, sink);
        self.replica.export(&mut |note| sink(&[COMMAND, NOTE, &note]));
    }

    fn step(&mut self, moment: Moment, store: &mut Store, input: Input<'_>) {
        self.replica.step(now(moment), input, &mut StoreShelf { store, moment }, &mut self.orders);
    }

    /// Whether something waits for the disk.
    pub(super) fn is_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether answers to other servers wait for the disk: no room is given for more.
    pub(super) fn has_held_letters(&self) -> bool {
        self.held.has_letters()
    }

    pub(super) fn view(&self) -> HerdKeys {
        let view = self.replica.view();
        let figures = view.figures;
        let whole = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        HerdKeys {
            keys: whole(view.keys),
            deleted: whole(view.ended),
            digest: format!("{:016x}", view.digest),
            waiting: whole(view.waiting),
            made_total: figures.made,
            taken_total: figures.taken,
            concurrent_overwrites_total: figures.concurrent_overwrites,
            quarantined_total: figures.quarantined,
            refused_total: figures.refused,
            oversized_total: figures.oversized,
            synced_total: figures.synced,
            repaired_total: figures.repaired,
        }
    }
}

fn now(moment: Moment) -> Now {
    Now { tick_ms: moment.tick.0, wall_ms: moment.wall_ms }
}

impl Core {
    pub(super) fn keys(&mut self) -> Option<&mut SharedKeys> {
        self.herd.as_mut()?.inside.as_mut()?.keys.as_mut()
    }

    /// The journal gets the effects that wait, and the command that is its own effect, if it is; the other servers get
    /// what of it is theirs.
    pub(crate) fn keep_effects(&mut self, verbatim: Option<(u32, &[&[u8]])>) {
        let Self { durability, store, herd, moment, .. } = self;
        let databases = store.databases();
        let gone = herd.as_mut().map(|herd| std::mem::take(&mut herd.gone)).unwrap_or_default();
        // They are looked for in the order they went.
        let mut gone = VecDeque::from(gone);
        let mut keys =
            herd.as_mut().and_then(|herd| herd.inside.as_mut()).and_then(|inside| inside.keys.as_mut());
        let mut touches = Touches::default();
        let mut take = |database: u32, command: &[&[u8]]| {
            durability.add(database, command);
            if let Some(keys) = &keys {
                touches.note(&keys.replica, database, command, &mut gone, databases);
            }
        };
        store.drain_effects(&mut take);
        if let Some((database, command)) = verbatim {
            take(database, command);
        }
        let has_touches = !touches.is_empty();
        if let Some(keys) = keys.as_mut().filter(|_| has_touches) {
            touches.tell(|input| keys.step(*moment, store, input));
        }
        if has_touches {
            self.settle_keys();
        } else {
            self.durability.end_record();
        }
    }

    /// Tells the replica something that is no client's doing, and has done what comes of it.
    pub(crate) fn step_keys(&mut self, input: Input<'_>) {
        if self.refuses(&input) {
            return;
        }
        // What a client's reply waits for stays what it was.
        let before = self.durability.take_hold();
        let moment = self.moment;
        let Self { durability, store, herd, news, bus, .. } = self;
        let Some(herd) = herd else { return };
        let Some(keys) = herd.inside.as_mut().and_then(|inside| inside.keys.as_mut()) else {
            return durability.put_hold(before);
        };
        keys.step(moment, store, input);
        news.take(store, bus, Some(&mut herd.gone));
        let mut touches = Touches::default();
        for gone in herd.gone.drain(..) {
            touches.note_gone(&keys.replica, gone);
        }
        touches.tell(|input| keys.step(moment, store, input));
        store.drain_effects(&mut |database, command| durability.add(database, command));
        self.settle_keys();
        self.durability.take_hold();
        self.durability.put_hold(before);
        self.serve_waiting();
    }

    /// Whether another server's change is not taken now: what a disk does not take would pile up in memory. It is found
    /// again when the disk is well.
    fn refuses(&mut self, input: &Input<'_>) -> bool {
        let writes = matches!(input, Input::Change(_) | Input::Message(_, Message::States { .. }));
        let refuses = writes && self.durability.trouble().is_some();
        if let Some(keys) = self.keys() {
            keys.has_refused |= refuses;
        }
        refuses
    }

    /// The disk takes again what it did not: what was refused meanwhile is looked for.
    fn make_up(&mut self) {
        if self.durability.trouble().is_some()
            || !self.keys().is_some_and(|keys| std::mem::take(&mut keys.has_refused))
        {
            return;
        }
        let inside = self.herd.as_ref().and_then(|herd| herd.inside.as_ref());
        let peers: BTreeSet<NodeId> =
            inside.map(|inside| inside.links.values().copied().collect()).unwrap_or_default();
        for peer in peers {
            self.step_keys(Input::Compare(peer));
        }
    }

    /// The store and what was written down are one: what came or went meanwhile is found.
    pub(super) fn begin_keys(&mut self) {
        let Some(known) = self.keys().map(|keys| keys.replica.databases()) else { return };
        // Each database is a look at all keys, while clients wait: most have none.
        for database in 0..self.store.databases() {
            if known.contains(&database) || self.store.len(database).0 > 0 {
                self.step_keys(Input::All { database, is_restored: true });
            }
        }
    }

    /// A node can be reached, or not any more.
    pub(super) fn keys_reach(&mut self, node: NodeId, is_up: bool) {
        if !is_up {
            self.leave_unchecked(node, "cut");
        }
        self.step_keys(if is_up { Input::LinkUp(node) } else { Input::LinkDown(node) });
        if is_up {
            self.check_again(node);
        }
    }

    /// Whether shared keys have something to do by themselves.
    pub(super) fn tick_keys(&mut self) {
        self.make_up();
        self.go_on_checking();
        let now = self.moment.tick.0;
        if self.keys().is_some_and(|keys| keys.replica.deadline_tick_ms() <= now) {
            self.step_keys(Input::Tick);
        }
    }
}

impl super::Herd {
    /// What was written down of shared keys, for a journal or a hub that follows.
    pub(crate) fn write_keys(&self, sink: &mut dyn FnMut(&[&[u8]])) {
        match self.inside.as_ref().map(|inside| inside.keys.as_ref()) {
            Some(Some(keys)) => keys.write(sink),
            Some(None) => {}
            None => self.saved.write(sink),
        }
    }

    /// Where keys that went by themselves are put down, if any are shared.
    pub(crate) fn gone(&mut self) -> Option<&mut Vec<Gone>> {
        let has_keys = self.inside.as_ref().is_some_and(|inside| inside.keys.is_some());
        has_keys.then_some(&mut self.gone)
    }
}
