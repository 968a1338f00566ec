//! Keys on their way from one store to another one, and what commands say of what they touched.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use proptest::prelude::*;
use remuda_store::{Digits, Glance, Kind, RemoteError, Store, StoreOptions, Touched, touched};

use crate::bench::{Bench, dump, replayed};
use crate::properties::{history, run};

/// A key, as other servers are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    kind: Kind,
    whole: Option<Vec<u8>>,
    end: Option<u64>,
    elements: BTreeMap<Vec<u8>, Vec<u8>>,
}

type Picture = BTreeMap<(u32, Vec<u8>), Seen>;

fn origin() -> NonZeroU64 {
    NonZeroU64::new(7).unwrap()
}

fn picture(bench: &Bench) -> Picture {
    let (store, moment) = (&bench.store, bench.moment);
    let mut picture = Picture::new();
    for database in 0..store.databases() {
        store.each_key(database, &mut |key| {
            let Some(kind) = store.kind_of(moment, database, key) else { return };
            let mut digits = Digits::default();
            let whole = match store.glance(database, key, &mut digits) {
                Some(Glance::Text(text)) => Some(text.to_vec()),
                _ => store.packed(moment, database, key),
            };
            let mut elements = BTreeMap::new();
            store.each_element(moment, database, key, &mut |name| {
                elements.insert(name.to_vec(), store.element(moment, database, key, name).unwrap());
            });
            let end = store.end_of(moment, database, key);
            picture.insert((database, key.to_vec()), Seen { kind, whole, end, elements });
        });
    }
    picture
}

fn write(bench: &mut Bench, picture: &Picture) {
    for ((database, key), seen) in picture {
        let mut remote = bench.store.remote(bench.moment, origin(), *database).unwrap();
        match (&seen.whole, seen.kind) {
            (Some(text), Kind::Text) => remote.put_text(key, text, seen.end),
            (Some(packed), _) => remote.put_packed(key, packed, seen.end).unwrap(),
            (None, kind) => {
                for (name, value) in &seen.elements {
                    match kind {
                        Kind::Hash => remote.set_field(key, name, value),
                        Kind::Set => remote.add_member(key, name),
                        _ => remote.set_score(key, name, value),
                    }
                }
                remote.set_end(key, seen.end);
            }
        }
        drop(remote);
        bench.collect();
    }
}

/// Whether what became of a key is within what a command says.
fn explains(touched: Touched<'_>, before: Option<&Seen>, after: Option<&Seen>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return touched != Touched::Expiry || after.is_none();
    };
    let changed: BTreeSet<&Vec<u8>> = before
        .elements
        .keys()
        .chain(after.elements.keys())
        .filter(|name| before.elements.get(*name) != after.elements.get(*name))
        .collect();
    let is_same_whole = before.whole == after.whole && before.kind == after.kind;
    match touched {
        Touched::Whole => true,
        Touched::Elements { .. } => {
            let named: BTreeSet<Vec<u8>> = touched.elements().map(<[u8]>::to_vec).collect();
            before.end == after.end && is_same_whole && changed.iter().all(|name| named.contains(*name))
        }
        Touched::Fewer => {
            let is_gone = |name: &&Vec<u8>| !after.elements.contains_key(*name);
            before.end == after.end && is_same_whole && changed.iter().all(is_gone)
        }
        Touched::Counted(step) => {
            let number = |seen: &Seen| -> i64 {
                String::from_utf8(seen.whole.clone().unwrap()).unwrap().parse().unwrap()
            };
            before.end == after.end && number(before) + step == number(after)
        }
        Touched::Expiry => is_same_whole && changed.is_empty(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_store_told_of_every_key_is_equal(history in history()) {
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        let picture = picture(&bench);
        let mut copy = Bench::new();
        copy.moment = bench.moment;
        write(&mut copy, &picture);
        prop_assert_eq!(self::picture(&copy), picture);
        prop_assert_eq!(dump(&replayed(&copy.log, copy.moment), copy.moment), copy.dump(), "the log says the same");
    }

    #[test]
    fn what_changed_is_what_the_effects_say(history in history()) {
        let mut bench = Bench::new();
        let (mut before, mut logged) = (Picture::new(), 0);
        run(&mut bench, &history, |bench| {
            let after = picture(bench);
            let new = &bench.log[logged..];
            logged = bench.log.len();
            for name in before.keys().chain(after.keys()) {
                let (was, is) = (before.get(name), after.get(name));
                if was == is {
                    continue;
                }
                let mut said = Vec::new();
                for (database, command) in new {
                    let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
                    match touched(&words) {
                        Some((mut keys, _)) if keys.clone().count() > 0 => {
                            let is_key = keys.any(|at| words[at] == &name.1[..]) && (*database == name.0 || words[0] == b"COPY" || words[0] == b"MOVE");
                            if is_key || words[0] == b"COPY" || words[0] == b"MOVE" {
                                said.push(explains(touched(&words).unwrap().1, was, is));
                            }
                        }
                        // Whole databases are changes without a key.
                        _ => said.push(true),
                    }
                }
                assert!(said.len() > 1 || said == [true], "{name:?}: {was:?} became {is:?} by {new:?}");
            }
            before = after;
        });
    }

    #[test]
    fn packed_values_from_outside_are_refused_or_read(
        history in history(),
        arbitrary in prop::collection::vec(any::<u8>(), 0..60),
        at in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        let mut packed: Vec<Vec<u8>> = picture(&bench).into_values().filter_map(|seen| seen.whole).collect();
        packed.push(arbitrary);
        for mut packed in packed {
            if !packed.is_empty() {
                let at = at % packed.len();
                packed[at] = byte;
            }
            let mut copy = Bench::new();
            let mut remote = copy.store.remote(copy.moment, origin(), 0).unwrap();
            if remote.put_packed(b"k", &packed, None).is_err() {
                drop(remote);
                prop_assert!(copy.store.is_empty());
                prop_assert_eq!(copy.store.revision(), 0);
            } else {
                drop(remote);
                copy.collect();
                prop_assert_eq!(dump(&replayed(&copy.log, copy.moment), copy.moment), copy.dump());
            }
        }
    }
}

#[test]
fn the_events_of_a_change_name_the_server_it_comes_from() {
    let mut bench = Bench::new();
    bench.run("SET a 1");
    bench.store.remote(bench.moment, origin(), 0).unwrap().put_text(b"b", b"2", None);
    bench.run("SET c 3");
    let mut origins = Vec::new();
    bench.store.take_changes(&mut |change| origins.push(change.origin));
    assert_eq!(origins, [None, Some(origin()), None]);
}

#[test]
fn who_waits_and_who_watches_learns_of_another_servers_change() {
    let mut bench = Bench::new();
    assert_eq!(bench.client(2, "BLPOP l 0"), "waits");
    let mut other = Bench::new();
    other.run("RPUSH l x");
    let packed = other.store.packed(other.moment, 0, b"l").unwrap();
    bench.store.remote(bench.moment, origin(), 0).unwrap().put_packed(b"l", &packed, None).unwrap();
    assert_eq!(bench.serve(), ["2: [\"l\" \"x\"]"]);
}

#[test]
fn an_end_that_is_over_ends_the_key_as_any_other() {
    let mut bench = Bench::new();
    let past = bench.moment.wall_ms - 1;
    bench.store.remote(bench.moment, origin(), 0).unwrap().put_text(b"a", b"1", Some(past));
    assert_eq!(bench.run("GET a"), "nil");
    assert_eq!(bench.store.lapsed().0, 1);
}

#[test]
fn an_end_that_was_fixed_to_a_date_is_that_date_however_two_clocks_go_on() {
    let mut bench = Bench::new();
    bench.run("SET k v PX 5000");
    let date = bench.store.end_of(bench.moment, 0, b"k").unwrap();
    assert_eq!(bench.store.fix_end(bench.moment, 0, b"k"), Some(date));
    bench.moment.tick.0 += 1;
    assert_eq!(bench.store.end_of(bench.moment, 0, b"k"), Some(date));
    bench.moment.wall_ms = date - 1;
    assert!(bench.store.kind_of(bench.moment, 0, b"k").is_some());
    bench.moment.wall_ms = date;
    assert!(bench.store.kind_of(bench.moment, 0, b"k").is_none());
    assert_eq!(bench.store.fix_end(bench.moment, 0, b"k"), None);
    assert_eq!(bench.store.fix_end(bench.moment, 0, b"nothing"), None);
}

#[test]
fn an_end_beyond_all_dates_is_one_that_the_log_takes() {
    let mut bench = Bench::new();
    bench.run("RPUSH l x");
    let packed = bench.store.packed(bench.moment, 0, b"l").unwrap();
    let mut remote = bench.store.remote(bench.moment, origin(), 0).unwrap();
    for ends in [0, u64::MAX] {
        remote.put_text(b"text", b"1", Some(ends));
        remote.put_packed(b"list", &packed, Some(ends)).unwrap();
        remote.set_field(b"hash", b"a", b"1");
        remote.set_end(b"hash", Some(ends));
    }
    drop(remote);
    bench.collect();
    assert_eq!(dump(&replayed(&bench.log, bench.moment), bench.moment), bench.dump());
}

#[test]
fn only_lists_and_streams_are_packed() {
    let mut bench = Bench::new();
    bench.run("SADD s a");
    assert_eq!(bench.store.packed(bench.moment, 0, b"s"), None);
    let mut packed = 2u32.to_le_bytes().to_vec();
    for word in [&b"DEL"[..], b"x"] {
        packed.extend(u32::try_from(word.len()).unwrap().to_le_bytes());
        packed.extend(word);
    }
    let mut copy = Store::new(StoreOptions::default());
    let refused = copy.remote(bench.moment, origin(), 0).unwrap().put_packed(b"k", &packed, None);
    assert!(matches!(refused, Err(RemoteError::Unknown(_))));
}
