//! While the arbiter lives, and when it goes in good order.

use std::os::fd::AsFd;
use std::path::Path;

use remuda_daemon::{Keeper, KeeperError, Orphans};
use remuda_model::Signal;
use remuda_sys::process::send_signal;

use crate::support::{EXECUTABLE, Kept, Worker, name};

#[test]
fn a_farewell_ends_the_keeper_and_touches_no_worker() {
    let mut kept = Kept::new("farewell");
    let worker = Worker::idle();
    kept.keeper.keep([("pid/1", worker.process.0.as_fd())]).unwrap();
    kept.keeper.farewell().unwrap();
    assert!(kept.process.has_ended());
    assert!(!worker.process.has_ended());
    assert!(Orphans::find(&kept.name).unwrap().is_none(), "the name is free");
}

#[test]
fn while_its_arbiter_lives_the_keeper_gives_nothing_away() {
    let kept = Kept::new("busy");
    let found = Orphans::find(&kept.name).unwrap().unwrap();
    let ours = std::process::id();
    assert!(matches!(found.look(), Err(KeeperError::Busy { pid }) if pid == ours));
    assert!(matches!(found.take(), Err(KeeperError::Busy { pid }) if pid == ours));
    assert!(matches!(found.stop(crate::support::PATIENCE), Err(KeeperError::Busy { pid }) if pid == ours));
    kept.keeper.farewell().unwrap();
}

#[test]
fn two_keepers_cannot_have_one_name() {
    let kept = Kept::new("name");
    let second = Keeper::spawn(Path::new(EXECUTABLE), &kept.name);
    assert!(matches!(second, Err(KeeperError::Listen(_))));
    kept.keeper.farewell().unwrap();
    Keeper::spawn(Path::new(EXECUTABLE), &kept.name).unwrap().farewell().unwrap();
}

#[test]
fn a_program_that_does_not_exist_is_no_keeper() {
    let refused = Keeper::spawn(Path::new("/nowhere/keeper"), &name("no-program"));
    assert!(matches!(refused, Err(KeeperError::Spawn(_))), "{refused:?}");
}

#[test]
fn a_program_that_is_no_keeper_is_told_from_one() {
    let refused = Keeper::spawn(Path::new("/bin/true"), &name("true"));
    assert!(matches!(refused, Err(KeeperError::SetUp(_))), "{refused:?}");
}

#[test]
fn the_ends_of_a_link_can_be_carried_on() {
    let Kept { mut keeper, process, name } = Kept::new("carried");
    keeper.forget(["nothing"]).unwrap();
    let pid = keeper.pid();
    let (link, pidfd) = keeper.into_descriptors().unwrap();
    assert!(matches!(Orphans::find(&name).unwrap().unwrap().look(), Err(KeeperError::Busy { .. })));
    let mut keeper = Keeper::from_descriptors(pid, link, pidfd).unwrap();
    keeper.forget(["nothing"]).unwrap();
    keeper.sync().unwrap();
    keeper.farewell().unwrap();
    assert!(process.has_ended());
}

#[test]
fn signals_of_a_terminal_do_not_end_it() {
    let mut kept = Kept::new("signals");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        send_signal(&kept.process.0, signal).unwrap();
    }
    kept.keeper.forget(["nothing"]).unwrap();
    kept.keeper.sync().unwrap();
    kept.keeper.farewell().unwrap();
}

#[test]
fn the_end_of_a_keeper_is_noticed() {
    let mut kept = Kept::new("gone");
    send_signal(&kept.process.0, Signal::KILL).unwrap();
    kept.process.wait();
    assert!(matches!(kept.keeper.forget(["nothing"]), Err(KeeperError::Gone)));
}
