//! Clients of HTTP/2 that cost more than they ask for, written frame by frame.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use remuda_gateway::server::Limits;
use remuda_model::gateway::GatewayMetrics;

use super::secure::limits;
use super::support::{PATIENCE, Running};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// ENHANCE_YOUR_CALM
const CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
}

/// A head by the static table: GET, http, the path, and a host.
fn head(path: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [&[0x82, 0x86, 0x04][..], &text(path), &[0x01], &text("a.test")].concat()
}

/// A client that has begun.
struct Peer(TcpStream);

impl Peer {
    fn new(running: &Running) -> Self {
        let stream = TcpStream::connect(running.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut peer = Self(stream);
        assert!(peer.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()));
        peer
    }

    /// `false`: the server has closed.
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Sends one again and again, until the server closes; how many bytes that took.
    fn flood(&mut self, mut next: impl FnMut(u32) -> Vec<u8>, most: u32) -> usize {
        let mut sent = 0;
        let mut reader = self.0.try_clone().unwrap();
        // What the server answers is taken, so that it is the flood that it does not like.
        let drain = std::thread::spawn(move || {
            let mut all = Vec::new();
            let _reset = reader.read_to_end(&mut all);
            all
        });
        for at in 0..most {
            let bytes = next(at);
            if !self.send(&bytes) {
                break;
            }
            sent += bytes.len();
        }
        let _closed = self.0.shutdown(std::net::Shutdown::Write);
        let all = drain.join().unwrap();
        // A connection that is closed with bytes unread may be reset before good-bye is heard.
        if let Some(code) = goodbye(&all) {
            assert_eq!(code, CALM);
        }
        sent
    }
}

/// The code of the last GOAWAY.
fn goodbye(mut bytes: &[u8]) -> Option<u32> {
    let mut code = None;
    while bytes.len() >= 9 {
        let len = usize::from(bytes[1]) << 8 | usize::from(bytes[2]) | usize::from(bytes[0]) << 16;
        let body = bytes.get(9..9 + len)?;
        if bytes[3] == GOAWAY {
            code = Some(u32::from_be_bytes(body[4..8].try_into().unwrap()));
        }
        bytes = &bytes[9 + len..];
    }
    code
}

fn ended(running: Running, word: &str) -> GatewayMetrics {
    // Somebody else is served as before.
    assert_eq!(running.connect().get("/bytes/1").text(), "x");
    let figures = running.end();
    assert!(figures.events.get(word).is_some_and(|count| *count == 1), "{figures:?}");
    figures
}

fn reset(stream: u32) -> Vec<u8> {
    frame(RESET, 0, stream, &8_u32.to_be_bytes())
}

#[test]
fn who_resets_ten_thousand_streams_at_once_is_cut() {
    let running = Running::new(limits());
    let mut peer = Peer::new(&running);
    let head = head("/never/");
    let next = |at: u32| {
        let stream = 2 * at + 1;
        [frame(HEADERS, END_STREAM | END_HEADERS, stream, &head), reset(stream)].concat()
    };
    peer.flood(next, 10_000);
    let figures = ended_by(running, &["http2-flood", "http2-resets"]);
    assert!(figures.routes[0].by_class.iter().sum::<u64>() < 500, "{figures:?}");
}

fn ended_by(running: Running, words: &[&str]) -> GatewayMetrics {
    assert_eq!(running.connect().get("/bytes/1").text(), "x");
    let figures = running.end();
    let count: u64 = words.iter().filter_map(|word| figures.events.get(*word)).sum();
    assert_eq!(count, 1, "{figures:?}");
    figures
}

#[test]
fn who_takes_requests_back_when_they_are_begun_is_cut_too() {
    let running = Running::new(limits());
    let mut peer = Peer::new(&running);
    let mut sent = 0;
    for at in 0..10_000_u32 {
        let stream = 2 * at + 1;
        // The handler is at work when this is answered: pings are in order with the rest.
        let begun =
            [frame(HEADERS, END_STREAM | END_HEADERS, stream, &head("/never/")), frame(PING, 0, 0, &[0; 8])];
        if !peer.send(&begun.concat()) || !pong(&mut peer) || !peer.send(&reset(stream)) {
            break;
        }
        sent += 1;
    }
    assert!((150..1000).contains(&sent), "{sent}");
    ended_by(running, &["http2-resets"]);
}

/// Reads until the answer to a ping; `false`: the server has closed.
fn pong(peer: &mut Peer) -> bool {
    let mut head = [0; 9];
    loop {
        if peer.0.read_exact(&mut head).is_err() {
            return false;
        }
        let len = usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut body = vec![0; len];
        if peer.0.read_exact(&mut body).is_err() || head[3] == GOAWAY {
            return false;
        }
        if head[3] == PING {
            return true;
        }
    }
}

#[test]
fn a_head_without_end_is_cut() {
    let running = Running::new(limits());
    let mut peer = Peer::new(&running);
    assert!(peer.send(&frame(HEADERS, END_STREAM, 1, &head("/bytes/1"))));
    // A field that is new each time, and one frame for each.
    let field = [&[0x00, 0x01, b'x', 0x7f, 0x80, 0x01][..], &[b'y'; 255]].concat();
    let sent = peer.flood(|_| frame(CONTINUATION, 0, 1, &field), 100_000);
    assert!(sent < 4 << 20, "{sent}");
    ended_by(running, &["http2-flood", "http2-error"]);
}

#[test]
fn a_head_that_unpacks_to_megabytes_is_refused() {
    let running = Running::new(limits());
    let mut peer = Peer::new(&running);
    // One field of 4 KiB is put into the table, and meant a thousand times by a byte each.
    let mut bomb = head("/bytes/1");
    bomb.extend([0x40, 0x01, b'x', 0x7f, 0xc1, 0x1e]);
    bomb.extend([b'y'; 4032]);
    bomb.extend([0xbe; 8000]);
    assert!(peer.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb)));
    let mut all = Vec::new();
    assert!(peer.send(&frame(PING, 0, 0, &[1; 8])));
    let mut head = [0; 9];
    peer.0.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    while !all.ends_with(&[1; 8])
        && peer.0.read(&mut head).is_ok_and(|len| {
            all.extend_from_slice(&head[..len]);
            len > 0
        })
    {}
    // 431 by the static table's nearest: a literal status.
    assert!(all.windows(3).any(|three| three == b"431") || goodbye(&all).is_some(), "{all:?}");
    assert_eq!(running.connect().get("/bytes/1").text(), "x");
    assert!(running.end().routes[0].by_class[1] == 1);
}

#[test]
fn frames_that_bring_nothing_on_end_the_connection() {
    let ping = frame(PING, 0, 0, &[0; 8]);
    let settings = frame(SETTINGS, 0, 0, &[]);
    let window = frame(8, 0, 0, &1_u32.to_be_bytes());
    let priority = frame(2, 0, 1, &[0, 0, 0, 3, 1]);
    for one in [ping, settings, window, priority] {
        let running = Running::new(limits());
        let mut peer = Peer::new(&running);
        let sent = peer.flood(|_| one.repeat(100), 100_000);
        assert!(sent < 16 << 20, "{sent}");
        ended_by(running, &["http2-flood", "http2-error"]);
    }
}

#[test]
fn empty_pieces_of_a_body_end_the_connection() {
    let running = Running::new(limits());
    let mut peer = Peer::new(&running);
    assert!(peer.send(&frame(HEADERS, END_HEADERS, 1, &head("/never/"))));
    let sent = peer.flood(|_| frame(DATA, 0, 1, &[]).repeat(100), 100_000);
    assert!(sent < 16 << 20, "{sent}");
    ended_by(running, &["http2-flood", "http2-error"]);
}

#[test]
fn who_never_says_more_than_the_first_words_is_closed() {
    let running = Running::new(Limits { head_within: Duration::from_millis(500), ..limits() });
    let mut stream = TcpStream::connect(running.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&PREFACE[..10]).unwrap();
    let mut all = Vec::new();
    let _reset = stream.read_to_end(&mut all);
    // Neither version of HTTP was spoken; it is told so in the older.
    assert!(all.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&all));
    assert_eq!(running.end().open, 0);
}

#[test]
fn a_request_that_crosses_good_bye_on_its_way_is_answered() {
    let running = Running::new(Limits { idle_within: Duration::from_millis(600), ..limits() });
    let mut peer = Peer::new(&running);
    let mut seen = Vec::new();
    let mut until = |peer: &mut Peer, is_so: fn(&[u8]) -> bool| {
        let mut buffer = [0; 4096];
        while !is_so(&seen) {
            let len = peer.0.read(&mut buffer).unwrap();
            assert!(len > 0, "{seen:?}");
            seen.extend_from_slice(&buffer[..len]);
        }
    };
    // The server's ping is not answered: it cannot know whether we have heard.
    until(&mut peer, |seen| goodbye(seen).is_some());
    assert!(peer.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("/bytes/7"))));
    until(&mut peer, |seen| seen.ends_with(b"xxxxxxx"));
    assert_eq!(ended(running, "idle-closed").routes[0].by_class[1], 2);
}

#[test]
fn what_does_not_end_in_time_is_cut() {
    let running = Running::new(limits());
    let mut peer = Peer::new(&running);
    assert!(peer.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &head("/never/"))));
    assert!(peer.send(&frame(PING, 0, 0, &[0; 8])) && pong(&mut peer));
    let figures = running.end();
    assert_eq!(figures.events["cut-at-end"], 1);
    let mut rest = Vec::new();
    let _reset = peer.0.read_to_end(&mut rest);
}

#[test]
fn a_body_that_drips_is_given_up_and_the_connection_stays() {
    let limits = Limits { body_grace: Duration::from_millis(500), body_rate_min: 1000, ..limits() };
    let running = Running::new(limits);
    let mut peer = Peer::new(&running);
    assert!(peer.send(&frame(HEADERS, END_HEADERS, 1, &head("/echo/"))));
    assert!(peer.send(&frame(DATA, 0, 1, b"a")));
    let mut all = [0; 4096];
    let mut seen = Vec::new();
    while !seen.windows(3).any(|three| three == b"408") {
        let len = peer.0.read(&mut all).unwrap();
        assert!(len > 0, "{seen:?}");
        seen.extend_from_slice(&all[..len]);
    }
    assert!(peer.send(&frame(PING, 0, 0, &[0; 8])) && pong(&mut peer));
    ended(running, "body-late");
}
