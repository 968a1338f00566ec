//! Keys, their lifetimes, their moves.

use remuda_store::Mode;

use crate::bench::{Bench, dump, replayed};

#[test]
fn keys_are_removed_counted_and_typed() {
    Bench::new().script(
        r#"
        SET a 1 -> +OK
        RPUSH l x -> :1
        HSET h f v -> :1
        SADD s m -> :1
        TYPE a -> +string
        TYPE l -> +list
        TYPE h -> +hash
        TYPE s -> +set
        TYPE none -> +none
        EXISTS a a none -> :2
        TOUCH a l none -> :2
        DBSIZE -> :4
        DEL a a none -> :1
        UNLINK l h s -> :3
        DBSIZE -> :0
        RANDOMKEY -> nil
        DEL -> -ERR wrong number of arguments for 'del' command
        get -> -ERR wrong number of arguments for 'get' command
        NOSUCH a -> not mine
        "#,
    );
}

#[test]
fn a_lifetime_ends_a_key() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        SET a 1 -> +OK
        TTL a -> :-1
        TTL none -> :-2
        EXPIRE none 10 -> :0
        EXPIRE a 10 -> :1
        TTL a -> :10
        PTTL a -> :10000
        EXPIRETIME a -> :1700000010
        PEXPIRETIME a -> :1700000010000
        @9999
        GET a -> "1"
        TTL a -> :0
        @1
        GET a -> nil
        PTTL a -> :-2
        SET b 1 PX 100 -> +OK
        PERSIST b -> :1
        PERSIST b -> :0
        @100
        GET b -> "1"
        EXPIREAT b 1 -> :1
        EXISTS b -> :0
        SET c 1 EX 10 -> +OK
        SET c 2 -> +OK
        TTL c -> :-1
        EXPIRE c -1 -> :1
        EXISTS c -> :0
        SET d 1 -> +OK
        EXPIRE d 9223372036854775807 -> -ERR invalid expire time in 'expire' command
        PEXPIRE d 9223372036854775807 -> -ERR invalid expire time in 'pexpire' command
        EXPIRE d x -> -ERR value is not an integer or out of range
        EXPIRE d 10 ZZ -> -ERR Unsupported option ZZ
        EXPIRE d 10 NX XX -> -ERR NX and XX, GT or LT options at the same time are not compatible
        EXPIRE d 10 GT LT -> -ERR GT and LT options at the same time are not compatible
        "#,
    );
    assert_eq!(
        bench.events(),
        [
            "set a",
            "expire a",
            "expired a",
            "set b",
            "expire b",
            "persist b",
            "del b",
            "set c",
            "expire c",
            "set c",
            "del c",
            "set d"
        ]
    );
}

#[test]
fn a_lifetime_is_changed_under_conditions() {
    Bench::new().script(
        r#"
        SET a 1 -> +OK
        EXPIRE a 10 XX -> :0
        EXPIRE a 10 GT -> :0
        EXPIRE a 10 LT -> :1
        EXPIRE a 20 NX -> :0
        EXPIRE a 5 GT -> :0
        EXPIRE a 20 GT -> :1
        EXPIRE a 30 LT -> :0
        EXPIRE a 5 XX LT -> :1
        TTL a -> :5
        "#,
    );
}

#[test]
fn a_jump_of_the_wall_clock_leaves_durations_alone() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        SET lease x EX 10 -> +OK
        SET dated x EXAT 1700000010 -> +OK
        "#,
    );
    bench.moment.wall_ms += 3_600_000;
    bench.script(
        r#"
        TTL lease -> :10
        GET dated -> nil
        "#,
    );
    bench.moment.wall_ms -= 7_200_000;
    bench.script(
        r#"
        TTL lease -> :10
        @10000
        GET lease -> nil
        "#,
    );
}

#[test]
fn a_result_made_of_keys_whose_time_is_over_is_the_same_from_the_log() {
    for (fill, command, answer) in [
        ("ZADD old 1 x", "ZUNIONSTORE t 2 old new", ":1"),
        ("ZADD old 1 m", "ZINTERSTORE t 2 old new", ":0"),
        ("ZADD old 1 m", "ZDIFFSTORE t 2 new old", ":1"),
        ("ZADD old 1 m", "ZRANGESTORE t old 0 -1", ":0"),
        ("SADD old m", "SDIFFSTORE t plain old", ":1"),
        ("SET old xyz", "BITOP OR t old text", ":2"),
        ("RPUSH old a", "SORT old ALPHA STORE t", ":0"),
        ("SET old a", "COPY old t", ":0"),
    ] {
        let mut bench = Bench::new();
        for line in [fill, "PEXPIRE old 10", "ZADD new 2 m", "SADD plain m", "SET text ab"] {
            bench.run(line);
        }
        bench.pass(10);
        assert_eq!(bench.run(command), answer, "{command}");
        let copy = replayed(&bench.log, bench.moment);
        assert_eq!(dump(&copy, bench.moment), bench.dump(), "{command}");
    }
}

#[test]
fn keys_end_without_being_asked_for() {
    let mut bench = Bench::new();
    bench.script("SET a 1 PX 50 -> +OK\nSET b 1 PXAT 1700000000100 -> +OK\nSET c 1 -> +OK");
    assert_eq!(bench.store.deadline(bench.moment).unwrap().as_millis(), 50);
    bench.events();
    bench.logged();
    bench.pass(50);
    assert_eq!(bench.expire(), 1);
    assert_eq!(bench.store.deadline(bench.moment).unwrap().as_millis(), 50);
    bench.pass(50);
    assert_eq!(bench.expire(), 1);
    assert_eq!(bench.store.deadline(bench.moment), None);
    assert_eq!(bench.events(), ["expired a", "expired b"]);
    assert_eq!(bench.logged(), ["DEL a", "DEL b"]);
    assert_eq!(bench.store.len(0), (1, 0));
}

#[test]
fn keys_are_listed_by_pattern() {
    let mut bench = Bench::new();
    for index in 0..100 {
        assert_eq!(bench.run(&format!("SET key:{index} x")), "+OK");
    }
    bench.run("RPUSH list:1 x");
    assert_eq!(bench.run("KEYS list:*"), r#"["list:1"]"#);
    assert_eq!(bench.run("SCAN 0 COUNT 1000 TYPE list"), r#"["0" ["list:1"]]"#);
    assert_eq!(bench.run("SCAN 0 COUNT 1000 MATCH list:?"), r#"["0" ["list:1"]]"#);
    assert_eq!(bench.run("SCAN 0 COUNT 1000 TYPE zset"), r#"["0" []]"#);
    assert_eq!(bench.run("SCAN x"), "-ERR invalid cursor");
    assert_eq!(bench.run("SCAN 0 COUNT 0"), "-ERR syntax error");
    assert_eq!(bench.run("SCAN 0 COUNT x"), "-ERR value is not an integer or out of range");
    assert_eq!(bench.run("SCAN 0 NOSUCH 1"), "-ERR syntax error");
}

#[test]
fn keys_are_renamed_copied_and_moved() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        RENAME none x -> -ERR no such key
        SET a 1 EX 10 -> +OK
        RENAME a b -> +OK
        TTL b -> :10
        RENAME b b -> +OK
        SET c 2 -> +OK
        RENAMENX b c -> :0
        RENAMENX b d -> :1
        COPY d c -> :0
        COPY d c REPLACE -> :1
        GET c -> "1"
        TTL c -> :10
        COPY d d -> -ERR source and destination objects are the same
        COPY d d DB 3 -> :1
        COPY none e -> :0
        COPY d e DB 16 -> -ERR DB index is out of range
        MOVE d 3 -> :0
        MOVE d 4 -> :1
        MOVE d 0 -> -ERR source and destination objects are the same
        EXISTS d -> :0
        SWAPDB 0 4 -> +OK
        GET d -> "1"
        TTL d -> :10
        DBSIZE -> :1
        SWAPDB 0 99 -> -ERR DB index is out of range
        SWAPDB x 1 -> -ERR invalid first DB index
        "#,
    );
    bench.database = 4;
    assert_eq!(bench.run("GET c"), "\"1\"");
    bench.pass(10_000);
    assert_eq!(bench.expire(), 3, "the deadlines moved with the keys");
    assert_eq!(bench.run("FLUSHDB nonsense"), "-ERR syntax error");
    assert_eq!(bench.run("FLUSHALL ASYNC"), "+OK");
    assert_eq!(bench.store.used_bytes(), 0);
}

#[test]
fn a_flush_is_one_change_of_all_keys() {
    let mut bench = Bench::new();
    bench.script(
        "SET a 1 EX 10 -> +OK\nSET b 1 -> +OK\nFLUSHDB -> +OK\nFLUSHALL -> +OK\nSET a 2 -> +OK\nTTL a -> :-1",
    );
    assert_eq!(bench.events(), ["set a", "expire a", "set b", "flushdb *", "set a"]);
    assert!(bench.store.is_empty() || bench.store.len(0) == (1, 0));
    assert_eq!(bench.store.deadline(bench.moment), None);
}

#[test]
fn what_is_known_about_a_value_is_told() {
    Bench::new().script(
        r#"
        SET i 12 -> +OK
        SET s "a short one" -> +OK
        SADD set 1 2 -> :2
        RPUSH list a -> :1
        HSET hash f v -> :1
        OBJECT ENCODING i -> "int"
        OBJECT ENCODING s -> "embstr"
        OBJECT ENCODING set -> "intset"
        OBJECT ENCODING list -> "listpack"
        OBJECT ENCODING hash -> "listpack"
        OBJECT ENCODING none -> nil
        OBJECT REFCOUNT i -> :1
        OBJECT IDLETIME i -> :0
        @12000
        OBJECT IDLETIME i -> :12
        OBJECT NOSUCH i -> -ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP.
        OBJECT ENCODING -> -ERR wrong number of arguments for 'object|encoding' command
        MEMORY USAGE none -> nil
        "#,
    );
}

#[test]
fn lists_are_sorted() {
    Bench::new().script(
        r#"
        RPUSH l 3 1 2 -> :3
        SORT l -> ["1" "2" "3"]
        SORT l DESC LIMIT 0 2 -> ["3" "2"]
        MSET w_1 30 w_2 20 w_3 10 -> +OK
        SORT l BY w_* -> ["3" "2" "1"]
        SORT l BY nosort GET # GET w_* -> ["3" "10" "1" "30" "2" "20"]
        HSET o_1 f one -> :1
        SORT l GET o_*->f -> ["one" nil nil]
        SORT l STORE t -> :3
        LRANGE t 0 -1 -> ["1" "2" "3"]
        SORT none STORE t -> :0
        EXISTS t -> :0
        RPUSH words b a -> :2
        SORT words -> -ERR One or more scores can't be converted into double
        SORT words ALPHA -> ["a" "b"]
        SORT_RO l DESC -> ["3" "2" "1"]
        SORT_RO l STORE t -> -ERR syntax error
        SORT w_1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn a_full_store_refuses_or_makes_room() {
    use remuda_store::{Eviction, StoreOptions};
    let options =
        |eviction| StoreOptions { memory_max_bytes: Some(20_000), eviction, ..StoreOptions::default() };
    let fill = |bench: &mut Bench| {
        (0..200)
            .map(|index| bench.run(&format!("SET key:{index} {} EX {}", "x".repeat(100), 1000 - index)))
            .collect::<Vec<_>>()
    };
    let mut bench = Bench::with(options(Eviction::Refuse));
    let answers = fill(&mut bench);
    assert_eq!(answers[199], "-OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(bench.run("GET key:0"), format!("\"{}\"", "x".repeat(100)));
    assert_eq!(bench.run("DEL key:0 key:1 key:2"), ":3");
    assert_eq!(bench.run("SET a 1"), "+OK");

    for eviction in [Eviction::LeastRecentlyUsed, Eviction::SoonestExpiry] {
        let mut bench = Bench::with(options(eviction));
        assert!(fill(&mut bench).iter().all(|answer| answer == "+OK"));
        assert!(bench.store.used_bytes() < 20_500);
        let evicted = bench.events().iter().filter(|event| event.starts_with("evicted")).count();
        assert_eq!(bench.store.len(0).0 + evicted, 200);
        assert!(bench.logged().iter().filter(|line| line.starts_with("DEL ")).count() == evicted);
    }
    let mut bench = Bench::with(options(Eviction::SoonestExpiry));
    fill(&mut bench);
    bench.run("SET last x");
    assert_eq!(bench.run("EXISTS key:0 key:1"), ":2", "those with the latest ends stay");
}

#[test]
fn a_database_there_is_not_is_refused() {
    let mut bench = Bench::new();
    bench.database = 16;
    assert_eq!(
        bench.run_as(remuda_store::ClientId(1), &[b"GET", b"a"], Mode::Normal),
        "-ERR DB index is out of range"
    );
}

/// The keys of a command, by name.
fn keys<'a>(command: &'a [&'a str]) -> Vec<String> {
    let words: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
    let spec = remuda_store::lookup(words[0]).unwrap();
    let mut names: Vec<String> =
        spec.keys_of(&words).names().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_keys_of_a_command_are_those_it_acts_on_whatever_its_options_hold() {
    let cases: [(&[&str], &[&str]); 11] = [
        (&["SORT", "l"], &["l"]),
        (&["SORT", "l", "ALPHA", "STORE", "to"], &["l", "to"]),
        (&["SORT", "l", "STORE", "to", "GET", "store"], &["l", "to"]),
        (&["SORT", "l", "BY", "store", "STORE", "to", "LIMIT", "0", "store"], &["l", "to"]),
        (&["SORT", "l", "store", "a", "store", "to"], &["l", "to"]),
        (&["SORT", "l", "STORE", "STORE"], &["STORE", "l"]),
        (&["SORT", "l", "GET", "STORE"], &["l"]),
        (&["XREAD", "COUNT", "1", "STREAMS", "a", "b", "0", "0"], &["a", "b"]),
        (&["XREADGROUP", "GROUP", "streams", "c", "STREAMS", "a", ">"], &["a"]),
        (
            &["XREADGROUP", "GROUP", "g", "STREAMS", "NOACK", "BLOCK", "1", "STREAMS", "streams", ">"],
            &["streams"],
        ),
        (&["XREADGROUP", "COUNT", "1", "GROUP", "g", "c", "streams", "a", "b", ">", ">"], &["a", "b"]),
    ];
    for (command, expected) in cases {
        assert_eq!(keys(command), expected, "{command:?}");
    }
}
