//! The einhorn socket: where workers that know einhorn acknowledge that they serve.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use remuda_sys::CallError;
use remuda_sys::event::{Interest, Poller};
use remuda_sys::socket::peer_user;

use crate::einhorn::{self, Command, LINE_MAX_BYTES};
use crate::source::Source;

/// Connections at once; a further one is closed at once.
const CLIENTS_MAX: usize = 256;

/// The socket and those who talk on it.
#[derive(Debug)]
pub(crate) struct EinhornServer {
    listener: UnixListener,
    clients: BTreeMap<u64, Client>,
    next: u64,
}

#[derive(Debug)]
struct Client {
    user: u32,
    stream: UnixStream,
    line: Vec<u8>,
}

impl EinhornServer {
    pub(crate) fn bind(path: &Path) -> Result<Self, CallError> {
        let failed = |what: &str| {
            let attempt = format!("{what} the einhorn socket {}", path.display());
            move |error| CallError::new(attempt.clone(), error)
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("replace")(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed("bind"))?;
        // Workers may run as any user; all they can do here is to acknowledge themselves.
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o666))
            .map_err(failed("set the mode of"))?;
        listener.set_nonblocking(true).map_err(failed("set up"))?;
        Ok(Self { listener, clients: BTreeMap::new(), next: 1 })
    }

    pub(crate) fn watch(&self, poller: &Poller) -> Result<(), CallError> {
        poller.add(&self.listener, Source::Einhorn.token(), Interest::Read)
    }

    /// Somebody connects.
    pub(crate) fn accept(&mut self, poller: &Poller) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.clients.len() >= CLIENTS_MAX || stream.set_nonblocking(true).is_err() {
                continue;
            }
            // Nobody is called by the highest number: a client that cannot be known is trusted by no worker.
            let user = peer_user(&stream).unwrap_or(u32::MAX);
            let number = self.next;
            self.next += 1;
            if poller.add(&stream, Source::EinhornClient(number).token(), Interest::Read).is_ok() {
                self.clients.insert(number, Client { user, stream, line: Vec::new() });
            }
        }
    }

    /// A client says something: who it is, and the pids it acknowledges.
    pub(crate) fn read(&mut self, poller: &Poller, number: u64) -> (u32, Vec<u32>) {
        let mut acked = Vec::new();
        let Some(client) = self.clients.get_mut(&number) else { return (u32::MAX, acked) };
        let user = client.user;
        let mut buffer = [0_u8; 4096];
        let gone = loop {
            match client.stream.read(&mut buffer) {
                Ok(0) => break true,
                Ok(length) => {
                    client.line.extend_from_slice(buffer.get(..length).unwrap_or_default());
                    if !client.take_lines(&mut acked) {
                        break true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break error.kind() != ErrorKind::WouldBlock,
            }
        };
        if gone && let Some(client) = self.clients.remove(&number) {
            // Closing it ends the watch anyway, for nobody else holds it.
            let _ = poller.remove(&client.stream);
        }
        (user, acked)
    }
}

impl Client {
    /// Answers whole lines; `false` ends the connection, as einhorn does after an ack.
    fn take_lines(&mut self, acked: &mut Vec<u32>) -> bool {
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            let reply = match einhorn::parse(line.strip_suffix(b"\n").unwrap_or(&line)) {
                Ok(Command::Ack { pid }) => {
                    acked.push(pid);
                    return false;
                }
                Ok(Command::Ping { .. }) => return false,
                Ok(Command::Other { name, id }) => einhorn::unrecognized(&name, id.as_deref()),
                Err(_) => einhorn::not_parsed(),
            };
            // A client that does not read its answer loses it.
            if self.stream.write_all(reply.as_bytes()).is_err() {
                return false;
            }
        }
        self.line.len() <= LINE_MAX_BYTES
    }
}
