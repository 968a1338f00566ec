//! A client of HTTP/1.1 that is as small as can be: one request, one connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};

use super::PATIENCE;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status code.
    pub(crate) status: u16,
    /// Its head, without the status line.
    pub(crate) head: String,
    /// Its body, as it came.
    pub(crate) body: String,
}

impl Answer {
    /// The body, a pid.
    #[track_caller]
    pub(crate) fn pid(&self) -> u32 {
        self.body.trim().parse().unwrap_or_else(|_| panic!("no pid: {self:?}"))
    }
}

/// A connection to `127.0.0.1:80`, `unix:/path` or `unix:@name`, with time limits.
pub(crate) fn connect(address: &str) -> io::Result<Box<dyn Connection>> {
    if let Some(place) = address.strip_prefix("unix:") {
        let address = match place.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(place)?,
        };
        let stream = UnixStream::connect_addr(&address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        return Ok(Box::new(stream));
    }
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(Box::new(stream))
}

/// What a connection can.
pub(crate) trait Connection: Read + Write + Send {}

impl<T: Read + Write + Send> Connection for T {}

/// GET `path`, and the whole answer.
pub(crate) fn get(address: &str, path: &str) -> io::Result<Answer> {
    request(address, "GET", path, "")
}

/// A request with a body of JSON, and the whole answer.
pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> io::Result<Answer> {
    let mut connection = connect(address)?;
    send(&mut *connection, method, path, body)?;
    answer(&mut *connection)
}

/// Sends a request after which the connection ends.
pub(crate) fn send(connection: &mut dyn Connection, method: &str, path: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    connection.write_all(format!("{head}{json}Content-Length: {length}\r\n\r\n{body}").as_bytes())
}

/// Reads the answer, to the end of the connection.
pub(crate) fn answer(connection: &mut dyn Connection) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    connection.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
        let (line, head) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
    });
    parsed.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, format!("no answer: {text:?}")))
}
