//! What a keeper does when it is left alone.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use remuda_daemon::{KeeperError, OnCrash, Orphans, Policy};
use remuda_model::Signal;
use remuda_sys::process::send_signal;
use remuda_sys::socket::Arrival;
use remuda_sys::{memfd, pipe};

use crate::support::{Kept, PATIENCE, Worker, pattern, read_all, visitor};

/// Told to end, it stays.
const STUBBORN: &str = "trap '' TERM; echo; exec sleep 600";

#[test]
fn writers_go_on_and_what_is_kept_of_their_output_is_bounded() {
    let mut kept = Kept::new("spill");
    let policy = Policy { spill_each: 1_000_000, spill_total: 1_500_000, ..Policy::default() };
    kept.keeper.policy(policy).unwrap();
    let pipes = [pipe::log().unwrap(), pipe::log().unwrap()];
    let names = ["log/1/stdout", "log/2/stderr"];
    kept.keeper.keep(names.iter().zip(&pipes).map(|(name, pipe)| (*name, pipe.reader.as_fd()))).unwrap();
    let orphaned = kept.die();
    let sent = pattern(5_000_000);
    for pipe in pipes {
        drop(pipe.reader);
        File::from(pipe.writer).write_all(&sent).unwrap();
    }
    let taken = orphaned.find().take().unwrap();
    taken.confirm().unwrap();
    let mut total = 0;
    for name in names {
        let holding = &taken.holdings.items[name];
        let spill = memfd::content(&taken.descriptors[&format!("spill/{name}")], sent.len()).unwrap();
        let rest = read_all(&taken.descriptors[name]);
        let counted = usize::try_from(holding.spilled + holding.dropped).unwrap();
        assert_eq!(u64::try_from(spill.len()).unwrap(), holding.spilled);
        assert!(spill[..] == sent[..spill.len()], "the spill is the beginning of what was written");
        assert!(rest[..] == sent[counted..], "what is left in the pipe is the end");
        assert!(holding.dropped > 0);
        total += spill.len();
    }
    assert_eq!(taken.holdings.items[names[0]].spilled, 1_000_000);
    assert_eq!(total, 1_500_000);
}

#[test]
fn by_policy_workers_are_told_to_end_and_then_killed() {
    let mut kept = Kept::new("policy");
    let policy = Policy { on_crash: OnCrash::Stop, grace: Duration::from_millis(100), ..Policy::default() };
    kept.keeper.policy(policy).unwrap();
    let (mut willing, mut stubborn) = (Worker::idle(), Worker::start(STUBBORN));
    kept.keeper.keep([("pid/1", willing.process.0.as_fd()), ("pid/2", stubborn.process.0.as_fd())]).unwrap();
    let orphaned = kept.die();
    orphaned.process.wait();
    assert_eq!(willing.child.try_wait().unwrap().and_then(|status| status.signal()), Some(15));
    assert_eq!(stubborn.child.try_wait().unwrap().and_then(|status| status.signal()), Some(9));
    assert!(Orphans::find(&orphaned.name).unwrap().is_none());
}

#[test]
fn on_request_the_workers_are_ended() {
    let mut kept = Kept::new("stop");
    let mut worker = Worker::idle();
    kept.keeper.keep([("pid/1", worker.process.0.as_fd())]).unwrap();
    let orphaned = kept.die();
    orphaned.find().stop(PATIENCE).unwrap();
    assert_eq!(worker.child.try_wait().unwrap().and_then(|status| status.signal()), Some(15));
    assert!(Orphans::find(&orphaned.name).unwrap().is_none());
}

#[test]
fn while_workers_are_being_ended_nothing_is_handed_over() {
    let mut kept = Kept::new("stopping");
    let worker = Worker::start(STUBBORN);
    kept.keeper.keep([("pid/1", worker.process.0.as_fd())]).unwrap();
    let orphaned = kept.die();
    let found = orphaned.find();
    let late = found.stop(Duration::from_millis(1));
    assert!(matches!(late, Err(KeeperError::Late { .. })), "{late:?}");
    let waiting = visitor(&orphaned.name);
    waiting.send(br#"{"v":1,"say":"stop"}"#, &[], PATIENCE).unwrap();
    assert!(matches!(found.take(), Err(KeeperError::Stopping)));
    assert!(found.look().unwrap().stopping);
    send_signal(&worker.process.0, Signal::KILL).unwrap();
    let Arrival::Message { bytes, .. } = waiting.receive(PATIENCE).unwrap() else {
        panic!("who waits is told first");
    };
    assert_eq!(bytes, br#"{"v":1,"say":"stopped"}"#);
    orphaned.process.wait();
}

#[test]
fn when_no_worker_lives_everything_is_let_go_after_a_while() {
    let mut kept = Kept::new("empty");
    kept.keeper.policy(Policy { empty_wait: Duration::from_millis(100), ..Policy::default() }).unwrap();
    let worker = Worker::idle();
    kept.keeper.keep([("pid/1", worker.process.0.as_fd())]).unwrap();
    let orphaned = kept.die();
    assert_eq!(orphaned.find().look().unwrap().living, 1);
    assert!(
        !crate::support::is_readable(orphaned.process.0.as_fd(), Duration::from_millis(300)),
        "a worker lives"
    );
    send_signal(&worker.process.0, Signal::KILL).unwrap();
    orphaned.process.wait();
    assert!(Orphans::find(&orphaned.name).unwrap().is_none());
}
