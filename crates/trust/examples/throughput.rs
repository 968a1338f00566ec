//! How fast one session is on one core: both ends in one thread, joined by memory.
//!
//! `cargo run --release -p remuda-trust --example throughput` prints, for several sizes of frames, how much goes through
//! encryption, framing and decryption in one second of a core's time, as the kernel counts it for this process; the work
//! of both ends is counted. The compressed text is one line again and again: the best that compression can do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::sync::Arc;
use std::time::Duration;

use remuda_herd::{Epoch, NodeId};
use remuda_trust::session::{Event, Hello, SendError, SessionOptions, Versions};
use remuda_trust::{
    Authority, Endpoint, Identity, NodeIdentity, Session, Subject, Trust, UnixTime, system_clock,
};

/// Each measurement lasts so long.
const LASTING: Duration = Duration::from_secs(2);
/// Bytes that are queued before they are carried over.
const BATCH_BYTES: usize = 256 << 10;

fn main() {
    println!("{:>10} {:>12} {:>14} {:>10}", "frame B", "frames/s", "payload MB/s", "wire/payload");
    for (size, text) in [(100, false), (1_000, false), (16_000, false), (1_000_000, false), (16_000, true)] {
        let (frames, seconds, ratio) = measure(size, text);
        let rate = frames / seconds;
        let size_f = f64::from(size);
        let note = if text { "  (text, compressed)" } else { "" };
        println!("{size:>10} {rate:>12.0} {:>14.1} {ratio:>10.3}{note}", rate * size_f / 1e6);
    }
    let began = processor_time();
    let endpoints = endpoints();
    let mut count = 0;
    let set_up = processor_time() - began;
    let began = processor_time();
    while (processor_time() - began) < LASTING {
        drop(pair(&endpoints, None));
        count += 1;
    }
    let each = (processor_time() - began) / count;
    println!("a handshake with both certificates: {each:?} of one core; endpoints of two nodes: {set_up:?}");
}

/// What this process has had of a core: the first number of `schedstat`, in nanoseconds (`man 5 proc`).
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

fn hello(id: u64) -> Hello {
    Hello {
        versions: Versions { lowest: 1, highest: 1 },
        herd: "bench".parse().unwrap(),
        node: NodeId(id),
        name: format!("n{id}").parse().unwrap(),
        epoch: Epoch(1),
        features: 0,
        clock_ms: 0,
    }
}

fn endpoints() -> [Arc<Endpoint>; 2] {
    let herd: remuda_model::HerdName = "bench".parse().unwrap();
    let authority = Authority::create(&herd, UnixTime::now()).unwrap();
    [1, 2].map(|id| {
        let name = format!("n{id}").parse().unwrap();
        let node = NodeIdentity { herd: herd.clone(), id: NodeId(id), name, is_signer: false };
        let subject = Subject { identity: Identity::Node(node), life: Duration::from_secs(3600) };
        let credentials = authority.make(&subject, UnixTime::now()).unwrap();
        let trust = Trust::new(herd.clone(), vec![authority.certificate().clone()]).unwrap();
        Arc::new(Endpoint::new(Arc::new(credentials), Arc::new(trust), system_clock()).unwrap())
    })
}

fn pair([one, two]: &[Arc<Endpoint>; 2], compress_from: Option<usize>) -> (Session, Session) {
    let options = SessionOptions { compress_from, ..SessionOptions::default() };
    let mut client = Session::connect(one, None, Some(hello(1)), options, Duration::ZERO).unwrap();
    let mut server = Session::accept(Arc::clone(two), hello(2), options, Duration::ZERO);
    for _ in 0..4 {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    assert!(client.peer().is_some() && server.peer().is_some());
    (client, server)
}

/// Carries what waits from one to the other; how many frames came out, and how many bytes went over.
fn carry(from: &mut Session, to: &mut Session) -> (u32, usize) {
    let mut wire = Vec::with_capacity(BATCH_BYTES * 2);
    from.write_to(&mut wire).unwrap();
    let (mut rest, mut frames) = (wire.as_slice(), 0);
    while !rest.is_empty() {
        let taken = to.feed(&rest[..rest.len().min(64 << 10)]).unwrap();
        rest = &rest[taken..];
        while let Some(event) = to.next_event().unwrap() {
            frames += u32::from(matches!(event, Event::Frame(_)));
        }
    }
    (frames, wire.len())
}

fn measure(size: u32, text: bool) -> (f64, f64, f64) {
    let (mut client, mut server) = pair(&endpoints(), text.then_some(1024));
    let length = usize::try_from(size).unwrap();
    let line = b"{\"topic\":\"whereabouts\",\"server\":\"blake\",\"skew\":\"+0.263873386\"},";
    let payload: Vec<u8> = line.iter().copied().cycle().take(length).collect();
    let (mut frames, mut sent, mut bytes) = (0_u32, 0_usize, 0_usize);
    let began = processor_time();
    while (processor_time() - began) < LASTING {
        let mut queued = 0;
        while queued < BATCH_BYTES {
            match client.send(1, &payload) {
                Ok(()) => queued += length,
                Err(SendError::Full) => break,
                Err(error) => panic!("{error}"),
            }
        }
        sent += queued;
        let (came, carried) = carry(&mut client, &mut server);
        frames += came;
        bytes += carried;
    }
    let ratio =
        f64::from(u32::try_from(bytes / 1024).unwrap()) / f64::from(u32::try_from(sent / 1024).unwrap());
    (f64::from(frames), (processor_time() - began).as_secs_f64(), ratio)
}
