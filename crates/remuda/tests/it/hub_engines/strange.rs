//! What answers at an engine's address and is none, or one that says no: it is told why, and nothing else suffers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::config;
use crate::harness::{Instance, Setup, until};
use crate::hub_redis::protocol::local;

/// The most memory a hub has here, in KiB: nothing that a stranger sends is kept.
pub(super) const MEMORY_MAX_KIB: u64 = 96 * 1024;

/// What is answered to bytes.
type Answer = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// What is said at once, and what is answered to bytes that came.
pub(super) struct Talk {
    welcome: Vec<u8>,
    answer: Box<Answer>,
    /// It reads nothing more once it has answered.
    is_deaf: bool,
}

impl Talk {
    /// Answers what comes first, and reads nothing more.
    pub(super) fn once(text: &'static str) -> Self {
        Self { is_deaf: true, ..answer(text) }
    }

    /// Says what `answer` makes of what came.
    pub(super) fn with(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { welcome: Vec::new(), answer: Box::new(answer), is_deaf: false }
    }
}

/// Somebody at an address; ends with the value.
pub(super) struct Stranger {
    pub(super) address: SocketAddr,
    over: Arc<Over>,
    thread: Option<JoinHandle<()>>,
}

/// Whether the test is over.
#[derive(Default)]
struct Over {
    is: Mutex<bool>,
    changed: Condvar,
}

impl Over {
    fn is(&self) -> bool {
        *self.is.lock().unwrap()
    }

    fn tell(&self) {
        *self.is.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        drop(self.changed.wait_while(self.is.lock().unwrap(), |is_over| !*is_over).unwrap());
    }
}

impl Stranger {
    pub(super) fn start(talk: Talk) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(Over::default());
        let (is_over, talk) = (Arc::clone(&over), Arc::new(talk));
        let thread = std::thread::spawn(move || {
            let mut talking = Vec::new();
            for stream in listener.incoming() {
                if is_over.is() {
                    break;
                }
                let (talk, over) = (Arc::clone(&talk), Arc::clone(&is_over));
                talking.push(std::thread::spawn(move || speak(stream.unwrap(), &talk, &over)));
            }
            talking.into_iter().for_each(|one| one.join().unwrap());
        });
        Self { address, over, thread: Some(thread) }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.over.tell();
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

/// Says its part until the other side, or the test, has had enough.
fn speak(mut stream: TcpStream, talk: &Talk, over: &Over) {
    // So often it looks whether the test is over.
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let _ = stream.write_all(&talk.welcome);
    let mut heard = [0; 65536];
    while !over.is() {
        match stream.read(&mut heard) {
            Ok(0) => return,
            Ok(count) => {
                if stream.write_all(&(talk.answer)(&heard[..count])).is_err() {
                    return;
                }
                if talk.is_deaf {
                    return over.wait();
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// The value of a line of `INFO Engines`.
fn told(instance: &Instance, name: &str) -> String {
    let mut line = local(instance);
    line.say(b"INFO Engines\r\nPING\r\n");
    let text = String::from_utf8(line.hear_until("+PONG\r\n")).unwrap();
    let found = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    found.unwrap_or_else(|| panic!("{name} is not in {text}")).to_owned()
}

#[track_caller]
pub(super) fn wait_told(instance: &Instance, name: &str, wanted: &str) {
    until(&format!("{name} to be {wanted:?}"), || told(instance, name).contains(wanted));
}

pub(super) fn memory_kib(instance: &Instance) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", instance.pids("hub")[0])).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A bus at `scheme://stranger`: INFO has `why`, publishing is refused, and the hub lives on and stays small.
#[track_caller]
fn refused(scheme: &str, talk: Talk, why: &str) {
    let stranger = Stranger::start(talk);
    let url = format!("{scheme}://:s3cret@{}", stranger.address);
    // It is not ready for a while, and serves all the same.
    let instance = Setup::new(&config(&url, "embedded")).up();
    wait_told(&instance, "bus_engine_losses", "0");
    wait_told(&instance, "bus_engine_state", "away");
    wait_told(&instance, "bus_engine_trouble", why);
    assert_ne!(told(&instance, "bus_engine_state"), "up");
    let mut line = local(&instance);
    line.ask("SET k 1\r\n", "+OK\r\n");
    line.ask("PUBLISH a b\r\n", &format!("-ERR the engine of the bus at {scheme}://{}", stranger.address));
    assert!(memory_kib(&instance) < MEMORY_MAX_KIB, "{} KiB", memory_kib(&instance));
    assert!(!format!("{:?}", instance.transcript.locked().lines).contains("s3cret"));
    instance.end();
}

fn answer(bytes: impl Into<Vec<u8>>) -> Talk {
    let bytes = bytes.into();
    Talk::with(move |_| bytes.clone())
}

fn welcome(bytes: impl Into<Vec<u8>>) -> Talk {
    Talk { welcome: bytes.into(), ..answer("") }
}

#[test]
fn a_redis_that_says_no_is_believed() {
    for word in [
        "NOAUTH HELLO must be called",
        "LOADING Redis is loading",
        "DENIED protected mode",
        "ERR unknown command",
    ] {
        refused("redis", answer(format!("-{word}\r\n")), word);
    }
}

#[test]
fn what_is_no_redis_is_told_from_one_and_kept_small() {
    let lines = |line: &str, count: usize| line.repeat(count).into_bytes();
    refused("redis", answer("HTTP/1.1 400 Bad Request\r\n\r\n"), "rotocol");
    refused("redis", answer(&b"\xff\x00\x01\x02\r\n"[..]), "rotocol");
    refused("redis", answer("$99999999999999\r\n"), "");
    refused("redis", answer(lines("*1\r\n", 100_000)), "");
    refused("redis", answer(lines("x", 32 << 20)), "");
    refused("redis", answer([b"-".to_vec(), lines("x", 32 << 20)].concat()), "");
    refused("redis", answer(">99\r\n"), "a push with too many parts");
    refused("redis", answer(">1\r\n$-7\r\n"), "");
    refused("redis", welcome("+OK\r\n"), "does not greet as a Redis does");
}

#[test]
fn a_nats_that_says_no_is_believed() {
    let info = |json: &str| format!("INFO {json}\r\n").into_bytes();
    let violation = b"-ERR 'Authorization Violation'\r\n".to_vec();
    let talk = Talk { welcome: info("{\"headers\":true}"), ..answer(violation) };
    refused("nats", talk, "Authorization Violation");
    refused("nats", welcome(info("{\"headers\":false}")), "knows no headers");
    refused("nats", welcome(info("{\"headers\":true,\"tls_required\":true}")), "wants TLS");
    refused("nats", welcome(info("no json")), "no JSON");
}

#[test]
fn what_is_no_nats_is_told_from_one_and_kept_small() {
    refused("nats", welcome("HTTP/1.1 400 Bad Request\r\n\r\n"), "");
    refused("nats", welcome([b"INFO ".to_vec(), vec![b' '; 32 << 20]].concat()), "");
    refused("nats", welcome("MSG a 1 99999999999999\r\n"), "");
    refused("nats", welcome(vec![0xff; 32 << 20]), "");
}

/// An engine of a store that greets well, and then answers each `SET` with `further` and nothing else.
pub(super) fn engine(further: &str) -> Stranger {
    let further = further.to_owned();
    let talk = move |heard: &[u8]| {
        let heard = String::from_utf8_lossy(heard);
        let greeting = "%1\r\n+server\r\n+redis\r\n".repeat(heard.matches("HELLO").count());
        let name = "+OK\r\n".repeat(heard.matches("SETNAME").count());
        let rest = further.repeat(heard.matches("SET\r\n").count());
        format!("{greeting}{name}{rest}").into_bytes()
    };
    Stranger::start(Talk { answer: Box::new(talk), ..welcome("") })
}

/// Asks a store whose engine answers each `SET` with `further`: what the client gets.
#[track_caller]
fn set(further: &str, answer: impl Fn(&str) -> String) {
    let stranger = engine(further);
    let url = format!("redis://{}", stranger.address);
    let instance = Instance::up(&config("embedded", &url));
    wait_told(&instance, "store_engine_state", "up");
    let mut line = local(&instance);
    for _ in 0..3 {
        line.ask("SET k 1\r\n", &answer(&url));
    }
    line.ask("PING\r\n", "+PONG\r\n");
    assert!(memory_kib(&instance) < MEMORY_MAX_KIB, "{} KiB", memory_kib(&instance));
    instance.end();
}

#[test]
fn errors_of_a_stores_engine_reach_the_client_as_they_are() {
    for word in [
        "-READONLY You can't write against a read only replica.",
        "-LOADING Redis is loading the dataset in memory",
    ] {
        let word = format!("{word}\r\n");
        set(&word, |_| word.clone());
    }
}

#[test]
fn nonsense_of_a_stores_engine_is_told_to_the_client_who_asked() {
    for (nonsense, why) in [
        ("?what\r\n", "it sent something that is no reply"),
        ("*99999999999999999999\r\n", "it sent a length that is no number"),
        ("$x\r\n", "it sent a length that is no number"),
    ] {
        set(nonsense, |url| {
            format!("-ERR the store's engine at {url}: {why}; whether this was carried out is not known\r\n")
        });
    }
    // What nobody asked for ends the connection there, not the client's.
    set("+OK\r\n:5\r\n", |_| "+OK\r\n".to_owned());
}
