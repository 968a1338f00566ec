//! Running a command: from its name to its answer and what follows from it.

use crate::answer::Answer;
use crate::call::{Call, Flow, Mode};
use crate::client::ClientId;
use crate::command::{Flag, Row};
use crate::failure::Failure;
use crate::keys::Keys;
use crate::moment::Moment;
use crate::store::Store;
use crate::table;

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, with an error perhaps.
    Done {
        /// Whether the command as it was sent is its own effect: it goes to the log, after those that
        /// [`Store::drain_effects`] gives. Never within a group.
        verbatim: bool,
    },
    /// It waits, and was not answered: [`Store::next_ready`] and [`Store::timed_out`] say when to go on with it.
    Blocked,
    /// The store does not know the command, and did not answer.
    NotMine,
}

impl Outcome {
    const ANSWERED: Self = Self::Done { verbatim: false };
}

impl Store {
    /// Runs `command`, its name and its arguments, for `client` in `database`.
    pub fn execute(
        &mut self,
        moment: Moment,
        client: ClientId,
        database: u32,
        command: &[&[u8]],
        mode: Mode,
        answer: &mut dyn Answer,
    ) -> Outcome {
        let Some(row) = command.first().and_then(|name| table::find(name)) else { return Outcome::NotMine };
        self.effects.begin_command();
        if let Err(failure) = self.admit(moment, row, database, command) {
            answer.error(&failure.to_string());
            return Outcome::ANSWERED;
        }
        self.begin(database);
        let keys = Keys::new(self, moment, database, mode);
        let flow = (row.handler)(&mut Call { keys, answer: &mut *answer }, command);
        match flow {
            Ok(Flow::Done) => {}
            Ok(Flow::Block(wait)) => match self.block(client, database, wait, command) {
                Ok(()) => return Outcome::Blocked,
                Err(failure) => answer.error(&failure.to_string()),
            },
            Err(failure) => answer.error(&failure.to_string()),
        }
        Outcome::Done { verbatim: self.finish(database, command) }
    }

    /// Begins a transaction or a script: the effects until [`end_group`](Self::end_group) belong together.
    pub fn begin_group(&mut self) {
        self.reserve_revisions(0);
        self.effects.begin_group();
        self.group_has_room = None;
    }

    /// Ends it.
    pub fn end_group(&mut self) {
        self.effects.end_group();
    }

    pub(crate) fn begin(&mut self, database: u32) {
        self.is_changed = false;
        self.has_own_effects = false;
        self.reserve_revisions(database);
    }

    /// Keeps the effects of the command that ran. Returns whether the command itself is its effect.
    pub(crate) fn finish(&mut self, database: u32, command: &[&[u8]]) -> bool {
        if !self.is_changed || self.has_own_effects || !self.options.keeps_effects || self.is_replaying {
            return false;
        }
        if self.effects.is_grouped() {
            self.effects.push(database, command);
            return false;
        }
        true
    }

    /// Whether commands that need memory may run now, which keys that may go are evicted for. Within a group the answer of
    /// the first time stands: as in Redis what was begun is carried through, beyond the limit by what a transaction holds
    /// at most.
    pub fn has_room(&mut self, moment: Moment) -> bool {
        if !self.effects.is_grouped() {
            return self.make_room(moment);
        }
        let has_room = match self.group_has_room {
            Some(has_room) => has_room,
            None => self.make_room(moment),
        };
        self.group_has_room = Some(has_room);
        has_room
    }

    fn admit(&mut self, moment: Moment, row: &Row, database: u32, command: &[&[u8]]) -> Result<(), Failure> {
        let spec = &row.spec;
        if !spec.takes(command.len()) {
            return Err(Failure::Arguments(spec.name.to_owned()));
        }
        if database >= self.options.databases {
            return Err(Failure::text("ERR DB index is out of range"));
        }
        if self.is_replaying {
            return Ok(());
        }
        if spec.flags.has(Flag::DenyOom) && !self.has_room(moment) {
            return Err(Failure::OutOfMemory);
        }
        if spec.flags.has(Flag::Write) && self.effects.len_bytes() > self.options.effects_max_bytes {
            return Err(Failure::text("ERR the transaction or script changes more than one may"));
        }
        Ok(())
    }
}
