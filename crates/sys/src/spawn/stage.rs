//! The steps of a trampoline, in their order.

use std::fmt;

/// Exit codes of a trampoline that failed begin here; the stage's number is added.
const EXIT_BASE: u8 = 200;

/// A step of setting up a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the plan.
    Plan,
    /// Session or process group.
    Session,
    /// Joining the control group.
    Cgroup,
    /// Niceness.
    Nice,
    /// `oom_score_adj`.
    OomScore,
    /// Processors.
    Affinity,
    /// File mode creation mask.
    Umask,
    /// The table of descriptors.
    Descriptors,
    /// Resource limits; after the descriptors, whose moving needs room.
    Limits,
    /// Supplementary and primary groups.
    Groups,
    /// User.
    User,
    /// Working directory.
    Directory,
    /// No new privileges.
    Privileges,
    /// Dispositions and mask of signals.
    Signals,
    /// Executing the program.
    Program,
}

const ALL: [Stage; 15] = [
    Stage::Plan,
    Stage::Session,
    Stage::Cgroup,
    Stage::Nice,
    Stage::OomScore,
    Stage::Affinity,
    Stage::Umask,
    Stage::Descriptors,
    Stage::Limits,
    Stage::Groups,
    Stage::User,
    Stage::Directory,
    Stage::Privileges,
    Stage::Signals,
    Stage::Program,
];

impl Stage {
    /// Its name as users see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Session => "session",
            Self::Cgroup => "cgroup",
            Self::Nice => "nice",
            Self::OomScore => "oom_score",
            Self::Affinity => "affinity",
            Self::Umask => "umask",
            Self::Descriptors => "descriptors",
            Self::Limits => "limits",
            Self::Groups => "groups",
            Self::User => "user",
            Self::Directory => "directory",
            Self::Privileges => "privileges",
            Self::Signals => "signals",
            Self::Program => "program",
        }
    }

    /// Its number in the order of the steps, from 0.
    #[must_use]
    pub fn number(self) -> u8 {
        ALL.iter().zip(0..).find(|(stage, _)| **stage == self).map_or(0, |(_, number)| number)
    }

    /// The step of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        ALL.get(usize::from(number)).copied()
    }

    /// The exit code of a trampoline that fails in this step: 200 and its number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        EXIT_BASE + self.number()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a failure stays until somebody changes something: a missing program does, a lack of memory or
/// descriptors passes, and so does a control group that vanished and is made anew for the next worker.
#[must_use]
pub fn is_permanent(stage: Stage, errno: i32) -> bool {
    let passes = [
        libc::EAGAIN,
        libc::ENOMEM,
        libc::ENFILE,
        libc::EMFILE,
        libc::ETXTBSY,
        libc::EINTR,
        libc::EBUSY,
        libc::EIO,
        libc::ESTALE,
        libc::ENOSPC,
    ];
    let cgroup_gone = stage == Stage::Cgroup && [libc::ENOENT, libc::ENODEV].contains(&errno);
    !passes.contains(&errno) && !cgroup_gone
}

#[cfg(test)]
mod tests;
