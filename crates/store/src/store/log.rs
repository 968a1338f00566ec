//! The log's side: effects out, effects in, and the whole store as commands.
//!
//! Revisions must never be given out twice, though the end of a log may be lost and not every effect is one change. So
//! the log says `REMUDA.REVISION n` before revisions near `n` are reached, and a store that was read from a log goes on
//! after `n`: some numbers are skipped, none comes again.

use crate::answer::Unread;
use crate::call::Mode;
use crate::client::ClientId;
use crate::moment::Moment;
use crate::number;
use crate::store::{Outcome, Store};

/// Revisions reserved at once; renewed when half are used, so that a lost second of log stays within the other half.
const RESERVED: u64 = 1 << 20;
/// The log's own command.
const REVISION: &[u8] = b"REMUDA.REVISION";

/// Why a command of a log could not be applied. The store is as it was before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The store has no such command.
    #[error("the log has a command the store does not know: {name}")]
    Unknown {
        /// Its name.
        name: String,
    },
    /// The command does not fit the keys as the log left them.
    #[error("the log's {name} was refused: {reason}")]
    Refused {
        /// Its name.
        name: String,
        /// The answer.
        reason: String,
    },
}

impl Store {
    /// Gives `sink` the effects that wait, each with its database, in order; several that belong together between
    /// `MULTI` and `EXEC`. To be asked after each command, transaction, script and resumption.
    pub fn drain_effects(&mut self, sink: &mut dyn FnMut(u32, &[&[u8]])) {
        self.effects.drain(sink);
    }

    /// Applies a command of a log: nobody hears of it, and no key ends before the log says so. `MULTI` and `EXEC` are
    /// passed over: whoever reads the log holds back a unit until it is whole.
    ///
    /// # Errors
    /// When the command is none of the store's, or is refused.
    pub fn replay(&mut self, moment: Moment, database: u32, command: &[&[u8]]) -> Result<(), ReplayError> {
        let name = || String::from_utf8_lossy(command.first().copied().unwrap_or_default()).into_owned();
        match command {
            [word] if word.eq_ignore_ascii_case(b"MULTI") || word.eq_ignore_ascii_case(b"EXEC") => {
                return Ok(());
            }
            [word, number] if word.eq_ignore_ascii_case(REVISION) => {
                let number = number::integer(number).and_then(|number| u64::try_from(number).ok());
                let refused = || ReplayError::Refused { name: name(), reason: "not a revision".to_owned() };
                self.continue_after(number.ok_or_else(refused)?);
                return Ok(());
            }
            _ => {}
        }
        let mut answer = Unread::default();
        self.is_replaying = true;
        let outcome = self.execute(moment, ClientId(0), database, command, Mode::Transaction, &mut answer);
        self.is_replaying = false;
        self.changes.restart(self.changes.revision());
        match (outcome, answer.error) {
            (Outcome::NotMine, _) => Err(ReplayError::Unknown { name: name() }),
            (_, Some(reason)) => Err(ReplayError::Refused { name: name(), reason }),
            _ => Ok(()),
        }
    }

    /// Gives `sink` commands that make an empty store equal to this one, each with its database. A command has 64 items
    /// of a collection at most, or one entry of a stream with all its fields, which one command brought. Keys whose time
    /// is over are left out.
    pub fn dump(&self, moment: Moment, sink: &mut dyn FnMut(u32, &[&[u8]])) {
        let reserved = self.reserved.max(self.changes.revision() + RESERVED);
        sink(0, &[REVISION, itoa::Buffer::new().format(reserved).as_bytes()]);
        for (database, &space) in (0u32..).zip(&self.order) {
            for (key, entry) in &self.spaces[space].entries {
                let deadline = entry.expiry.map(|expiry| expiry.deadline);
                if deadline.is_some_and(|deadline| deadline.is_over(moment)) {
                    continue;
                }
                entry.value.dump(key, &mut |command| sink(database, command));
                if let Some(deadline) = deadline {
                    let wall_ms = itoa::Buffer::new().format(deadline.wall_ms(moment)).to_owned();
                    sink(database, &[b"PEXPIREAT", key, wall_ms.as_bytes()]);
                }
            }
        }
    }

    /// Goes on after `revision`, unless it is further already.
    fn continue_after(&mut self, revision: u64) {
        self.changes.restart(revision.max(self.changes.revision()));
        self.reserved = self.reserved.max(revision);
    }

    /// Tells the log of more revisions in good time.
    pub(crate) fn reserve_revisions(&mut self, database: u32) {
        let used = self.changes.revision() + RESERVED / 2 > self.reserved;
        if used && self.options.keeps_effects && !self.is_replaying && !self.effects.is_grouped() {
            self.reserved = self.changes.revision() + RESERVED;
            self.effects.begin_command();
            self.effects.push(database, &[REVISION, itoa::Buffer::new().format(self.reserved).as_bytes()]);
            self.effects.begin_command();
        }
    }
}
