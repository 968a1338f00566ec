//! What finding the messages in a publisher's bytes costs: nanoseconds for each message, of one frame and of two.
//!
//! Whole batches as a busy connection gives them, of short stretches the fastest tenth and the half: on a machine that
//! does other things too, the first is what it costs and the second what it was made to wait.
//!
//! `cargo run --release -p remuda-wire --example throughput`
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use remuda_wire::zmtp::{AcceptOptions, ConnectOptions, Connection, Event, SocketType, encode_message};

/// Bytes of a batch: what two reads of a busy socket give.
const BATCH_BYTES: usize = 256 << 10;
const MEASURED: Duration = Duration::from_millis(300);

fn main() -> Result<(), Box<dyn Error>> {
    let topic: &[u8] = b"weather.berlin";
    println!("ns per message                fastest tenth     half");
    for (name, payload) in [("8 B", 8), ("85 B", 85), ("1,000 B", 1_000)] {
        let body = vec![b'x'; payload];
        let joined = [topic, b" ", &body].concat();
        measure(&format!("one frame, {name}"), &[&joined])?;
        measure(&format!("two frames, {name}"), &[topic, &body])?;
    }
    measure("three frames, 8 B", &[topic, b"12345678", b"12345678"])
}

fn measure(name: &str, parts: &[&[u8]]) -> Result<(), Box<dyn Error>> {
    let mut connection = ready()?;
    let mut one = BytesMut::new();
    encode_message(parts, &mut one);
    let count = BATCH_BYTES / one.len();
    let batch = one.repeat(count);
    let mut stretches = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < MEASURED {
        let mut input = BytesMut::from(&batch[..]);
        let mut found = 0;
        let start = Instant::now();
        while let Some(event) = connection.read(&mut input)? {
            if let Event::Messages(batch) = &event {
                found += black_box(batch).messages.len();
            }
        }
        let spent = start.elapsed();
        assert_eq!(found, count, "every message is found");
        stretches.push(spent);
    }
    stretches.sort_unstable();
    let nanoseconds = |spent: Duration| spent.as_secs_f64() * 1e9 / count as f64;
    let (tenth, half) = (stretches[stretches.len() / 10], stretches[stretches.len() / 2]);
    println!("{name:<30} {:>12.2} {:>8.2}", nanoseconds(tenth), nanoseconds(half));
    Ok(())
}

/// A connection with a publisher at the other end, hands shaken.
fn ready() -> Result<Connection, Box<dyn Error>> {
    let mut server = Connection::accept(Arc::new(AcceptOptions::default()));
    let mut client = Connection::connect(Arc::new(ConnectOptions::new(SocketType::Push)));
    let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
    loop {
        to_server.unsplit(client.output().split());
        to_client.unsplit(server.output().split());
        if let Some(Event::Ready(_)) = server.read(&mut to_server)? {
            return Ok(server);
        }
        client.read(&mut to_client)?;
    }
}
