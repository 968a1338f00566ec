//! The spawner: a process of ours that may end without anybody noticing but in the events.

use std::time::{Duration, Instant};

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use crate::harness::{Instance, PATIENCE, process};

const PAIR: &str = "[service.pair]\ncommand = \"sleep 1000\"\nworkers = 2\n";

/// The spawners of an instance that run.
fn spawners(instance: &Instance) -> Vec<u32> {
    let arbiter = instance.pid().to_string();
    let ours = process::marked(instance.dir()).into_iter();
    ours.filter(|pid| process::is_alive(*pid))
        .filter(|pid| process::arguments(*pid).get(1).is_some_and(|word| word == "__spawn"))
        .filter(|pid| process::status(*pid, "PPid") == arbiter)
        .collect()
}

/// The arbiter's spawner. It may have been started a moment ago: in the middle of `execve` nobody knows what it is.
fn spawner(instance: &Instance) -> u32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match spawners(instance)[..] {
            [one] => return one,
            _ if Instant::now() < deadline => std::thread::yield_now(),
            ref others => panic!("there should be one spawner, and there are {others:?}"),
        }
    }
}

fn is_trouble(event: &remuda_model::Event, text: &str) -> bool {
    matches!(&event.kind, EventKind::Trouble { message } if message.contains(text))
}

#[test]
fn workers_are_the_arbiters_children_and_a_killed_spawner_is_replaced() {
    let instance = Instance::up(PAIR);
    let mut before = spawner(&instance);
    for _ in 0..2 {
        let (killed, after) = (before, instance.last_event());
        process::signal(killed, Signal::KILL);
        let victim = instance.pids("pair")[0];
        process::signal(victim, Signal::KILL);
        instance.wait_event_after(after, "the loss of the spawner", |event| {
            is_trouble(event, &format!("the spawner (pid {killed}) has ended; another one is started"))
        });
        instance.wait_event_after(after, "the successor", |event| {
            matches!(event.kind, EventKind::WorkerReady { .. }) && event.pid != Some(victim)
        });
        let now = instance.wait_phase("pair", ServicePhase::Running);
        for worker in &now.workers {
            assert_eq!(process::status(worker.pid.unwrap(), "PPid"), instance.pid().to_string());
        }
        before = spawner(&instance);
        assert_ne!(before, killed);
    }
    let last = before;
    instance.end();
    assert!(!process::is_alive(last));
}

#[test]
fn a_killed_arbiters_spawner_ends() {
    let mut instance = Instance::up(PAIR);
    let former = spawner(&instance);
    instance.kill_arbiter();
    assert!(process::wait_end(former, Duration::from_secs(5)));
    instance.again();
    spawner(&instance);
    instance.wait_phase("pair", ServicePhase::Running);
    instance.end();
}
