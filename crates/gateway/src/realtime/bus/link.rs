//! The connection itself: made, lost, made again.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};
use remuda_toolkit::Backoff;
use remuda_toolkit::client::Place;
use remuda_wire::resp::{Limits, Value, ValueParser, encode_command};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::{Bus, Expected, Listener, Message};

/// Bytes of one read, and so of what is given out together.
const READ_BYTES: usize = 64 << 10;
/// Bytes of publications written together.
const WRITE_BYTES: usize = 64 << 10;
/// How long making a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Silence after which the hub is asked whether it is there; after as much again it is not.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Any stream.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// Why a connection is no more.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it did not answer in time")]
    Silent,
    #[error("it does not speak RESP: {0}")]
    Strange(#[from] remuda_wire::resp::RespError),
    #[error("it refused us: {0}")]
    Refused(String),
}

impl Bus {
    /// Keeps the connection, until it is dropped. To be run in a task of its own.
    pub async fn run(self: Rc<Self>, seed: u64) {
        // One client's share of a turn of the runtime is not for what is written to thousands.
        tokio::task::unconstrained(async move {
            let mut backoff = Backoff::new(seed).cap(PAUSE_MAX);
            loop {
                let since = Instant::now();
                let error = match self.connect().await {
                    Ok(stream) => self.serve(stream).await,
                    Err(error) => Err(error),
                };
                let was_connected = self.is_connected.replace(false);
                self.commands.borrow_mut().clear();
                if let Err(error) = error
                    && (was_connected || backoff.failures() == 0)
                {
                    log::warn!(
                        "the hub at {} is away: {error}; clients stay, and it is tried again",
                        self.address
                    );
                }
                tokio::time::sleep(backoff.failed(since.elapsed())).await;
            }
        })
        .await;
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, LinkError> {
        let connecting = async {
            Ok::<Box<dyn Stream>, io::Error>(match &self.address.place {
                Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
                Place::Tcp(host, port) => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
            })
        };
        let connected = tokio::time::timeout(CONNECT_WITHIN, connecting).await;
        Ok(connected.map_err(|_elapsed| LinkError::Silent)??)
    }

    /// Reads and writes until the connection is lost.
    async fn serve(&self, stream: Box<dyn Stream>) -> Result<(), LinkError> {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut expected = VecDeque::new();
        let mut greeting = Vec::new();
        let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some((name, token)) = &self.address.login {
            hello.extend([b"AUTH".as_slice(), name.as_bytes(), token.as_bytes()]);
        }
        encode_command(&hello, &mut greeting);
        expected.push_back(Expected::Nothing);
        for (prefix, topic) in self.topics.borrow().iter() {
            match topic.position.map(|position| position.to_string()) {
                None => encode_command(&[b"BUS.SUBSCRIBE", prefix], &mut greeting),
                Some(after) => {
                    encode_command(&[b"BUS.SUBSCRIBE", prefix, b"AFTER", after.as_bytes()], &mut greeting);
                }
            }
            expected.push_back(Expected::Subscribed);
        }
        // From here on who subscribes says so on this connection.
        self.is_connected.set(true);
        self.count(|counts| counts.connected += 1);
        writer.write_all(&greeting).await?;
        let mut input = BytesMut::with_capacity(READ_BYTES);
        let mut parser = ValueParser::new(Limits::default());
        let (mut is_asked, mut is_greeted) = (false, false);
        loop {
            let output = self.next_output(&mut expected);
            if !output.is_empty() {
                writer.write_all(&output).await?;
                continue;
            }
            tokio::select! {
                read = reader.read_buf(&mut input) => {
                    if read? == 0 {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                    }
                    is_asked = false;
                    self.digest(&mut input, &mut parser, &mut expected, &mut is_greeted)?;
                    input.reserve(READ_BYTES);
                }
                () = self.bell.notified() => {}
                () = tokio::time::sleep(SILENCE_MAX) => {
                    if is_asked {
                        return Err(LinkError::Silent);
                    }
                    is_asked = true;
                    self.command(&[b"PING"], Expected::Nothing);
                }
            }
        }
    }

    /// What is to be sent next.
    fn next_output(&self, expected: &mut VecDeque<Expected>) -> Vec<u8> {
        let mut output = Vec::new();
        for (command, what) in self.commands.borrow_mut().drain(..) {
            output.extend_from_slice(&command);
            expected.push_back(what);
        }
        let mut waiting = self.waiting.borrow_mut();
        while output.len() < WRITE_BYTES
            && let Some(command) = waiting.pop_front()
        {
            self.waiting_bytes.set(self.waiting_bytes.get() - command.len());
            output.extend_from_slice(&command);
            expected.push_back(Expected::Nothing);
            self.count(|counts| counts.published += 1);
        }
        output
    }

    /// Takes all that came.
    fn digest(
        &self,
        input: &mut BytesMut,
        parser: &mut ValueParser,
        expected: &mut VecDeque<Expected>,
        is_greeted: &mut bool,
    ) -> Result<(), LinkError> {
        let mut touched: Vec<Rc<dyn Listener>> = Vec::new();
        while let Some((value, len)) = parser.parse(input)? {
            input.advance(len);
            match value {
                Value::Push(parts) => self.push(parts, expected, &mut touched),
                Value::Error(text) => {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    if !*is_greeted {
                        return Err(LinkError::Refused(text));
                    }
                    log::warn!("the hub refused what the gateway asked: {text}");
                    self.count(|counts| counts.refused += 1);
                    expected.pop_front();
                }
                value => {
                    *is_greeted = true;
                    if let Some(Expected::Replay(answer)) = expected.pop_front()
                        && let Some(replay) = replay(value)
                    {
                        // Who asked may be gone.
                        let _asker = answer.send(replay);
                    }
                }
            }
        }
        for listener in touched {
            listener.settle();
        }
        Ok(())
    }

    fn push(
        &self,
        parts: Vec<Value>,
        expected: &mut VecDeque<Expected>,
        touched: &mut Vec<Rc<dyn Listener>>,
    ) {
        let mut parts = parts.into_iter();
        let Some(Value::Bulk(kind)) = parts.next() else { return };
        match kind.as_slice() {
            b"busmessage" => {
                if let Some(message) = message(&mut parts) {
                    self.give(&message, touched);
                }
            }
            b"bussubscribe" => {
                expected.pop_front();
                if let (Some(Value::Bulk(prefix)), Some(last)) = (parts.next(), number(parts.next()))
                    && let Some(topic) = self.topics.borrow_mut().get_mut(&prefix)
                {
                    topic.position.get_or_insert(last);
                }
            }
            b"busunsubscribe" => drop(expected.pop_front()),
            b"busgap" => {
                let missed = number(parts.next()).unwrap_or(0);
                self.count(|counts| counts.missed += missed);
                for listener in self.all_listeners() {
                    listener.missed(missed);
                    if !touched.iter().any(|other| Rc::ptr_eq(other, &listener)) {
                        touched.push(listener);
                    }
                }
            }
            _ => {}
        }
    }
}

fn number(value: Option<Value>) -> Option<u64> {
    match value {
        Some(Value::Integer(number)) => u64::try_from(number).ok(),
        _ => None,
    }
}

/// Number, topic, payload.
fn message(parts: &mut impl Iterator<Item = Value>) -> Option<Message> {
    let sequence = number(parts.next())?;
    match (parts.next()?, parts.next()?) {
        (Value::Bulk(topic), Value::Bulk(payload)) => Some(Message { sequence, topic, payload }),
        _ => None,
    }
}

/// `[lost, [[sequence, topic, payload] …]]`
fn replay(value: Value) -> Option<super::Replay> {
    let Value::Array(parts) = value else { return None };
    let [lost, Value::Array(messages)] = <[Value; 2]>::try_from(parts).ok()? else { return None };
    let one = |value| match value {
        Value::Array(parts) => message(&mut parts.into_iter()),
        _ => None,
    };
    Some((number(Some(lost)), messages.into_iter().map(one).collect::<Option<_>>()?))
}
