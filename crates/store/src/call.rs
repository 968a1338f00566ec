//! One run of a command: the keys as it sees them, and where its answer goes.

use crate::answer::Answer;
use crate::blocked::Wait;
use crate::keys::Keys;

/// Under which rules a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As a client sent it.
    Normal,
    /// Within a transaction: a blocking command that would wait answers as if its time were over.
    Transaction,
    /// Within a script: as within a transaction.
    Script,
}

/// How a command ended, when it was not refused.
#[derive(Debug)]
pub(crate) enum Flow {
    /// It has answered.
    Done,
    /// It waits, and has not answered.
    Block(Wait),
}

/// A command's surroundings. The two parts are separate, so that a value can be borrowed while the answer is written.
pub(crate) struct Call<'a> {
    pub(crate) keys: Keys<'a>,
    pub(crate) answer: &'a mut dyn Answer,
}

impl Call<'_> {
    /// Answers `OK`.
    pub(crate) fn ok(&mut self) -> Flow {
        self.answer.simple("OK");
        Flow::Done
    }

    /// Answers with a number.
    pub(crate) fn integer(&mut self, value: i64) -> Flow {
        self.answer.integer(value);
        Flow::Done
    }

    /// Answers with a length or a count.
    pub(crate) fn count(&mut self, value: usize) -> Flow {
        self.integer(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// Answers with 1 for yes and 0 for no.
    pub(crate) fn yes(&mut self, value: bool) -> Flow {
        self.integer(i64::from(value))
    }

    /// Answers with bytes.
    pub(crate) fn bulk(&mut self, bytes: &[u8]) -> Flow {
        self.answer.bulk(bytes);
        Flow::Done
    }

    /// Answers with bytes, or with nothing.
    pub(crate) fn bulk_or_null(&mut self, bytes: Option<&[u8]>) -> Flow {
        match bytes {
            Some(bytes) => self.answer.bulk(bytes),
            None => self.answer.null(),
        }
        Flow::Done
    }

    /// Answers that there is nothing.
    pub(crate) fn null(&mut self) -> Flow {
        self.answer.null();
        Flow::Done
    }

    /// Answers that there is no array.
    pub(crate) fn null_array(&mut self) -> Flow {
        self.answer.null_array();
        Flow::Done
    }

    /// Answers with an array of nothing.
    pub(crate) fn empty_array(&mut self) -> Flow {
        self.answer.array(0);
        Flow::Done
    }
}
