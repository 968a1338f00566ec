//! Numbers of workers that follow the load.

use insta::assert_snapshot;

use remuda_arbiter::{Input, Order};

use super::{Play, run};
use crate::specs::{duration, name};

impl Play {
    /// Each measurement up to some time from now has the same answer; only what follows from it is printed.
    pub(super) fn load(&mut self, rest: &str) {
        let (lasting, load) = rest.split_once(' ').unwrap();
        let end = self.now + duration(lasting);
        while let Some(at) = self.arbiter.deadline().filter(|at| *at <= end) {
            self.now = at;
            let mut orders = Vec::new();
            self.arbiter.step(at, Input::Woke, &mut orders);
            if orders.iter().any(|order| matches!(order, Order::Measure { .. })) {
                self.arbiter.step(at, measured(load), &mut orders);
            }
            orders.retain(|order| !matches!(order, Order::Measure { .. }));
            self.print(&format!("load {load}"), &orders);
        }
        self.now = end;
    }
}

/// `web 3`, `web 0 cpu=900 pressure`.
pub(super) fn measured(text: &str) -> Input {
    let mut words = text.split_whitespace();
    let service = name(words.next().unwrap());
    let backlog = words.next().unwrap().parse().unwrap();
    let rest: Vec<&str> = words.collect();
    let cpu = rest.iter().find_map(|word| word.strip_prefix("cpu="));
    let cpu_permille = cpu.map_or(0, |cpu| cpu.parse().unwrap());
    Input::Measured { service, backlog, cpu_permille, pressure: rest.contains(&"pressure") }
}

/// What a script prints of numbers: each change with its time, drains, refusals, and the picture.
fn numbers(script: &str) -> String {
    let told = |line: &str| ["Scaled", "drain ", "refused"].iter().any(|word| line.contains(word));
    let mut header = String::new();
    let mut kept = Vec::new();
    for line in run(script).lines() {
        match line.strip_prefix("  ") {
            Some(order) if told(order) => kept.push(format!("{header} {order}")),
            Some(_) => {}
            None if line.contains("ms> ") => header = line.to_owned(),
            None => kept.push(line.to_owned()),
        }
    }
    kept.join("\n")
}

#[test]
fn who_does_not_scale_is_never_measured() {
    let printed = run("
            service web workers=2 sockets=web
            boot
            serve all
            until 3600s
            measured web 9
            until 7200s
        ");
    assert!(!printed.contains("measure web\n") && !printed.contains("Scaled"), "{printed}");
}

#[test]
fn a_service_that_is_up_is_measured_once_a_second_and_one_that_is_stopped_is_not() {
    assert_snapshot!(run(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            until 2s
            stop web
            exited web/0
            until 60s
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    1000ms> woke
      measure web
    2000ms> woke
      measure web
    2000ms> stop web
      ~ web ServiceStopping
      steer away from web/0
      ~ web/0 #1 WorkerStopping { signal: Signal(15), reason: "stop" }
      signal TERM #1
    2000ms> exited web/0
      ~ web/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 2000 }
      bury #1
      ~ web ServiceStopped
      reply 1 done: web is stopped
    "#);
}

#[test]
fn a_backlog_in_three_of_five_measurements_brings_a_quarter_more_and_at_least_one() {
    assert_snapshot!(numbers(
        "
            service web scaling=8..16:backlog sockets=web
            service api scaling=1..2:backlog sockets=api
            boot
            serve all
            load 2s api 1
            until 4s
            load 3s web 12
            load 3s api 1
        "
    ), @r#"
    7000ms> load web 12 ~ web Scaled { from: 8, to: 10, reason: Some("backlog 12 for 3 s") }
    10000ms> load api 1 ~ api Scaled { from: 1, to: 2, reason: Some("backlog 1 for 3 s") }
    "#);
}

#[test]
fn nothing_more_comes_until_what_came_is_ready_and_the_backlog_shows_itself_again() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            load 20s web 5
            serve web/1
            load 2s web 5
            load 1s web 5
        "
    ), @r#"
    3000ms> load web 5 ~ web Scaled { from: 1, to: 2, reason: Some("backlog 5 for 3 s") }
    23000ms> load web 5 ~ web Scaled { from: 2, to: 3, reason: Some("backlog 5 for 3 s") }
    "#);
}

#[test]
fn no_more_than_the_most_come() {
    assert_snapshot!(numbers(
        "
            service web scaling=4..5:backlog sockets=web
            boot
            serve all
            load 3s web 5
            serve web/4
            load 60s web 5
            view
        "
    ), @r#"
    3000ms> load web 5 ~ web Scaled { from: 4, to: 5, reason: Some("backlog 5 for 3 s") }
    web: running 5/5 g1 [0:#1 g1 ready, 1:#2 g1 ready, 2:#3 g1 ready, 3:#4 g1 ready, 4:#5 g1 ready]
    "#);
}

#[test]
fn nothing_more_comes_while_the_machine_is_short_of_processors_or_memory() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            load 60s web 5 pressure
            load 1s web 5
        "
    ), @r#"
    61000ms> load web 5 ~ web Scaled { from: 1, to: 2, reason: Some("backlog 5 for 5 s") }
    "#);
}

#[test]
fn nothing_more_comes_for_a_backlog_that_is_gone_before_a_worker_would_be_ready() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            spawned web/0
            running web/0
            at 10s ready web/0
            measured web 90
            at 11s measured web 60
            at 12s measured web 30
            at 13s measured web 30
            at 14s measured web 30
            at 15s measured web 30
            at 16s measured web 30
        "
    ), @r#"
    16000ms> measured web 30 ~ web Scaled { from: 1, to: 2, reason: Some("backlog 30 for 5 s") }
    "#);
}

#[test]
fn five_busy_measurements_bring_one_more_where_processors_decide() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..4:cpu
            service api scaling=1..4:backlog sockets=api
            boot
            serve all
            load 4s web 0 cpu=850
            load 1s web 0 cpu=850
            load 60s api 0 cpu=1000
        "
    ), @r#"
    5000ms> load web 0 cpu=850 ~ web Scaled { from: 1, to: 2, reason: Some("cpu 85 %") }
    "#);
}

#[test]
fn after_a_minute_without_work_one_worker_goes_drained_and_another_after_one_more() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..3:backlog sockets=web stop_timeout=5s
            boot
            serve all
            scale web 3
            serve all
            load 59s web 0 cpu=299
            load 2s web 0 cpu=299
            drained web 2
            exited web/2
            load 59s web 0
            load 2s web 0
            drained web 1
            exited web/1
            load 300s web 0
            view
        "
    ), @r#"
    0ms> scale web 3 ~ web Scaled { from: 1, to: 3, reason: Some("request") }
    61000ms> load web 0 cpu=299 ~ web Scaled { from: 3, to: 2, reason: Some("idle") }
    61000ms> load web 0 cpu=299 drain web/2
    122000ms> load web 0 ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
    122000ms> load web 0 drain web/1
    web: running 1/1 g1 [0:#1 g1 ready]
    "#);
}

#[test]
fn a_moment_of_work_begins_the_minute_anew() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..3:backlog sockets=web
            boot
            serve all
            scale web 2
            serve all
            load 50s web 0
            load 1s web 0 cpu=300
            load 60s web 0
            load 1s web 1
            load 60s web 0
            load 1s web 0
        "
    ), @r#"
    0ms> scale web 2 ~ web Scaled { from: 1, to: 2, reason: Some("request") }
    173000ms> load web 0 ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
    173000ms> load web 0 drain web/1
    "#);
}

#[test]
fn a_slot_on_its_way_out_is_called_back_by_a_backlog() {
    assert_snapshot!(run(
        "
            service web scaling=1..2:backlog sockets=web
            boot
            serve all
            scale web 2
            serve all
            load 61s web 0
            load 3s web 4
            view
        "
    ), @r#"
    0ms> boot
      ~ web ServiceStarting
      spawn #1 in web/0 g1 of 1: web
    0ms> serve #1
      ~ web/0 #1 WorkerSpawned
      steer to web/0
      ~ web/0 #1 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> scale web 2
      ~ web Scaled { from: 1, to: 2, reason: Some("request") }
      spawn #2 in web/1 g1 of 2: web
    0ms> serve #2
      ~ web/1 #2 WorkerSpawned
      steer to web/1
      ~ web/1 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
      reply 1 done: web runs with 2 workers
    61000ms> load web 0
      ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
      steer away from web/1
      drain web/1
      ~ web ServiceRunning
    64000ms> load web 4
      ~ web Scaled { from: 1, to: 2, reason: Some("backlog 4 for 3 s") }
      steer to web/1
      ~ web ServiceRunning
    web: running 2/2 g1 [0:#1 g1 ready, 1:#2 g1 ready]
    "#);
}

#[test]
fn an_operator_chooses_within_the_bounds_and_the_minute_begins_anew() {
    assert_snapshot!(numbers(
        "
            service web scaling=2..4:backlog sockets=web
            boot
            serve all
            scale web 1
            scale web 5
            load 50s web 0
            scale web 3
            serve all
            load 59s web 0
            load 2s web 0
        "
    ), @r#"
    0ms> scale web 1 reply 1 refused: web scales between 2 and 4 workers by itself; 1 is outside
    0ms> scale web 5 reply 2 refused: web scales between 2 and 4 workers by itself; 5 is outside
    50000ms> scale web 3 ~ web Scaled { from: 2, to: 3, reason: Some("request") }
    111000ms> load web 0 ~ web Scaled { from: 3, to: 2, reason: Some("idle") }
    111000ms> load web 0 drain web/2
    "#);
}

#[test]
fn a_number_does_not_change_during_a_reload_or_a_crash_loop() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..4:backlog sockets=web reload_timeout=600s
            service api scaling=1..4:backlog sockets=api crash_loop_after=1 cap=600s
            boot
            exited api/0 code=1
            serve web/0
            reload web
            load 30s web 9
            load 30s api 9
            view
        "
    ), @"
    api: crash-loop 0/1 g1 (exit 1) [0:#3 g1 killing]
    web: reloading 1/1 g2 [0:#2 g1 ready, 0:#4 g2 spawning]
    ");
}

#[test]
fn a_changed_config_keeps_the_present_number_within_its_bounds() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..8:backlog sockets=web
            boot
            serve all
            scale web 3
            serve all
            service web scaling=2..4:cpu
            apply
            service web scaling=4..6:cpu
            apply
            serve all
            service web scaling=1..2:cpu command=new
            apply
            view
            service web scaling=none workers=3
            apply
        "
    ), @r#"
    0ms> scale web 3 ~ web Scaled { from: 1, to: 3, reason: Some("request") }
    0ms> apply ~ web Scaled { from: 3, to: 4, reason: Some("config") }
    0ms> apply ~ web Scaled { from: 4, to: 2, reason: Some("config") }
    0ms> apply drain web/3
    0ms> apply drain web/2
    web: reloading 2/2 g2 [0:#1 g1 ready, 0:#5 g2 spawning, 1:#2 g1 ready, 2:#3 g1 draining, 3:#4 g1 draining]
    0ms> apply ~ web Scaled { from: 2, to: 3, reason: Some("config") }
    "#);
}

#[test]
fn bounds_that_did_not_come_up_are_given_up_with_their_number() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..2:backlog sockets=web no_canary
            boot
            serve all
            service web scaling=3..4:backlog command=new
            apply
            exited web/0
            view
        "
    ), @r#"
    0ms> apply ~ web Scaled { from: 1, to: 3, reason: Some("config") }
    0ms> exited web/0 ~ web Scaled { from: 3, to: 2, reason: Some("config") }
    web: starting 1/2 g1 (exit 0) [0:#1 g1 ready, 1:#2 g1 spawning, 2:#3 g1 killing]
    "#);
}

#[test]
fn measurements_across_a_long_silence_do_not_belong_together() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..4:backlog sockets=web
            boot
            serve all
            measured web 4
            measured web 4
            until 6s
            measured web 4
            measured web 4
            measured web 4
        "
    ), @r#"
    6000ms> measured web 4 ~ web Scaled { from: 1, to: 2, reason: Some("backlog 4 for 1 s") }
    "#);
}

#[test]
fn an_operator_who_chooses_the_present_number_has_the_minute_begin_anew_too() {
    assert_snapshot!(numbers(
        "
            service web scaling=1..2:backlog sockets=web
            boot
            serve all
            scale web 2
            serve all
            load 50s web 0
            scale web 2
            load 60s web 0
            load 1s web 0
        "
    ), @r#"
    0ms> scale web 2 ~ web Scaled { from: 1, to: 2, reason: Some("request") }
    111000ms> load web 0 ~ web Scaled { from: 2, to: 1, reason: Some("idle") }
    111000ms> load web 0 drain web/1
    "#);
}
