//! What is known about a command before it runs: its arguments, what it does, which of its arguments are keys.

mod keys;

pub use keys::{KeyPositions, KeyRule};

use crate::call::{Call, Flow};
use crate::failure::Failure;

/// One property of a command, by Redis' names in the answer of `COMMAND`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `write`: may change keys.
    Write = 1,
    /// `readonly`: never changes keys.
    ReadOnly = 2,
    /// `denyoom`: refused when the store is as large as it may be.
    DenyOom = 4,
    /// `fast`: takes the same time however large the value is.
    Fast = 8,
    /// `blocking`: may wait.
    Blocking = 16,
    /// `movablekeys`: where its keys are depends on its arguments.
    MovableKeys = 32,
}

/// Properties of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// These.
    #[must_use]
    pub const fn of(flags: &[Flag]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < flags.len() {
            bits |= flags[index] as u16;
            index += 1;
        }
        Self(bits)
    }

    /// Whether `flag` is one of them.
    #[must_use]
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    /// Their names, as `COMMAND` lists them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Flag::Write, "write"),
            (Flag::ReadOnly, "readonly"),
            (Flag::DenyOom, "denyoom"),
            (Flag::Fast, "fast"),
            (Flag::Blocking, "blocking"),
            (Flag::MovableKeys, "movablekeys"),
        ]
        .into_iter()
        .filter_map(move |(flag, name)| self.has(flag).then_some(name))
    }
}

/// A command of the store.
#[derive(Debug, Clone, Copy)]
pub struct CommandSpec {
    /// Its name, in small letters.
    pub name: &'static str,
    /// How many arguments it takes, its name among them; negative for at least that many.
    pub arity: i8,
    /// Its properties.
    pub flags: Flags,
    /// Where its keys are.
    pub keys: KeyRule,
    /// The version of Redis that had it first.
    pub since: &'static str,
}

impl CommandSpec {
    /// Whether it can have `len` arguments, its name among them.
    #[must_use]
    pub fn takes(&self, len: usize) -> bool {
        let bound = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { len >= bound } else { len == bound }
    }

    /// Which of `command` are keys, its name being number 0.
    #[must_use]
    pub fn keys_of<'a>(&self, command: &'a [&'a [u8]]) -> KeyPositions<'a> {
        KeyPositions::new(self.keys, command)
    }
}

/// What runs a command: its arguments, the name first, are as many as its arity says.
pub(crate) type Handler = fn(&mut Call<'_>, &[&[u8]]) -> Result<Flow, Failure>;

/// A command and what runs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) spec: CommandSpec,
    pub(crate) handler: Handler,
}

/// A row of a table of commands.
pub(crate) const fn row(
    name: &'static str,
    arity: i8,
    flags: &[Flag],
    keys: KeyRule,
    since: &'static str,
    handler: Handler,
) -> Row {
    Row { spec: CommandSpec { name, arity, flags: Flags::of(flags), keys, since }, handler }
}
