//! Clients that wait or watch: what the hub asks between commands.

use crate::answer::Answer;
use crate::blocked::{COMMAND_MAX_BYTES, Wait};
use crate::call::{Call, Flow, Mode};
use crate::client::ClientId;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::moment::Moment;
use crate::store::{Outcome, Store};
use crate::table;

impl Store {
    /// The next client whose wait may be over: [`resume`](Self::resume) it. To be asked until there is none after each
    /// command, transaction and script, and after [`expire`](Self::expire).
    pub fn next_ready(&mut self) -> Option<ClientId> {
        let (spaces, order) = (&self.spaces, &self.order);
        self.blocked.next_ready(|database, key| {
            let space = &spaces[*order.get(database as usize)?];
            space.entries.get(key).map(|entry| entry.value.kind())
        })
    }

    /// Runs the command a client waits in again. [`Outcome::Blocked`] when it goes on waiting, at its old place, and
    /// nothing was answered; [`Outcome::NotMine`] when it does not wait. Its effect is never verbatim.
    pub fn resume(&mut self, moment: Moment, client: ClientId, answer: &mut dyn Answer) -> Outcome {
        let Some(waiter) = self.blocked.waiter(client) else { return Outcome::NotMine };
        let (database, command) = (waiter.database, waiter.command.clone());
        let command: Vec<&[u8]> = command.iter().map(AsRef::as_ref).collect();
        let Some(row) = command.first().and_then(|name| table::find(name)) else { return Outcome::NotMine };
        self.effects.begin_command();
        self.begin(database);
        let keys = Keys::new(self, moment, database, Mode::Normal);
        match (row.handler)(&mut Call { keys, answer: &mut *answer }, &command) {
            Ok(Flow::Block(_)) => return Outcome::Blocked,
            Ok(Flow::Done) => {}
            Err(failure) => answer.error(&failure.to_string()),
        }
        self.blocked.remove(client);
        if self.finish(database, &command) {
            self.effects.push(database, &command);
        }
        Outcome::Done { verbatim: false }
    }

    /// A client that has waited as long as it wanted: [`answer_timeout`](Self::answer_timeout) ends its wait.
    #[must_use]
    pub fn timed_out(&self, moment: Moment) -> Option<ClientId> {
        self.blocked.timed_out(moment.tick)
    }

    /// Answers a client that its time is over, and ends its wait. Returns whether it waited.
    pub fn answer_timeout(&mut self, client: ClientId, answer: &mut dyn Answer) -> bool {
        let waited = self.blocked.remove(client).is_some();
        if waited {
            answer.null_array();
        }
        waited
    }

    /// How many clients wait.
    #[must_use]
    pub fn blocked_count(&self) -> usize {
        self.blocked.len()
    }

    /// Forgets a client that is gone: what it waits for and what it watches.
    pub fn forget(&mut self, client: ClientId) {
        self.blocked.remove(client);
        self.watched.remove(client);
    }

    /// Begins to watch a key for the client's next transaction. Returns whether it may: not when it watches as many
    /// as one client may already.
    pub fn watch(&mut self, moment: Moment, client: ClientId, database: u32, key: &[u8]) -> bool {
        let may = self.watched.watches(client).len() < self.options.watched_max;
        if may && database < self.options.databases {
            Keys::new(self, moment, database, Mode::Normal).index(key);
            self.watched.add(client, database, key, self.changes.revision());
        }
        may
    }

    /// Ends all watches of the client.
    pub fn unwatch(&mut self, client: ClientId) {
        self.watched.remove(client);
    }

    /// Whether no key the client watches has changed or ended since.
    pub fn is_intact(&mut self, moment: Moment, client: ClientId) -> bool {
        // A key whose time is over counts as changed; looking at it removes it, and that breaks the watch.
        for watch in self.watched.watches(client).to_vec() {
            Keys::new(self, moment, watch.database, Mode::Normal).index(&watch.key);
        }
        self.watched.is_intact(client)
    }

    pub(crate) fn block(
        &mut self,
        client: ClientId,
        database: u32,
        wait: Wait,
        command: &[&[u8]],
    ) -> Result<(), Failure> {
        if self.blocked.len() >= self.options.blocked_max {
            return Err(Failure::text("ERR too many clients wait in blocking commands"));
        }
        if command.iter().map(|argument| argument.len()).sum::<usize>() > COMMAND_MAX_BYTES {
            return Err(Failure::text("ERR the command is too long to wait"));
        }
        self.blocked.add(client, database, wait, command);
        Ok(())
    }
}
