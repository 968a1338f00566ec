//! The store is full, or its clients do not read.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use super::{greeted, memory_kb};
use crate::harness::{Instance, until};
use crate::hub_durability::{Wire, hub};

/// What the hub needs besides what its options allow, kB, debug build and allocator included.
const OWN_KB: u64 = 48 * 1024;

fn config(full: &str) -> String {
    format!(
        "[bus]\n[store]\nmemory = \"8MiB\"\nfull = \"{full}\"\ndurable = false\n[hub]\nstate = \"state\"\n"
    )
}

/// Writes 24 MB of values in 24,000 keys, each with a time to live if asked; how many were refused, and the last words.
fn overfill(wire: &mut Wire, expires: bool) -> (usize, String) {
    let value = vec![b'v'; 1000];
    let (mut refused, mut said) = (0, String::new());
    for batch in 0..240_u32 {
        for number in 0..100 {
            let key = format!("key:{:06}", batch * 100 + number);
            let seconds = format!("{}", 1000 + batch);
            if expires {
                wire.put(&[b"SET", key.as_bytes(), &value, b"EX", seconds.as_bytes()]);
            } else {
                wire.put(&[b"SET", key.as_bytes(), &value]);
            }
        }
        for _ in 0..100 {
            let line = wire.line();
            if line != "+OK" {
                refused += 1;
                said = line;
            }
        }
    }
    (refused, said)
}

fn used(wire: &mut Wire) -> u64 {
    let text = wire.info("memory");
    let line = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.unwrap().parse().unwrap()
}

#[track_caller]
fn assert_bounded(instance: &Instance, wire: &mut Wire) {
    let bytes = used(wire);
    // As in Redis the limit is looked at before a write, so that the last one may pass it.
    assert!(bytes <= (8 << 20) + 4096 && bytes > 6 << 20, "{bytes}");
    let kb = memory_kb(hub(instance), "Pss");
    assert!(kb < 2 * 8 * 1024 + OWN_KB, "{kb} kB");
}

#[test]
fn a_full_store_refuses_writes_that_need_memory_and_keeps_all_it_has() {
    let instance = Instance::up(&config("refuse"));
    let mut wire = Wire::new(&instance);
    let (refused, said) = overfill(&mut wire, false);
    assert!(refused > 12_000, "{refused}");
    assert_eq!(said, "-OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(wire.ask("EXISTS key:000000"), ":1");
    // As in Redis: a transaction with a write that is refused is not done by half.
    assert_eq!(wire.ask("MULTI"), "+OK");
    assert_eq!(wire.ask("DEL key:000000"), "+QUEUED");
    assert_eq!(wire.ask("INCR counter"), "+QUEUED");
    let said = wire.ask("EXEC");
    assert!(said.starts_with("-EXECABORT") && said.contains("OOM"), "{said}");
    assert_eq!(wire.ask("EXISTS key:000000"), ":1");
    assert_bounded(&instance, &mut wire);
    let keys: usize = wire.ask("DBSIZE")[1..].parse().unwrap();
    assert!(keys >= 24_000 - refused - 1, "{keys} of {}", 24_000 - refused);
    instance.end();
}

#[test]
fn a_full_store_forgets_what_was_not_used_for_long_where_that_is_wanted() {
    let instance = Instance::up(&config("least-recently-used"));
    let mut wire = Wire::new(&instance);
    let (refused, said) = overfill(&mut wire, false);
    assert_eq!(refused, 0, "{said}");
    assert_eq!(wire.ask("EXISTS key:023999"), ":1");
    let old: usize = (0..100).filter(|number| wire.ask(&format!("EXISTS key:{number:06}")) == ":1").count();
    assert!(old < 10, "{old} of the first hundred are still there");
    assert_bounded(&instance, &mut wire);
    instance.end();
}

#[test]
fn a_full_store_forgets_what_ends_soonest_where_that_is_wanted() {
    let instance = Instance::up(&config("soonest-expiry"));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET forever 1"), "+OK");
    let (refused, said) = overfill(&mut wire, true);
    assert_eq!(refused, 0, "{said}");
    assert_eq!(wire.ask("EXISTS forever key:023999"), ":2");
    assert_eq!(wire.ask("EXISTS key:000000 key:000001"), ":0");
    assert_bounded(&instance, &mut wire);
    instance.end();
}

#[test]
fn replies_that_a_client_does_not_read_stop_its_commands_and_nobody_elses() {
    let instance = Instance::up(&config("refuse"));
    let mut other = Wire::new(&instance);
    other.put(&[b"SET", b"big", &vec![b'v'; 1 << 20]]);
    other.expect("+OK\r\n");
    let before = memory_kb(hub(&instance), "Pss");
    // Two gigabytes of replies, asked for by clients that read none of them; one of them is a subscriber, too.
    let mut greedy = Vec::new();
    for number in 0..4 {
        let mut wire = Wire::new(&instance);
        if number == 0 {
            wire.send(b"HELLO 3\r\nSUBSCRIBE news\r\n");
        }
        // In one piece: the kernel has room for few small ones, and nobody may be reading any more.
        wire.send(&b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n".repeat(500));
        greedy.push(wire);
    }
    for _ in 0..50 {
        assert_eq!(other.ask("PING"), "+PONG");
    }
    let after = memory_kb(hub(&instance), "Pss");
    // A reply more than the limit each, and what the kernel's buffers make of the hub's.
    assert!(after < before + 4 * 8 * 1024, "{before} kB before, {after} kB now");
    for wire in &mut greedy[1..] {
        for _ in 0..500 {
            assert_eq!(wire.skip_text(), 1 << 20);
        }
    }
    instance.end();
}

#[test]
fn a_subscriber_that_does_not_read_is_cut_off_and_the_rest_is_served() {
    let instance = Instance::up(&config("refuse"));
    let (mut slow, mut other) = (Wire::new(&instance), Wire::new(&instance));
    slow.send(b"SUBSCRIBE news\r\n");
    slow.expect("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    let message = vec![b'm'; 1 << 20];
    let mut heard = 0;
    for _ in 0..80 {
        other.put(&[b"PUBLISH", b"news", &message]);
        heard += usize::from(other.line() == ":1");
    }
    assert!((30..60).contains(&heard), "it was heard {heard} times");
    assert_eq!(other.ask("PUBLISH news last"), ":0");
    let peak = memory_kb(hub(&instance), "Pss");
    assert!(peak < 64 * 1024 + OWN_KB, "{peak} kB");
    instance.end();
}

#[test]
fn halves_of_messages_are_bounded_over_all_peers_together_and_the_longest_is_cut_off() {
    const HEAD: usize = 9;
    let (longest, half) = (64 << 20, 60 << 20);
    let instance = Instance::up(&config("refuse"));
    let bytes = vec![b'x'; longest];
    let begin = |count: usize| {
        let mut stream = greeted(&instance, "PUSH");
        stream.write_all(&[2]).unwrap();
        stream.write_all(&u64::try_from(longest).unwrap().to_be_bytes()).unwrap();
        stream.write_all(&bytes[..count]).unwrap();
        stream
    };
    let has = |name: &str, number: usize| {
        let line = format!("\nremuda_hub_{name} {number}\n");
        instance.remuda(&["metrics"]).done().out.contains(&line)
    };
    // Four of the longest are let in.
    let mut peers: Vec<UnixStream> = (0..4).map(|_| begin(half)).collect();
    until("four halves", || has("half_message_bytes", 4 * (half + HEAD)));
    assert!(has("half_messages_cut_total", 0));
    let mut fifth = begin(half / 3);
    until("one to be cut off", || has("half_messages_cut_total", 1));
    let kb = memory_kb(hub(&instance), "Pss");
    assert!(kb < 256 * 1024 + OWN_KB, "{kb} kB");
    let is_cut = |peer: &mut UnixStream| {
        peer.set_nonblocking(true).unwrap();
        !matches!(peer.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    assert_eq!(peers.iter_mut().map(is_cut).filter(|is_cut| *is_cut).count(), 1);
    instance.wait_line("cut off in the middle of a message");
    fifth.write_all(&bytes[half / 3..]).unwrap();
    until("the fifth to be whole", || has("half_message_bytes", 3 * (half + HEAD)));
    drop(peers);
    until("none", || has("half_message_bytes", 0));
    assert!(has("half_messages_cut_total", 1));
    instance.end();
}
