//! A hub in a thread, as much of it as a gateway needs: it can be away, and says what a gateway published.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

use remuda_wire::resp::{CommandParser, Limits, encode_command};

use crate::support::PATIENCE;

/// The hub; its threads end with its connections.
pub(crate) struct Hub {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    published: mpsc::Receiver<(String, String)>,
}

struct Shared {
    listener: Option<TcpListener>,
    clients: Vec<(TcpStream, Vec<Vec<u8>>)>,
    sequence: u64,
    told: mpsc::Sender<(String, String)>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, published) = mpsc::channel();
        let shared = Shared { listener: None, clients: Vec::new(), sequence: 0, told };
        let hub = Self { address, shared: Arc::new(Mutex::new(shared)), published };
        hub.listen(listener);
        hub
    }

    fn listen(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        shared.lock().unwrap().listener = Some(listener.try_clone().unwrap());
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let mut state = shared.lock().unwrap();
                if state.listener.is_none() {
                    return;
                }
                let index = state.clients.len();
                state.clients.push((stream.try_clone().unwrap(), Vec::new()));
                drop(state);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, index, &shared));
            }
        });
    }

    /// Ends all connections and takes no new ones.
    pub(crate) fn go(&self) {
        let mut shared = self.shared.lock().unwrap();
        shared.listener = None;
        for (stream, prefixes) in &mut shared.clients {
            prefixes.clear();
            let _is_gone = stream.shutdown(Shutdown::Both);
        }
        drop(shared);
        // The thread that accepts notices by the next connection.
        drop(TcpStream::connect(self.address));
    }

    /// Takes connections again.
    pub(crate) fn come_back(&self) {
        let began = Instant::now();
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::yield_now();
        };
        self.listen(listener);
    }

    /// Publishes as a worker; how many gateways hear it.
    pub(crate) fn publish(&self, topic: &str, payload: &str) -> usize {
        self.shared.lock().unwrap().publish(topic.as_bytes(), payload.as_bytes())
    }

    /// Publishes once `gateways` listen.
    pub(crate) fn publish_to(&self, gateways: usize, topic: &str, payload: &str) {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "no gateway listens to {topic}");
            let shared = self.shared.lock().unwrap();
            let hears =
                |prefixes: &Vec<Vec<u8>>| prefixes.iter().any(|prefix| topic.as_bytes().starts_with(prefix));
            let count = shared.clients.iter().filter(|(_, prefixes)| hears(prefixes)).count();
            drop(shared);
            if count >= gateways {
                assert_eq!(self.publish(topic, payload), gateways);
                return;
            }
            std::thread::yield_now();
        }
    }

    /// The next message a gateway published on `topic`.
    pub(crate) fn next(&self, topic: &str) -> serde_json::Value {
        loop {
            let (found, payload) = self.published.recv_timeout(PATIENCE).unwrap();
            if found == topic {
                return serde_json::from_str(&payload).unwrap();
            }
        }
    }
}

impl Shared {
    fn publish(&mut self, topic: &[u8], payload: &[u8]) -> usize {
        self.sequence += 1;
        let mut message = format!(">4\r\n$10\r\nbusmessage\r\n:{}\r\n", self.sequence).into_bytes();
        for part in [topic, payload] {
            message.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
            message.extend_from_slice(part);
            message.extend_from_slice(b"\r\n");
        }
        let hear = |prefixes: &Vec<Vec<u8>>| prefixes.iter().any(|prefix| topic.starts_with(prefix));
        let mut count = 0;
        for (stream, _) in self.clients.iter_mut().filter(|(_, prefixes)| hear(prefixes)) {
            count += usize::from(stream.write_all(&message).is_ok());
        }
        count
    }
}

fn serve(mut stream: TcpStream, index: usize, shared: &Mutex<Shared>) {
    let (mut parser, mut input, mut arguments) =
        (CommandParser::new(Limits::default()), Vec::new(), Vec::new());
    parser.set_authenticated(true);
    let mut piece = vec![0; 64 << 10];
    while let Ok(len @ 1..) = stream.read(&mut piece) {
        input.extend_from_slice(&piece[..len]);
        while let Some(len) = parser.parse(&mut input, &mut arguments).unwrap() {
            let words: Vec<Vec<u8>> = arguments.iter().map(|place| input[place.clone()].to_vec()).collect();
            input.drain(..len);
            let mut shared = shared.lock().unwrap();
            let answer = match words[0].as_slice() {
                b"HELLO" => b"%0\r\n".to_vec(),
                b"PUBLISH" => {
                    let text = |at: usize| String::from_utf8_lossy(&words[at]).into_owned();
                    shared.told.send((text(1), text(2))).ok();
                    let count = shared.publish(&words[1], &words[2]);
                    format!(":{count}\r\n").into_bytes()
                }
                b"BUS.SUBSCRIBE" => {
                    shared.clients[index].1.push(words[1].clone());
                    let mut confirmation = Vec::new();
                    encode_command(&[b"bussubscribe", &words[1]], &mut confirmation);
                    confirmation[..2].copy_from_slice(b">3");
                    confirmation.extend_from_slice(format!(":{}\r\n", shared.sequence).as_bytes());
                    confirmation
                }
                _ => b"+PONG\r\n".to_vec(),
            };
            if shared.clients[index].0.write_all(&answer).is_err() {
                return;
            }
        }
    }
}
