//! `status`, `events`, `logs`, and the table of exit codes.

use remuda_daemon::{LogLine, Stream};
use remuda_model::view::ServicePhase;
use remuda_model::{EventKind, Record};
use serde_json::Value;

use super::{Following, talkers};
use crate::harness::{Instance, Setup};

fn texts(lines: &[LogLine]) -> Vec<(&str, &str)> {
    let mut texts: Vec<_> = lines.iter().map(|line| (line.service.as_str(), line.text.as_str())).collect();
    texts.sort_unstable();
    texts
}

#[test]
fn status_shows_the_instance_its_services_and_their_workers() {
    let instance = talkers();
    let view = instance.status();
    assert_eq!(view.name, instance.name());
    assert_eq!(view.pid, instance.pid());
    let services: Vec<_> =
        view.services.iter().map(|s| (s.name.as_str(), s.phase, s.workers_ready)).collect();
    assert_eq!(services, [("api", ServicePhase::Running, 1), ("web", ServicePhase::Running, 1)]);
    let text = instance.remuda(&["status", "web"]).done().out;
    assert!(text.contains(&instance.pids("web")[0].to_string()), "{text}");
    assert!(!text.contains(&instance.pids("api")[0].to_string()), "{text}");
    instance.end();
}

#[test]
fn events_are_numbered_without_holes_and_resume_after_a_number() {
    let instance = talkers();
    let events: Vec<Record> = instance.remuda(&["events", "--json"]).done().json_lines();
    let numbers: Vec<u64> = events.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(matches!(events[0].event.kind, EventKind::InstanceStarted { .. }), "{events:?}");
    let resumed: Vec<Record> = instance.remuda(&["events", "--json", "--after", "2"]).done().json_lines();
    assert_eq!(resumed, events[2..]);

    let newest = numbers.len().to_string();
    let mut following = Following::start(&instance, &["events", "-f", "--json", "--after", &newest]);
    instance.remuda(&["restart", "web"]).done();
    following.transcript.wait("the restart in the stream", |written| {
        let first = written.events.first()?;
        assert_eq!(first.seq, numbers.len() as u64 + 1, "the stream resumes where it was told to");
        written.events.iter().find(|record| matches!(record.event.kind, EventKind::ServiceRunning)).cloned()
    });
    instance.remuda(&["down"]).done();
    assert_eq!(following.wait_end(), Some(0), "the stream ends with the arbiter");
}

#[test]
fn events_that_are_no_longer_kept_are_told_as_missed() {
    let instance =
        Instance::up("[remuda]\nevents_kept = 4\n[service.web]\ncommand = \"sleep 1000\"\nworkers = 4");
    let newest = instance.wait_event("all ready", |event| event.kind == EventKind::ServiceRunning).seq;
    assert!(newest > 6, "there are events enough");
    let said: Vec<Value> = instance.remuda(&["events", "--json", "--after", "1"]).done().json_lines();
    let kept: Vec<u64> = said.iter().filter_map(|item| item["seq"].as_u64()).collect();
    assert_eq!(kept.len(), 4, "{said:?}");
    assert_eq!(said[0]["missed_events"].as_u64(), Some(kept[0] - 2), "{said:?}");
    instance.end();
}

#[test]
fn logs_can_be_narrowed_by_service_slot_stream_number_and_time() {
    let instance = talkers();
    let ask = |arguments: &[&str]| -> Vec<LogLine> {
        let all: Vec<&str> = ["logs", "--json"].iter().chain(arguments).copied().collect();
        instance.remuda(&all).done().json_lines()
    };
    assert_eq!(texts(&ask(&["web"])), [("web", "to stderr"), ("web", "to stdout")]);
    assert_eq!(ask(&["--service", "web"]), ask(&["web"]));
    assert_eq!(ask(&[]).len(), 4);
    assert_eq!(ask(&["web.0"]).len(), 2);
    assert_eq!(ask(&["web.7"]), []);
    assert_eq!(texts(&ask(&["--stream", "stderr"])), [("api", "to stderr"), ("web", "to stderr")]);
    assert!(ask(&["--stream", "stderr"]).iter().all(|line| line.stream == Stream::Stderr));
    assert_eq!(ask(&["-n", "1"]).len(), 1);
    assert_eq!(ask(&["--since", "1h"]).len(), 4);
    assert_eq!(ask(&["--since", "2999-01-01T00:00:00Z"]), []);
    let pid = instance.pids("web")[0];
    assert!(ask(&["web"]).iter().all(|line| line.pid == pid && line.slot == 0));
    instance.end();
}

#[test]
fn logs_f_shows_what_comes_and_ends_with_the_arbiter() {
    let instance = talkers();
    let mut following = Following::start(&instance, &["logs", "-f", "--json", "web"]);
    let first = following.transcript.wait("what is kept", |written| written.lines.first().cloned());
    assert_eq!(first.service.as_str(), "web");
    instance.remuda(&["signal", "USR1", "web", "api"]).done();
    let again = following
        .transcript
        .wait("what comes", |written| written.lines.iter().find(|line| line.text == "again").cloned());
    assert!(again.seq > first.seq);
    let foreign = following.transcript.locked().lines.iter().any(|line| line.service.as_str() != "web");
    assert!(!foreign, "lines of another service");
    instance.remuda(&["down"]).done();
    assert_eq!(following.wait_end(), Some(0));
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let instance = Instance::up(
        "[service.web]\ncommand = \"sleep 1000\"\n[service.broken]\ncommand = \"./nowhere\"\nautostart = false",
    );
    instance.remuda(&["status"]).done();
    let failed = instance.remuda(&["start", "broken"]).exits(1);
    assert!(failed.err.contains("nowhere"), "{failed:?}");
    instance.remuda(&["frobnicate"]).exits(2);
    instance.remuda(&["scale", "web=many"]).exits(2);
    let refused = instance.remuda(&["reload", "wbe"]).exits(4);
    assert!(refused.err.contains("did you mean web?"), "{refused:?}");
    instance.remuda(&["logs", "wbe"]).exits(4);
    instance.remuda(&["restart", "web.9"]).exits(4);
    let below = instance.remuda(&["scale", "web=-5"]).exits(2);
    assert!(below.err.contains("web is to have 1, and 5 fewer is below zero"), "{below:?}");
    assert_eq!(instance.service("web").workers_wanted, 1, "nothing was changed");
    instance.remuda(&["down"]).done();
    let nobody = instance.remuda(&["status"]).exits(3);
    assert!(nobody.err.contains(&*instance.control().to_string_lossy()), "where it looked: {nobody:?}");
    assert!(nobody.err.contains("REMUDA_SOCKET"), "and why there: {nobody:?}");
}

#[test]
fn a_config_is_checked_without_an_arbiter() {
    let setup = Setup::new("[service.web]\ncommand = \"sleep 1000\"\nworkers = 2");
    let said = crate::harness::run::run(setup.command(&["check"])).done();
    assert!(said.out.contains("web"), "{said:?}");
    setup.configure("[service.web]\ncomand = \"sleep 1000\"");
    let said = crate::harness::run::run(setup.command(&["check"])).exits(2);
    assert!(said.err.contains("command") && said.err.contains('^'), "{said:?}");
}
