//! HTTP/1.0 and HTTP/1.1 on one connection.
//!
//! Requests are answered in their order. Answers to requests that came together are written together: what is small
//! stays in a buffer until no whole head is left to read, or a handler has to wait.

mod answer;
mod body;
mod files;
mod stream;

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use remuda_wire::http::{Head, HeadFault, RequestParser};

use super::body::Continue;
use super::buffers::BUFFER_BYTES;
use super::limits::{LINGER_BYTES_MAX, OUTPUT_BATCH_MAX};
use super::patience::Waiting;
use super::{Connection, Ending, Handler, Request, RequestBody, error_response};

pub use body::Body;
pub(super) use files::warm;

/// What is to become of a connection after an answer.
enum Next {
    /// The next request.
    Request,
    /// The end, while the client may still be sending.
    Linger,
    /// The end.
    End,
    /// Somebody else's.
    TakenOver(Continue),
}

/// Why there is no request.
#[derive(Debug)]
enum Missing {
    /// The client is gone, or has nothing more to ask.
    Nothing,
    /// The head did not come in time.
    Late,
    /// It breaks the rules.
    Fault(HeadFault),
}

/// Serves a connection until it ends.
pub async fn serve<H: Handler>(connection: Rc<Connection>, handler: Rc<H>) {
    let mut driver = Driver::new(connection, handler);
    loop {
        // Boxed, so that a connection without a request does not hold the memory one with a request needs.
        let next = match driver.head().await {
            Ok(()) => Box::pin(driver.answer()).await,
            Err(missing) => Box::pin(driver.refuse(missing)).await,
        };
        match next {
            Next::Request => {}
            Next::Linger => return driver.linger().await,
            Next::End => return,
            Next::TakenOver(then) => {
                let connection = Rc::clone(&driver.connection);
                // Whoever has the connection now may have it for hours, and needs nothing of what HTTP needed.
                drop(driver);
                return then(connection).await;
            }
        }
    }
}

/// One connection's work.
struct Driver<H> {
    connection: Rc<Connection>,
    handler: Rc<H>,
    parser: RequestParser,
    head: Head,
    /// Answers that are not written yet; no memory while there are none.
    output: Vec<u8>,
    /// Whether the connection goes on after the answer that is being written.
    keeps: bool,
    /// How many requests there were.
    requests: u64,
}

impl<H: Handler> Driver<H> {
    fn new(connection: Rc<Connection>, handler: Rc<H>) -> Self {
        let parser = RequestParser::new(connection.server.limits.head.clone());
        Self { connection, handler, parser, head: Head::new(), output: Vec::new(), keeps: true, requests: 0 }
    }

    /// Reads the next head.
    async fn head(&mut self) -> Result<(), Missing> {
        loop {
            if self.parse().map_err(Missing::Fault)? {
                return Ok(());
            }
            if !self.output.is_empty() {
                self.flush().await.map_err(|_gone| Missing::Nothing)?;
            }
            self.fill().await?;
        }
    }

    /// Whether a whole head was there.
    fn parse(&mut self) -> Result<bool, HeadFault> {
        let mut input = self.connection.input.borrow_mut();
        if input.bytes().is_empty() {
            return Ok(false);
        }
        let Some(len) = self.parser.parse(input.bytes(), &mut self.head)? else { return Ok(false) };
        input.consume(len);
        Ok(true)
    }

    /// Waits for more of a head.
    async fn fill(&mut self) -> Result<(), Missing> {
        let connection = &self.connection;
        let is_idle = connection.input.borrow().bytes().is_empty();
        let waiting = match is_idle {
            true if self.requests == 0 => Waiting::First,
            true => Waiting::Request,
            false => Waiting::Head,
        };
        if connection.waiter.waiting() != waiting {
            connection.waiter.begin(waiting);
        }
        if is_idle {
            // What the last request needed is nobody's while there is none.
            self.head = Head::new();
        }
        match poll_fn(|context| connection.poll_fill(context, BUFFER_BYTES)).await {
            Ok(true) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut && is_idle => self.last_chance().await,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Missing::Late),
            Ok(false) | Err(_) => Err(Missing::Nothing),
        }
    }

    /// A connection that is closed for being idle may have a request on it by now, which must not be lost.
    async fn last_chance(&self) -> Result<(), Missing> {
        let connection = &self.connection;
        connection.waiter.begin(Waiting::Head);
        let found = poll_fn(|context| match connection.poll_fill(context, BUFFER_BYTES) {
            Poll::Pending => Poll::Ready(None),
            Poll::Ready(found) => Poll::Ready(Some(found)),
        });
        match found.await {
            Some(Ok(true)) => Ok(()),
            _ => {
                connection.server.figures.count("idle-closed");
                Err(Missing::Nothing)
            }
        }
    }

    /// Writes what was answered.
    async fn flush(&mut self) -> io::Result<()> {
        let mut output = std::mem::take(&mut self.output);
        let written = self.connection.put_all(&mut output).await;
        self.connection.server.buffers.keep(output);
        written
    }

    /// Tells the client why its request is none, if there is anybody to tell.
    async fn refuse(&mut self, missing: Missing) -> Next {
        let server = &self.connection.server;
        let (status, detail) = match missing {
            Missing::Nothing => return Next::End,
            Missing::Late => {
                server.figures.count("head-late");
                (408, "the head of the request did not come in time".to_owned())
            }
            Missing::Fault(fault) => {
                server.figures.count(fault.word());
                (fault.status(), fault.to_string())
            }
        };
        let mut request = self.request();
        request.head = Head::new();
        let mut response = error_response(status, &detail, request.id, None);
        response.closes = true;
        let ending = self.write(&request, response, None).await;
        self.ended(&request, &ending);
        if self.flush().await.is_err() { Next::End } else { Next::Linger }
    }

    /// The request whose head was read, with its body to be read.
    fn request(&mut self) -> Request {
        let server = &self.connection.server;
        self.requests += 1;
        Request {
            head: std::mem::take(&mut self.head),
            body: RequestBody::empty(),
            peer: Rc::clone(self.connection.peer()),
            arrived: Instant::now(),
            id: server.next_id(),
            route: 0,
        }
    }

    fn ended(&self, request: &Request, ending: &Ending) {
        self.connection.server.figures.ended(request.route, ending);
        self.handler.ended(request, ending);
    }

    /// Throws away what still comes, for a while: a connection that is closed with bytes unread is reset, and the reset
    /// may take the answer from the client's hands.
    async fn linger(&mut self) {
        let connection = &self.connection;
        if poll_fn(|context| connection.transport.poll_shutdown(context)).await.is_err() {
            return;
        }
        connection.waiter.begin(Waiting::Linger);
        let mut left = LINGER_BYTES_MAX;
        loop {
            drop(connection.take_input());
            match poll_fn(|context| connection.poll_fill(context, BUFFER_BYTES)).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return,
            }
            let len = connection.input.borrow().bytes().len();
            let Some(rest) = left.checked_sub(len) else { return };
            left = rest;
        }
    }

    /// Whether what was answered is to be written before more is.
    fn is_output_full(&self) -> bool {
        self.output.len() >= OUTPUT_BATCH_MAX
    }
}
