//! What waits for the disk before other servers are told of it.
//!
//! Under `fsync = "always"` a client's reply leaves when the disk has its write; nobody else may know of it sooner, or a
//! server that loses its power would come back without what the others have in its name. So what is said of shared keys
//! waits for the same position of the journal as the replies do, in the order in which it was to be said.
//!
//! How much waits is bounded: changes by what the journal lets wait (clients are not read while it is congested), letters
//! by their room, of which none is given while letters wait, and by [`LETTERS_MAX`].

use std::collections::VecDeque;

use bytes::Bytes;
use remuda_herd::NodeId;
use remuda_herd::replica::Message;

/// Letters that wait. A healthy disk has some of them wait for milliseconds; one that is full for days has other servers
/// give up and ask again. Further ones are left out, and what they were about is looked for when the disk is well.
pub(super) const LETTERS_MAX: usize = 1024;

/// What is said.
#[derive(Debug)]
pub(super) enum Word {
    /// A change made here, to everybody.
    Change(Bytes),
    /// An answer or a question about keys, to one node.
    Letter(NodeId, Message),
}

/// What waits, each with the position of the journal it waits for.
#[derive(Debug, Default)]
pub(super) struct Held {
    words: VecDeque<(u64, Word)>,
    letters: usize,
}

impl Held {
    /// To be said when the journal has `position` on disk; false if it is left out.
    #[must_use]
    pub(super) fn push(&mut self, position: u64, word: Word) -> bool {
        let is_letter = matches!(word, Word::Letter(..));
        if is_letter && self.letters >= LETTERS_MAX {
            return false;
        }
        self.letters += usize::from(is_letter);
        self.words.push_back((position, word));
        true
    }

    /// The next that may be said, when the journal has everything up to `settled`.
    pub(super) fn pop(&mut self, settled: u64) -> Option<Word> {
        let (_, word) = self.words.pop_front_if(|(position, _)| *position <= settled)?;
        self.letters -= usize::from(matches!(word, Word::Letter(..)));
        Some(word)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether letters are among it.
    pub(super) fn has_letters(&self) -> bool {
        self.letters > 0
    }
}

#[cfg(test)]
mod tests;
