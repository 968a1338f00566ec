//! How daemons live and end.

use std::time::{Duration, Instant};

use remuda_model::Signal;

use crate::support::{PATIENCE, Running, Supervisor, subject};

/// A daemon that has started all its loops.
fn up(role: &[&str]) -> Running {
    let supervisor = Supervisor::new();
    let running = Running::start(subject().args(role).env("NOTIFY_SOCKET", &supervisor.path));
    supervisor.hear_until("READY=1");
    running
}

#[test]
fn sigterm_and_sigint_end_a_daemon_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let running = up(&["calm"]);
        running.signal(signal);
        let outcome = running.end();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let line = format!("INFO  subject: quits: SIG{signal} from process {}", std::process::id());
        assert!(outcome.text.contains(&line), "{outcome:?}");
    }
}

#[test]
fn a_loop_that_panics_and_fails_is_tried_again_with_backoff() {
    let outcome = Running::start(subject().arg("stumbles")).end();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for line in [
        "WARN  subject/stats: panicked: stumbled; failure 1 in a row, next try in ",
        "WARN  subject/stats: failed: fell; failure 2 in a row, next try in ",
        "INFO  subject/stats: walks",
        "INFO  subject: quits: one of its loops asked for it",
    ] {
        assert!(outcome.text.contains(line), "{line:?} in {outcome:?}");
    }
}

#[test]
fn the_death_of_a_main_loop_ends_the_daemon_with_its_reason() {
    for (how, code, reason) in [
        ("return", 1, "returned though nobody had asked it to quit"),
        ("error", 1, "failed: the disk is gone"),
        ("panic", 101, "panicked: an index was off by one"),
    ] {
        let supervisor = Supervisor::new();
        let outcome =
            Running::start(subject().args(["dies", how]).env("NOTIFY_SOCKET", &supervisor.path)).end();
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        let line = format!("ended: daemon subject ended: its loop \"serve\" {reason}");
        assert!(outcome.text.ends_with(&line), "{outcome:?}");
        supervisor.hear_until(&format!("STOPPING=1\nSTATUS=loop serve {reason}"));
    }
}

#[test]
fn a_loop_that_ignores_quit_is_named_when_the_deadline_is_over() {
    let running = up(&["deaf"]);
    running.signal(Signal::TERM);
    let outcome = running.end();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.text.contains("these loops did not end: deaf; they are cut off"), "{outcome:?}");
}

#[test]
fn a_second_signal_ends_the_wait_for_a_deaf_loop() {
    let mut running = up(&["deaf", "long"]);
    let start = Instant::now();
    running.signal(Signal::TERM);
    running.wait_line("quits: SIGTERM");
    running.signal(Signal::TERM);
    running.wait_line("waits no longer: a second SIGTERM");
    let outcome = running.end();
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.text.contains("these loops did not end:") && outcome.text.contains("deaf"),
        "{outcome:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(600) && start.elapsed() < 4 * PATIENCE);
}

#[test]
fn an_error_while_quitting_is_no_good_end() {
    let running = up(&["flush-fails"]);
    running.signal(Signal::TERM);
    let outcome = running.end();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.text.contains("its loop \"serve\" failed: the last page was not written"), "{outcome:?}");
}

#[test]
fn sighup_reloads_and_a_reload_that_fails_leaves_the_daemon_running() {
    for (detail, line) in [
        ("well", "INFO  subject: loaded anew"),
        (
            "fails",
            "ERROR subject: reload failed: the new config is broken; what was loaded before stays in use",
        ),
    ] {
        let supervisor = Supervisor::new();
        let mut running =
            Running::start(subject().args(["reloads", detail]).env("NOTIFY_SOCKET", &supervisor.path));
        supervisor.hear_until("READY=1");
        running.signal(Signal::HUP);
        running.wait_line(line);
        let told = supervisor.hear();
        assert!(told.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{told:?}");
        assert_eq!(supervisor.hear(), "READY=1");
        running.signal(Signal::TERM);
        assert_eq!(running.end().code, Some(0));
        assert_eq!(supervisor.hear(), "STOPPING=1");
    }
}

#[test]
fn sighup_without_a_hook_changes_nothing() {
    let mut running = up(&["calm"]);
    running.signal(Signal::HUP);
    running.wait_line("SIGHUP changes nothing");
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_daemon_without_loops_or_with_two_of_one_name_does_not_start() {
    let outcome = Running::start(subject().arg("empty")).end();
    assert_eq!((outcome.code, outcome.text.contains("it has 0 loops")), (Some(2), true), "{outcome:?}");
    let outcome = Running::start(subject().arg("twice")).end();
    assert_eq!(
        (outcome.code, outcome.text.contains("two of its loops are called \"serve\"")),
        (Some(2), true)
    );
}
