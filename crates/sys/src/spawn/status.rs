//! The trampoline's one message.

use std::os::fd::AsFd;

use remuda_model::SpawnFailure;
use rustix::io::Errno;

use super::stage::{Stage, is_permanent};
use crate::{CallError, errno};

/// A record fits a pipe's atomic write.
const RECORD_LIMIT_BYTES: usize = 1024;

/// What became of a trampoline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusReport {
    /// The pipe ended without a word: the program was executed, or a signal ended the trampoline before it could be;
    /// the exit of the process tells which.
    Execed,
    /// A stage failed; the trampoline exits with [`Stage::exit_code`].
    Failed {
        /// Which.
        stage: Stage,
        /// The kernel's error number; 0 if there is none.
        errno: i32,
        /// What was tried, on what, and why it failed.
        detail: String,
    },
}

impl StatusReport {
    /// The failure in the words of the model, if it is one.
    #[must_use]
    pub fn failure(&self) -> Option<SpawnFailure> {
        match self {
            Self::Execed => None,
            Self::Failed { stage, errno, detail } => Some(SpawnFailure {
                stage: stage.name().into(),
                errno: *errno,
                detail: detail.clone(),
                permanent: is_permanent(*stage, *errno),
            }),
        }
    }
}

/// A failed stage, on the trampoline's side.
#[derive(Debug)]
pub(super) struct StageFailure {
    pub(super) stage: Stage,
    pub(super) errno: i32,
    pub(super) detail: String,
}

impl StageFailure {
    /// `attempt` failed in `stage` with `error`.
    pub(super) fn new(stage: Stage, attempt: &str, error: impl Into<std::io::Error>) -> Self {
        let errno = error.into().raw_os_error().unwrap_or(0);
        Self { stage, errno, detail: format!("{attempt}: {}", errno::describe(errno)) }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut record = vec![self.stage.number()];
        record.extend(self.errno.to_le_bytes());
        record.extend(self.detail.as_bytes());
        record.truncate(RECORD_LIMIT_BYTES);
        record
    }
}

/// Reads the status pipe of a [`Spawned`](super::Spawned) once; `None` while the trampoline is at work.
///
/// # Errors
/// The descriptor does not read, or what it says is no record.
pub fn read_status(status: impl AsFd) -> Result<Option<StatusReport>, CallError> {
    let mut record = [0_u8; RECORD_LIMIT_BYTES];
    match rustix::io::read(status, &mut record) {
        Ok(0) => Ok(Some(StatusReport::Execed)),
        Ok(length) => decode(&record[..length])
            .map(Some)
            .ok_or_else(|| CallError { attempt: "understand the trampoline's record".into(), errno: 0 }),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(CallError::new("read the trampoline's status", errno)),
    }
}

fn decode(record: &[u8]) -> Option<StatusReport> {
    let (stage, rest) = record.split_first()?;
    let (errno, detail) = rest.split_first_chunk::<4>()?;
    Some(StatusReport::Failed {
        stage: Stage::from_number(*stage)?,
        errno: i32::from_le_bytes(*errno),
        detail: String::from_utf8_lossy(detail).into_owned(),
    })
}
