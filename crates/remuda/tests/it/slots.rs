//! Per-worker sockets: each slot has a queue of its own, which outlives its workers, and gets nothing new while nobody
//! is there to accept.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use remuda_model::EventKind;
use rustix::process::Signal;

use crate::harness::http;
use crate::harness::load::distinct_pids;
use crate::harness::{Instance, Setup, process};

const WORKERS: usize = 4;

fn config(more: &str) -> String {
    format!(
        "[socket.web]\nlisten = \"127.0.0.1:0\"\nmode = \"per-worker\"\n[service.web]\n{more}\nsockets = [\"web\"]\n\
         workers = {WORKERS}\nready = \"notify\"\nreload = {{ surge = 2 }}\nbackoff = {{ base = \"50ms\", cap = \"200ms\" }}\n"
    )
}

fn four_workers() -> Instance {
    Instance::up(&config("command = \"python3 @WORKERS@/notify_worker.py\""))
}

/// Connections that wait in each slot's queue.
fn queues(instance: &Instance) -> Vec<u32> {
    let view = instance.status();
    let socket = view.sockets.iter().find(|socket| socket.name.as_str() == "web").unwrap();
    socket.listeners.iter().map(|listener| listener.queue.unwrap()).collect()
}

fn pids_by_slot(instance: &Instance) -> BTreeMap<u32, u32> {
    let workers = instance.service("web").workers;
    workers.into_iter().filter_map(|worker| Some((worker.slot, worker.pid?))).collect()
}

/// Waits until a worker is in this slot that is not `before`, and serves.
fn wait_successor(instance: &Instance, slot: u32, before: u32) -> u32 {
    let sits = |view: &remuda_model::view::Instance| {
        let worker = view.services[0].workers.iter().find(|worker| worker.slot == slot)?;
        worker.pid.filter(|pid| *pid != before && worker.phase == remuda_model::WorkerPhase::Ready)
    };
    let view = instance.wait_status("the successor to serve", |view| sits(view).is_some());
    sits(&view).unwrap()
}

/// Askers at once in a [`Storm`].
const ASKERS: usize = 8;
/// Time between two requests of one asker.
const PACE: Duration = Duration::from_millis(4);

/// What became of one request.
#[derive(Debug)]
struct Asked {
    begun: Instant,
    ended: Instant,
    outcome: Result<u32, io::Error>,
}

/// Requests of several askers, each on a connection of its own, without an end.
struct Storm {
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
    askers: Vec<JoinHandle<()>>,
}

impl Storm {
    fn start(address: &str) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let askers = (0..ASKERS).map(|_| {
            let (stop, asked, address) = (Arc::clone(&stop), Arc::clone(&asked), address.to_owned());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let outcome = http::get(&address, "/").and_then(|answer| {
                        // Of one who is killed half an answer may come.
                        let pid = answer.body.trim().parse().ok().filter(|_| answer.status == 200);
                        pid.ok_or_else(|| io::Error::other(format!("{answer:?}")))
                    });
                    asked.lock().unwrap().push(Asked { begun, ended: Instant::now(), outcome });
                    std::thread::sleep(PACE);
                }
            })
        });
        let askers = askers.collect();
        Self { stop, asked, askers }
    }

    /// Ends it, and prints figures for who wants to read them.
    fn finish(self, what: &str) -> Vec<Asked> {
        self.stop.store(true, Ordering::Relaxed);
        self.askers.into_iter().for_each(|asker| asker.join().unwrap());
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        print_times(what, asked.iter());
        asked
    }
}

#[expect(clippy::print_stdout, reason = "figures for who asks for them; nothing depends on them")]
fn print_times<'a>(what: &str, asked: impl Iterator<Item = &'a Asked>) {
    let (mut times, mut failed) = (Vec::new(), 0);
    for asked in asked {
        match &asked.outcome {
            Ok(_) => times.push(asked.ended - asked.begun),
            Err(_) => failed += 1,
        }
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let slow = times.iter().filter(|time| **time > Duration::from_millis(20)).count();
    println!(
        "{what}: {} answered, {failed} failed, p50 {:?}, p99 {:?}, longest {:?}, {slow} above 20 ms",
        times.len(),
        at(50),
        at(99),
        times.last().copied().unwrap_or_default(),
    );
}

fn none_failed(asked: &[Asked]) {
    let failed: Vec<_> = asked.iter().filter(|asked| asked.outcome.is_err()).collect();
    assert!(failed.is_empty(), "{} of {} requests failed: {failed:?}", failed.len(), asked.len());
    assert!(asked.len() > 100, "only {} requests were made", asked.len());
}

#[test]
fn connections_that_waited_for_a_killed_worker_are_served_by_its_successor() {
    let instance = four_workers();
    let address = instance.address("web");
    let victim = pids_by_slot(&instance)[&3];
    // Nobody is served by it any more, and what comes is not accepted.
    process::signal(victim, Signal::STOP);
    let mut clients: Vec<_> = (0..60).map(|_| http::connect(&address).unwrap()).collect();
    let waiting = queues(&instance)[3];
    assert!(waiting > 0, "none of 60 connections came to the slot");
    for client in &mut clients {
        http::send(&mut **client, "GET", "/", "").unwrap();
    }
    process::signal(victim, Signal::KILL);
    let successor = wait_successor(&instance, 3, victim);
    let answers = clients.iter_mut().map(|client| http::answer(&mut **client).unwrap().pid());
    let by_successor = answers.filter(|pid| *pid == successor).count();
    assert!(by_successor >= usize::try_from(waiting).unwrap(), "{by_successor} of {waiting}");
    instance.end();
}

#[test]
fn while_a_slot_has_no_worker_new_connections_go_to_the_others() {
    let setup = Setup::new(&config("command = \"sh @DIR@/gate.sh\""));
    let gate = setup.dir().join("gate");
    setup.program(
        "gate.sh",
        "if [ -p @DIR@/gate ]; then read line < @DIR@/gate; fi; exec python3 @WORKERS@/notify_worker.py",
    );
    let instance = setup.up();
    instance.settled();
    let address = instance.address("web");
    let victim = pids_by_slot(&instance)[&1];
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let seen = instance.last_event();
    process::signal(victim, Signal::KILL);
    // The successor stands at the gate: whoever came to its slot would wait for as long as it does.
    instance.wait_event_after(seen, "the successor", |event| matches!(event.kind, EventKind::WorkerSpawned));
    let mut by_pid: BTreeMap<u32, u32> = BTreeMap::new();
    for _ in 0..200 {
        *by_pid.entry(http::get(&address, "/").unwrap().pid()).or_default() += 1;
    }
    assert!(by_pid.len() == WORKERS - 1 && by_pid.values().all(|count| *count > 20), "{by_pid:?}");
    assert_eq!(queues(&instance)[1], 0);
    std::fs::write(&gate, "open\n").unwrap();
    wait_successor(&instance, 1, victim);
    distinct_pids(&address, WORKERS);
    instance.end();
}

#[test]
fn thirty_kills_lose_no_more_than_what_the_killed_were_serving() {
    let instance = four_workers();
    let storm = Storm::start(&instance.address("web"));
    let (mut kills, mut holes) = (Vec::new(), Vec::new());
    for round in 0..30 {
        let slot = round % 4;
        let victim = pids_by_slot(&instance)[&slot];
        let begun = Instant::now();
        process::signal(victim, Signal::KILL);
        process::wait_end(victim, crate::harness::PATIENCE);
        kills.push((begun, Instant::now()));
        wait_successor(&instance, slot, victim);
        holes.push((begun, Instant::now()));
    }
    let asked = storm.finish("30 kills");
    let in_hole = |asked: &&Asked| holes.iter().any(|(from, to)| asked.begun > *from && asked.begun < *to);
    print_times("30 kills, begun while one of four was missing", asked.iter().filter(in_hole));
    let failed: Vec<_> = asked.iter().filter(|asked| asked.outcome.is_err()).collect();
    for asked in &failed {
        let error = asked.outcome.as_ref().unwrap_err();
        assert_ne!(error.kind(), ErrorKind::ConnectionRefused);
        // One that began after the kill can only have been in a queue.
        let in_flight = kills.iter().any(|(begun, dead)| asked.begun <= *dead && asked.ended >= *begun);
        assert!(in_flight, "lost, and nobody was killed meanwhile: {asked:?}");
    }
    assert!(failed.len() <= kills.len() * ASKERS / 2, "{} requests failed", failed.len());
    assert!(asked.len() > 1000, "only {} requests were made", asked.len());
    instance.end();
}

#[test]
fn scaling_down_and_up_ten_times_loses_nothing_and_closes_the_highest_listeners() {
    let instance = four_workers();
    let address = instance.address("web");
    let storm = Storm::start(&address);
    for _ in 0..10 {
        instance.remuda(&["scale", "web=2"]).done();
        assert_eq!(queues(&instance).len(), 2);
        instance.remuda(&["scale", "web=4"]).done();
        assert_eq!(queues(&instance).len(), 4);
    }
    none_failed(&storm.finish("10 times from 4 to 2 and back"));
    distinct_pids(&address, WORKERS);
    instance.end();
}

#[test]
fn five_reloads_lose_nothing() {
    let instance = four_workers();
    let storm = Storm::start(&instance.address("web"));
    for _ in 0..5 {
        instance.remuda(&["reload", "web"]).done();
    }
    none_failed(&storm.finish("5 reloads"));
    instance.end();
}

#[test]
fn restarts_lose_nothing() {
    let instance = four_workers();
    let storm = Storm::start(&instance.address("web"));
    for slot in 0..WORKERS {
        instance.remuda(&["restart", &format!("web.{slot}")]).done();
    }
    instance.remuda(&["restart", "web"]).done();
    none_failed(&storm.finish("restarts"));
    instance.end();
}

#[test]
fn a_service_that_is_scaled_to_none_keeps_what_comes_for_its_next_worker() {
    let instance = four_workers();
    let address = instance.address("web");
    instance.remuda(&["scale", "web=0"]).done();
    assert_eq!(queues(&instance), [0]);
    let mut clients: Vec<_> = (0..10).map(|_| http::connect(&address).unwrap()).collect();
    assert_eq!(queues(&instance), [10]);
    instance.remuda(&["scale", "web=4"]).done();
    for client in &mut clients {
        http::send(&mut **client, "GET", "/", "").unwrap();
        http::answer(&mut **client).unwrap();
    }
    distinct_pids(&address, WORKERS);
    instance.end();
}

#[test]
fn a_worker_that_does_not_accept_delays_a_scaling_for_a_while_and_what_is_lost_is_told() {
    let stop = "stop = { timeout = \"2s\" }";
    let instance =
        Instance::up(&config(&format!("command = \"python3 @WORKERS@/notify_worker.py\"\n{stop}")));
    process::signal(pids_by_slot(&instance)[&3], Signal::STOP);
    let address = instance.address("web");
    let _clients: Vec<_> = (0..60).map(|_| http::connect(&address).unwrap()).collect();
    let waiting = queues(&instance)[3];
    instance.remuda(&["scale", "web=3"]).done();
    let wanted = format!("{waiting} connections that no worker accepted were reset");
    instance.wait_event(
        "the loss",
        |event| matches!(&event.kind, EventKind::Trouble { message } if message.contains(&wanted)),
    );
    assert_eq!(queues(&instance).len(), 3);
    instance.end();
}

#[test]
fn a_slot_of_two_services_is_served_while_either_serves_it() {
    let one = config("command = \"python3 @WORKERS@/notify_worker.py\"");
    let text = one.replace("workers = 4", "workers = 2");
    let other = text[text.find("[service.web]").unwrap()..].replace("[service.web]", "[service.also]");
    let instance = Instance::up(&format!("{text}{other}"));
    let address = instance.address("web");
    distinct_pids(&address, 4);
    let storm = Storm::start(&address);
    instance.remuda(&["scale", "also=1"]).done();
    assert_eq!(queues(&instance).len(), 2, "the other service has two workers");
    instance.remuda(&["scale", "web=1"]).done();
    assert_eq!(queues(&instance).len(), 1);
    instance.remuda(&["stop", "web"]).done();
    instance.remuda(&["start", "web"]).done();
    none_failed(&storm.finish("two services"));
    distinct_pids(&address, 2);
    instance.end();
}

#[test]
fn connections_may_be_spread_by_processor_and_at_random() {
    for balance in ["random", "cpu"] {
        let text = config("command = \"python3 @WORKERS@/notify_worker.py\"");
        let text = text.replace("mode =", &format!("balance = \"{balance}\"\nmode ="));
        let instance = Instance::up(&text);
        let address = instance.address("web");
        let pids: std::collections::BTreeSet<u32> =
            (0..100).map(|_| http::get(&address, "/").unwrap().pid()).collect();
        assert!(pids.iter().all(|pid| pids_by_slot(&instance).values().any(|sits| sits == pid)));
        assert!(balance == "cpu" || pids.len() == WORKERS, "{pids:?}");
        instance.end();
    }
}

#[test]
fn a_probe_at_the_shared_address_reaches_the_slot_it_is_for() {
    let text = config("command = \"python3 @WORKERS@/notify_worker.py\"");
    let probed = text.replace("ready = \"notify\"", "ready = \"http:/\"\nready_timeout = \"20s\"");
    assert_ne!(text, probed);
    let instance = Instance::up(&probed);
    assert_eq!(instance.service("web").workers_ready, instance.service("web").workers_wanted);
    instance.remuda(&["reload", "web"]).done();
    instance.remuda(&["restart", "web.0"]).done();
    instance.end();
}
