//! From one arbiter to the next.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use remuda_daemon::{KeeperError, Orphans};
use remuda_model::Signal;
use remuda_sys::memfd;
use remuda_sys::pipe;
use remuda_sys::process::send_signal;

use crate::support::{Doomed, EXECUTABLE, Kept, Worker, name, pattern, read_all};

#[test]
fn six_hundred_descriptors_arrive_under_their_names() {
    let mut kept = Kept::new("many");
    let names: Vec<String> = (0..600).map(|number| format!("socket/{number}/0")).collect();
    let files: Vec<_> =
        names.iter().map(|name| memfd::with_content("many", name.as_bytes()).unwrap()).collect();
    kept.keeper.keep(names.iter().zip(&files).map(|(name, file)| (name, file.as_fd()))).unwrap();
    drop(files);
    let orphaned = kept.die();
    let taken = orphaned.find().take().unwrap();
    taken.confirm().unwrap();
    assert!(Orphans::find(&orphaned.name).unwrap().is_none(), "its name is free");
    orphaned.process.wait();
    assert_eq!(taken.holdings.state.items, 600);
    assert!(taken.descriptors.keys().eq(taken.holdings.items.keys()));
    assert_eq!(taken.descriptors.len(), 600);
    for (name, fd) in &taken.descriptors {
        assert_eq!(memfd::content(fd, 100).unwrap(), name.as_bytes());
    }
}

#[test]
fn what_was_forgotten_or_replaced_is_not_handed_over() {
    let mut kept = Kept::new("forget");
    let file = |content: &str| memfd::with_content("forget", content.as_bytes()).unwrap();
    let (first, second, third) = (file("first"), file("second"), file("third"));
    kept.keeper.keep([("state/0", first.as_fd()), ("state/1", second.as_fd())]).unwrap();
    kept.keeper.forget(["state/1"]).unwrap();
    kept.keeper.keep([("state/0", third.as_fd())]).unwrap();
    let taken = kept.die().find().take().unwrap();
    let held: Vec<_> =
        taken.descriptors.iter().map(|(name, fd)| (name.as_str(), memfd::content(fd, 9).unwrap())).collect();
    assert_eq!(held, [("state/0", b"third".to_vec())]);
}

#[test]
fn a_taker_that_vanishes_has_taken_nothing() {
    let mut kept = Kept::new("vanish");
    let worker = Worker::idle();
    let output = pipe::log().unwrap();
    kept.keeper.keep([("pid/1", worker.process.0.as_fd()), ("log/1/stdout", output.reader.as_fd())]).unwrap();
    drop(output.reader);
    let orphaned = kept.die();
    let first = orphaned.find().take().unwrap();
    let second = orphaned.find().take();
    assert!(matches!(second, Err(KeeperError::Busy { pid }) if pid == std::process::id()), "{second:?}");
    drop(first);
    let sent = pattern(2_000_000);
    // More than the pipe holds: it is being emptied again.
    File::from(output.writer).write_all(&sent).unwrap();
    let taken = orphaned.find().take().unwrap();
    taken.confirm().unwrap();
    let mut received = memfd::content(&taken.descriptors["spill/log/1/stdout"], sent.len()).unwrap();
    received.extend(read_all(&taken.descriptors["log/1/stdout"]));
    assert!(received == sent);
    assert_eq!(taken.holdings.items["pid/1"].alive, Some(true));
    assert!(!worker.process.has_ended());
}

#[test]
fn a_worker_outlives_the_kill_of_its_arbiter_and_loses_no_output() {
    let name = name("kill-9");
    let script = "read go; head -c 5000000 /dev/zero || exit 1; echo survived";
    let mut command = Command::new(EXECUTABLE);
    command.args([&name, script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut arbiter = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(arbiter.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pids: Vec<u32> = line.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    let [keeper, worker] = [Doomed::of(pids[0]), Doomed::of(pids[1])];

    arbiter.kill().unwrap();
    let found = Orphans::find(&name).unwrap().unwrap();
    let state = found.look().unwrap();
    assert_eq!((state.keeper, state.living, state.items), (pids[0], 1, 2));
    arbiter.stdin.take().unwrap().write_all(b"go\n").unwrap();
    worker.wait();
    let taken = found.take().unwrap();
    taken.confirm().unwrap();
    keeper.wait();
    let mut output = memfd::content(&taken.descriptors["spill/log/1/stdout"], 8 << 20).unwrap();
    assert!(output.len() > 4_000_000, "a pipe does not hold so much");
    output.extend(read_all(&taken.descriptors["log/1/stdout"]));
    assert_eq!(output.len(), 5_000_009);
    assert!(output.ends_with(b"\0survived\n"));
    assert_eq!(taken.holdings.items["pid/1"].alive, Some(false));
    assert_eq!(taken.holdings.items["log/1/stdout"].dropped, 0);
    arbiter.wait().unwrap();
}

#[test]
fn a_keeper_that_is_killed_while_it_hands_over_holds_nothing_any_more() {
    let mut kept = Kept::new("killed");
    let file = memfd::with_content("killed", b"held").unwrap();
    kept.keeper.keep([("state/0", file.as_fd())]).unwrap();
    let orphaned = kept.die();
    let taken = orphaned.find().take().unwrap();
    send_signal(&orphaned.process.0, Signal::KILL).unwrap();
    taken.confirm().unwrap();
    assert!(Orphans::find(&orphaned.name).unwrap().is_none());
    assert_eq!(memfd::content(&taken.descriptors["state/0"], 9).unwrap(), b"held");
}

#[test]
fn the_next_arbiter_finds_the_worker_by_its_handle() {
    let mut kept = Kept::new("handle");
    let mut worker = Worker::idle();
    kept.keeper.keep([("pid/1", worker.process.0.as_fd())]).unwrap();
    let orphaned = kept.die();
    let taken = orphaned.find().take().unwrap();
    taken.confirm().unwrap();
    send_signal(&taken.descriptors["pid/1"], Signal::KILL).unwrap();
    assert!(!worker.child.wait().unwrap().success());
}
