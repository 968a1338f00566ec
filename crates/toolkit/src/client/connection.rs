//! One connection: commands out, replies in, and what comes without having been asked for kept apart.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use remuda_wire::resp::{Limits, Value, ValueParser, encode_command};

use super::{Address, ClientError, Place, Timeouts, deadline};

/// Bytes of one read.
const READ_BYTES: usize = 64 * 1024;
/// Pushes kept while a reply is waited for; a connection that has more is given up, as the hub would give it up.
const PUSHES_MAX: usize = 1 << 20;
/// The shortest wait the kernel is asked for: 0 would mean without end.
const WAIT_MIN: Duration = Duration::from_millis(1);

/// One connection, let in.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    place: String,
    timeouts: Timeouts,
    limits: Limits,
    input: BytesMut,
    output: BytesMut,
    scratch: Box<[u8]>,
    parser: ValueParser,
    pushes: VecDeque<Vec<Value>>,
    /// Replies that were asked for and have not come.
    pub(super) owed: usize,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        let timeout = Some(timeout.max(WAIT_MIN));
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(timeout),
            Self::Unix(stream) => stream.set_read_timeout(timeout),
        }
    }

    fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        let timeout = Some(timeout.max(WAIT_MIN));
        match self {
            Self::Tcp(stream) => stream.set_write_timeout(timeout),
            Self::Unix(stream) => stream.set_write_timeout(timeout),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }
}

impl Connection {
    /// Connects, says who we are, and chooses the database.
    pub(super) fn open(address: &Address, timeouts: Timeouts) -> Result<Self, ClientError> {
        let place = address.to_string();
        let stream = connect(address, timeouts.connect)
            .and_then(|stream| stream.set_write_timeout(timeouts.reply).map(|()| stream))
            .map_err(|source| ClientError::Connect { place: place.clone(), source })?;
        let limits = Limits::default();
        let mut connection = Self {
            stream,
            place,
            timeouts,
            parser: ValueParser::new(limits.clone()),
            limits,
            input: BytesMut::new(),
            output: BytesMut::new(),
            scratch: vec![0; READ_BYTES].into(),
            pushes: VecDeque::new(),
            owed: 0,
        };
        let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some((name, token)) = &address.login {
            hello.extend([b"AUTH".as_slice(), name.as_bytes(), token.as_bytes()]);
        }
        connection.admitted(&hello)?;
        if address.database != 0 {
            connection.select(address.database)?;
        }
        Ok(connection)
    }

    fn select(&mut self, number: u32) -> Result<(), ClientError> {
        match self.ask(&[b"SELECT", number.to_string().as_bytes()]) {
            Ok(_) => Ok(()),
            Err(ClientError::Said(reason)) if reason.contains("out of range") => {
                let count = self.databases()?.filter(|count| *count <= number);
                Err(ClientError::NoDatabase { place: self.place.clone(), number, count })
            }
            Err(ClientError::Said(reason)) => Err(ClientError::Refused { place: self.place.clone(), reason }),
            Err(error) => Err(error),
        }
    }

    /// How many databases there are, as far as the hub says so.
    fn databases(&mut self) -> Result<Option<u32>, ClientError> {
        let settings = match self.ask(&[b"CONFIG", b"GET", b"databases"]) {
            Ok(Value::Map(settings)) => settings,
            Ok(_) | Err(ClientError::Said(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let count = settings.iter().find_map(|(_, count)| match count {
            Value::Bulk(count) => std::str::from_utf8(count).ok()?.parse().ok(),
            _ => None,
        });
        Ok(count)
    }

    fn admitted(&mut self, command: &[&[u8]]) -> Result<(), ClientError> {
        match self.ask(command) {
            Ok(_) => Ok(()),
            Err(ClientError::Said(reason)) => Err(ClientError::Refused { place: self.place.clone(), reason }),
            Err(error) => Err(error),
        }
    }

    /// Sends a command and waits for its reply; an error of the hub is an error here.
    pub(super) fn ask(&mut self, command: &[&[u8]]) -> Result<Value, ClientError> {
        self.ask_within(command, self.timeouts.reply)
    }

    /// The same with another limit for the reply.
    pub(super) fn ask_within(&mut self, command: &[&[u8]], within: Duration) -> Result<Value, ClientError> {
        self.add(command)?;
        self.send()?;
        self.reply(within)
    }

    /// Adds a command to those that [`Self::send`] sends.
    pub(super) fn add(&mut self, command: &[&[u8]]) -> Result<(), ClientError> {
        let bytes = command.iter().map(|word| word.len()).sum();
        let max = self.limits.bulk_max;
        if bytes > max {
            return Err(ClientError::TooLong { bytes, max });
        }
        encode_command(command, &mut self.output);
        self.owed += 1;
        Ok(())
    }

    /// Adds a command that is answered by pushes alone, as those that subscribe are.
    pub(super) fn add_unanswered(&mut self, command: &[&[u8]]) -> Result<(), ClientError> {
        self.add(command)?;
        self.owed -= 1;
        Ok(())
    }

    pub(super) fn send(&mut self) -> Result<(), ClientError> {
        let sent = self.stream.write_all(&self.output);
        self.output.clear();
        sent.map_err(|source| self.failed(source, self.timeouts.reply))
    }

    /// The next reply; pushes before it are kept.
    pub(super) fn reply(&mut self, within: Duration) -> Result<Value, ClientError> {
        let deadline = deadline(within);
        loop {
            match self.value(deadline)? {
                None => return Err(self.late(within)),
                Some(Value::Push(parts)) => {
                    if self.pushes.len() >= PUSHES_MAX {
                        let source = io::Error::other("more messages came than are kept");
                        return Err(ClientError::Lost { place: self.place.clone(), source });
                    }
                    self.pushes.push_back(parts);
                }
                Some(value) => {
                    self.owed = self.owed.saturating_sub(1);
                    return match value {
                        Value::Error(text) => {
                            Err(ClientError::Said(String::from_utf8_lossy(&text).into_owned()))
                        }
                        value => Ok(value),
                    };
                }
            }
        }
    }

    /// The next of several replies.
    pub(super) fn next_reply(&mut self) -> Result<Value, ClientError> {
        self.reply(self.timeouts.reply)
    }

    /// The next thing that comes, push or reply, if one does before `deadline`.
    pub(super) fn next(&mut self, deadline: Instant) -> Result<Option<Value>, ClientError> {
        if let Some(parts) = self.pushes.pop_front() {
            return Ok(Some(Value::Push(parts)));
        }
        let value = self.value(deadline)?;
        if value.as_ref().is_some_and(|value| !matches!(value, Value::Push(_))) {
            self.owed = self.owed.saturating_sub(1);
        }
        Ok(value)
    }

    /// A push that is here already.
    pub(super) fn kept_push(&mut self) -> Option<Vec<Value>> {
        self.pushes.pop_front()
    }

    pub(super) fn late(&self, waited: Duration) -> ClientError {
        ClientError::Late { place: self.place.clone(), waited }
    }

    fn value(&mut self, deadline: Instant) -> Result<Option<Value>, ClientError> {
        loop {
            match self.parser.parse(&self.input) {
                Ok(Some((value, consumed))) => {
                    self.input.advance(consumed);
                    return Ok(Some(value));
                }
                Ok(None) => {}
                Err(source) => return Err(ClientError::Malformed { place: self.place.clone(), source }),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let read = self.stream.set_read_timeout(left).and_then(|()| self.stream.read(&mut self.scratch));
            match read {
                Ok(0) => return Err(self.failed(ErrorKind::UnexpectedEof.into(), Duration::ZERO)),
                Ok(count) => self.input.extend_from_slice(&self.scratch[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(source) => return Err(self.failed(source, Duration::ZERO)),
            }
        }
    }

    fn failed(&self, source: io::Error, waited: Duration) -> ClientError {
        if matches!(source.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
            return self.late(waited);
        }
        ClientError::Lost { place: self.place.clone(), source }
    }
}

fn connect(address: &Address, within: Duration) -> io::Result<Stream> {
    match &address.place {
        Place::Unix(path) => UnixStream::connect(path).map(Stream::Unix),
        Place::Tcp(host, port) => {
            let mut failure = io::Error::new(ErrorKind::NotFound, "the host has no address");
            for candidate in (host.as_str(), *port).to_socket_addrs()? {
                match TcpStream::connect_timeout(&candidate, within) {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        return Ok(Stream::Tcp(stream));
                    }
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
    }
}
