//! Calls between workers: who asks, and who answers.

use std::time::{Duration, Instant};

use remuda_wire::resp::Value;

use super::connection::Connection;
use super::subscription::Pause;
use super::{ClientError, Hub, deadline};

/// The longest the hub lets a call, or the wait for one, take.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// Calls services.
#[derive(Debug)]
pub struct Caller {
    hub: Hub,
    connection: Option<Connection>,
}

/// A call to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number, for the answer.
    pub number: u64,
    /// The service that was called.
    pub service: Vec<u8>,
    /// What was asked.
    pub body: Vec<u8>,
    /// The service that calls, as the hub knows it; `default` where the caller did not say who it is.
    pub caller: Vec<u8>,
}

/// Answers calls of one service. Registers itself again after its connection was lost; calls that it had then have failed.
#[derive(Debug)]
pub struct Server {
    hub: Hub,
    service: Vec<u8>,
    capacity: usize,
    connection: Option<Connection>,
    pause: Pause,
    was_there: bool,
}

impl Caller {
    pub(super) fn new(hub: Hub) -> Self {
        Self { hub, connection: None }
    }

    /// Calls `service` and waits for the answer, `timeout` at most: 1 ms to an hour, and what is more or less counts as that.
    ///
    /// # Errors
    /// [`ClientError::Said`] with the code `CALLFAILED` where no worker answered: there is none, it went away, it was too
    /// slow, or it answered with a failure of its own.
    pub fn call(&mut self, service: &[u8], timeout: Duration, body: &[u8]) -> Result<Vec<u8>, ClientError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.hub.connect()?,
        };
        let timeout = timeout.clamp(Duration::from_millis(1), WAIT_MAX);
        let millis = timeout.as_millis().to_string();
        // The hub keeps the time; if it is the hub that is gone, somebody else has to.
        let within = timeout.saturating_add(self.hub.limits().reply);
        let reply = connection.ask_within(&[b"SERVICE.CALL", service, millis.as_bytes(), body], within);
        if reply.as_ref().err().is_none_or(ClientError::spares_connection) {
            self.connection = Some(connection);
        }
        match reply? {
            Value::Bulk(answer) => Ok(answer),
            _ => Err(ClientError::Unexpected { command: "SERVICE.CALL", expected: "an answer" }),
        }
    }
}

impl Server {
    pub(super) fn new(hub: Hub, service: &[u8], capacity: usize) -> Self {
        let (service, capacity) = (service.to_vec(), capacity.max(1));
        Self { hub, service, capacity, connection: None, pause: Pause::new(), was_there: false }
    }

    /// Registers with the hub, so that calls made from now on find us.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(&mut self) -> Result<(), ClientError> {
        if self.connection.is_none() {
            let mut connection = self.hub.connect()?;
            let capacity = self.capacity.to_string();
            connection.ask(&[b"SERVICE.SERVE", &self.service, b"CAPACITY", capacity.as_bytes()])?;
            self.connection = Some(connection);
            self.was_there = true;
            self.pause.connected();
        }
        Ok(())
    }

    /// The next call; `None` when none came for so long, however long that is. Comes back by itself when the connection is
    /// lost.
    ///
    /// # Errors
    /// The first connection cannot be made; or the hub refuses us.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Call>, ClientError> {
        let deadline = deadline(timeout);
        while self.pause.wait(deadline) {
            let asked = self.connect().and_then(|()| self.ask(deadline));
            match asked {
                // The hub has given up before we have.
                Ok(None) if Instant::now() < deadline => {}
                Ok(call) => return Ok(call),
                Err(error) => {
                    if !error.spares_connection() {
                        self.connection = None;
                    }
                    if !(self.was_there && error.is_passing()) {
                        return Err(error);
                    }
                    self.pause.begin();
                }
            }
        }
        Ok(None)
    }

    fn ask(&mut self, deadline: Instant) -> Result<Option<Call>, ClientError> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.clamp(Duration::from_millis(1), WAIT_MAX);
        let seconds = format!("{:.3}", left.as_secs_f64());
        let within = left + self.hub.limits().reply;
        let unexpected = ClientError::Unexpected { command: "SERVICE.NEXT", expected: "a call or nothing" };
        match connection.ask_within(&[b"SERVICE.NEXT", seconds.as_bytes()], within)? {
            Value::Null => Ok(None),
            Value::Array(parts) => {
                let mut parts = parts.into_iter();
                let (
                    Some(Value::Bulk(service)),
                    Some(Value::Integer(number)),
                    Some(Value::Bulk(body)),
                    Some(Value::Bulk(caller)),
                ) = (parts.next(), parts.next(), parts.next(), parts.next())
                else {
                    return Err(unexpected);
                };
                let number = u64::try_from(number).map_err(|_error| unexpected)?;
                Ok(Some(Call { number, service, body, caller }))
            }
            _ => Err(unexpected),
        }
    }

    /// Answers a call; says whether the caller still waited.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn answer(&mut self, call: &Call, answer: &[u8]) -> Result<bool, ClientError> {
        self.reply(b"SERVICE.REPLY", call, answer)
    }

    /// Has a call fail, for this reason; says whether the caller still waited.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn fail(&mut self, call: &Call, reason: &str) -> Result<bool, ClientError> {
        self.reply(b"SERVICE.FAIL", call, reason.as_bytes())
    }

    fn reply(&mut self, command: &[u8], call: &Call, body: &[u8]) -> Result<bool, ClientError> {
        // A call belongs to the connection it came by, and went with it.
        let Some(connection) = &mut self.connection else { return Ok(false) };
        match connection.ask(&[command, call.number.to_string().as_bytes(), body]) {
            Ok(_) => Ok(true),
            Err(ClientError::Said(text)) if text.starts_with("ERR nobody waits") => Ok(false),
            Err(error) => {
                if !error.spares_connection() {
                    self.connection = None;
                }
                Err(error)
            }
        }
    }
}
