//! What it costs a server to catch up: bytes, messages, time, and memory for each key.
//!
//! `cargo run --release -p remuda-herd --example catch_up [keys] [changed]`: two servers have a million keys; one is away
//! while a thousand of them change, and comes back: to a peer that goes on, to one that was restarted, and, knowing
//! nothing of recent changes, by comparing trees. Values are made when they are asked for, so that what the replica keeps
//! is what is measured. There is no network: the time is that of the two machines.

#![allow(clippy::print_stdout, reason = "an example says what it measured")]

use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use remuda_herd::replica::{
    Body, Collection, Input, Message, Now, Order, Replica, ReplicaOptions, Scope, Scopes, Shape, Shelf,
    Stamp, Touch,
};
use remuda_herd::{Epoch, NodeId};

/// Keys `user:00000000` and on, each with a value made of its number and its version.
struct Made {
    versions: Vec<u32>,
    value_bytes: usize,
}

impl Made {
    fn number(&self, key: &[u8]) -> Option<usize> {
        let number: usize = std::str::from_utf8(key.strip_prefix(b"user:session:")?).ok()?.parse().ok()?;
        (number < self.versions.len()).then_some(number)
    }
}

impl Shelf for Made {
    fn shape(&self, _: u32, key: &[u8]) -> Option<Shape> {
        self.number(key).filter(|&number| self.versions[number] > 0).map(|_| Shape::Whole)
    }

    fn body(&self, _: u32, key: &[u8]) -> Option<Body> {
        let number = self.number(key)?;
        let mut value = BytesMut::with_capacity(self.value_bytes);
        value.put_u32_le(self.versions[number]);
        value.resize(self.value_bytes, b'v');
        Some(Body::Text(value.freeze()))
    }

    fn put(&mut self, _: NodeId, _: u32, key: &[u8], body: &Body, _: Option<u64>) -> bool {
        let (Body::Text(value) | Body::Packed(value)) = body;
        if let (Some(number), Some(version)) = (self.number(key), value.first_chunk()) {
            self.versions[number] = u32::from_le_bytes(*version);
        }
        true
    }

    fn delete(&mut self, _: NodeId, _: u32, key: &[u8]) {
        if let Some(number) = self.number(key) {
            self.versions[number] = 0;
        }
    }

    fn expiry_ms(&self, _: u32, _: &[u8]) -> Option<u64> {
        None
    }

    fn fix_expiry(&mut self, _: u32, _: &[u8]) -> Option<u64> {
        None
    }

    fn element(&self, _: u32, _: &[u8], _: &[u8]) -> Option<Bytes> {
        None
    }

    fn each_element(&self, _: u32, _: &[u8], _: &mut dyn FnMut(&[u8])) {}

    fn each_key(&self, _: u32, _: &mut dyn FnMut(&[u8])) {}

    fn has_room(&mut self) -> bool {
        true
    }

    fn set_element(&mut self, _: NodeId, _: u32, _: &[u8], _: Collection, _: &[u8], _: &[u8]) {}

    fn remove_element(&mut self, _: NodeId, _: u32, _: &[u8], _: &[u8]) {}

    fn set_expiry(&mut self, _: NodeId, _: u32, _: &[u8], _: Option<u64>) {}
}

struct Server {
    replica: Replica,
    made: Made,
}

#[derive(Default)]
struct Cost {
    bytes: usize,
    messages: usize,
}

fn key(number: usize) -> String {
    format!("user:session:{number:07}")
}

fn now(ms: u64) -> Now {
    Now { tick_ms: ms, wall_ms: 1_760_000_000_000 + ms }
}

fn replica(id: u64, epoch: u64, ms: u64) -> Replica {
    let scopes = Scopes::new([], Scope::Herd);
    let options = ReplicaOptions::default();
    Replica::new(NodeId(id), Epoch(epoch), now(ms), Stamp::ZERO, scopes, options, id)
}

fn write(server: &mut Server, number: usize, ms: u64, orders: &mut Vec<Order>) {
    server.made.versions[number] += 1;
    let key = key(number);
    let input = Input::Local { database: 0, key: key.as_bytes(), touch: Touch::Whole };
    server.replica.step(now(ms), input, &mut server.made, orders);
}

/// Has `to` pull from `from` until it has all.
fn pull(from: &mut Server, to: &mut Server, begin: Input<'_>, ms: u64) -> Cost {
    let mut cost = Cost::default();
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    to.replica.step(now(ms), begin, &mut to.made, &mut asked);
    loop {
        let questions = messages(&mut asked, &mut cost);
        if questions.is_empty() && !from.replica.owes(NodeId(2)) {
            return cost;
        }
        for question in questions {
            from.replica.step(now(ms), Input::Message(NodeId(2), question), &mut from.made, &mut answered);
        }
        from.replica.step(now(ms), Input::Room(NodeId(2), 1 << 20), &mut from.made, &mut answered);
        for answer in messages(&mut answered, &mut cost) {
            to.replica.step(now(ms), Input::Message(NodeId(1), answer), &mut to.made, &mut asked);
        }
    }
}

fn messages(orders: &mut Vec<Order>, cost: &mut Cost) -> Vec<Message> {
    let messages: Vec<Message> = orders
        .drain(..)
        .filter_map(|order| if let Order::Send(_, message) = order { Some(message) } else { None })
        .collect();
    cost.messages += messages.len();
    cost.bytes += messages.iter().map(Message::size_bytes).sum::<usize>();
    messages
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

fn measure(keys: usize, changed: usize, value_bytes: usize) {
    let made = || Made { versions: vec![0; keys], value_bytes };
    let mut first = Server { replica: replica(1, 1, 0), made: made() };
    let mut second = Server { replica: replica(2, 1, 0), made: made() };
    let (mut orders, mut ms, mut spread_bytes) = (Vec::new(), 1, 0);
    let before = resident_bytes();
    let began = Instant::now();
    for number in 0..keys {
        ms += u64::from(number % 100 == 0);
        write(&mut first, number, ms, &mut orders);
        for order in orders.drain(..) {
            if let Order::Spread(change) = order {
                spread_bytes += change.len();
                second.replica.step(now(ms), Input::Change(change), &mut second.made, &mut Vec::new());
            }
        }
    }
    let loaded = began.elapsed();
    let taken = resident_bytes().saturating_sub(before) / 2;
    assert_eq!(first.replica.digest(), second.replica.digest(), "both have all");
    println!(
        "{keys} keys of 20 bytes, values of {value_bytes}: {} bytes a change, {:.2} µs to make and take in, \
         {} bytes of metadata a key ({} counted)",
        spread_bytes / keys,
        loaded.as_secs_f64() * 1e6 / keys as f64,
        taken / keys,
        first.replica.view().memory_bytes / keys,
    );
    catch_up(first, second, changed, ms);
}

fn catch_up(mut first: Server, mut second: Server, changed: usize, mut ms: u64) {
    let (keys, value_bytes) = (first.made.versions.len(), first.made.value_bytes);
    let mut orders = Vec::new();
    // The first catch-up makes the two acquainted, as they are when both are up.
    pull(&mut first, &mut second, Input::LinkUp(NodeId(1)), ms);
    let mut notes = Vec::new();
    first.replica.export(&mut |note| notes.push(note));
    for (way, index) in [("a peer that goes on", 0), ("a restarted peer", 1), ("by trees", 2)] {
        ms += 1_000;
        second.replica.step(now(ms), Input::LinkDown(NodeId(1)), &mut second.made, &mut Vec::new());
        for change in 0..changed {
            let number = (change * 7_919 + index * 31) % keys;
            write(&mut first, number, ms, &mut orders);
            notes.extend(
                orders
                    .drain(..)
                    .filter_map(|order| if let Order::Note(note) = order { Some(note) } else { None }),
            );
        }
        if index == 1 {
            let began = Instant::now();
            first.replica = replica(1, 2, ms);
            for note in &notes {
                first.replica.restore(now(ms), note).expect("notes can be read");
            }
            println!("  read from {} notes in {:.2?}", notes.len(), began.elapsed());
        }
        let began = Instant::now();
        let begin = if index == 2 {
            ms += 120_000;
            second.replica.step(now(ms), Input::LinkUp(NodeId(1)), &mut second.made, &mut Vec::new());
            second.replica.step(now(ms), Input::LinkDown(NodeId(1)), &mut second.made, &mut Vec::new());
            Input::Compare(NodeId(1))
        } else {
            Input::LinkUp(NodeId(1))
        };
        let cost = pull(&mut first, &mut second, begin, ms);
        let took = began.elapsed();
        assert_eq!(first.made.versions, second.made.versions, "nothing is missing");
        println!(
            "  {way}: {} bytes in {} messages, {:.2} × the {} bytes changed, {took:.2?}",
            cost.bytes,
            cost.messages,
            cost.bytes as f64 / (changed * value_bytes) as f64,
            changed * value_bytes,
        );
    }
}

fn main() {
    let mut args = std::env::args().skip(1).filter_map(|arg| arg.parse::<usize>().ok());
    let (keys, changed) = (args.next().unwrap_or(1_000_000), args.next().unwrap_or(1_000));
    measure(keys, changed, 100);
    measure(keys, changed, 1024);
}
