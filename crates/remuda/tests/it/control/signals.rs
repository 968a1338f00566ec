//! Signals to the arbiter.

use std::time::{Duration, Instant};

use remuda_model::EventKind;
use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use super::TALKER;
use crate::harness::{Instance, Setup};

const SLEEPER: &str = "[service.web]\ncommand = \"sleep 1000\"\n";

#[test]
fn term_and_int_stop_everything_and_end_with_0() {
    for (signal, name) in [(Signal::TERM, "signal TERM"), (Signal::INT, "signal INT")] {
        let mut instance = Instance::up(SLEEPER);
        instance.signal(signal);
        assert_eq!(instance.wait_end(), 0);
        instance
            .wait_event(name, |event| matches!(&event.kind, EventKind::Requested { by, .. } if by == name));
        instance.assert_nothing_left();
    }
}

#[test]
fn a_second_term_kills_at_once() {
    let mut instance = Instance::up(
        "[service.web]\nshell = true\ncommand = \"trap '' TERM; echo deaf; while :; do sleep 1000; done\"\n\
         stop = { signal = \"TERM\", timeout = \"5m\" }\n",
    );
    instance.wait_line("deaf");
    instance.signal(Signal::TERM);
    instance.wait_event("the first try", |event| matches!(event.kind, EventKind::WorkerStopping { .. }));
    let second = Instant::now();
    instance.signal(Signal::TERM);
    instance.wait_end();
    assert!(second.elapsed() < Duration::from_secs(10), "{:?}", second.elapsed());
    instance.assert_nothing_left();
}

#[test]
fn hup_applies_a_changed_config() {
    let instance = Instance::up(SLEEPER);
    let before = instance.pids("web");
    instance.configure(&format!("{SLEEPER}workers = 2\n"));
    instance.signal(Signal::HUP);
    let view = instance.wait_status("two workers", |view| view.services[0].workers_ready == 2);
    assert_eq!(view.services[0].workers[0].pid, Some(before[0]));
    instance.end();
}

#[test]
fn usr1_opens_log_files_anew_after_somebody_renamed_them() {
    let setup = Setup::empty();
    setup.program("talk", &format!("#!/bin/sh\n{TALKER}"));
    setup.configure("[service.web]\ncommand = \"@DIR@/talk\"\nlog = \"web.log\"\n");
    let mut instance = setup.up();
    instance.wait_line("to stderr");
    // Lines reach the file by a thread of its own; two of them mean that it is open.
    instance.remuda(&["stop", "web"]).done();
    instance.remuda(&["start", "web"]).done();
    let file = instance.dir().join("web.log");
    let moved = instance.dir().join("web.log.moved");
    std::fs::rename(&file, &moved).unwrap();
    let last = instance.last_event();
    instance.signal(Signal::USR1);
    instance.wait_event_after(
        last,
        "the reopening",
        |event| matches!(&event.kind, EventKind::Requested { request, .. } if request.contains("reopen")),
    );
    instance.remuda(&["signal", "USR1", "web"]).done();
    instance.wait_line("again");
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let [old, new] = [moved, file].map(|path| std::fs::read_to_string(path).unwrap());
    assert!(old.contains("to stdout") && !old.contains("again"), "{old}");
    assert!(new.contains("again"), "{new}");
}

#[test]
fn ttin_and_ttou_change_the_number_of_workers_but_not_below_one() {
    let instance = Instance::up(SLEEPER);
    let wanted = |count| {
        let what = format!("{count} workers");
        instance.wait_status(&what, |view| {
            let web = &view.services[0];
            (web.workers_wanted, web.workers_ready, web.workers.len()) == (count, count, count as usize)
        });
    };
    instance.signal(Signal::TTIN);
    wanted(2);
    instance.signal(Signal::TTIN);
    wanted(3);
    instance.signal(Signal::TTOU);
    wanted(2);
    instance.signal(Signal::TTOU);
    wanted(1);
    let last = instance.last_event();
    instance.signal(Signal::TTOU);
    instance.wait_event_after(
        last,
        "the signal",
        |event| matches!(&event.kind, EventKind::Requested { by, .. } if by == "signal TTOU"),
    );
    wanted(1);
    assert_eq!(instance.service("web").phase, ServicePhase::Running);
    instance.end();
}
