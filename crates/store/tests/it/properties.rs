//! What holds for every history of commands.

use std::collections::BTreeMap;

use proptest::prelude::*;
use remuda_store::{ClientId, Mode, StoreOptions, commands, lookup};

use crate::bench::{Bench, dump, replayed};

/// Words that commands are made of: few, so that commands meet on the same keys.
const WORDS: &[&str] = &[
    "a",
    "b",
    "c",
    "d",
    "0",
    "1",
    "2",
    "-1",
    "3",
    "10",
    "1.5",
    "100",
    "x",
    "LEFT",
    "RIGHT",
    "NX",
    "XX",
    "GT",
    "EX",
    "PX",
    "GET",
    "COUNT",
    "STORE",
    "ALPHA",
    "*",
    "",
    "BEFORE",
    "AFTER",
    "DB",
    "REPLACE",
    "KEEPTTL",
    "PERSIST",
    "inf",
    "(1",
    "-",
    "+",
    "MAXLEN",
    "$",
    ">",
    "STREAMS",
    "0-1",
    "1-1",
    "CREATE",
    "MKSTREAM",
    "GROUP",
    "WITHSCORES",
    "u8",
    "SET",
    "AND",
    "OR",
    "BYSCORE",
    "REV",
    "LIMIT",
    "RANK",
    "9223372036854775807",
    "=",
    "~",
    "MINID",
    "ENCODING",
];

/// Commands of which most are refused by nobody.
const SENSIBLE: &[&str] = &[
    "SET a 1",
    "SET b x EX 10",
    "SET a 5 PX 20",
    "SET c 1 KEEPTTL",
    "INCR a",
    "INCRBYFLOAT a 1.5",
    "APPEND a x",
    "SETRANGE b 3 yy",
    "GETDEL a",
    "GETEX b EX 5",
    "GETEX b PERSIST",
    "MSET a 1 b 2 c 3",
    "DEL a b",
    "DEL d l",
    "EXPIRE a 10",
    "PEXPIRE b 15",
    "PERSIST a",
    "EXPIREAT c 1700000003",
    "RENAME a b",
    "RENAME l m",
    "COPY a d",
    "COPY s t REPLACE",
    "COPY l l2 DB 2 REPLACE",
    "MOVE a 1",
    "SWAPDB 0 1",
    "FLUSHDB",
    "RPUSH l 1 2 3",
    "LPUSH l x",
    "LPOP l",
    "RPOP l 2",
    "LREM l 0 x",
    "LTRIM l 0 3",
    "LSET l 0 q",
    "LINSERT l BEFORE 2 z",
    "LMOVE l m LEFT RIGHT",
    "LMPOP 2 l m RIGHT COUNT 2",
    "BLPOP l m 1",
    "BLMOVE m l RIGHT LEFT 1",
    "HSET h a 1 b 2",
    "HSET h c 3",
    "HINCRBY h a 5",
    "HINCRBYFLOAT h a 0.5",
    "HDEL h a b",
    "SADD s a b c d e",
    "SADD t c d z",
    "SREM s a",
    "SPOP s",
    "SPOP s 2",
    "SMOVE s t b",
    "SUNIONSTORE u s t",
    "SINTERSTORE u s t",
    "SDIFFSTORE u s t",
    "SORT l ALPHA STORE q",
    "SORT a ALPHA GET b STORE q",
    "BITOP OR e a b",
    "PEXPIRE z 3",
    "PEXPIRE s 3",
    "ZUNIONSTORE y 2 z s",
    "ZINTERSTORE y 2 z s",
    "ZDIFFSTORE y 2 z s",
    "ZRANGESTORE y z 0 -1",
    "ZADD z 1 a 2 b 3 c",
    "ZPOPMIN z",
    "ZREM z b",
    "XADD x * f v",
    "XADD x MAXLEN 3 * f v",
    "XTRIM x MAXLEN 2",
    "SETBIT a 7 1",
    "XGROUP CREATE x g 0 MKSTREAM",
    "XREADGROUP GROUP g me COUNT 2 STREAMS x >",
    "XACK x g 0-1",
];

fn step() -> impl Strategy<Value = (u8, String, u16)> {
    let random = (0..commands().count(), prop::collection::vec(prop::sample::select(WORDS), 0..6)).prop_map(
        |(name, args)| {
            let name = commands().nth(name).unwrap().name;
            args.iter().fold(name.to_owned(), |line, arg| format!("{line} \"{arg}\""))
        },
    );
    let line = prop_oneof![4 => prop::sample::select(SENSIBLE).prop_map(str::to_owned), 1 => random];
    (0u8..4, line, prop_oneof![4 => Just(0u16), 1 => 0u16..20])
}

pub(crate) fn history() -> impl Strategy<Value = Vec<(u8, String, u16)>> {
    prop::collection::vec(step(), 1..60)
}

/// Runs a history with four clients, of which those that wait stay silent.
pub(crate) fn run(bench: &mut Bench, history: &[(u8, String, u16)], mut after: impl FnMut(&mut Bench)) {
    for (client, line, ms) in history {
        bench.pass(u64::from(*ms));
        bench.database = u32::from(*client % 2);
        if !bench.waiting.contains(&ClientId(u64::from(*client))) {
            bench.client(u64::from(*client), line);
        }
        bench.serve();
        bench.expire();
        after(bench);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_log_makes_an_equal_store(history in history()) {
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        bench.log.retain(|(_, command)| command[0] != b"MULTI" && command[0] != b"EXEC");
        let copy = replayed(&bench.log, bench.moment);
        prop_assert_eq!(dump(&copy, bench.moment), bench.dump());
        prop_assert!(copy.revision() >= bench.store.revision(), "a revision could come again");
    }

    #[test]
    fn a_snapshot_makes_an_equal_store(history in history()) {
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        let mut snapshot = Vec::new();
        bench.store.dump(bench.moment, &mut |database, command| {
            assert!(command.len() <= 130, "a command of a snapshot has a limit");
            snapshot.push((database, command.iter().map(|word| word.to_vec()).collect()));
        });
        let copy = replayed(&snapshot, bench.moment);
        prop_assert_eq!(dump(&copy, bench.moment), bench.dump());
        prop_assert!(copy.revision() >= bench.store.revision());
        for database in 0..16 {
            prop_assert_eq!(copy.len(database), bench.store.len(database));
        }
    }

    #[test]
    fn whoever_watches_misses_no_change_and_sees_none_twice(
        history in history(),
        kept in 1usize..40,
        pauses in prop::collection::vec(1usize..8, 30),
    ) {
        let mut bench = Bench::with(StoreOptions { changes_kept: kept, ..StoreOptions::default() });
        let (mut seen, mut pauses) = (0, pauses.into_iter().cycle());
        let mut left = pauses.next().unwrap();
        // The keys with the revisions that were told; none for a key that was read anew.
        let mut known: BTreeMap<Vec<u8>, Option<u64>> = BTreeMap::new();
        run(&mut bench, &history, |bench| {
            left -= 1;
            if left > 0 {
                return;
            }
            left = pauses.next().unwrap();
            let mut anew = false;
            match bench.store.changes_since(seen, 0, b"") {
                Ok(changes) => for change in changes {
                    assert!(change.revision > seen, "a change was seen twice");
                    seen = change.revision;
                    match change.key {
                        None => anew = true,
                        Some(key) if change.deleted => drop(known.remove(key)),
                        Some(key) => {
                            let before = known.insert(key.to_vec(), Some(change.revision));
                            let fits = before.map_or(change.previous.is_none(), |before| {
                                change.previous.is_some() && before.is_none_or(|before| Some(before) == change.previous)
                            });
                            assert!(anew || fits, "a change between was missed");
                        }
                    }
                },
                Err(gap) => {
                    assert!(gap.oldest > seen + 1);
                    anew = true;
                }
            }
            seen = bench.store.revision();
            let all = bench.keys(0);
            if anew {
                known = all.into_iter().map(|key| (key, None)).collect();
            } else {
                assert!(known.keys().eq(&all), "the watcher's picture is another");
            }
        });
    }

    #[test]
    fn the_memory_of_nothing_is_nothing(history in history()) {
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        bench.run("FLUSHALL");
        prop_assert_eq!(bench.store.used_bytes(), 0);
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        for database in 0..16 {
            bench.database = database;
            for key in bench.keys(database) {
                bench.run_as(ClientId(9), &[b"DEL", &key], Mode::Normal);
            }
        }
        prop_assert_eq!(bench.store.used_bytes(), 0, "each key gives back what it took");
        let waits = bench.store.blocked_count();
        prop_assert!(bench.store.deadline(bench.moment).is_none() || waits > 0);
    }

    #[test]
    fn any_arguments_are_answered(
        name in 0..commands().count(),
        args in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..12),
        ], 0..10),
        setup in prop::sample::subsequence(SENSIBLE, 0..12),
    ) {
        let mut bench = Bench::new();
        for line in setup {
            if !bench.waiting.contains(&ClientId(1)) {
                bench.run(line);
            }
        }
        let spec = commands().nth(name).unwrap();
        let mut command: Vec<&[u8]> = vec![spec.name.as_bytes()];
        command.extend(args.iter().map(Vec::as_slice));
        for position in spec.keys_of(&command) {
            prop_assert!(position > 0 && position < command.len());
        }
        let answer = bench.run_as(ClientId(2), &command, Mode::Normal);
        prop_assert!(!answer.is_empty());
        prop_assert_eq!(answer.contains("wrong number of arguments") || spec.takes(command.len()), true);
        prop_assert!(bench.store.used_bytes() < 80 << 20);
    }

    #[test]
    fn a_refused_command_changes_nothing(history in history(), last in step()) {
        let mut bench = Bench::new();
        run(&mut bench, &history, |_| {});
        let before = (bench.dump(), bench.store.revision(), bench.store.len(0), bench.store.used_bytes());
        bench.database = 0;
        let answer = bench.client(9, &last.1);
        if answer.starts_with('-') {
            let after = (bench.dump(), bench.store.revision(), bench.store.len(0), bench.store.used_bytes());
            prop_assert_eq!(after, before, "{} was refused with {}", last.1, answer);
        }
    }
}

/// What strings with lifetimes are, at their plainest.
#[derive(Debug, Default)]
struct Model {
    /// A value, and when it ends by the clock that never jumps.
    keys: BTreeMap<String, (String, Option<u64>)>,
}

proptest! {
    #[test]
    fn strings_and_lifetimes_are_those_of_a_plain_map(
        steps in prop::collection::vec((0u8..7, 0u8..4, 1u64..30, 0u64..15, any::<bool>()), 1..80)
    ) {
        let mut bench = Bench::new();
        let mut model = Model::default();
        let mut revision = 0;
        for (what, key, number, pause, jumps) in steps {
            bench.pass(pause);
            if jumps {
                bench.moment.wall_ms += 1_000_000;
            }
            let now = bench.moment.tick.0;
            model.keys.retain(|_, (_, end)| end.is_none_or(|end| end > now));
            let key = format!("key{key}");
            let before = bench.store.revision();
            let (answer, wanted) = match what {
                0 => {
                    model.keys.insert(key.clone(), (number.to_string(), None));
                    (bench.run(&format!("SET {key} {number}")), "+OK".to_owned())
                }
                1 => {
                    model.keys.insert(key.clone(), (number.to_string(), Some(now + number)));
                    (bench.run(&format!("SET {key} {number} PX {number}")), "+OK".to_owned())
                }
                2 => {
                    let wanted = model.keys.get(&key).map_or("nil".to_owned(), |(value, _)| format!("\"{value}\""));
                    (bench.run(&format!("GET {key}")), wanted)
                }
                3 => {
                    let removed = model.keys.remove(&key).is_some();
                    (bench.run(&format!("DEL {key}")), format!(":{}", u8::from(removed)))
                }
                4 => {
                    let found = model.keys.get_mut(&key).map(|(_, end)| *end = Some(now + number)).is_some();
                    (bench.run(&format!("PEXPIRE {key} {number}")), format!(":{}", u8::from(found)))
                }
                5 => {
                    let left = model.keys.get(&key).map_or(-2, |(_, end)| {
                        end.map_or(-1, |end| i64::try_from(end - now).unwrap())
                    });
                    (bench.run(&format!("PTTL {key}")), format!(":{left}"))
                }
                _ => {
                    let entry = model.keys.entry(key.clone()).or_insert(("0".to_owned(), None));
                    let sum = entry.0.parse::<u64>().unwrap() + number;
                    entry.0 = sum.to_string();
                    (bench.run(&format!("INCRBY {key} {number}")), format!(":{sum}"))
                }
            };
            prop_assert_eq!(answer, wanted);
            if matches!(what, 0 | 1 | 6) {
                let now = bench.store.changes_since(before, 0, key.as_bytes()).unwrap().last().unwrap().revision;
                prop_assert!(now > before && now > revision, "a change takes the next revision");
                revision = now;
            }
        }
        bench.expire();
        prop_assert_eq!(bench.store.len(0).0, model.keys.len());
    }

    #[test]
    fn a_walk_sees_all_that_stays(
        sizes in (1usize..400, 0usize..100),
        count in 1usize..60,
        changes in prop::collection::vec((any::<bool>(), 0usize..500), 0..200),
        family in 0usize..3,
    ) {
        let (stays, goes) = sizes;
        let mut bench = Bench::new();
        let (add, remove, scan) = [
            ("SET # x", "DEL #", "SCAN"),
            ("HSET h # x", "HDEL h #", "HSCAN h"),
            ("SADD s #", "SREM s #", "SSCAN s"),
        ][family];
        for index in 0..stays.max(goes) {
            if index < stays {
                bench.run(&add.replace('#', &format!("stays{index}")));
            }
            if index < goes {
                bench.run(&add.replace('#', &format!("goes{index}")));
            }
        }
        let (mut seen, mut cursor, mut changes) = (Vec::new(), "0".to_owned(), changes.into_iter());
        loop {
            let answer = bench.run(&format!("{scan} {cursor} COUNT {count}"));
            let words: Vec<String> = answer
                .split(['"', '[', ']', ' '])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            seen.extend(words[1..].iter().filter(|word| word.starts_with("stays")).cloned());
            cursor.clone_from(&words[0]);
            if cursor == "0" {
                break;
            }
            for (adds, which) in changes.by_ref().take(8) {
                bench.run(&(if adds { add } else { remove }).replace('#', &format!("goes{which}")));
            }
        }
        seen.sort();
        seen.dedup();
        prop_assert_eq!(seen.len(), stays);
    }
}

#[test]
fn every_sensible_command_is_known() {
    for line in SENSIBLE {
        let name = line.split(' ').next().unwrap();
        assert!(lookup(name.as_bytes()).is_some(), "{name}");
    }
}
