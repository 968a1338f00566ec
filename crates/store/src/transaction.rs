//! A transaction on its way: the commands between `MULTI` and `EXEC`, kept until they run.
//!
//! A client that is refused a command within a transaction learns so at once, and `EXEC` then refuses the whole. The
//! queue has bounds; passing one is such a refusal.

/// Commands one transaction may have.
pub const TRANSACTION_COMMANDS_MAX: usize = 65_536;
/// Bytes of arguments one transaction may have.
pub const TRANSACTION_BYTES_MAX: usize = 256 << 20;

/// What one argument takes beside its bytes.
const ARGUMENT_BYTES: usize = size_of::<usize>();

/// What became of a command of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// It waits for `EXEC`: answer `QUEUED`.
    Yes,
    /// There are too many, or they are too large: the transaction will be refused.
    Full,
}

/// The commands of one client's transaction. Empty and closed when made.
#[derive(Debug, Default)]
pub struct Transaction {
    bytes: Vec<u8>,
    /// Where each argument ends.
    ends: Vec<usize>,
    /// How many arguments each command has, and its database.
    commands: Vec<(usize, u32)>,
    is_open: bool,
    is_poisoned: bool,
}

impl Transaction {
    /// Whether `MULTI` was said.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether a command was refused: `EXEC` answers `EXECABORT`.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    /// How many commands wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Opens it. Returns whether it was closed: `MULTI` calls can not be nested.
    pub fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.is_open, true)
    }

    /// Adds a command that will run in `database`.
    pub fn queue(&mut self, database: u32, command: &[&[u8]]) -> Queued {
        let size: usize = command.iter().map(|argument| argument.len() + ARGUMENT_BYTES).sum();
        let taken = self.bytes.len() + self.ends.len() * ARGUMENT_BYTES;
        if self.commands.len() >= TRANSACTION_COMMANDS_MAX || taken + size > TRANSACTION_BYTES_MAX {
            self.poison();
            return Queued::Full;
        }
        for argument in command {
            self.bytes.extend_from_slice(argument);
            self.ends.push(self.bytes.len());
        }
        self.commands.push((command.len(), database));
        Queued::Yes
    }

    /// Notes that a command was refused. What waited is let go: it will never run. Without `MULTI` nothing depends on it.
    pub fn poison(&mut self) {
        if self.is_open {
            *self = Self { is_open: true, is_poisoned: true, ..Self::default() };
        }
    }

    /// Closes it and forgets its commands. Returns whether it was open.
    pub fn discard(&mut self) -> bool {
        std::mem::take(self).is_open
    }

    /// Closes it and hands over the commands to be run.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Gives `run` each command, with its database, in order.
    pub fn for_each(&self, mut run: impl FnMut(u32, &[&[u8]])) {
        let mut args: Vec<&[u8]> = Vec::new();
        let (mut start, mut ends) = (0, self.ends.iter());
        for &(len, database) in &self.commands {
            args.clear();
            for &end in ends.by_ref().take(len) {
                args.push(&self.bytes[start..end]);
                start = end;
            }
            run(database, &args);
        }
    }
}

#[cfg(test)]
mod tests;
