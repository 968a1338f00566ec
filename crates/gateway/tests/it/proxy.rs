//! A gateway that passes everything on, and servers behind it that do what the test says.

mod hostile;
mod http2;
mod introduced;
mod passing;
mod queueing;
mod retrying;
mod smuggling;

mod swapping;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use remuda_gateway::server::{Handler, Limits, Request, Response};
use remuda_gateway::upstream::{Forward, Forwarding, Upstreams};
use remuda_model::gateway::{
    GatewayMetrics, ServerAddress, UpstreamMetrics, UpstreamServer, UpstreamServers, UpstreamSpec,
};

use crate::support::{Answer, Client, PATIENCE, Running};

/// What the one upstream of these gateways is called.
const NAME: &str = "upstream:pool";

/// A server behind the gateway: each connection is served by a thread of its own, as the script says.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    _accepting: JoinHandle<()>,
}

/// A connection of the gateway at a backend.
pub(crate) struct Asked {
    pub(crate) stream: TcpStream,
    input: Vec<u8>,
}

impl Backend {
    /// `script` is told the connection and its number, beginning with 0. Threads that are left end with the test.
    pub(crate) fn new(script: impl Fn(&mut Asked, usize) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = std::thread::spawn(move || {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept() else { return };
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let script = script.clone();
                std::thread::spawn(move || script(&mut Asked { stream, input: Vec::new() }, number));
            }
        });
        Self { address, _accepting: accepting }
    }

    /// Answers each request of each connection with `answer`.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |asked, _| {
            while asked.request().is_some() {
                asked.say(&answer);
            }
        })
    }
}

impl Asked {
    fn more(&mut self) -> bool {
        let mut buffer = vec![0; 64 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(len) => {
                self.input.extend_from_slice(&buffer[..len]);
                true
            }
        }
    }

    /// A head; `None`: the gateway has closed.
    pub(crate) fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.input.drain(..end + 4).collect();
                return Some(String::from_utf8(head).unwrap());
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// So many bytes; fewer: the gateway has closed.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        while self.input.len() < len && self.more() {}
        self.input.drain(..len.min(self.input.len())).collect()
    }

    /// A line with its end.
    fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                return String::from_utf8(self.input.drain(..=end).collect()).unwrap();
            }
            if !self.more() {
                return String::new();
            }
        }
    }

    /// A head and its body, decoded; behind a chunked one its trailers.
    pub(crate) fn request(&mut self) -> Option<(String, Vec<u8>)> {
        let head = self.head()?;
        let field = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .filter(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
                .next()
        };
        let mut body = Vec::new();
        if let Some(len) = field("content-length") {
            body = self.take(len.parse().unwrap());
        } else if field("transfer-encoding").is_some() {
            loop {
                let size = usize::from_str_radix(self.line().trim(), 16).ok()?;
                if size == 0 {
                    break;
                }
                body.extend(self.take(size));
                self.take(2);
            }
            loop {
                match &*self.line() {
                    "\r\n" | "" => break,
                    trailer => body.extend_from_slice(trailer.as_bytes()),
                }
            }
        }
        Some((head, body))
    }

    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Closes so that the other side is reset.
    pub(crate) fn reset(&mut self) {
        // What is unread makes the kernel answer with a reset.
        let _rest = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// A simple answer with this body.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A gateway in front of `backends`.
pub(crate) struct Proxy {
    pub(crate) running: Running,
}

struct Passing {
    upstreams: Upstreams,
}

impl Handler for Passing {
    async fn handle(&self, request: &mut Request) -> Response {
        let upstream = self.upstreams.get(NAME).unwrap();
        upstream.forward(request, Forward::default()).await
    }
}

/// Settings for servers at these addresses.
pub(crate) fn spec(addresses: &[SocketAddr]) -> UpstreamSpec {
    let server = |address: &SocketAddr| UpstreamServer {
        address: ServerAddress::Tcp { host: address.ip().to_string(), port: address.port() },
        weight: 1,
    };
    UpstreamSpec::new(UpstreamServers::Listed(addresses.iter().map(server).collect()))
}

impl Proxy {
    pub(crate) fn new(spec: UpstreamSpec) -> Self {
        Self::with(Limits::default(), spec)
    }

    pub(crate) fn with(limits: Limits, spec: UpstreamSpec) -> Self {
        let running = Running::with_server(limits, move |server| {
            let specs = BTreeMap::from([(NAME.to_owned(), spec)]);
            let forwarding = Forwarding { trusted: vec![] };
            let upstreams = Upstreams::new(server, &specs, &BTreeMap::new(), forwarding, 7).unwrap();
            Passing { upstreams }
        });
        Self { running }
    }

    /// In front of one server, with settings by default.
    pub(crate) fn of(backend: &Backend) -> Self {
        Self::new(spec(&[backend.address]))
    }

    pub(crate) fn connect(&self) -> Client {
        self.running.connect()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().get(path)
    }

    /// Ends it; what it has counted.
    pub(crate) fn end(self) -> (GatewayMetrics, UpstreamMetrics) {
        let mut figures = self.running.end();
        let upstream = figures.upstreams.remove(NAME).unwrap();
        (figures, upstream)
    }
}
