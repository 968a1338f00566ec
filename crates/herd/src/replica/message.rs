//! What two servers say to each other to become equal, beside the changes that spread.
//!
//! A server *pulls*: it asks one thing at a time, and the other one answers; each direction is a pull of its own. Every
//! message has a limit, and each answer follows a question, so that little is ever under way.

use bytes::Bytes;

use crate::Epoch;
use crate::replica::known::Stretch;
use crate::replica::mark::Stamp;

/// Nodes or leaves asked for at once.
pub const ASKED_MAX: usize = 128;
/// Keys asked for at once.
pub const WANTED_MAX: usize = 512;

/// A message of one replica to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Begins a pull: what the asker knows, and up to where it had the answerer's recent changes in one of its lives.
    Begin {
        /// The asker's number for it, in all messages that follow.
        pull: u32,
        /// Of the asker's scopes: they have to be the same.
        scopes: u64,
        /// What it knows, at most [`KNOWN_MAX`](crate::replica::KNOWN_MAX) stretches.
        known: Vec<Stretch>,
        /// Whether the trees are to be compared, whatever the recent changes say.
        by_tree: bool,
        /// Position of the answerer's recent changes, and the life it counts in.
        resume: Option<(Epoch, u64)>,
    },
    /// Answers [`Begin`](Self::Begin).
    Begun {
        /// The pull.
        pull: u32,
        /// Whether what was missed follows in [`States`](Self::States); else the trees have to be compared.
        is_recent: bool,
        /// What the answerer knows.
        known: Vec<Stretch>,
        /// The newest deletion it has forgotten.
        horizon: Stamp,
        /// Its life.
        epoch: Epoch,
        /// The top of its tree.
        root: u64,
    },
    /// The answerer will not: its scopes are others.
    Refused {
        /// The pull.
        pull: u32,
        /// Its scopes.
        scopes: u64,
    },
    /// Asks for the sums below nodes of a level of the tree, at most [`ASKED_MAX`].
    Ask {
        /// The pull.
        pull: u32,
        /// The level of the nodes, 0 for the root.
        level: u8,
        /// Their numbers.
        nodes: Vec<u32>,
    },
    /// Answers [`Ask`](Self::Ask): each node with the sums of its sixteen branches.
    Sums {
        /// The pull.
        pull: u32,
        /// The level of the nodes.
        level: u8,
        /// Nodes and sums.
        sums: Vec<(u32, [u64; 16])>,
    },
    /// Asks what is in leaves, at most [`ASKED_MAX`].
    AskLeaves {
        /// The pull.
        pull: u32,
        /// Their numbers.
        leaves: Vec<u16>,
    },
    /// Answers [`AskLeaves`](Self::AskLeaves), in one or several messages, each leaf whole.
    Leaves {
        /// The pull.
        pull: u32,
        /// Leaves, each with the lower halves of its keys' hashes, and fingerprints; those that were deleted have zero.
        leaves: Vec<(u16, Vec<(u32, u32)>)>,
        /// Whether it is the last one.
        is_last: bool,
    },
    /// Asks for keys by their hashes, at most [`WANTED_MAX`].
    Want {
        /// The pull.
        pull: u32,
        /// The hashes: the leaf in the upper 16 bits, the lower half as the leaf has it.
        hashes: Vec<u64>,
        /// Whether names will do: for a check, which changes nothing.
        names_only: bool,
    },
    /// What was missed, or was asked for by [`Want`](Self::Want).
    States {
        /// The pull.
        pull: u32,
        /// [Encoded](crate::replica::encode_state) states.
        states: Vec<Bytes>,
        /// Up to where the answerer's recent changes were gone through; zero for what was asked for.
        position: u64,
        /// Whether it is the last one.
        is_last: bool,
    },
}

impl Message {
    /// The pull it belongs to.
    #[must_use]
    pub fn pull(&self) -> u32 {
        match self {
            Self::Begin { pull, .. }
            | Self::Begun { pull, .. }
            | Self::Refused { pull, .. }
            | Self::Ask { pull, .. }
            | Self::Sums { pull, .. }
            | Self::AskLeaves { pull, .. }
            | Self::Leaves { pull, .. }
            | Self::Want { pull, .. }
            | Self::States { pull, .. } => *pull,
        }
    }

    /// About how many bytes it takes on its way.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        16 + match self {
            Self::Begin { known, .. } | Self::Begun { known, .. } => 32 + known.len() * size_of::<Stretch>(),
            Self::Refused { .. } => 8,
            Self::Ask { nodes, .. } => nodes.len() * 4,
            Self::Sums { sums, .. } => sums.len() * (4 + 16 * 8),
            Self::AskLeaves { leaves, .. } => leaves.len() * 2,
            Self::Leaves { leaves, .. } => leaves.iter().map(|(_, keys)| 6 + keys.len() * 8).sum(),
            Self::Want { hashes, .. } => hashes.len() * 8,
            Self::States { states, .. } => states.iter().map(|state| state.len() + 4).sum(),
        }
    }
}
