//! Thousands of Socket.IO clients on one thread, and what an emit to all of them takes.
//!
//! `remuda-emit PLAN` takes a [`Plan`] as JSON and prints one line of JSON. Clients are raw WebSockets, because a client
//! library would cost more for each event than the servers do: they join the main namespace, answer pings, and count
//! events named `news`. An emit is triggered as the server's own users would: by a request, or by a message on its bus.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool reports to its caller")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use remuda_sys::event::{Interest, Poller, Token};
use serde::Deserialize;
use serde_json::json;

/// Longest wait for anything; a server that does not answer for so long fails the run.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is measured.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// `HOST:PORT` of the server.
    address: String,
    /// Clients.
    clients: usize,
    /// Emits, one after the other.
    emits: usize,
    /// Emits for saturation.
    saturating_emits: usize,
    /// Emits under way at once for saturation.
    in_flight: usize,
    /// `HOST:PORT` that triggers, and the bytes that do.
    trigger_address: String,
    greeting: String,
    trigger: String,
    /// Processes of the server.
    pids: Vec<u32>,
}

struct Client {
    stream: TcpStream,
    carry: Vec<u8>,
    events: usize,
}

fn main() -> ExitCode {
    let Some(text) = std::env::args().nth(1) else {
        eprintln!("usage: remuda-emit PLAN (a JSON object)");
        return ExitCode::from(2);
    };
    match run(&text) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("remuda-emit: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(text: &str) -> io::Result<serde_json::Value> {
    let plan: Plan = serde_json::from_str(text)?;
    // Where the limit stays too low, the connection that does not fit says so.
    let _ = remuda_sys::limits::raise_nofile();
    let before = memory_kib(&plan.pids);
    let began = Instant::now();
    let mut clients = Vec::with_capacity(plan.clients);
    for _ in 0..plan.clients {
        clients.push(connect(&plan.address)?);
    }
    let connected_s = began.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_millis(300));
    let idle = memory_kib(&plan.pids);
    let poller = Poller::new().map_err(io::Error::other)?;
    for (index, client) in clients.iter().enumerate() {
        client.stream.set_nonblocking(true)?;
        poller.add(&client.stream, Token(index as u64), Interest::Read).map_err(io::Error::other)?;
    }
    let mut trigger = TcpStream::connect(&plan.trigger_address)?;
    trigger.set_nodelay(true)?;
    trigger.write_all(plan.greeting.as_bytes())?;
    let mut stage = Stage { plan: &plan, clients, poller, trigger, triggered: 0, heard: Vec::new() };
    // The first makes the server ready for the others.
    stage.emits(3, 1)?;
    let cpu = cpu_ns(&plan.pids);
    let times = stage.emits(plan.emits, 1)?;
    let emit_cpu = cpu_ns(&plan.pids) - cpu;
    let (cpu, began) = (cpu_ns(&plan.pids), Instant::now());
    stage.emits(plan.saturating_emits, plan.in_flight)?;
    let (seconds, saturating_cpu) = (began.elapsed().as_secs_f64(), cpu_ns(&plan.pids) - cpu);
    let deliveries = |emits: usize| (emits * plan.clients).max(1) as f64;
    Ok(json!({
        "clients": plan.clients, "connect_s": connected_s, "times_ms": times,
        "cpu_us_per_delivery": emit_cpu as f64 / 1e3 / deliveries(plan.emits),
        "saturated_per_s": deliveries(plan.saturating_emits) / seconds,
        "saturated_cpu_us_per_delivery": saturating_cpu as f64 / 1e3 / deliveries(plan.saturating_emits),
        "kib_before": before, "kib_idle": idle, "kib_after": memory_kib(&plan.pids),
    }))
}

fn connect(address: &str) -> io::Result<Client> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )?;
    let mut came = Vec::new();
    // Both may come in one piece, or in several.
    until(&mut stream, &mut came, b"\"sid\"")?;
    stream.write_all(&masked(b"40"))?;
    came.clear();
    until(&mut stream, &mut came, b"40{\"sid\"")?;
    Ok(Client { stream, carry: Vec::new(), events: 0 })
}

fn until(stream: &mut TcpStream, came: &mut Vec<u8>, end: &[u8]) -> io::Result<()> {
    let mut piece = [0; 2048];
    while !came.windows(end.len()).any(|window| window == end) || !came.ends_with(b"}") {
        let len = stream.read(&mut piece)?;
        if len == 0 {
            return Err(io::Error::other(format!("closed after {}", String::from_utf8_lossy(came))));
        }
        came.extend_from_slice(&piece[..len]);
    }
    Ok(())
}

/// A short text as a client's frame; a mask of zeros changes nothing.
fn masked(text: &[u8]) -> Vec<u8> {
    let len = u8::try_from(text.len()).expect("it is short");
    [&[0x81, 0x80 | len, 0, 0, 0, 0], text].concat()
}

struct Stage<'a> {
    plan: &'a Plan,
    clients: Vec<Client>,
    poller: Poller,
    trigger: TcpStream,
    /// Emits that were ever triggered.
    triggered: usize,
    /// For each emit, how many clients have had it.
    heard: Vec<usize>,
}

impl Stage<'_> {
    /// Does `count` emits, `in_flight` at once; for each, milliseconds from its trigger until the last client had it.
    fn emits(&mut self, count: usize, in_flight: usize) -> io::Result<Vec<f64>> {
        let first = self.triggered;
        let mut began = Vec::with_capacity(count);
        let mut times = Vec::with_capacity(count);
        let mut done = first;
        while done < first + count {
            while self.triggered < first + count && self.triggered - done < in_flight {
                self.trigger.write_all(self.plan.trigger.as_bytes())?;
                began.push(Instant::now());
                self.triggered += 1;
                self.heard.push(0);
            }
            self.turn()?;
            while done < self.triggered && self.heard[done] >= self.clients.len() {
                times.push(began[done - first].elapsed().as_secs_f64() * 1e3);
                done += 1;
            }
        }
        // Answers to the triggers are of no interest, but must not fill the way.
        self.trigger.set_nonblocking(true)?;
        let mut rest = [0; 4096];
        while matches!(self.trigger.read(&mut rest), Ok(1..)) {}
        self.trigger.set_nonblocking(false)?;
        Ok(times)
    }

    fn turn(&mut self) -> io::Result<()> {
        let ready = self.poller.wait(Some(PATIENCE)).map_err(io::Error::other)?;
        let tokens: Vec<usize> =
            ready.map(|news| usize::try_from(news.token.0).expect("it was an index")).collect();
        if tokens.is_empty() {
            return Err(io::Error::other("events did not come"));
        }
        let mut buffer = [0; 16 << 10];
        for token in tokens {
            let client = &mut self.clients[token];
            match client.stream.read(&mut buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a client")),
                Ok(len) => client.take(&buffer[..len], &mut self.heard)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Client {
    fn take(&mut self, bytes: &[u8], heard: &mut [usize]) -> io::Result<()> {
        self.carry.extend_from_slice(bytes);
        let mut rest = self.carry.as_slice();
        let mut pongs = 0;
        while let [_, len, ..] = rest {
            let (head, len) = match (usize::from(*len), rest) {
                (126, [_, _, high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
                (126.., _) => break,
                (len, _) => (2, len),
            };
            let Some(frame) = rest.get(head..head + len) else { break };
            if frame == b"2" {
                pongs += 1;
            } else if frame.starts_with(b"42[\"news\"") {
                heard[self.events] += 1;
                self.events += 1;
            }
            rest = &rest[head + len..];
        }
        let left = rest.len();
        self.carry.drain(..self.carry.len() - left);
        for _ in 0..pongs {
            self.stream.write_all(&masked(b"3"))?;
        }
        Ok(())
    }
}

fn cpu_ns(pids: &[u32]) -> u64 {
    let of = |pid: &u32| {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let of = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_ascii_whitespace().next()?.parse::<u64>().ok()
        });
        of.sum::<u64>()
    };
    pids.iter().map(of).sum()
}

fn memory_kib(pids: &[u32]) -> Vec<u64> {
    let of = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    pids.iter().map(of).collect()
}
