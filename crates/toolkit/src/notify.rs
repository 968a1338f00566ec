//! What a daemon says to whoever supervises it: the protocol of sd_notify(3).
//!
//! Remuda, systemd and everybody else who sets `NOTIFY_SOCKET` listen. Where nobody does, telling is a success that
//! says `false`: the same program runs from a shell. Datagrams are sent without waiting; a supervisor that does not
//! read makes the call fail with `EAGAIN` instead of holding up the daemon.

use std::ffi::OsString;
use std::time::Duration;

use remuda_sys::CallError;
use remuda_sys::clock::monotonic;
use remuda_sys::notify::notify;

/// Longest status text, in bytes; more is cut off. Supervisors read datagrams of 4096 bytes.
pub const STATUS_LIMIT_BYTES: usize = 2048;

/// The supervisor was not told, or what it told us makes no sense. The daemon itself is not touched by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// The datagram was refused.
    #[error("tell the supervisor {message:?}: {source}")]
    Send {
        /// What it should have been told.
        message: String,
        /// Why it was not.
        source: CallError,
    },
    /// `NOTIFY_SOCKET` is neither a path nor a name after `@`.
    #[error("NOTIFY_SOCKET={0:?} is neither an absolute path nor an abstract name after @")]
    Address(OsString),
    /// The watchdog's interval is no number.
    #[error("{variable}={value:?} is not a positive whole number")]
    Number {
        /// Which variable.
        variable: &'static str,
        /// Its value.
        value: OsString,
    },
}

/// Speaks to the supervisor, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Notifier {
    socket: Option<String>,
}

impl Notifier {
    /// Speaks to `$NOTIFY_SOCKET`, or to nobody when that is not set.
    ///
    /// # Errors
    /// The variable is set and names no socket we can reach (`vsock:` among them).
    pub fn from_environment() -> Result<Self, NotifyError> {
        match std::env::var_os("NOTIFY_SOCKET").filter(|value| !value.is_empty()) {
            Some(value) => match value.into_string() {
                Ok(socket) => Self::to(&socket),
                Err(value) => Err(NotifyError::Address(value)),
            },
            None => Ok(Self::silent()),
        }
    }

    /// Speaks to `socket`: an absolute path, or an abstract name after `@`.
    ///
    /// # Errors
    /// It is neither.
    pub fn to(socket: &str) -> Result<Self, NotifyError> {
        let known = socket.len() > 1 && (socket.starts_with('/') || socket.starts_with('@'));
        if !known {
            return Err(NotifyError::Address(socket.into()));
        }
        Ok(Self { socket: Some(socket.into()) })
    }

    /// Speaks to nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self::default()
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.socket.is_some()
    }

    /// `READY=1`: the daemon serves; also the end of a reload.
    ///
    /// # Errors
    /// Not told; `EAGAIN` is worth another try, since a supervisor kills who is never ready.
    pub fn ready(&self) -> Result<bool, NotifyError> {
        self.say("READY=1")
    }

    /// `STATUS=`: one line for people. Line breaks become spaces, more than [`STATUS_LIMIT_BYTES`] is cut off.
    ///
    /// # Errors
    /// Not told.
    pub fn status(&self, text: &str) -> Result<bool, NotifyError> {
        self.say(&format!("STATUS={}", one_line(text)))
    }

    /// `STOPPING=1`: the daemon ends, for the reason `why` if that is not empty.
    ///
    /// # Errors
    /// Not told.
    pub fn stopping(&self, why: &str) -> Result<bool, NotifyError> {
        if why.is_empty() {
            self.say("STOPPING=1")
        } else {
            self.say(&format!("STOPPING=1\nSTATUS={}", one_line(why)))
        }
    }

    /// `RELOADING=1` with the time systemd's `notify-reload` wants beside it. [`ready`](Self::ready) ends the reload.
    ///
    /// # Errors
    /// Not told.
    pub fn reloading(&self) -> Result<bool, NotifyError> {
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic().as_micros()))
    }

    /// `WATCHDOG=1`: the daemon is alive.
    ///
    /// # Errors
    /// Not told.
    pub fn watchdog(&self) -> Result<bool, NotifyError> {
        self.say("WATCHDOG=1")
    }

    /// `EXTEND_TIMEOUT_USEC=`: starting, reloading or stopping takes so much longer, counted from now.
    ///
    /// # Errors
    /// Not told.
    pub fn extend_timeout(&self, by: Duration) -> Result<bool, NotifyError> {
        self.say(&format!("EXTEND_TIMEOUT_USEC={}", by.as_micros()))
    }

    fn say(&self, message: &str) -> Result<bool, NotifyError> {
        let Some(socket) = &self.socket else { return Ok(false) };
        match notify(socket, message) {
            Ok(()) => Ok(true),
            Err(source) => Err(NotifyError::Send { message: message.into(), source }),
        }
    }
}

/// How often the supervisor expects a sign of life (`WATCHDOG_USEC`), if it does and means this process
/// (`WATCHDOG_PID`). [`Daemon::run`](crate::Daemon::run) gives one at half of it.
///
/// # Errors
/// The variables are set and are no numbers.
pub fn watchdog_interval() -> Result<Option<Duration>, NotifyError> {
    let number = |variable: &'static str| match std::env::var_os(variable) {
        None => Ok(None),
        Some(value) => {
            match value.to_str().and_then(|text| text.parse::<u64>().ok()).filter(|number| *number > 0) {
                Some(number) => Ok(Some(number)),
                None => Err(NotifyError::Number { variable, value }),
            }
        }
    };
    let meant = number("WATCHDOG_PID")?.is_none_or(|pid| pid == u64::from(std::process::id()));
    Ok(number("WATCHDOG_USEC")?.filter(|_| meant).map(Duration::from_micros))
}

/// A line break would begin another assignment: a text from outside could then say `STOPPING=1` in our name.
fn one_line(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(STATUS_LIMIT_BYTES)];
    text.replace(['\n', '\r', '\0'], " ")
}
