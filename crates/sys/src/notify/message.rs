//! What stands in a datagram.

use std::time::Duration;

use remuda_model::NotifyMessage;

/// A line of a datagram that somebody here understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyField {
    /// `READY=1`.
    Ready,
    /// `RELOADING=1`.
    Reloading,
    /// `MONOTONIC_USEC=n`: when the reload began; belongs to `RELOADING=1`.
    Monotonic(Duration),
    /// `STOPPING=1`.
    Stopping,
    /// `STATUS=text`; bytes that are no UTF-8 are replaced.
    Status(String),
    /// `ERRNO=n`.
    Errno(i32),
    /// `EXIT_STATUS=n`.
    ExitStatus(i32),
    /// `MAINPID=n`.
    MainPid(u32),
    /// `WATCHDOG=1`.
    Watchdog,
    /// `WATCHDOG=trigger`.
    WatchdogTrigger,
    /// `WATCHDOG_USEC=n`.
    WatchdogInterval(Duration),
    /// `EXTEND_TIMEOUT_USEC=n`.
    ExtendTimeout(Duration),
    /// `FDSTORE=1`: keep the descriptors of this datagram.
    StoreDescriptors,
    /// `FDNAME=name`: their name.
    DescriptorName(String),
    /// `FDPOLL=0`: keep them even when they hang up.
    DescriptorsUnwatched,
    /// `FDSTOREREMOVE=1`: drop those of that name.
    RemoveDescriptors,
    /// `BARRIER=1`: close the one descriptor of this datagram when all before it is done.
    Barrier,
    /// `RESTART_RESET=1`.
    RestartReset,
    /// `X_REMUDA_REQUESTS=n`.
    Requests(u64),
}

impl NotifyField {
    /// The field in the words of the model, if it concerns the arbiter by itself.
    #[must_use]
    pub fn message(&self) -> Option<NotifyMessage> {
        Some(match self {
            Self::Ready => NotifyMessage::Ready,
            Self::Reloading => NotifyMessage::Reloading,
            Self::Stopping => NotifyMessage::Stopping,
            Self::Status(text) => NotifyMessage::Status(text.clone()),
            Self::Watchdog => NotifyMessage::WatchdogPing,
            Self::WatchdogTrigger => NotifyMessage::WatchdogTrigger,
            Self::WatchdogInterval(interval) => NotifyMessage::WatchdogInterval(*interval),
            Self::ExtendTimeout(time) => NotifyMessage::ExtendTimeout(*time),
            Self::RestartReset => NotifyMessage::RestartReset,
            Self::Requests(count) => NotifyMessage::Requests(*count),
            Self::Monotonic(_)
            | Self::Errno(_)
            | Self::ExitStatus(_)
            | Self::MainPid(_)
            | Self::StoreDescriptors
            | Self::DescriptorName(_)
            | Self::DescriptorsUnwatched
            | Self::RemoveDescriptors
            | Self::Barrier => return None,
        })
    }
}

/// The fields of a datagram in their order. Lines with unknown keys or values out of range are left out, as the
/// protocol wants it.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<NotifyField> {
    text.split(|byte| *byte == b'\n').filter_map(field).collect()
}

fn field(line: &[u8]) -> Option<NotifyField> {
    let text = String::from_utf8_lossy(line);
    let (key, value) = text.split_once('=')?;
    let is = |wanted: &str, field| (value == wanted).then_some(field);
    match key {
        "READY" => is("1", NotifyField::Ready),
        "RELOADING" => is("1", NotifyField::Reloading),
        "MONOTONIC_USEC" => microseconds(value).map(NotifyField::Monotonic),
        "STOPPING" => is("1", NotifyField::Stopping),
        "STATUS" => Some(NotifyField::Status(value.to_owned())),
        "ERRNO" => value.parse().ok().map(NotifyField::Errno),
        "EXIT_STATUS" => value.parse().ok().map(NotifyField::ExitStatus),
        "MAINPID" => value.parse().ok().filter(|pid| *pid > 0).map(NotifyField::MainPid),
        "WATCHDOG" => is("1", NotifyField::Watchdog).or_else(|| is("trigger", NotifyField::WatchdogTrigger)),
        "WATCHDOG_USEC" => microseconds(value).map(NotifyField::WatchdogInterval),
        "EXTEND_TIMEOUT_USEC" => microseconds(value).map(NotifyField::ExtendTimeout),
        "FDSTORE" => is("1", NotifyField::StoreDescriptors),
        "FDNAME" => is_descriptor_name(value).then(|| NotifyField::DescriptorName(value.to_owned())),
        "FDPOLL" => is("0", NotifyField::DescriptorsUnwatched),
        "FDSTOREREMOVE" => is("1", NotifyField::RemoveDescriptors),
        "BARRIER" => is("1", NotifyField::Barrier),
        "RESTART_RESET" => is("1", NotifyField::RestartReset),
        "X_REMUDA_REQUESTS" => value.parse().ok().map(NotifyField::Requests),
        _ => None,
    }
}

fn microseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_micros)
}

/// sd_pid_notify_with_fds(3): at most 255 ASCII characters, no control characters, no colon.
fn is_descriptor_name(name: &str) -> bool {
    name.len() <= 255 && name.bytes().all(|byte| (b' '..0x7f).contains(&byte) && byte != b':')
}

#[cfg(test)]
mod tests;
