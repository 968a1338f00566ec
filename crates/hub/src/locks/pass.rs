//! Locks from one hub to the next: in the book, since the next one may keep its state elsewhere.
//!
//! The old hub tells everybody whatever the disk lets it tell, and closes the journal; leases go on where they were. A
//! Redis client that waits asks the new hub again, in the order in which they came, and its wait begins anew; a ZeroMQ peer
//! that waits is told to ask again. The new hub has all of it on its disk before it serves.

use std::time::{Duration, Instant};

use remuda_model::Tick;
use remuda_store::{Held, LockRecord, Locks};

use super::{CLOSE_WITHIN, Locking, Look};
use crate::connection::{Connection, Protocol};
use crate::hub::Hub;
use crate::table::Key;

/// Between two looks at how much the disk's thread has still to write.
const DRAIN_PAUSE: Duration = Duration::from_millis(1);

/// What a ZeroMQ peer that waits is told.
const ASK_AGAIN: &[u8] = b"the hub was replaced meanwhile: ask again";

/// What the book has of locks.
#[derive(Debug, Default)]
pub(crate) struct PassedLocks {
    /// The largest fence; `None`: the former hub knew of no locks.
    pub(crate) last_fence: Option<u64>,
    pub(crate) held: Vec<(Vec<u8>, Held)>,
    /// Connections that wait, in their order.
    pub(crate) waiting: Vec<Key>,
}

impl Locking {
    /// Whether another hub is about to have everything: nobody's next command is carried out then.
    pub(super) fn is_passing(&self) -> bool {
        self.is_passing
    }

    /// Waits until the disk has everything.
    pub(crate) fn drain(&mut self, limit: Duration) -> Result<(), String> {
        self.keep();
        let end = Instant::now() + limit;
        while self.settled() < self.position {
            if let Some(why) = self.trouble() {
                return Err(why.to_string());
            }
            if Instant::now() > end {
                return Err("the disk is too slow".to_owned());
            }
            std::thread::sleep(DRAIN_PAUSE);
        }
        Ok(())
    }

    /// What goes into the book: the largest fence, each lock, and who waits.
    pub(crate) fn pass(&self) -> PassedLocks {
        let (look, last_fence) = match &self.shared {
            Some(shared) => (Look::Shared(&shared.machine), 0),
            None => (Look::Own(&self.machine), self.machine.last_fence()),
        };
        PassedLocks {
            last_fence: Some(last_fence),
            held: look.view().map(|(name, held)| (name.to_vec(), held.clone())).collect(),
            waiting: look.queue().iter().map(|who| Key::from_number(who.client)).collect(),
        }
    }

    /// Goes on with the locks of a hub that lives; the disk has them, and nothing else, when this returns.
    pub(crate) fn take_over(&mut self, now: Tick, passed: PassedLocks) -> Result<(), String> {
        if let Some(shared) = &mut self.shared {
            for (name, held) in passed.held {
                shared.machine.take_over(&name, held);
            }
            return Ok(());
        }
        let Some(last_fence) = passed.last_fence else { return self.recover(now) };
        if passed.held.is_empty() && !self.folder.exists() {
            self.machine.replay(now, &LockRecord::Fence(last_fence));
            return Ok(());
        }
        self.recover(now)?;
        if self.journal.is_none() {
            self.open(None)?;
        }
        let mut machine = Locks::new(self.machine.last_fence());
        machine.replay(now, &LockRecord::Fence(last_fence));
        let mut records = Vec::new();
        for (name, held) in self.machine.view() {
            records.push(LockRecord::Free { name: name.into(), fence: held.fence });
        }
        for (name, held) in passed.held {
            machine.take_over(&name, held);
        }
        machine.dump(&mut |words| records.extend(LockRecord::parse(words)));
        self.machine = machine;
        if let Some(journal) = &mut self.journal {
            for record in records {
                record.write(&mut |words| journal.add(0, words));
            }
            self.position = journal.end_record().0;
        }
        self.drain(CLOSE_WITHIN)
    }
}

impl Hub {
    /// Tells all that may be told, carries out nothing more, and gives the journal free.
    pub(crate) fn close_locks(&mut self, limit: Duration) -> Result<(), String> {
        self.core.locks.is_passing = true;
        self.core.locks.drain(limit)?;
        while self.tell_of_a_lock() {}
        // Who was gone when it was told has given its lock back.
        self.core.locks.drain(limit)?;
        while self.tell_of_a_lock() {}
        if let Some(fd) = self.core.locks.watched() {
            // It is watched anew if it has to be opened again.
            let _ = self.poller.remove(fd);
        }
        self.refuse_waiting_peers();
        match self.core.locks.journal.take() {
            Some(journal) => journal.close(limit).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// The other hub failed: the journal is looked for at once, and until it is there.
    pub(crate) fn go_on_with_locks(&mut self) {
        let locks = &mut self.core.locks;
        locks.is_passing = false;
        if locks.shared.is_none() && locks.folder.exists() {
            locks.missing = Some(self.core.moment.tick);
        }
    }

    /// ZeroMQ peers that wait are told to ask again: their questions are not in their input any more.
    fn refuse_waiting_peers(&mut self) {
        let Ok(look) = self.core.locks.look() else { return };
        for who in look.queue() {
            let key = Key::from_number(who.client);
            let Some(connection) = self.connections.get_mut(key) else { continue };
            let Connection { protocol, outbox, .. } = connection;
            let Protocol::ZeroMq(peer) = protocol else { continue };
            let Some(pending) = peer.locks.remove(&who.ticket) else { continue };
            let mut frames = bytes::BytesMut::new();
            pending.encode(&self.core, &[b"ERROR", ASK_AGAIN], &mut frames);
            peer.send(&frames, outbox);
            self.mark(key);
        }
    }
}
