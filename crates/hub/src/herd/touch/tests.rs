//! Two servers of which one is told of what commands did on the other: both have the same then.

use std::collections::VecDeque;

use bytes::Bytes;
use remuda_herd::replica::{Input, Now, Order, Replica, ReplicaOptions, Scope, Scopes, Stamp};
use remuda_herd::{Epoch, NodeId};
use remuda_model::Tick;
use remuda_store::{ClientId, Digits, Glance, Mode, Moment, Outcome, Store, StoreOptions, Unread};

use super::{Gone, Touches};
use crate::herd::shelf::StoreShelf;

const NOW: Now = Now { tick_ms: 1_000, wall_ms: 1_760_000_000_000 };

fn moment(ms: u64) -> Moment {
    Moment { tick: Tick(NOW.tick_ms + ms), wall_ms: NOW.wall_ms + ms }
}

struct Server {
    store: Store,
    replica: Replica,
}

impl Server {
    fn new(id: u64) -> Self {
        let scopes = Scopes::new([], Scope::Herd);
        let options = ReplicaOptions::default();
        let replica = Replica::new(NodeId(id), Epoch(1), NOW, Stamp::ZERO, scopes, options, id);
        Self { store: Store::new(StoreOptions::default()), replica }
    }

    fn step(&mut self, ms: u64, input: Input<'_>) -> Vec<Bytes> {
        let now = Now { tick_ms: NOW.tick_ms + ms, wall_ms: NOW.wall_ms + ms };
        let mut orders = Vec::new();
        let mut shelf = StoreShelf { store: &mut self.store, moment: moment(ms) };
        self.replica.step(now, input, &mut shelf, &mut orders);
        orders
            .into_iter()
            .filter_map(|order| if let Order::Spread(it) = order { Some(it) } else { None })
            .collect()
    }

    /// Runs commands as one record, and says what the other servers are told.
    fn run(&mut self, ms: u64, lines: &[&str]) -> Vec<Bytes> {
        let mut gone = VecDeque::new();
        self.store.begin_group();
        for line in lines {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let mut answer = Unread::default();
            let outcome =
                self.store.execute(moment(ms), ClientId(1), 0, &words, Mode::Transaction, &mut answer);
            assert!(matches!(outcome, Outcome::Done { .. }) && answer.error.is_none(), "{line}: {answer:?}");
        }
        self.store.end_group();
        self.store.take_changes(&mut |change| {
            if let Some(key) = change.key.filter(|_| change.event == "expired") {
                gone.push_back(Gone { database: 0, key: Bytes::copy_from_slice(key), has_lapsed: true });
            }
        });
        let (mut touches, databases) = (Touches::default(), self.store.databases());
        let replica = &self.replica;
        self.store.drain_effects(&mut |database, command| {
            touches.note(replica, database, command, &mut gone, databases);
        });
        let mut told = Vec::new();
        touches.tell(|input| told.extend(self.step(ms, input)));
        told
    }

    fn text(&self, ms: u64, key: &str) -> Option<String> {
        let mut digits = Digits::default();
        self.store.kind_of(moment(ms), 0, key.as_bytes())?;
        match self.store.glance(0, key.as_bytes(), &mut digits)? {
            Glance::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            Glance::Other(_) => None,
        }
    }
}

/// Each line one record, its commands between semicolons; then the value of `k` on both servers.
#[track_caller]
fn check(records: &[(u64, &str)], expected: Option<&str>) {
    let (mut here, mut there) = (Server::new(1), Server::new(2));
    let last = records.last().unwrap().0;
    for (ms, record) in records {
        let lines: Vec<&str> = record.split("; ").collect();
        for change in here.run(*ms, &lines) {
            there.step(*ms, Input::Change(change));
        }
    }
    assert_eq!(here.text(last, "k").as_deref(), expected, "here");
    assert_eq!(there.text(last, "k").as_deref(), expected, "there");
    // And both count on from the same.
    let Some(Ok(number)) = expected.map(str::parse::<i64>) else { return };
    for change in there.run(last + 1, &["INCR k"]) {
        here.step(last + 1, Input::Change(change));
    }
    let more = Some((number + 1).to_string());
    assert_eq!((here.text(last + 1, "k"), there.text(last + 1, "k")), (more.clone(), more));
}

#[test]
fn a_count_on_what_the_same_record_has_set_is_told_once() {
    check(&[(0, "SET k 5; INCR k")], Some("6"));
    check(&[(0, "SET k 3"), (1, "DEL k; INCR k; INCRBY k 4")], Some("5"));
    check(&[(0, "INCR k; APPEND k 0; INCR k")], Some("11"));
    check(&[(0, "SET k 0 PX 5000; INCR k; PEXPIRE k 9000")], Some("1"));
    check(&[(0, "INCR k; DEL k")], None);
}

#[test]
fn counts_of_one_record_add_up() {
    check(&[(0, "SET k 10"), (1, "INCRBY k 5; INCRBY k 3")], Some("18"));
    check(&[(0, "INCR k; EXPIRE k 100; INCR k; DECRBY k 7")], Some("-5"));
    check(&[(0, "INCRBY k 9223372036854775807; DECR k; DECRBY k 9223372036854775806")], Some("0"));
}

#[test]
fn a_count_on_a_key_whose_time_was_over_begins_anew() {
    check(&[(0, "SET k 7 PX 10"), (20, "INCR k")], Some("1"));
    check(&[(0, "SET k 7 PX 10"), (20, "GET k")], None);
}

#[test]
fn what_follows_an_emptied_database_is_told_once() {
    check(&[(0, "SET k 5; SET other 1"), (1, "FLUSHDB; INCR k; INCR k")], Some("2"));
}

#[test]
fn a_copy_of_a_key_that_is_named_like_an_option_is_told_where_it_went() {
    let mut here = Server::new(1);
    here.run(0, &["SET db 1"]);
    let mut touches = Touches::default();
    let copy: [&[u8]; 5] = [b"COPY", b"db", b"k", b"DB", b"3"];
    touches.note(&here.replica, 0, &copy, &mut VecDeque::new(), 16);
    let mut told = Vec::new();
    touches.tell(|input| {
        if let Input::Local { database, key, .. } = input {
            told.push((database, key.to_vec()));
        }
    });
    assert!(told.contains(&(3, b"k".to_vec())), "{told:?}");
}
