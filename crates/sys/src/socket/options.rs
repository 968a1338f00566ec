//! Socket options as a list of what to set, in its order.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use remuda_model::{SocketKind, SocketOptions};
use rustix::io::Errno;

use super::listener::Family;
use crate::errno;

/// When an option has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// On the way to `bind`; changing it later does nothing.
    Bind,
    /// Any time; it is set before `listen` so that the first connection has it.
    Any,
}

/// One option and the value it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) level: libc::c_int,
    pub(super) option: libc::c_int,
    pub(super) value: Value,
    pub(super) moment: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Flag(bool),
    Number(u64),
    Text(String),
}

/// An option the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {}{}", errno::describe(*errno), hint(name, *errno))]
pub struct OptionError {
    /// Its name in socket(7), ip(7) or tcp(7).
    pub name: &'static str,
    /// The error number.
    pub errno: i32,
}

fn hint(name: &str, errno: i32) -> &'static str {
    match (name, errno) {
        ("SO_MARK", libc::EPERM) => ", needs CAP_NET_ADMIN",
        ("SO_BINDTODEVICE", libc::EPERM) => ", needs CAP_NET_RAW",
        ("SO_BINDTODEVICE", libc::ENODEV) => ", there is no such interface",
        ("SO_REUSEPORT", libc::EOPNOTSUPP) => ", only IP sockets can have one listener per worker",
        (_, libc::ENOPROTOOPT | libc::EOPNOTSUPP) => ", this kind of socket has no such option",
        _ => "",
    }
}

fn seconds(duration: Duration) -> Value {
    Value::Number(duration.as_secs().max(1))
}

/// Everything to set on a socket of this family and kind. Flags that are false are listed too, so that two lists can
/// be compared; [`set`] leaves them out at first.
pub(super) fn settings(
    family: Family,
    kind: SocketKind,
    options: &SocketOptions,
    per_worker: bool,
) -> Vec<Setting> {
    let mut list = Vec::new();
    let mut add = |name, level, option, value: Option<Value>, moment| {
        list.extend(value.map(|value| Setting { name, level, option, value, moment }));
    };
    let flag = |value| Some(Value::Flag(value));
    let number = |value: Option<u32>| value.map(|value| Value::Number(value.into()));
    let socket = libc::SOL_SOCKET;
    let internet = family != Family::Unix;
    let tcp = internet && kind == SocketKind::Stream;
    // On UDP the option would let two servers steal each other's datagrams.
    add("SO_REUSEADDR", socket, libc::SO_REUSEADDR, flag(options.reuse_address && tcp), Moment::Bind);
    let reuse_port = options.reuse_port || per_worker;
    add("SO_REUSEPORT", socket, libc::SO_REUSEPORT, flag(reuse_port), Moment::Bind);
    if family == Family::Inet6 {
        let v6_only = options.v6_only.map(|only| Value::Number(only.into()));
        add("IPV6_V6ONLY", libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, v6_only, Moment::Bind);
        add("IPV6_FREEBIND", libc::IPPROTO_IPV6, libc::IPV6_FREEBIND, flag(options.free_bind), Moment::Bind);
    } else {
        add("IP_FREEBIND", libc::IPPROTO_IP, libc::IP_FREEBIND, flag(options.free_bind), Moment::Bind);
    }
    add("SO_MARK", socket, libc::SO_MARK, number(options.mark), Moment::Any);
    add(
        "SO_BINDTODEVICE",
        socket,
        libc::SO_BINDTODEVICE,
        options.device.clone().map(Value::Text),
        Moment::Bind,
    );
    add("SO_BROADCAST", socket, libc::SO_BROADCAST, flag(options.broadcast), Moment::Any);
    add("SO_RCVBUF", socket, libc::SO_RCVBUF, options.receive_buffer.map(Value::Number), Moment::Any);
    add("SO_SNDBUF", socket, libc::SO_SNDBUF, options.send_buffer.map(Value::Number), Moment::Any);
    add("SO_KEEPALIVE", socket, libc::SO_KEEPALIVE, flag(options.keepalive), Moment::Any);
    let level = libc::IPPROTO_TCP;
    add("TCP_NODELAY", level, libc::TCP_NODELAY, flag(options.nodelay), Moment::Any);
    add("TCP_KEEPIDLE", level, libc::TCP_KEEPIDLE, options.keepalive_time.map(seconds), Moment::Any);
    add("TCP_KEEPINTVL", level, libc::TCP_KEEPINTVL, options.keepalive_interval.map(seconds), Moment::Any);
    add("TCP_KEEPCNT", level, libc::TCP_KEEPCNT, number(options.keepalive_probes), Moment::Any);
    add("TCP_DEFER_ACCEPT", level, libc::TCP_DEFER_ACCEPT, options.defer_accept.map(seconds), Moment::Any);
    add("TCP_FASTOPEN", level, libc::TCP_FASTOPEN, number(options.fast_open), Moment::Any);
    list
}

/// Sets one option.
pub(super) fn set(fd: BorrowedFd<'_>, setting: &Setting) -> Result<(), OptionError> {
    let refused = |errno: Errno| OptionError { name: setting.name, errno: errno.raw_os_error() };
    let bytes = match &setting.value {
        Value::Flag(flag) => libc::c_int::from(*flag).to_ne_bytes().to_vec(),
        Value::Number(number) => {
            // SO_MARK is the one option whose whole 32 bits count.
            let number = u32::try_from(*number).ok().ok_or_else(|| refused(Errno::INVAL))?;
            number.to_ne_bytes().to_vec()
        }
        Value::Text(text) => text.clone().into_bytes(),
    };
    let size = libc::socklen_t::try_from(bytes.len()).ok().ok_or_else(|| refused(Errno::INVAL))?;
    // SAFETY: the pointer leads to `size` bytes, and every option listed reads an int or a text of that length.
    let result = unsafe {
        libc::setsockopt(fd.as_raw_fd(), setting.level, setting.option, bytes.as_ptr().cast(), size)
    };
    if result < 0 { Err(refused(last_errno())) } else { Ok(()) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

/// Sets all of `settings` that belong to `moment`, except flags that stay off.
pub(super) fn set_all(fd: BorrowedFd<'_>, settings: &[Setting], moment: Moment) -> Result<(), OptionError> {
    settings
        .iter()
        .filter(|setting| setting.moment == moment && setting.value != Value::Flag(false))
        .try_for_each(|setting| set(fd, setting))
}
