//! One connection to the hub: commands out, values in, both bounded.

use std::io;
use std::path::Path;

use remuda_wire::resp::{Limits, Value, ValueParser};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::{HubError, unexpected};

/// 20 members and 200 services of some hundred bytes each are 100 KiB at most; 500 members of a key mostly less.
pub(super) const ANSWER_BYTES_MAX: usize = 4 << 20;
const READ_BYTES: usize = 16 * 1024;

/// A connection.
#[derive(Debug)]
pub(super) struct Session {
    stream: UnixStream,
    parser: ValueParser,
    received: Vec<u8>,
}

impl Session {
    /// Connects, and chooses a database of the store.
    pub(super) async fn open(path: &Path, database: u32) -> Result<Self, HubError> {
        let limits = Limits {
            bulk_max: ANSWER_BYTES_MAX,
            query_max: ANSWER_BYTES_MAX + READ_BYTES,
            ..Limits::default()
        };
        let stream = UnixStream::connect(path).await?;
        let mut session = Self { stream, parser: ValueParser::new(limits), received: Vec::new() };
        if database > 0 {
            session.ask(&[b"SELECT", database.to_string().as_bytes()]).await?;
        }
        Ok(session)
    }

    /// The answer to one command, an error too.
    pub(super) async fn command(&mut self, words: &[&[u8]]) -> io::Result<Value> {
        self.send(words).await?;
        self.next().await
    }

    /// The answer to one command that is no error.
    pub(super) async fn ask(&mut self, words: &[&[u8]]) -> Result<Value, HubError> {
        match self.command(words).await? {
            error @ Value::Error(_) => Err(unexpected(&error)),
            value => Ok(value),
        }
    }

    pub(super) async fn send(&mut self, words: &[&[u8]]) -> io::Result<()> {
        let mut text = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            text.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            text.extend_from_slice(word);
            text.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(&text).await
    }

    /// What is there already.
    pub(super) fn try_next(&mut self) -> io::Result<Option<Value>> {
        let Some((value, taken)) = self.parser.parse(&self.received).map_err(io::Error::other)? else {
            return Ok(None);
        };
        self.received.drain(..taken);
        Ok(Some(value))
    }

    /// What the hub says next.
    ///
    /// # Cancel safety
    /// Nothing is lost: what was read stays for the next call.
    pub(super) async fn next(&mut self) -> io::Result<Value> {
        loop {
            if let Some(value) = self.try_next()? {
                return Ok(value);
            }
            self.received.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
