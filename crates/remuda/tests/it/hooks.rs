//! Programs that are told of the steps of a service's life, or asked before them.

use std::collections::BTreeMap;

use remuda_model::view::ServicePhase;
use remuda_model::{EventKind, HookPoint};
use serde_json::Value;

use crate::harness::{Instance, Setup};

const POINTS: [&str; 8] = [
    "before_start",
    "after_start",
    "before_spawn",
    "after_spawn",
    "before_stop",
    "after_stop",
    "before_reap",
    "after_reap",
];

/// All runs so far, as the hook below has written them: point in the environment, facts on stdin.
fn runs(instance: &Instance) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(instance.dir().join("told")).unwrap();
    let parse = |line: &str| {
        let (point, facts) = line.split_once(' ').unwrap();
        (point.to_owned(), serde_json::from_str(facts).unwrap())
    };
    text.lines().map(parse).collect()
}

#[test]
fn all_eight_hooks_run_in_their_order_and_are_told_whom_they_are_about() {
    let hooks: String = POINTS.iter().map(|point| format!("{point} = \"sh hook\"\n")).collect();
    let setup = Setup::new(&format!(
        "[service.web]\ncommand = \"sleep 600\"\nworkers = 2\n[service.web.hooks]\n{hooks}"
    ));
    setup.write("hook", "echo \"$REMUDA_HOOK $(cat)\" >> told; echo ran $REMUDA_HOOK\n");
    let instance = setup.up();
    instance.wait_phase("web", ServicePhase::Running);
    let pids = instance.pids("web");
    // Those that follow a start or an end run side by side, and nobody waits for them but us.
    let wait_for_runs = |runs: usize| {
        instance.transcript.wait(&format!("{runs} runs"), |written| {
            let ran = written.lines.iter().filter(|line| line.text.starts_with("ran ")).count();
            (ran == runs).then_some(())
        });
    };
    wait_for_runs(6);
    instance.remuda(&["stop", "web"]).done();
    wait_for_runs(12);
    let runs = runs(&instance);
    let mut counts = BTreeMap::<&str, usize>::new();
    for (point, facts) in &runs {
        *counts.entry(point).or_default() += 1;
        assert_eq!(facts["hook"], point.as_str());
        assert_eq!(facts["service"], "web");
        let of_worker = ["spawn", "reap"].iter().any(|what| point.ends_with(what));
        assert_eq!(facts["worker"].is_number(), of_worker, "{point} {facts}");
        if point == "after_spawn" || point == "before_reap" {
            let slot = usize::try_from(facts["slot"].as_u64().unwrap()).unwrap();
            assert_eq!(facts["pid"], pids[slot], "{point} {facts}");
        }
    }
    let expected =
        POINTS.map(|point| (point, if point.ends_with("spawn") || point.ends_with("reap") { 2 } else { 1 }));
    assert_eq!(counts, expected.into_iter().collect());
    let place = |point: &str| runs.iter().position(|(ran, _)| ran == point).unwrap();
    let order = ["before_start", "before_spawn", "after_spawn", "before_stop", "before_reap", "after_reap"];
    assert!(order.map(place).is_sorted(), "{runs:#?}");
    assert!(place("before_spawn") < place("after_start") && place("after_start") < place("before_stop"));
    assert!(place("before_reap") < place("after_stop"));
    instance.end();
}

/// Runs a service whose hook at `point` fails.
fn failing(point: &str, hook: &str) -> Instance {
    Setup::new(&format!(
        "[service.web]\ncommand = \"sleep 600\"\nbackoff = {{ base = \"10ms\", give_up_after = 2 }}\n\
         [service.web.hooks]\n{point} = {hook}\n[service.other]\ncommand = \"sleep 600\"\n"
    ))
    .up()
}

fn hook_failure(instance: &Instance, wanted: HookPoint) -> String {
    let failed = instance.wait_event(
        "the hook's failure",
        |event| matches!(event.kind, EventKind::HookFailed { point, .. } if point == wanted),
    );
    match failed.event.kind {
        EventKind::HookFailed { reason, .. } => reason,
        _ => unreachable!("it was asked for"),
    }
}

fn spawns(instance: &Instance) -> usize {
    let events = instance.events();
    let of_web = |name: &remuda_model::ServiceName| name.as_str() == "web";
    let spawned = events.iter().filter(|record| record.event.kind == EventKind::WorkerSpawned);
    spawned.filter(|record| record.event.service.as_ref().is_some_and(of_web)).count()
}

#[test]
fn a_hook_before_the_start_can_prevent_it() {
    let instance = failing("before_start", "\"sh -c 'echo no licence; exit 3'\"");
    let service = instance.wait_phase("web", ServicePhase::Failed);
    assert!(service.reason.is_some_and(|reason| reason.contains("before_start")));
    assert!(hook_failure(&instance, HookPoint::BeforeStart).contains("exit 3"));
    assert_eq!(spawns(&instance), 0);
    instance.wait_line("no licence");
    instance.wait_phase("other", ServicePhase::Running);
    instance.end();
}

#[test]
fn a_hook_after_the_start_can_undo_it() {
    let instance = failing("after_start", "\"false\"");
    instance.wait_phase("web", ServicePhase::Failed);
    hook_failure(&instance, HookPoint::AfterStart);
    assert!(instance.service("web").workers.is_empty());
    instance.end();
}

#[test]
fn a_hook_before_a_spawn_can_prevent_it() {
    let instance = failing("before_spawn", "\"false\"");
    instance.wait_phase("web", ServicePhase::Failed);
    hook_failure(&instance, HookPoint::BeforeSpawn);
    assert_eq!(spawns(&instance), 0);
    instance.end();
}

#[test]
fn a_hook_after_a_spawn_can_undo_it() {
    let instance = failing("after_spawn", "\"false\"");
    instance.wait_phase("web", ServicePhase::Failed);
    hook_failure(&instance, HookPoint::AfterSpawn);
    assert!(instance.service("web").workers.is_empty());
    instance.end();
}

#[test]
fn a_hook_whose_failure_is_to_be_ignored_prevents_nothing() {
    let instance = failing("before_start", "{ command = \"false\", on_failure = \"ignore\" }");
    instance.wait_phase("web", ServicePhase::Running);
    hook_failure(&instance, HookPoint::BeforeStart);
    instance.end();
}

#[test]
fn a_hook_that_takes_too_long_is_killed_and_has_failed() {
    let instance = failing("before_start", "{ command = \"sleep 600\", timeout = \"200ms\" }");
    instance.wait_phase("web", ServicePhase::Failed);
    assert!(hook_failure(&instance, HookPoint::BeforeStart).contains("timed out"));
    instance.end();
}

#[test]
fn a_hook_that_cannot_be_run_has_failed() {
    let instance = failing("before_start", "\"no-such-hook\"");
    instance.wait_phase("web", ServicePhase::Failed);
    assert!(hook_failure(&instance, HookPoint::BeforeStart).contains("no-such-hook"));
    instance.end();
}
