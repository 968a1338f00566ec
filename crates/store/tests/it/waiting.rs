//! Clients that wait, clients that watch, groups of commands.

use remuda_store::{ClientId, Mode, Outcome, StoreOptions};

use crate::bench::Bench;

#[test]
fn who_waits_longest_is_served_first() {
    let mut bench = Bench::new();
    assert_eq!(bench.client(1, "BLPOP a b 0"), "waits");
    assert_eq!(bench.client(2, "BRPOP b 0"), "waits");
    assert_eq!(bench.client(3, "BLMOVE b c LEFT RIGHT 0"), "waits");
    assert_eq!(bench.serve(), [""; 0]);
    assert_eq!(bench.client(4, "RPUSH b x y"), ":2");
    assert_eq!(bench.serve(), [r#"1: ["b" "x"]"#, r#"2: ["b" "y"]"#]);
    assert_eq!(bench.store.blocked_count(), 1);
    assert_eq!(bench.client(5, "BLPOP c 0"), "waits");
    assert_eq!(bench.client(4, "RPUSH b z"), ":1");
    assert_eq!(bench.serve(), [r#"3: "z""#, r#"5: ["c" "z"]"#]);
    assert_eq!(bench.store.blocked_count(), 0);
    assert!(bench.store.is_empty());
    let log = bench.logged();
    assert_eq!(log, ["RPUSH b x y", "LPOP b", "RPOP b", "RPUSH b z", "LMOVE b c LEFT RIGHT", "LPOP c"]);
}

#[test]
fn a_command_that_need_not_wait_does_not() {
    Bench::new().script(
        r#"
        RPUSH l a b c d e -> :5
        BLPOP none l 0 -> ["l" "a"]
        BRPOP l 0 -> ["l" "e"]
        BLMPOP 0 1 l LEFT COUNT 2 -> ["l" ["b" "c"]]
        BRPOPLPUSH l m 0 -> "d"
        BLPOP l -1 -> -ERR timeout is negative
        BLPOP l x -> -ERR timeout is not a float or out of range
        BLPOP l 1e300 -> -ERR timeout is out of range
        SET s x -> +OK
        BLPOP none s 0 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn a_wait_ends_in_time() {
    let mut bench = Bench::new();
    assert_eq!(bench.client(1, "BLPOP a 0.1"), "waits");
    assert_eq!(bench.client(2, "BLMOVE a b LEFT LEFT 0.05"), "waits");
    assert_eq!(bench.store.deadline(bench.moment).unwrap().as_millis(), 50);
    bench.pass(50);
    assert_eq!(bench.serve(), ["2: *nil"]);
    bench.pass(50);
    assert_eq!(bench.serve(), ["1: *nil"]);
    assert_eq!(bench.store.deadline(bench.moment), None);
    assert_eq!(bench.client(3, "RPUSH a x"), ":1");
    assert_eq!(bench.serve(), [""; 0]);
}

#[test]
fn values_of_another_type_pass_by_who_waits() {
    let mut bench = Bench::new();
    assert_eq!(bench.client(1, "BLPOP a 0"), "waits");
    assert_eq!(bench.client(2, "SET a x"), "+OK");
    assert_eq!(bench.serve(), [""; 0]);
    assert_eq!(bench.client(2, "DEL a"), ":1");
    assert_eq!(bench.client(2, "RPUSH other x"), ":1");
    assert_eq!(bench.client(2, "RENAME other a"), "+OK");
    assert_eq!(bench.serve(), [r#"1: ["a" "x"]"#]);
    assert_eq!(bench.client(1, "BLPOP a 0"), "waits");
    bench.database = 3;
    assert_eq!(bench.client(2, "RPUSH a in-another-database"), ":1");
    assert_eq!(bench.serve(), [""; 0]);
    assert_eq!(bench.client(2, "SWAPDB 0 3"), "+OK");
    assert_eq!(bench.serve(), [r#"1: ["a" "in-another-database"]"#]);
}

#[test]
fn who_is_gone_waits_no_more() {
    let mut bench = Bench::with(StoreOptions { blocked_max: 2, ..StoreOptions::default() });
    assert_eq!(bench.client(1, "BLPOP a a 0"), "waits");
    assert_eq!(bench.client(2, "BLPOP a 0"), "waits");
    assert_eq!(bench.client(3, "BLPOP a 0"), "-ERR too many clients wait in blocking commands");
    bench.store.forget(ClientId(1));
    assert_eq!(bench.store.blocked_count(), 1);
    assert_eq!(bench.client(3, "RPUSH a x"), ":1");
    assert_eq!(bench.serve(), [r#"2: ["a" "x"]"#]);
}

#[test]
fn nobody_waits_within_a_transaction() {
    let mut bench = Bench::new();
    for mode in [Mode::Transaction, Mode::Script] {
        assert_eq!(bench.run_as(ClientId(1), &[b"BLPOP", b"a", b"0"], mode), "*nil");
        assert_eq!(bench.run_as(ClientId(1), &[b"BLMOVE", b"a", b"b", b"LEFT", b"LEFT", b"0"], mode), "nil");
    }
    assert_eq!(bench.store.blocked_count(), 0);
}

#[test]
fn a_group_is_one_unit_of_the_log_and_serves_after_it() {
    let mut bench = Bench::new();
    assert_eq!(bench.client(1, "BLPOP a 0"), "waits");
    bench.store.begin_group();
    let mut answer = crate::bench::Written::default();
    for command in [&[&b"RPUSH"[..], b"a", b"x"], &[b"RPUSH", b"a", b"y"]] {
        answer = crate::bench::Written::default();
        let outcome =
            bench.store.execute(bench.moment, ClientId(2), 0, command, Mode::Transaction, &mut answer);
        assert_eq!(outcome, Outcome::Done { verbatim: false });
    }
    bench.store.end_group();
    assert_eq!(answer.text(), ":2");
    assert_eq!(bench.serve(), [r#"1: ["a" "x"]"#]);
    assert_eq!(bench.logged(), ["MULTI", "RPUSH a x", "RPUSH a y", "EXEC", "LPOP a"]);
}

#[test]
fn a_watch_breaks_when_its_key_changes() {
    let client = ClientId(1);
    let broken = |before: &str, during: &str| {
        let mut bench = Bench::new();
        for command in before.split(';').filter(|command| !command.is_empty()) {
            bench.run(command);
        }
        assert!(bench.store.watch(bench.moment, client, 0, b"a"));
        assert!(bench.store.is_intact(bench.moment, client));
        for command in during.split(';') {
            match command.strip_prefix('@') {
                Some(ms) => bench.pass(ms.parse().unwrap()),
                None => drop(bench.run(command)),
            }
        }
        !bench.store.is_intact(bench.moment, client)
    };
    assert!(broken("", "SET a 1"));
    assert!(broken("", "SET a 1;DEL a"));
    assert!(broken("SET a 1", "SET a 1"));
    assert!(broken("SET a 1", "EXPIRE a 10"));
    assert!(broken("SET a 1 PX 10", "@10"));
    assert!(broken("SET a 1", "FLUSHALL"));
    assert!(broken("SET a 1", "RENAME a b"));
    assert!(broken("SET b 1", "RENAME b a"));
    assert!(broken("SET a 1", "SWAPDB 0 1"));
    assert!(!broken("", "SET b 1;DEL b;FLUSHALL"));
    assert!(!broken("SET a 1", "GET a;SET b 1;DEL b"));
    assert!(!broken("SET a 1", "SETNX a 2;SET a 2 NX"));
    assert!(!broken("", "FLUSHALL;SWAPDB 0 1;DEL a"));
    assert!(!broken("SET a 1 PX 10;SET a 2", "@10"));
}

#[test]
fn a_watch_ends_with_its_client_and_has_a_limit() {
    let mut bench = Bench::with(StoreOptions { watched_max: 2, ..StoreOptions::default() });
    assert!(bench.store.watch(bench.moment, ClientId(1), 0, b"a"));
    assert!(bench.store.watch(bench.moment, ClientId(1), 0, b"b"));
    assert!(!bench.store.watch(bench.moment, ClientId(1), 0, b"c"));
    assert!(bench.store.watch(bench.moment, ClientId(2), 0, b"c"));
    bench.run("SET a 1");
    assert!(!bench.store.is_intact(bench.moment, ClientId(1)));
    assert!(bench.store.is_intact(bench.moment, ClientId(2)));
    bench.store.unwatch(ClientId(1));
    assert!(bench.store.is_intact(bench.moment, ClientId(1)));
}
