//! What one command costs the store alone: nanoseconds for each GET, SET and INCR over 100,000 keys, with changes and
//! effects taken after each as the hub does. Of short stretches, the fastest tenth and the half: on a machine that does
//! other things too, the first is what the command costs and the second what it was made to wait.
//!
//! `cargo run --release -p remuda-store --example throughput`
#![allow(clippy::print_stdout, reason = "it measures, and says what it measured")]

use std::hint::black_box;
use std::time::Instant;

use remuda_model::Tick;
use remuda_store::{ClientId, Mode, Moment, Outcome, Store, StoreOptions, Unread};

/// As many keys as a processor's cache holds, and more than that.
const KEYS: [usize; 2] = [1_000, 100_000];
const COMMANDS: usize = 1_000_000;
/// Commands measured at once: shorter than the time a kernel gives to another process.
const STRETCH: usize = 2_000;

fn main() {
    for len in KEYS {
        println!("{len} keys");
        measure(len);
    }
}

fn measure(len: usize) {
    // A full-period walk through the keys without an order the processor could foresee.
    let order: Vec<usize> = (0..COMMANDS).map(|index| index.wrapping_mul(2_654_435_761) % len).collect();
    let mut store = Store::new(StoreOptions { seed: 7, ..StoreOptions::default() });
    for (name, command) in [
        ("SET", &[&b"SET"[..], b"", b"a value of sixteen"][..]),
        ("GET", &[b"GET", b""]),
        ("SET EX", &[b"SET", b"", b"a value of sixteen", b"EX", b"1000"]),
        ("SET", &[b"SET", b"", b"a value of sixteen"]),
        ("SET n", &[b"SET", b"", b"12345"]),
        ("INCR", &[b"INCR", b""]),
        ("GET n", &[b"GET", b""]),
    ] {
        let mut stretches: Vec<f64> =
            order.chunks(STRETCH).map(|keys_of| run(&mut store, keys_of, command)).collect();
        stretches.sort_by(f64::total_cmp);
        let (tenth, half) = (stretches[stretches.len() / 10], stretches[stretches.len() / 2]);
        println!("{name:8} {tenth:6.1} ns   {half:6.1} ns");
    }
    println!("memory   {:6.1} bytes a key", store.used_bytes() as f64 / len as f64);
}

/// Runs the command on every key of `order`. Returns nanoseconds for each.
fn run(store: &mut Store, order: &[usize], command: &[&[u8]]) -> f64 {
    let mut sink = Unread::default();
    let mut name = *b"key:000000000000";
    let (mut changes, mut logged) = (0usize, 0usize);
    let begin = Instant::now();
    for (tick, &key) in (0u64..).zip(order) {
        // Spelled where it lies, as a key is hot in the buffer it was received in.
        spell(&mut name, key);
        let mut args = [command[0]; 5];
        args[..command.len()].copy_from_slice(command);
        args[1] = &name;
        let args = &args[..command.len()];
        let moment = Moment { tick: Tick(tick >> 10), wall_ms: 1_700_000_000_000 + (tick >> 10) };
        let outcome = store.execute(moment, ClientId(1), 0, args, Mode::Normal, &mut sink);
        store.take_changes(&mut |change| changes += change.key.map_or(0, <[u8]>::len));
        store.drain_effects(&mut |_, command| logged += command.len());
        logged += usize::from(outcome == Outcome::Done { verbatim: true });
        assert!(store.next_ready().is_none());
    }
    assert_eq!(sink.error, None);
    black_box((changes, logged));
    begin.elapsed().as_secs_f64() * 1e9 / order.len() as f64
}

/// Writes the number of a key into its name.
fn spell(name: &mut [u8], mut number: usize) {
    for digit in name.iter_mut().rev().take(6) {
        *digit = b"0123456789"[number % 10];
        number /= 10;
    }
}
