//! A server on a port of its own, with a handler that does a little of everything, and a raw client.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use remuda_gateway::server::{
    Body, Broken, Connection, Ending, FilePart, Handler, Limits, Listener, Part, Request, Response, Server,
    Source, Step, TakeOver, error_response,
};
use remuda_model::gateway::GatewayMetrics;
use remuda_toolkit::adopt::StreamListener;
use remuda_wire::http::Fields;
use tokio::sync::oneshot;

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server in a thread; it ends when this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    quit: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<GatewayMetrics>>,
}

impl Running {
    /// With limits of its own, and a handler made in the server's thread.
    pub(crate) fn with<H: Handler>(limits: Limits, make: impl FnOnce() -> H + Send + 'static) -> Self {
        Self::with_server(limits, |_| make())
    }

    /// As [`with`](Self::with), for handlers that need to know what they are in.
    pub(crate) fn with_server<H: Handler>(
        limits: Limits,
        make: impl FnOnce(&Rc<Server>) -> H + Send + 'static,
    ) -> Self {
        Self::on(Vec::new(), limits, make)
    }

    /// As [`with_server`](Self::with_server), on these listeners too.
    pub(crate) fn on<H: Handler>(
        others: Vec<StreamListener>,
        limits: Limits,
        make: impl FnOnce(&Rc<Server>) -> H + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (quit, quitting) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let listeners = std::iter::once(StreamListener::Tcp(listener)).chain(others);
                let listeners = listeners.map(|listener| Listener::new("http", listener).unwrap()).collect();
                let server = Server::new(limits, vec![], 7);
                let handler = Rc::new(make(&server));
                let quit = async {
                    let _dropped = quitting.await;
                };
                server.run(listeners, Rc::clone(&handler), quit, Duration::from_secs(5)).await;
                server.figures().tell()
            })
        });
        Self { address, quit: Some(quit), thread: Some(thread) }
    }

    pub(crate) fn new(limits: Limits) -> Self {
        Self::with(limits, Everything::default)
    }

    pub(crate) fn connect(&self) -> Client {
        Client::on(TcpStream::connect(self.address).unwrap())
    }

    /// Sends `bytes` on a connection of its own and reads until the server closes.
    pub(crate) fn tell(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        client.send(bytes);
        client.rest()
    }

    /// Asks the server to end, as SIGTERM does.
    pub(crate) fn quit(&mut self) {
        drop(self.quit.take());
    }

    /// Waits until it has ended; what it counted.
    pub(crate) fn end(mut self) -> GatewayMetrics {
        self.quit();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.quit();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// A connection, byte by byte.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    input: Vec<u8>,
}

/// An answer as it was read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub(crate) fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, input: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A server that has had enough may have closed already.
        let _closed = self.stream.write_all(bytes.as_ref());
    }

    pub(crate) fn end_sending(&self) {
        let _closed = self.stream.shutdown(Shutdown::Write);
    }

    fn more(&mut self) -> bool {
        let mut buffer = vec![0; 64 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(len) => {
                self.input.extend_from_slice(&buffer[..len]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing came: {error}; so far {:?}", String::from_utf8_lossy(&self.input)),
        }
    }

    /// Everything until the server closes.
    pub(crate) fn rest(&mut self) -> String {
        while self.more() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.input)).into_owned()
    }

    /// Waits until `len` bytes are there, and takes them.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        while self.input.len() < len {
            assert!(self.more(), "closed after {} of {len} bytes", self.input.len());
        }
        self.input.drain(..len).collect()
    }

    /// A head with its empty line.
    pub(crate) fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                return String::from_utf8(self.take(end + 4)).unwrap();
            }
            assert!(self.more(), "closed in the head: {:?}", String::from_utf8_lossy(&self.input));
        }
    }

    /// An answer with a body of known length.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = Answer { head: self.head(), body: Vec::new() };
        let len = answer.field("content-length").map_or(0, |len| len.parse().unwrap());
        answer.body = self.take(len);
        answer
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &str) -> Answer {
        self.send(request);
        self.answer()
    }

    /// GET of `path` on a connection that is kept.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
    }

    /// Whether an answer came, not the end of the connection.
    pub(crate) fn rest_or_answer(&mut self) -> bool {
        self.more()
    }

    /// Whether the server has closed.
    pub(crate) fn is_closed(&mut self) -> bool {
        assert!(self.input.is_empty());
        !self.more()
    }
}

/// A file whose bytes say where they are.
pub(crate) fn numbered_file(len: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
    let bytes: Vec<u8> = (0..len).map(|at| u8::try_from((at / 251 + at) % 256).unwrap()).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    (file, bytes)
}

/// Does what the path says.
#[derive(Default)]
pub(crate) struct Everything {
    pub(crate) file: Option<Arc<File>>,
    pub(crate) endings: Option<mpsc::Sender<Ending>>,
}

impl Handler for Everything {
    async fn handle(&self, request: &mut Request) -> Response {
        let path = String::from_utf8(request.head.path().to_vec()).unwrap();
        let (path, number) = path.rsplit_once('/').unwrap();
        let number: usize = number.parse().unwrap_or(0);
        match path {
            "/bytes" => Response::with_body(200, "text/plain", "x".repeat(number)),
            "/echo" => match request.body.read_all(1 << 20).await {
                Ok(body) => Response::with_body(200, "application/octet-stream", body),
                Err(error) => {
                    error_response(error.status(), &error.to_string(), request.id, Some(&request.head))
                }
            },
            "/ignore" => Response::new(403),
            "/limit" => match request.body.limit(number as u64) {
                Ok(()) => Response::new(204),
                Err(error) => {
                    error_response(error.status(), &error.to_string(), request.id, Some(&request.head))
                }
            },
            "/wait" => {
                tokio::time::sleep(Duration::from_millis(number as u64)).await;
                Response::with_body(200, "text/plain", "waited")
            }
            "/never" => std::future::pending().await,
            "/file" => self.file(number),
            "/stream" => stream(number, None),
            "/short" => stream(number, Some(number + 1)),
            "/exact" => stream(number, Some(number)),
            "/back" => {
                let mut response = Response::new(200);
                response.body = Body::Stream(Box::new(Back(request.body.take())));
                response
            }
            "/lies" => Response::with_body(200, "text/plain", "x".repeat(number))
                .field("Content-Length", "7")
                .field("Transfer-Encoding", "chunked")
                .field("Connection", "close"),
            "/empty" => Response::new(u16::try_from(number).unwrap()).field("Content-Length", "7"),
            "/switch" => switch(),
            "/fields" => {
                let fields = request.head.fields().iter();
                let lines = fields.map(|(name, value)| [name, b": ", value, b"\n"].concat());
                Response::with_body(200, "text/plain", lines.collect::<Vec<_>>().concat())
            }
            _ => error_response(404, "there is nothing here", request.id, Some(&request.head)),
        }
    }

    fn ended(&self, _: &Request, ending: &Ending) {
        if let Some(endings) = &self.endings {
            let _nobody = endings.send(*ending);
        }
    }
}

impl Everything {
    fn file(&self, len: usize) -> Response {
        let mut response = Response::new(200);
        let file = Arc::clone(self.file.as_ref().unwrap());
        response.body = Body::Parts(vec![
            Part::Bytes(Bytes::from_static(b"before ")),
            Part::File(FilePart { file: Arc::clone(&file), offset: 1, len: len as u64 }),
            Part::File(FilePart { file, offset: 0, len: 3 }),
        ]);
        response
    }
}

/// Gives so many bytes, one after another, waiting a turn after each.
#[derive(Debug)]
struct Dripping {
    left: usize,
    waits: bool,
}

fn stream(left: usize, length: Option<usize>) -> Response {
    let mut response = Response::new(200);
    if let Some(length) = length {
        response = response.field("Content-Length", length.to_string());
    }
    response.body = Body::Stream(Box::new(Dripping { left, waits: false }));
    response
}

impl Source for Dripping {
    fn poll_step(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        self.waits = !self.waits;
        if self.waits {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.left == 0 {
            return Poll::Ready(Ok(Step::End));
        }
        self.left -= 1;
        if self.left % 2 == 1 {
            return Poll::Ready(Ok(Step::Shared(Bytes::from_static(b"s"))));
        }
        buffer.push(b'b');
        Poll::Ready(Ok(Step::Filled))
    }

    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        let mut trailers = Fields::new();
        trailers.append("X-Done", "yes");
        Some(Box::new(trailers))
    }
}

/// The body of the request as that of the answer, while it comes.
#[derive(Debug)]
struct Back(remuda_gateway::server::RequestBody);

impl Source for Back {
    fn poll_step(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        match std::task::ready!(self.0.poll_read(context, buffer)) {
            Ok(0) => Poll::Ready(Ok(Step::End)),
            Ok(_) => Poll::Ready(Ok(Step::Filled)),
            Err(_) => Poll::Ready(Err(Broken)),
        }
    }
}

/// The connection says in capitals what it is told.
fn switch() -> Response {
    let mut response = Response::new(101).field("Connection", "upgrade").field("Upgrade", "capitals");
    response.body = Body::TakeOver(TakeOver::new(|connection: Rc<Connection>| async move {
        let mut buffer = Vec::with_capacity(64);
        loop {
            buffer.clear();
            let read = std::future::poll_fn(|context| connection.poll_read(context, &mut buffer)).await;
            if !matches!(read, Ok(1..)) {
                return;
            }
            let mut rest = &*buffer.to_ascii_uppercase();
            while !rest.is_empty() {
                let written =
                    std::future::poll_fn(|context| connection.transport().poll_write(context, rest));
                let Ok(len) = written.await else { return };
                rest = &rest[len..];
            }
        }
    }));
    response
}
