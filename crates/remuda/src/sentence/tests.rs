//! How events read.

use remuda_model::{Event, EventKind, ExitStatus, Signal, SpawnFailure};

use super::Sentence;

fn told(kind: EventKind) -> String {
    let event = Event { slot: Some(0), pid: Some(123), ..Event::service("web".parse().unwrap(), kind) };
    let sentence = Sentence::of(&event);
    format!("{} {}", sentence.subject, sentence.text)
}

#[test]
fn a_workers_life_reads_well() {
    let failure = SpawnFailure {
        stage: "program".into(),
        errno: 2,
        detail: "no such file: gunicron".into(),
        permanent: true,
    };
    let kinds = [
        EventKind::WorkerSpawned,
        EventKind::SpawnFailed { failure },
        EventKind::WorkerReady { after_ms: 1234 },
        EventKind::ReadyTimeout { after_ms: 60_000 },
        EventKind::WorkerStopping { signal: Signal::TERM, reason: "reload".into() },
        EventKind::WorkerExited {
            status: ExitStatus::Code(3),
            expected: false,
            lived_ms: 90_000,
            last_lines: vec![],
        },
        EventKind::WorkerExited {
            status: ExitStatus::Signal { signal: Signal::TERM, core: false },
            expected: true,
            lived_ms: 500,
            last_lines: vec![],
        },
        EventKind::Backoff { delay_ms: 400, failures: 3 },
    ];
    insta::assert_snapshot!(kinds.map(told).join("\n"), @"
    web.0 started (pid 123)
    web.0 could not be started: program: no such file: gunicron
    web.0 ready after 1s (pid 123)
    web.0 not ready within 1m, killed (pid 123)
    web.0 told to stop by TERM (reload) (pid 123)
    web.0 ended: exit 3, unasked, after 1m 30s (pid 123)
    web.0 ended: killed by TERM, after 500ms (pid 123)
    web.0 is tried again in 400ms (3 failures in a row)
    ");
}

#[test]
fn a_worker_that_is_given_up_before_it_has_a_process_is_not_said_to_have_lived() {
    let told = |kind| {
        let event = Event { slot: Some(3), ..Event::service("web".parse().unwrap(), kind) };
        Sentence::of(&event).text
    };
    let ended = EventKind::WorkerExited {
        status: ExitStatus::Unknown,
        expected: true,
        lived_ms: 54,
        last_lines: vec![],
    };
    let given_up = EventKind::WorkerKilling { reason: "shutdown".into() };
    assert_eq!(told(given_up), "is given up before it has started (shutdown)");
    assert_eq!(told(ended), "was never started");
}

#[test]
fn what_concerns_all_is_told_of_remuda() {
    let sentence =
        Sentence::of(&Event::instance(EventKind::InstanceStopping { reason: "signal TERM".into() }));
    assert_eq!(
        (sentence.subject.as_str(), sentence.text.as_str()),
        ("remuda", "stops everything (signal TERM)")
    );
}

#[test]
fn a_failed_reload_brings_the_last_lines() {
    let kind = EventKind::ReloadFailed {
        reason: "web.0 was not ready within 5s".into(),
        done: 1,
        total: 4,
        rolled_back: true,
        last_lines: vec!["ImportError: shop".into()],
    };
    let sentence = Sentence::of(&Event::service("web".parse().unwrap(), kind));
    assert_eq!(sentence.text, "reload failed at 1/4: web.0 was not ready within 5s; those replaced go back");
    assert_eq!(sentence.last_lines, ["ImportError: shop"]);
}
