//! Five who want one lock, stopped for longer than their leases last, over crashes and reloads of the hub: a register that
//! refuses old fences takes no write that comes late, no two have the same fence, and it goes on.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::HUB;
use crate::harness::{Instance, PATIENCE, process, until};
use crate::hub_durability::kill_hub;

const CONTENDERS: u64 = 5;
const TTL_MS: u64 = 600;
/// Writes that have to be taken before the next disturbance.
pub(crate) const STEP: usize = 10;
/// Sent to the register: the fence, and whose write it is.
const WRITES: &str = "exec 3<>/dev/tcp/127.0.0.1/$PORT; for i in 1 2 3; do echo $REMUDA_FENCE $$ >&3; read -r said <&3; sleep 0.02; done";

#[derive(Debug, Default)]
pub(crate) struct Register {
    highest: u64,
    /// Fences of the writes that were taken, in their order.
    pub(crate) taken: Vec<u64>,
    pub(crate) refused: usize,
    /// Whose each fence was.
    pub(crate) whose: BTreeMap<u64, String>,
}

impl Register {
    /// A write: whether it is taken.
    fn write(&mut self, fence: u64, who: &str) -> bool {
        let owner = self.whose.entry(fence).or_insert_with(|| who.to_owned());
        assert_eq!(owner, who, "two have the fence {fence}");
        if fence < self.highest {
            self.refused += 1;
            return false;
        }
        self.highest = fence;
        self.taken.push(fence);
        true
    }
}

/// A register that serves on a port.
pub(crate) fn open_register() -> (Arc<Mutex<Register>>, u16) {
    let register = Arc::new(Mutex::new(Register::default()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = Arc::clone(&register);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let behind = Arc::clone(&behind);
            std::thread::spawn(move || serve(stream, &behind));
        }
    });
    (register, port)
}

fn serve(stream: TcpStream, register: &Mutex<Register>) {
    let mut answers = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let (fence, who) = line.split_once(' ').unwrap();
        let is_taken = register.lock().unwrap().write(fence.parse().unwrap(), who);
        let answer: &[u8] = if is_taken { b"taken\n" } else { b"refused\n" };
        if answers.write_all(answer).is_err() {
            return;
        }
    }
}

/// Numbers that look random, and are the same in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Asks for the lock again and again, and is stopped now and then for up to three leases.
pub(crate) fn contend(instance: &Instance, port: u16, seed: u64, is_over: &AtomicBool) {
    let mut state = seed;
    let ttl = format!("{TTL_MS}ms");
    while !is_over.load(Ordering::Relaxed) {
        let mut command =
            instance.command(&["lock", "it", "--ttl", &ttl, "--wait", "2s", "--", "bash", "-c", WRITES]);
        command.env("PORT", port.to_string()).process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let group = Pid::from_child(&child);
        if next(&mut state).is_multiple_of(3) {
            // It is stopped at a moment of chance, and for a time of chance: a holder that sleeps is what fences are for.
            std::thread::sleep(Duration::from_millis(next(&mut state) % 150));
            let _ = kill_process_group(group, Signal::STOP);
            std::thread::sleep(Duration::from_millis(next(&mut state) % (3 * TTL_MS)));
            let _ = kill_process_group(group, Signal::CONT);
        }
        let has_ended = process::wait_end(child.id(), PATIENCE);
        if !has_ended {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = child.wait().unwrap();
        assert!(has_ended, "one that asks for a lock ends");
        // It was done; another had the lock, or the hub was away; the lock was lost.
        assert!(matches!(status.code(), Some(0 | 1 | 124)), "{status:?}");
    }
}

#[test]
fn no_write_of_an_older_fence_is_taken_whatever_stops_or_dies() {
    let instance = Instance::up(HUB);
    let (register, port) = open_register();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let contenders: Vec<_> = (1..=CONTENDERS)
            .map(|seed| {
                let (instance, is_over) = (&instance, &is_over);
                scope.spawn(move || contend(instance, port, seed, is_over))
            })
            .collect();
        let goes_on = || {
            let before = register.lock().unwrap().taken.len();
            until("more writes", || {
                register.lock().unwrap().taken.len() >= before + STEP
                    || contenders.iter().any(|contender| contender.is_finished())
            });
        };
        goes_on();
        for _ in 0..2 {
            kill_hub(&instance);
            goes_on();
            instance.remuda(&["reload", "hub"]).done();
            goes_on();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let register = register.lock().unwrap();
    assert!(register.taken.is_sorted(), "{:?}", register.taken);
    let holders = register.whose.len();
    assert!(holders >= 10, "several had it in turn: {holders}, refused: {}", register.refused);
    instance.end();
}
