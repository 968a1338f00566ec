//! How the program ends: one table of exit codes, and failures that say what to do next.

use std::fmt;
use std::io;
use std::process::ExitCode;

use remuda_config::{Report, Style};
use remuda_control::ClientError;
use remuda_model::Refusal;

/// The exit codes. 101 is left to a bug of ours: a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done; the answer is yes.
    Done,
    /// It was tried and did not succeed; the answer is no.
    No,
    /// The command line or the config is wrong.
    Misuse,
    /// No arbiter runs.
    NotRunning,
    /// The arbiter did not try.
    Refused,
    /// What `up` passes on of the service that it ends with.
    Worker(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Misuse => 2,
            Exit::NotRunning => 3,
            Exit::Refused => 4,
            Exit::Worker(code) => code,
        })
    }
}

/// Makes a panic, whatever thread it is in, end the program with the code for a bug of ours. Going on in a state
/// nobody thought of would be worse; workers go on without us.
pub(crate) fn end_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        #[expect(clippy::exit, reason = "unwinding would only end this thread")]
        std::process::exit(101);
    }));
}

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What was tried, on what, why it failed. Empty: everything has been said, or nobody reads any more.
    pub(crate) message: String,
    /// The next step.
    pub(crate) hint: Option<String>,
    /// The message is laid out already, and wants no name of the program before it.
    pub(crate) laid_out: bool,
}

/// What a command returns.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, laid_out: false }
    }

    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Self::new(Exit::Misuse, message)
    }

    /// A bad config. The colours are taken out again where nobody sees them.
    pub(crate) fn report(report: &Report) -> Self {
        Self { laid_out: true, ..Self::misuse(report.render(Style::Coloured).trim_end()) }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failed read or write of a file.
    pub(crate) fn file(what: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::misuse(format!("cannot {what} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

/// A write to our own output failed; a reader that has gone (`remuda events | head`) wants no more, and gets none.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Done, "");
        }
        Self::new(Exit::No, format!("cannot write the output: {error}"))
    }
}

/// The exit code that a refusal means.
pub(crate) fn exit_of(refusal: &Refusal) -> Exit {
    match refusal {
        Refusal::BadConfig { .. } | Refusal::Malformed { .. } => Exit::Misuse,
        Refusal::NoSuchService { .. }
        | Refusal::NoSuchSlot { .. }
        | Refusal::NotRunning { .. }
        | Refusal::Singleton { .. }
        | Refusal::FixedWorkers { .. }
        | Refusal::TooMany { .. }
        | Refusal::OutOfBounds { .. }
        | Refusal::NoSocket { .. }
        | Refusal::HeldTooLong { .. }
        | Refusal::NotHeld { .. }
        | Refusal::Stopping
        | Refusal::NotAllowed { .. } => Exit::Refused,
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let hint = match &refusal {
            Refusal::NotRunning { service, .. } => Some(format!("`remuda start {service}` starts it")),
            Refusal::OutOfBounds { .. } => {
                Some("other bounds are written in the config: workers = { min = …, max = … }".to_owned())
            }
            _ => None,
        };
        Self { hint, ..Self::new(exit_of(&refusal), refusal.to_string()) }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::NotRunning { .. } => Exit::NotRunning,
            ClientError::NotAllowed { .. } => Exit::Refused,
            ClientError::Refused(refusal) => exit_of(refusal),
            ClientError::Broken { .. }
            | ClientError::Late { .. }
            | ClientError::Unexpected { .. }
            | ClientError::Unwritable { .. }
            | ClientError::Failed { .. }
            | ClientError::StreamBroken { .. }
            | ClientError::BadStream { .. } => Exit::No,
        };
        let hint = match &error {
            ClientError::NotRunning { .. } => Some("start it with `remuda up`".to_owned()),
            ClientError::Broken { .. } => Some("`remuda status` shows how it stands".to_owned()),
            _ => None,
        };
        Self { exit, message: error.to_string(), hint, laid_out: false }
    }
}

#[cfg(test)]
mod tests;
