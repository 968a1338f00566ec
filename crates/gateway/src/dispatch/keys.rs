//! Keys of the store under URLs.
//!
//! A few connections to the hub are kept, and each command has one to itself for as long as it takes: what is asked is
//! small, and the hub is on this machine. A command that finds an old connection closed is sent once more on a new one,
//! unless it might have been carried out.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use remuda_model::gateway::{HubAccess, KeySpec};
use remuda_wire::http::Method;
use remuda_wire::resp::{Limits, Value, ValueParser, encode_command};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::server::{Request, Response, error_response};

/// Connections without a command that are kept.
const IDLE_MAX: usize = 16;
/// So long the hub may take, a reload of it included.
const WITHIN: Duration = Duration::from_secs(5);
/// Bytes of one read.
const READ: usize = 16 << 10;

/// The store, as this gateway reaches it.
#[derive(Debug)]
pub(super) struct Store {
    hub: HubAccess,
    database: u32,
    idle: RefCell<Vec<Link>>,
}

#[derive(Debug)]
struct Link {
    stream: UnixStream,
    parser: ValueParser,
    input: BytesMut,
}

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("the store cannot be reached: {0}")]
    Io(#[from] std::io::Error),
    #[error("the store does not speak as it should")]
    Protocol,
    #[error("the store refuses: {0}")]
    Refused(String),
    #[error("the store did not answer in time")]
    Late,
}

impl Store {
    pub(super) fn new(hub: HubAccess, database: u32) -> Rc<Self> {
        Rc::new(Self { hub, database, idle: RefCell::default() })
    }

    /// Sends a command and waits for its reply.
    async fn command(&self, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        let asked = async {
            let kept = self.idle.borrow_mut().pop();
            if let Some(mut link) = kept
                && !link.is_closed()
            {
                let reply = link.ask(arguments).await?;
                self.keep(link);
                return Ok::<Value, StoreError>(reply);
            }
            let mut link = self.connect().await?;
            let reply = link.ask(arguments).await?;
            self.keep(link);
            Ok(reply)
        };
        let reply = tokio::time::timeout(WITHIN, asked).await.map_err(|_elapsed| StoreError::Late)??;
        match reply {
            Value::Error(text) => Err(StoreError::Refused(String::from_utf8_lossy(&text).into_owned())),
            reply => Ok(reply),
        }
    }

    async fn connect(&self) -> Result<Link, StoreError> {
        let stream = UnixStream::connect(&self.hub.store).await?;
        let mut link = Link { stream, parser: ValueParser::new(Limits::default()), input: BytesMut::new() };
        let database = self.database.to_string();
        let greetings: [&[&[u8]]; 2] = [
            &[b"AUTH", self.hub.user.as_bytes(), self.hub.token.as_bytes()],
            &[b"SELECT", database.as_bytes()],
        ];
        for greeting in greetings {
            if let Value::Error(text) = link.ask(greeting).await? {
                return Err(StoreError::Refused(String::from_utf8_lossy(&text).into_owned()));
            }
        }
        Ok(link)
    }

    fn keep(&self, link: Link) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < IDLE_MAX {
            idle.push(link);
        }
    }
}

impl Link {
    /// Whether the hub has closed it, or says something nobody asked for.
    fn is_closed(&self) -> bool {
        let mut byte = [0];
        !matches!(self.stream.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    async fn ask(&mut self, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        let mut output = BytesMut::new();
        encode_command(arguments, &mut output);
        self.stream.write_all(&output).await?;
        loop {
            match self.parser.parse(&self.input).map_err(|_broken| StoreError::Protocol)? {
                Some((value, taken)) => {
                    let _read = self.input.split_to(taken);
                    return Ok(value);
                }
                None => {
                    self.input.reserve(READ);
                    if self.stream.read_buf(&mut self.input).await? == 0 {
                        return Err(StoreError::Io(std::io::ErrorKind::UnexpectedEof.into()));
                    }
                }
            }
        }
    }
}

/// Reads, writes or removes a key.
pub(super) async fn answer(store: &Store, request: &mut Request, spec: &KeySpec, key: &[u8]) -> Response {
    match carry_out(store, request, spec, key).await {
        Ok(response) => response,
        Err(error) => {
            log::warn!("{error}");
            let (status, detail) = match error {
                StoreError::Refused(_) => (409, "The store does not take this."),
                _ => (503, "The store does not answer now."),
            };
            let response = error_response(status, detail, request.id, Some(&request.head));
            if status == 503 { response.field("Retry-After", "1") } else { response }
        }
    }
}

async fn carry_out(
    store: &Store,
    request: &mut Request,
    spec: &KeySpec,
    key: &[u8],
) -> Result<Response, StoreError> {
    let missing =
        |request: &Request| error_response(404, "There is no such key.", request.id, Some(&request.head));
    match request.head.method() {
        Method::Put => {
            let value = match request.body.read_all(spec.max).await {
                Ok(value) => value,
                Err(error) => {
                    let refusal =
                        error_response(error.status(), &error.to_string(), request.id, Some(&request.head));
                    return Ok(refusal);
                }
            };
            let time = spec.expire.map(|time| time.as_millis().to_string());
            let mut command: Vec<&[u8]> = vec![b"SET", key, &value];
            if let Some(time) = &time {
                command.extend([b"PX".as_slice(), time.as_bytes()]);
            }
            store.command(&command).await?;
            Ok(Response::new(204))
        }
        Method::Delete => match store.command(&[b"DEL", key]).await? {
            Value::Integer(0) => Ok(missing(request)),
            _ => Ok(Response::new(204)),
        },
        _ => match store.command(&[b"GET", key]).await? {
            Value::Bulk(value) => {
                let response = Response::with_body(200, &spec.content_type, value);
                Ok(response.field("Cache-Control", "no-store").field("X-Content-Type-Options", "nosniff"))
            }
            _ => Ok(missing(request)),
        },
    }
}
