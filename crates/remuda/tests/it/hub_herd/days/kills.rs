//! Servers that are killed, and one that comes back with an older copy of its folder.

use std::process::Command;
use std::time::Instant;

use remuda_model::EventKind;
use rustix::process::Signal;

use super::super::five::Five;
use super::super::traffic::Traffic;
use super::all_is_well;
use crate::harness::{Instance, run};

/// Kills arbiter and hub of a server, in this order: nobody is left to start another hub.
fn kill(server: &mut Instance) {
    let hub = server.pids("hub")[0];
    server.kill_arbiter();
    server.kill(hub);
}

/// Starts a server again.
fn start(server: &mut Instance) {
    server.begin_again();
    server.wait_event("the arbiter to begin, or to go on", |event| {
        matches!(event.kind, EventKind::InstanceResumed { .. } | EventKind::InstanceStarted { .. })
    });
    server.settled();
}

/// Kills these pairs of servers one after the other, and starts them again; both of a pair at once.
fn kill_pairs(pairs: &[[usize; 2]]) {
    let mut five = Five::up();
    let mut traffic = Traffic::begin(&five.hubs());
    for pair in pairs {
        let began = Instant::now();
        for server in pair {
            kill(&mut five.servers.all[*server]);
        }
        let all = five.servers.all.iter_mut().enumerate();
        std::thread::scope(|scope| {
            for (_, server) in all.filter(|(number, _)| pair.contains(number)) {
                scope.spawn(|| start(server));
            }
        });
        five.comes_together();
        for server in pair {
            traffic.note_outage(*server, began);
        }
        // What the two between others could not pass on any more is counted by those, who are killed themselves later.
        traffic.goes_on();
        five.counted_as_lost();
    }
    all_is_well(&five, traffic);
    five.servers.end();
}

#[test]
fn pairs_of_neighbours_that_are_killed_are_started_again() {
    kill_pairs(&[[0, 1], [2, 3]]);
}

#[test]
fn pairs_of_the_other_neighbours_that_are_killed_are_started_again() {
    kill_pairs(&[[1, 2], [3, 4]]);
}

#[test]
fn pairs_of_the_last_and_the_first_that_are_killed_are_started_again() {
    kill_pairs(&[[4, 0]]);
}

#[test]
fn pairs_with_one_between_them_that_are_killed_are_started_again() {
    kill_pairs(&[[0, 2], [1, 3]]);
}

#[test]
fn pairs_with_the_last_one_or_two_between_them_that_are_killed_are_started_again() {
    kill_pairs(&[[2, 4], [3, 0]]);
}

#[test]
fn pairs_with_the_first_one_between_them_that_are_killed_are_started_again() {
    kill_pairs(&[[4, 1]]);
}

#[test]
fn a_server_that_is_put_back_to_an_old_backup_of_its_folder_has_what_all_have() {
    const RESTORED: usize = 3;
    let mut five = Five::up();
    let mut traffic = Traffic::begin(&five.hubs());
    let folder = five.servers.all[RESTORED].dir().to_owned();
    let copy = |from: &str, to: &str| {
        let mut command = Command::new("cp");
        command.arg("-a").args([folder.join(from), folder.join(to)]);
        run::run(command).done();
    };
    let began = Instant::now();
    five.servers.all[RESTORED].signal(Signal::TERM);
    five.servers.all[RESTORED].wait_end();
    copy("state", "backup");
    start(&mut five.servers.all[RESTORED]);
    five.comes_together();
    traffic.note_outage(RESTORED, began);
    // Lives go by, and what is written meanwhile is in no backup.
    for _life in 0..2 {
        five.servers.all[RESTORED].remuda(&["reload", "hub"]).done();
        five.is_whole();
    }
    traffic.goes_on();
    are_equal_soon(&five);
    let began = Instant::now();
    kill(&mut five.servers.all[RESTORED]);
    std::fs::remove_dir_all(folder.join("state")).unwrap();
    copy("backup", "state");
    start(&mut five.servers.all[RESTORED]);
    five.comes_together();
    traffic.note_outage(RESTORED, began);
    all_is_well(&five, traffic);
    five.servers.end();
}

/// What the server was told that is restored has reached another one: a backup cannot know of it.
fn are_equal_soon(five: &Five) {
    let key = b"s:mark";
    five.hubs()[3].store().set(key, b"1").unwrap();
    for hub in five.hubs() {
        crate::harness::until("the mark", || hub.store().get(key).unwrap().is_some());
    }
    five.hubs()[0].store().delete(&[key]).unwrap();
}
