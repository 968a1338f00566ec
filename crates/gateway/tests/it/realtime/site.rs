//! A gateway with realtime endpoints in a thread, and a client of a WebSocket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;

use remuda_gateway::realtime::{
    Channel, ChannelOptions, Endpoint, Owner, Place, SocketioOptions, Switchboard,
};
use remuda_gateway::server::{Handler, Limits, Listener, Request, Response, Server};
use remuda_toolkit::adopt::StreamListener;
use remuda_toolkit::client::Address;
use remuda_wire::websocket::{Decoder, Event, Limits as FrameLimits, Opcode, Role, write_frame};
use tokio::sync::oneshot;

use super::hub::Hub;
use crate::support::PATIENCE;

/// Which gateway of a test, and what its endpoint is set to.
pub(crate) struct Setup {
    pub(crate) owner: u32,
    pub(crate) prefix: String,
    pub(crate) options: SocketioOptions,
}

impl Setup {
    pub(crate) fn new(name: &str) -> Self {
        let prefix = format!("remuda-test-{}-{name}-", std::process::id());
        Self { owner: 1, prefix, options: SocketioOptions::new("live") }
    }
}

#[derive(Clone)]
struct Site {
    switchboard: Rc<Switchboard>,
    live: Rc<Endpoint>,
    chat: Rc<Channel>,
}

impl Handler for Site {
    async fn handle(&self, request: &mut Request) -> Response {
        match request.head.path() {
            b"/ws" => self.chat.websocket(request, vec![b"chat".into()], Some(b"said".into())),
            b"/events" => self.chat.events(request, &[b"chat".into()]),
            b"/figures" => {
                Response::with_body(200, "application/json", self.switchboard.figures().to_string())
            }
            _ => self.live.handle(request).await,
        }
    }
}

/// A running gateway; it ends when this is dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    quit: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gateway {
    pub(crate) fn new(hub: &Hub, setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (quit, quitting) = oneshot::channel();
        let hub = Address::parse(&format!("redis://{}", hub.address)).unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            tokio::task::LocalSet::new().block_on(&runtime, async move {
                let listener = Listener::new("http", StreamListener::Tcp(listener)).unwrap();
                let server = Server::new(Limits::default(), vec![], 7);
                let place = Place { owner: Owner(setup.owner), prefix: setup.prefix };
                let switchboard =
                    Switchboard::new(&server, hub, "one", Some(place), Duration::from_millis(500));
                let site = Site {
                    live: switchboard.socketio(setup.options),
                    chat: switchboard.channel(ChannelOptions::default()),
                    switchboard: Rc::clone(&switchboard),
                };
                switchboard.take_passed(Rc::new(site.clone()));
                let quit = async {
                    let _dropped = quitting.await;
                };
                server.run(vec![listener], Rc::new(site), quit, Duration::from_secs(5)).await;
            });
        });
        Self { address, quit: Some(quit), thread: Some(thread) }
    }

    /// Asks it to end, as SIGTERM does.
    pub(crate) fn quit(&mut self) {
        drop(self.quit.take());
    }

    /// A client of `path`.
    pub(crate) fn websocket(&self, path: &str) -> WebSocket {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        write!(stream, "GET {path} HTTP/1.1\r\n{head}\r\n").unwrap();
        let mut came = Vec::new();
        while !came.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            came.push(byte[0]);
        }
        assert!(came.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&came));
        WebSocket { stream, decoder: Decoder::new(Role::Client, FrameLimits::default()), input: Vec::new() }
    }

    /// A client of Socket.IO in the main namespace, and its name there.
    pub(crate) fn joined(&self) -> (WebSocket, String) {
        let mut client = self.websocket("/socket.io/?EIO=4&transport=websocket");
        assert!(client.text().starts_with("0{"));
        client.say("40");
        let answer: serde_json::Value =
            serde_json::from_str(client.text().strip_prefix("40").unwrap()).unwrap();
        (client, answer["sid"].as_str().unwrap().to_owned())
    }

    pub(crate) fn figures(&self) -> serde_json::Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET /figures HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.quit();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// A client of a WebSocket.
pub(crate) struct WebSocket {
    pub(crate) stream: TcpStream,
    decoder: Decoder,
    input: Vec<u8>,
}

impl WebSocket {
    pub(crate) fn say(&mut self, text: &str) {
        let mut frame = Vec::new();
        write_frame(&mut frame, true, Opcode::Text, text.as_bytes(), Some([1, 2, 3, 4]));
        self.stream.write_all(&frame).unwrap();
    }

    /// The next text; `closed CODE` where the server closes, `end` where it ends without a word.
    pub(crate) fn text(&mut self) -> String {
        loop {
            let (used, found) = match self.decoder.read(&mut self.input).unwrap() {
                (used, Some(Event::Text(text))) => (used, Some(text.to_owned())),
                (used, Some(Event::Close(code, _))) => {
                    (used, Some(format!("closed {}", code.map_or(0, |code| code.get()))))
                }
                (used, _) => (used, None),
            };
            self.input.drain(..used);
            if let Some(found) = found {
                return found;
            }
            if self.input.is_empty() {
                let mut piece = [0; 8192];
                match self.stream.read(&mut piece) {
                    Ok(len @ 1..) => self.input.extend_from_slice(&piece[..len]),
                    _ => return "end".into(),
                }
            }
        }
    }
}
