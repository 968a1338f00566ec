//! Effects: the commands that make the same changes again, for the log.
//!
//! What a client sent may depend on chance (`SPOP`), on time (`EXPIRE`), or on who waits (`BLPOP`); its effect does
//! not. Effects of one command, transaction or script are a *unit*: a unit of several is wrapped in `MULTI` and `EXEC`,
//! and a log that ends within it does not apply its half.

/// Effects that wait to be written to the log.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// The arguments, one after the other.
    bytes: Vec<u8>,
    /// Where each argument ends.
    ends: Vec<usize>,
    commands: Vec<Logged>,
    unit: u64,
    grouped: bool,
}

/// One command.
#[derive(Debug, Clone, Copy)]
struct Logged {
    database: u32,
    args: usize,
    unit: u64,
}

/// Room for bytes kept between drains; what a large one needed beyond is given back.
const KEPT_BYTES: usize = 1 << 20;

impl Effects {
    /// Begins a unit of several commands.
    pub(crate) fn begin_group(&mut self) {
        self.unit += 1;
        self.grouped = true;
    }

    pub(crate) fn end_group(&mut self) {
        self.grouped = false;
        self.unit += 1;
    }

    pub(crate) fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// Begins the unit of one command, unless a group is open.
    pub(crate) fn begin_command(&mut self) {
        if !self.grouped {
            self.unit += 1;
        }
    }

    pub(crate) fn push(&mut self, database: u32, command: &[&[u8]]) {
        for argument in command {
            self.bytes.extend_from_slice(argument);
            self.ends.push(self.bytes.len());
        }
        self.commands.push(Logged { database, args: command.len(), unit: self.unit });
    }

    /// Bytes of the arguments that wait.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Gives `sink` the commands with their databases, and forgets them.
    pub(crate) fn drain(&mut self, sink: &mut dyn FnMut(u32, &[&[u8]])) {
        if self.commands.is_empty() {
            return;
        }
        let mut args: Vec<&[u8]> = Vec::with_capacity(8);
        let (mut start, mut ends) = (0, self.ends.iter());
        for (index, command) in self.commands.iter().enumerate() {
            let before =
                index.checked_sub(1).is_some_and(|before| self.commands[before].unit == command.unit);
            let after = self.commands.get(index + 1).is_some_and(|after| after.unit == command.unit);
            if after && !before {
                sink(command.database, &[b"MULTI"]);
            }
            args.clear();
            for &end in ends.by_ref().take(command.args) {
                args.push(&self.bytes[start..end]);
                start = end;
            }
            sink(command.database, &args);
            if before && !after {
                sink(command.database, &[b"EXEC"]);
            }
        }
        drop(args);
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.ends.clear();
        self.ends.shrink_to(KEPT_BYTES / size_of::<usize>());
        self.commands.clear();
        self.commands.shrink_to(KEPT_BYTES / size_of::<Logged>());
    }
}
