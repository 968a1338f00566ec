//! Records that are whole, cut, foreign and of other times.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_config::Surroundings;
use remuda_model::{Config, ExitStatus, Request, RequestId, Tick, WorkerId};
use remuda_sys::clock;

use super::{RecordError, heading, replay};
use crate::record::journal::{Journal, encode};
use crate::record::{ChildRecord, Entry, FORMAT, Picture};

const TOML: &str = "[service.web]\ncommand = \"true\"\nworkers = 3\n[service.job]\ncommand = \"true\"\n";

fn config() -> Config {
    let surroundings =
        Surroundings { variables: BTreeMap::new(), uid: 0, cpus: 1, directory: PathBuf::from("/srv") };
    remuda_config::load_text(TOML, Path::new("/srv/remuda.toml"), &surroundings).unwrap().config
}

/// An arbiter whose every fact is written to a record.
struct Written {
    arbiter: Arbiter,
    journal: Journal,
    now: Tick,
    facts: VecDeque<Input>,
    spawned: u32,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        let arbiter = Arbiter::new(7);
        let mut journal = Journal::new(path.clone());
        let config = config();
        journal.begin(encode("test", picture(&arbiter, &config)));
        assert!(journal.take_failure().is_none());
        let (now, facts) = (Tick(5_000), VecDeque::new());
        let mut written = Self { arbiter, journal, now, facts, spawned: 0, path, _folder: folder };
        written.take(Input::Boot(Box::new(config)));
        written
    }

    /// A fact and all that follows: every worker that is ordered comes up, every one that is signalled goes.
    fn take(&mut self, input: Input) {
        self.facts.push_back(input);
        while let Some(input) = self.facts.pop_front() {
            self.now = Tick(self.now.0 + 10);
            self.journal.add(&Entry::Step { at: self.now, input: Cow::Borrowed(&input) });
            let mut orders = Vec::new();
            self.arbiter.step(self.now, input, &mut orders);
            orders.into_iter().for_each(|order| self.perform(order));
        }
        assert!(self.journal.take_failure().is_none());
    }

    fn perform(&mut self, order: Order) {
        match order {
            Order::Spawn { worker, .. } => {
                self.spawned += 1;
                let pid = 100 + self.spawned;
                self.journal.add(&Entry::Hatched(child(worker, pid)));
                self.facts.extend([Input::Spawned { worker, pid }, Input::Running { worker }]);
            }
            Order::Probe { worker } => self.facts.push_back(Input::Ready { worker }),
            Order::Signal { worker, .. } | Order::Kill { worker } => {
                self.facts.push_back(Input::Exited { worker, status: ExitStatus::Code(0) });
            }
            _ => {}
        }
    }

    fn text(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }
}

fn picture<'a>(arbiter: &'a Arbiter, config: &'a Config) -> Picture<'a> {
    Picture {
        arbiter: arbiter.snapshot(),
        config: Cow::Borrowed(config),
        children: Vec::new(),
        sockets: Vec::new(),
        stored: Vec::new(),
        events: Vec::new(),
        next_event: 1,
        next_request: 1,
        started: Tick(0),
        begun_lines: Vec::new(),
        lines: Vec::new(),
    }
}

fn child(worker: WorkerId, pid: u32) -> ChildRecord {
    ChildRecord { worker, pid, start_time: 1, user: 0, sockets: Vec::new(), workers: 3, cgroup: false }
}

fn state(arbiter: &Arbiter) -> String {
    serde_json::to_string(&arbiter.snapshot()).unwrap()
}

#[test]
fn the_facts_after_a_picture_give_the_machine_of_the_last_moment() {
    let mut written = Written::new();
    written.take(Input::Request {
        id: RequestId(41),
        request: Request::Scale { service: "web".parse().unwrap(), to: 2 },
    });
    written.take(Input::Request { id: RequestId(42), request: Request::Stop(vec!["job".parse().unwrap()]) });
    let past = replay(&written.text()).unwrap();
    assert_eq!(state(&past.arbiter), state(&written.arbiter));
    assert_eq!(past.next_request, 43);
    let pids: Vec<u32> = past.children.values().map(|child| child.pid).collect();
    assert_eq!(pids.len(), 2, "the two of web that are left: {pids:?}");
}

#[test]
fn a_record_that_is_cut_anywhere_is_read_up_to_there_or_refused() {
    let mut written = Written::new();
    written.take(Input::Exited { worker: WorkerId(1), status: ExitStatus::Code(3) });
    let text = written.text();
    let lines = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len);
    let picture_ends: usize = lines.take(2).sum();
    for end in 0..text.len() {
        let read = replay(&text[..end]);
        assert_eq!(read.is_ok(), end >= picture_ends, "cut at {end} of {}: {read:?}", text.len());
    }
}

#[test]
fn a_damaged_line_is_named() {
    let mut text = Written::new().text();
    let third = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    text[third] = b'!';
    let error = replay(&text).unwrap_err();
    assert!(matches!(error, RecordError::Damaged { line: 3, .. }), "{error}");
}

#[test]
fn a_record_of_another_boot_or_of_a_newer_build_is_recognised() {
    let text = String::from_utf8(Written::new().text()).unwrap();
    let other = text.replacen(&clock::boot_id(), "another-boot", 1);
    assert_eq!(replay(other.as_bytes()).unwrap_err(), RecordError::OtherBoot);
    let newer = text.replacen(&format!("\"format\":{FORMAT}"), "\"format\":99", 1);
    let error = heading(newer.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("format 99"), "{error}");
    assert!(replay(b"").is_err() && replay(b"{}\n").is_err() && replay(&[0xff, b'\n']).is_err());
}

#[test]
fn keys_that_nobody_knows_yet_are_skipped() {
    let text = String::from_utf8(Written::new().text()).unwrap();
    let later = text.replacen("{\"format\"", "{\"later\":true,\"format\"", 1);
    let later = later.replacen("{\"Picture\":{", "{\"Picture\":{\"later\":[1,2],", 1);
    assert_eq!(
        state(&replay(later.as_bytes()).unwrap().arbiter),
        state(&replay(text.as_bytes()).unwrap().arbiter)
    );
}

/// Records as builds of their time wrote them; they are never made anew. Each format that was ever in use has one.
const GOLDEN: [&str; 1] = [include_str!("../../../tests/golden/record-1.jsonl")];

#[test]
fn the_records_of_former_builds_are_read() {
    for text in GOLDEN {
        let mut past = replay(text.replacen("BOOT", &clock::boot_id(), 1).as_bytes()).unwrap();
        let pids: Vec<u32> = past.children.values().map(|child| child.pid).collect();
        assert_eq!(pids, [10634, 10635, 10688]);
        let view = past.arbiter.view(clock::boottime());
        let service = |name: &str| view.iter().find(|service| service.name.as_str() == name).unwrap();
        assert_eq!((service("web").workers_wanted, service("web").generation), (3, 2));
        assert_eq!(service("web").workers_ready, 3);
        assert!(!service("off").wanted, "what an operator stopped stays stopped");
        assert!(service("stuck").failures_total >= 8);
        assert_eq!((past.next_event, past.events.last().map(|record| record.seq)), (81, Some(80)));
        let listeners: Vec<usize> = past.sockets.iter().map(|socket| socket.listeners.len()).collect();
        assert_eq!(listeners, [1, 3]);
        let mut orders = Vec::new();
        past.arbiter.step(Tick(18_000_000), Input::Resumed, &mut orders);
        assert!(
            orders.iter().any(|order| matches!(order, Order::Watch { .. })),
            "mail waits for a connection"
        );
        assert!(orders.iter().any(|order| matches!(order, Order::Arm { .. })), "report waits for its time");
    }
}
