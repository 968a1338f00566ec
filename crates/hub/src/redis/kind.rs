//! A command that exists, and whose it is.

use remuda_store::CommandSpec;
use remuda_wire::resp::Writer;

use super::own::{self, Own};

/// A command that exists, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CommandKind {
    Store(&'static CommandSpec),
    Own(&'static Own),
    /// One that only the store's engine has, by its name.
    Foreign(&'static str),
}

impl CommandKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Store(spec) => spec.name,
            Self::Own(own) => own.name,
            Self::Foreign(name) => name,
        }
    }

    /// The version of Redis that had it first; empty for one of our own.
    pub(super) fn since(self) -> &'static str {
        match self {
            Self::Store(spec) => spec.since,
            Self::Own(own) => own.since,
            Self::Foreign(_) => "",
        }
    }

    pub(super) fn arity(self) -> i32 {
        match self {
            Self::Store(spec) => i32::from(spec.arity),
            Self::Own(own) => own.arity,
            Self::Foreign(_) => -1,
        }
    }

    /// As `COMMAND` tells it: name, arity, flags, first key, last key, step, and the lists that newer versions add.
    pub(super) fn describe(self, out: &mut Writer<'_>) {
        let (flags, keys): (Vec<&str>, [i64; 3]) = match self {
            Self::Store(spec) => {
                let (first, last, step) = spec.keys.triple();
                (spec.flags.names().collect(), [first, last, step])
            }
            Self::Foreign(_) => (Vec::new(), [0; 3]),
            Self::Own(own) => {
                let mut flags = vec!["noscript"];
                if own.before_auth {
                    flags.push("no_auth");
                }
                if own.while_listening {
                    flags.push("pubsub");
                }
                (flags, [0; 3])
            }
        };
        out.array(10);
        out.bulk(self.name().to_ascii_lowercase().as_bytes());
        out.integer(i64::from(self.arity()));
        out.set(flags.len());
        for flag in flags {
            out.simple(flag);
        }
        for position in keys {
            out.integer(position);
        }
        for _ in 0..4 {
            out.array(0);
        }
    }

    pub(super) fn takes(self, words: usize) -> bool {
        let words = i64::try_from(words).unwrap_or(i64::MAX);
        let arity = i64::from(self.arity());
        if arity < 0 { words >= -arity } else { words == arity }
    }
}

pub(crate) fn lookup(name: &[u8]) -> Option<CommandKind> {
    remuda_store::lookup(name).map(CommandKind::Store).or_else(|| own::find(name).map(CommandKind::Own))
}

/// All, the store's first.
pub(crate) fn all() -> impl Iterator<Item = CommandKind> {
    remuda_store::commands().map(CommandKind::Store).chain(own::OWN.iter().map(CommandKind::Own))
}
