//! Lines to a syslog server on this machine, as RFC 5424 writes them.
//!
//! One datagram per line to a Unix socket: rsyslog and syslog-ng read this form there. systemd's journal takes the
//! older form on `/dev/log` and would show the header as text; a daemon under systemd needs no syslog, its stderr is in
//! the journal already.

use std::fmt::Write;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use log::Level;

use super::line::{Line, Printable};
use super::onward::Sink;

#[cfg(test)]
mod tests;

/// Facility 3 of RFC 5424: system daemons.
const DAEMON: u8 = 3;
/// A server that does not read for this long is one that refuses.
const SEND_WITHIN: Duration = Duration::from_secs(2);
/// Longest fields of RFC 5424 section 6: HOSTNAME, APP-NAME, MSGID.
const HOST_LIMIT: usize = 255;
const APPLICATION_LIMIT: usize = 48;
const MESSAGE_ID_LIMIT: usize = 32;

/// A sink that speaks to a syslog server's Unix datagram socket, and connects anew when that was replaced.
#[derive(Debug)]
pub struct Syslog {
    path: PathBuf,
    host: String,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    /// To the server that listens at `path` (custom: `/dev/log`). It need not be there yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.into(), host: remuda_sys::machine::host_name(), socket: None }
    }
}

impl Sink for Syslog {
    fn deliver(&mut self, line: &Line) -> io::Result<()> {
        let text = rfc5424(line, &self.host, std::process::id());
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(SEND_WITHIN))?;
                socket.connect(&self.path)?;
                socket
            }
        };
        socket.send(text.as_bytes())?;
        // Kept only when it worked: a server that was restarted has a new socket under the old name.
        self.socket = Some(socket);
        Ok(())
    }
}

/// `line` in the form of RFC 5424, with the loop as MSGID. Control characters are escaped: a line break ends a message
/// for many readers.
#[must_use]
pub fn rfc5424(line: &Line, host: &str, pid: u32) -> String {
    let severity = match line.level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    };
    let priority = DAEMON * 8 + severity;
    let mut text = format!("<{priority}>1 ");
    match Timestamp::try_from(line.at) {
        Ok(at) => write!(text, "{at:.6}"),
        Err(_) => write!(text, "-"),
    }
    .and_then(|()| {
        let host = field(host, HOST_LIMIT);
        let application = field(&line.daemon, APPLICATION_LIMIT);
        let id = field(&line.loop_name, MESSAGE_ID_LIMIT);
        write!(text, " {host} {application} {pid} {id} - {}", Printable(line.message.trim_end()))
    })
    .expect("a String takes every text");
    text
}

/// The visible ASCII of `value`, at most `limit` characters; `-` for nothing.
fn field(value: &str, limit: usize) -> String {
    let kept: String = value.chars().filter(char::is_ascii_graphic).take(limit).collect();
    if kept.is_empty() { "-".into() } else { kept }
}
