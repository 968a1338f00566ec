//! Streams and their groups, with the answers of Redis 7.

use crate::bench::{Bench, dump, replayed};

#[test]
fn entries_are_added_in_the_order_of_their_ids() {
    Bench::new().script(
        r#"
        XADD s 1-1 a 1 -> "1-1"
        XADD s 1-1 a 1 -> -ERR The ID specified in XADD is equal or smaller than the target stream top item
        XADD s 1-* a 2 b 3 -> "1-2"
        XADD s 0-5 a 1 -> -ERR The ID specified in XADD is equal or smaller than the target stream top item
        XADD s 2 a 1 -> "2-0"
        XADD s 3-* a 1 -> "3-0"
        XADD s 0-0 a 1 -> -ERR The ID specified in XADD must be greater than 0-0
        XADD s x a 1 -> -ERR Invalid stream ID specified as stream command argument
        XADD s 4 a -> -ERR wrong number of arguments for 'xadd' command
        XADD s 4 a 1 b -> -ERR wrong number of arguments for 'xadd' command
        XADD none NOMKSTREAM 1 a 1 -> nil
        XLEN s -> :4
        XLEN none -> :0
        XRANGE s - + -> [["1-1" ["a" "1"]] ["1-2" ["a" "2" "b" "3"]] ["2-0" ["a" "1"]] ["3-0" ["a" "1"]]]
        XRANGE s 1 1 -> [["1-1" ["a" "1"]] ["1-2" ["a" "2" "b" "3"]]]
        XRANGE s (1-1 + COUNT 1 -> [["1-2" ["a" "2" "b" "3"]]]
        XRANGE s - + COUNT 0 -> *nil
        XRANGE s - + COUNT -1 -> *nil
        XRANGE s - + COUNT -> -ERR syntax error
        XRANGE s x + -> -ERR Invalid stream ID specified as stream command argument
        XRANGE s (18446744073709551615-18446744073709551615 + -> -ERR invalid start ID for the interval
        XRANGE none - + -> []
        XREVRANGE s + - COUNT 2 -> [["3-0" ["a" "1"]] ["2-0" ["a" "1"]]]
        XREVRANGE s (3 2 -> [["3-0" ["a" "1"]] ["2-0" ["a" "1"]]]
        XDEL s 1-2 9-9 -> :1
        XDEL s x -> -ERR Invalid stream ID specified as stream command argument
        XDEL none x -> :0
        XLEN s -> :3
        XADD s 18446744073709551615-18446744073709551615 a 1 -> "18446744073709551615-18446744073709551615"
        XADD s * a 1 -> -ERR The stream has exhausted the last possible ID, unable to add more items
        SET str x -> +OK
        XADD str 1 a 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn trims_remove_the_oldest() {
    Bench::new().script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 1 -> "2-0"
        XADD s 3 a 1 -> "3-0"
        XADD s 4 a 1 -> "4-0"
        XTRIM s MAXLEN 3 -> :1
        XTRIM s MINID = 3 -> :1
        XTRIM s MAXLEN ~ 1 -> :0
        XTRIM s MAXLEN ~ 1 LIMIT 5 -> :0
        XTRIM s MAXLEN 1 LIMIT 5 -> -ERR syntax error, LIMIT cannot be used without the special ~ option
        XTRIM s MAXLEN -1 -> -ERR The MAXLEN argument must be >= 0.
        XTRIM s MAXLEN 1 MINID 1 -> -ERR syntax error, MAXLEN and MINID options at the same time are not compatible
        XTRIM s FOO 1 -> -ERR syntax error
        XTRIM none MAXLEN 0 -> :0
        XADD s MAXLEN 2 5 a 1 -> "5-0"
        XADD s MINID 5 6 a 1 -> "6-0"
        XADD s LIMIT 1 7 a 1 -> -ERR syntax error, LIMIT cannot be used without specifying a trimming strategy
        XRANGE s - + -> [["5-0" ["a" "1"]] ["6-0" ["a" "1"]]]
        XTRIM s MAXLEN 0 -> :2
        XLEN s -> :0
        EXISTS s -> :1
        XSETID s 4 -> +OK
        XSETID s 9 ENTRIESADDED 20 MAXDELETEDID 8 -> +OK
        XSETID s 9 MAXDELETEDID 10 -> -ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id
        XSETID s 9 ENTRIESADDED -1 -> -ERR entries_added must be positive
        XSETID s 7 -> -ERR The ID specified in XSETID is smaller than current max_deleted_entry_id
        XSETID none 9 -> -ERR no such key
        XINFO STREAM s -> {"length" :0 "radix-tree-keys" :0 "radix-tree-nodes" :1 "last-generated-id" "9-0" "max-deleted-entry-id" "8-0" "entries-added" :20 "recorded-first-entry-id" "0-0" "groups" :0 "first-entry" nil "last-entry" nil}
        "#,
    );
}

#[test]
fn streams_are_read_behind_an_id() {
    Bench::new().script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 2 -> "2-0"
        XADD t 1 b 1 -> "1-0"
        XREAD STREAMS s 0 -> [["s" [["1-0" ["a" "1"]] ["2-0" ["a" "2"]]]]]
        XREAD COUNT 1 STREAMS s t 0 0 -> [["s" [["1-0" ["a" "1"]]]] ["t" [["1-0" ["b" "1"]]]]]
        XREAD STREAMS s t 2 1 -> *nil
        XREAD STREAMS s $ -> *nil
        XREAD STREAMS none 0 -> *nil
        XREAD BLOCK 10 STREAMS s $ -> waits
        XREAD BLOCK x STREAMS s 0 -> -ERR timeout is not an integer or out of range
        XREAD BLOCK -1 STREAMS s 0 -> -ERR timeout is negative
        XREAD STREAMS s t 0 -> -ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.
        XREAD STREAMS s > -> -ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.
        XREAD COUNT 1 s 0 -> -ERR syntax error
        XREAD GROUP g c STREAMS s 0 -> -ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.
        XREAD NOACK STREAMS s 0 -> -ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.
        "#,
    );
}

#[test]
fn a_group_gives_each_entry_to_one_consumer_until_it_is_acknowledged() {
    Bench::new().script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 2 -> "2-0"
        XADD s 3 a 3 -> "3-0"
        XGROUP CREATE s g 0 -> +OK
        XGROUP CREATE s g 0 -> -BUSYGROUP Consumer Group name already exists
        XGROUP CREATE none g 0 -> -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
        XGROUP CREATE fresh g $ MKSTREAM -> +OK
        XREADGROUP GROUP g c1 COUNT 2 STREAMS s > -> [["s" [["1-0" ["a" "1"]] ["2-0" ["a" "2"]]]]]
        XREADGROUP GROUP g c2 STREAMS s > -> [["s" [["3-0" ["a" "3"]]]]]
        XREADGROUP GROUP g c2 STREAMS s > -> *nil
        XREADGROUP GROUP g c1 STREAMS s 0 -> [["s" [["1-0" ["a" "1"]] ["2-0" ["a" "2"]]]]]
        XREADGROUP GROUP g c1 STREAMS s 1 -> [["s" [["2-0" ["a" "2"]]]]]
        XREADGROUP GROUP none c1 STREAMS s > -> -NOGROUP No such key 's' or consumer group 'none' in XREADGROUP with GROUP option
        XREADGROUP GROUP g c1 STREAMS s $ -> -ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
        XREADGROUP COUNT 1 STREAMS s t 0 0 -> -ERR Missing GROUP option for XREADGROUP
        XPENDING s g -> [:3 "1-0" "3-0" [["c1" "2"] ["c2" "1"]]]
        XDEL s 2 -> :1
        XREADGROUP GROUP g c1 STREAMS s 0 -> [["s" [["1-0" ["a" "1"]] ["2-0" *nil]]]]
        XACK s g 1 9 -> :1
        XACK s none 1 -> :0
        XACK none g 1 -> :0
        XPENDING s g -> [:2 "2-0" "3-0" [["c1" "1"] ["c2" "1"]]]
        XPENDING none g -> -NOGROUP No such key 'none' or consumer group 'g'
        XPENDING s none -> -NOGROUP No such key 's' or consumer group 'none'
        XPENDING s g - + -> -ERR syntax error
        XPENDING s g - + x -> -ERR value is not an integer or out of range
        XGROUP DELCONSUMER s g c1 -> :1
        XGROUP DELCONSUMER s g c1 -> :0
        XGROUP CREATECONSUMER s g c3 -> :1
        XGROUP CREATECONSUMER s g c3 -> :0
        XGROUP SETID s g 0 -> +OK
        XGROUP SETID s none 0 -> -NOGROUP No such consumer group 'none' for key name 's'
        XREADGROUP GROUP g c3 NOACK STREAMS s > -> [["s" [["1-0" ["a" "1"]] ["3-0" ["a" "3"]]]]]
        XPENDING s g - + 10 c3 -> []
        XGROUP SETID s g 1 ENTRIESREAD 1 -> +OK
        XINFO GROUPS s -> [{"name" "g" "consumers" :2 "pending" :1 "last-delivered-id" "1-0" "entries-read" :1 "lag" nil}]
        XGROUP SETID s g 1 ENTRIESREAD -2 -> -ERR value for ENTRIESREAD must be positive or -1
        XGROUP DESTROY s g -> :1
        XGROUP DESTROY s g -> :0
        XGROUP DESTROY none g -> -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
        XGROUP FOO s g -> -ERR unknown subcommand 'FOO'. Try XGROUP HELP.
        XGROUP CREATE s -> -ERR wrong number of arguments for 'xgroup|create' command
        XINFO GROUPS s -> []
        XINFO CONSUMERS s g -> -NOGROUP No such consumer group 'g' for key name 's'
        XINFO GROUPS none -> -ERR no such key
        XINFO STREAM none -> -ERR no such key
        XINFO FOO s -> -ERR unknown subcommand 'FOO'. Try XINFO HELP.
        "#,
    );
}

#[test]
fn pending_entries_are_claimed() {
    Bench::new().script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 2 -> "2-0"
        XADD s 3 a 3 -> "3-0"
        XGROUP CREATE s g 0 -> +OK
        XREADGROUP GROUP g c1 STREAMS s > -> [["s" [["1-0" ["a" "1"]] ["2-0" ["a" "2"]] ["3-0" ["a" "3"]]]]]
        XCLAIM s g c2 0 1 -> [["1-0" ["a" "1"]]]
        XCLAIM s g c2 0 2 JUSTID -> ["2-0"]
        XCLAIM s g c2 100000 3 -> []
        XCLAIM s g c2 0 9 -> []
        XDEL s 3 -> :1
        XCLAIM s g c2 0 3 -> []
        XPENDING s g -> [:2 "1-0" "2-0" [["c2" "2"]]]
        XACK s g 1 -> :1
        XCLAIM s g c3 0 1 -> []
        XCLAIM s g c3 0 1 FORCE JUSTID -> ["1-0"]
        XCLAIM s g c3 0 1 RETRYCOUNT 7 JUSTID -> ["1-0"]
        XCLAIM s g c3 x 1 -> -ERR Invalid min-idle-time argument for XCLAIM
        XCLAIM s g c3 0 1 FOO -> -ERR Unrecognized XCLAIM option 'FOO'
        XCLAIM s g c3 0 1 IDLE x -> -ERR Invalid IDLE option argument for XCLAIM
        XCLAIM s none c3 0 1 -> -NOGROUP No such key 's' or consumer group 'none'
        XAUTOCLAIM s g c4 0 0 COUNT 1 -> ["2-0" [["1-0" ["a" "1"]]] []]
        XAUTOCLAIM s g c4 0 2 JUSTID -> ["0-0" ["2-0"] []]
        XAUTOCLAIM s g c4 100000 0 -> ["0-0" [] []]
        XDEL s 2 -> :1
        XAUTOCLAIM s g c5 0 - -> ["0-0" [["1-0" ["a" "1"]]] ["2-0"]]
        XAUTOCLAIM s g c5 0 0 COUNT 0 -> -ERR COUNT must be > 0
        XAUTOCLAIM s g c5 x 0 -> -ERR Invalid min-idle-time argument for XAUTOCLAIM
        XAUTOCLAIM s none c5 0 0 -> -NOGROUP No such key 's' or consumer group 'none'
        "#,
    );
}

#[test]
fn streams_are_maps_to_those_who_speak_resp3() {
    let mut bench = Bench::new();
    bench.resp3 = true;
    bench.script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XREAD STREAMS s 0 -> {"s" [["1-0" ["a" "1"]]]}
        XREAD STREAMS s 1 -> *nil
        XGROUP CREATE s g 0 -> +OK
        XREADGROUP GROUP g c STREAMS s > -> {"s" [["1-0" ["a" "1"]]]}
        XREADGROUP GROUP g c STREAMS s 0 -> {"s" [["1-0" ["a" "1"]]]}
        XINFO STREAM s -> {"length" :1 "radix-tree-keys" :1 "radix-tree-nodes" :2 "last-generated-id" "1-0" "max-deleted-entry-id" "0-0" "entries-added" :1 "recorded-first-entry-id" "1-0" "groups" :1 "first-entry" ["1-0" ["a" "1"]] "last-entry" ["1-0" ["a" "1"]]}
        XINFO GROUPS s -> [{"name" "g" "consumers" :1 "pending" :1 "last-delivered-id" "1-0" "entries-read" :1 "lag" :0}]
        "#,
    );
}

#[test]
fn a_lag_is_told_while_it_is_known() {
    Bench::new().script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 1 -> "2-0"
        XADD s 3 a 1 -> "3-0"
        XGROUP CREATE s g 0 -> +OK
        XGROUP CREATE s h 2 -> +OK
        XINFO GROUPS s -> [{"name" "g" "consumers" :0 "pending" :0 "last-delivered-id" "0-0" "entries-read" nil "lag" :3} {"name" "h" "consumers" :0 "pending" :0 "last-delivered-id" "2-0" "entries-read" nil "lag" nil}]
        XREADGROUP GROUP g c COUNT 1 STREAMS s > -> [["s" [["1-0" ["a" "1"]]]]]
        XINFO GROUPS s -> [{"name" "g" "consumers" :1 "pending" :1 "last-delivered-id" "1-0" "entries-read" :1 "lag" :2} {"name" "h" "consumers" :0 "pending" :0 "last-delivered-id" "2-0" "entries-read" nil "lag" nil}]
        XDEL s 2 -> :1
        XINFO GROUPS s -> [{"name" "g" "consumers" :1 "pending" :1 "last-delivered-id" "1-0" "entries-read" :1 "lag" nil} {"name" "h" "consumers" :0 "pending" :0 "last-delivered-id" "2-0" "entries-read" nil "lag" nil}]
        XREADGROUP GROUP g c STREAMS s > -> [["s" [["3-0" ["a" "1"]]]]]
        XINFO GROUPS s -> [{"name" "g" "consumers" :1 "pending" :2 "last-delivered-id" "3-0" "entries-read" :2 "lag" :1} {"name" "h" "consumers" :0 "pending" :0 "last-delivered-id" "2-0" "entries-read" nil "lag" nil}]
        "#,
    );
}

#[test]
fn an_entry_of_the_clock_is_logged_with_its_id() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("XADD s * a 1"), r#""1700000000000-0""#);
    assert_eq!(bench.run("XADD s * a 2"), r#""1700000000000-1""#);
    bench.moment.wall_ms -= 5_000;
    assert_eq!(bench.run("XADD s MAXLEN 2 * a 3"), r#""1700000000000-2""#);
    assert_eq!(
        bench.logged(),
        ["XADD s 1700000000000-0 a 1", "XADD s 1700000000000-1 a 2", "XADD s MAXLEN = 2 1700000000000-2 a 3",]
    );
    assert_eq!(bench.events(), ["xadd s", "xadd s", "xadd s", "xtrim s"]);
}

#[test]
fn every_reader_that_waits_sees_a_new_entry_once() {
    let mut bench = Bench::new();
    bench.run("XADD s 1 a 1");
    assert_eq!(bench.client(7, "XREAD BLOCK 0 STREAMS none s $ $"), "waits");
    assert_eq!(bench.client(8, "XREAD BLOCK 1000 STREAMS s $"), "waits");
    assert_eq!(bench.client(9, "XREAD BLOCK 1000 STREAMS s 5"), "waits");
    bench.run("XADD s 2 a 2");
    bench.run("XADD s 3 a 3");
    let entries = r#"[["s" [["2-0" ["a" "2"]] ["3-0" ["a" "3"]]]]]"#;
    assert_eq!(bench.serve(), [format!("7: {entries}"), format!("8: {entries}")]);
    bench.pass(1000);
    assert_eq!(bench.serve(), ["9: *nil"]);
}

#[test]
fn readers_of_a_group_that_wait_are_given_different_entries() {
    let mut bench = Bench::new();
    bench.run("XGROUP CREATE s g $ MKSTREAM");
    assert_eq!(bench.client(7, "XREADGROUP GROUP g c1 COUNT 1 BLOCK 0 STREAMS s >"), "waits");
    assert_eq!(bench.client(8, "XREADGROUP GROUP g c2 COUNT 1 BLOCK 0 STREAMS s >"), "waits");
    assert_eq!(bench.client(9, "XREADGROUP GROUP g c3 COUNT 1 BLOCK 0 STREAMS s >"), "waits");
    bench.run("XADD s 1 a 1");
    bench.run("XADD s 2 a 2");
    assert_eq!(bench.serve(), [r#"7: [["s" [["1-0" ["a" "1"]]]]]"#, r#"8: [["s" [["2-0" ["a" "2"]]]]]"#]);
    bench.run("DEL s");
    assert_eq!(
        bench.serve(),
        ["9: -NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"]
    );
}

#[test]
fn what_a_group_was_given_is_logged_as_claims_and_a_position() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 2 -> "2-0"
        XGROUP CREATE s g 0 -> +OK
        "#,
    );
    bench.logged();
    bench.run("XREADGROUP GROUP g c STREAMS s >");
    let claim = |id: &str, time: u64, count: u32| {
        format!("XCLAIM s g c 0 {id} TIME {time} RETRYCOUNT {count} FORCE JUSTID LASTID 2-0")
    };
    let (first, second) = (claim("1-0", 1_700_000_000_000, 1), claim("2-0", 1_700_000_000_000, 1));
    assert_eq!(
        bench.logged(),
        [
            "MULTI",
            "XGROUP CREATECONSUMER s g c",
            &first,
            &second,
            "XGROUP SETID s g 2-0 ENTRIESREAD 2",
            "EXEC"
        ]
    );
    bench.pass(10);
    bench.run("XREADGROUP GROUP g c COUNT 1 STREAMS s 0");
    assert_eq!(bench.logged(), [claim("1-0", 1_700_000_000_010, 2)]);
    bench.run("XGROUP SETID s g 0");
    bench.logged();
    bench.run("XREADGROUP GROUP g c NOACK COUNT 1 STREAMS s >");
    assert_eq!(bench.logged(), ["XGROUP SETID s g 1-0 ENTRIESREAD 1"]);
    bench.run("XDEL s 1");
    bench.logged();
    bench.run("XCLAIM s g c 0 1");
    assert_eq!(bench.logged(), ["XACK s g 1-0"]);
}

#[test]
fn idle_times_are_told_and_asked_for() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 2 -> "2-0"
        XGROUP CREATE s g 0 -> +OK
        XREADGROUP GROUP g c1 COUNT 1 STREAMS s > -> [["s" [["1-0" ["a" "1"]]]]]
        @100
        XREADGROUP GROUP g c2 STREAMS s > -> [["s" [["2-0" ["a" "2"]]]]]
        @10
        XPENDING s g - + 10 -> [["1-0" "c1" :110 :1] ["2-0" "c2" :10 :1]]
        XPENDING s g - + 1 -> [["1-0" "c1" :110 :1]]
        XPENDING s g (1 + 10 -> [["2-0" "c2" :10 :1]]
        XPENDING s g - + 10 c2 -> [["2-0" "c2" :10 :1]]
        XPENDING s g IDLE 50 - + 10 -> [["1-0" "c1" :110 :1]]
        XINFO CONSUMERS s g -> [{"name" "c1" "pending" :1 "idle" :110 "inactive" :110} {"name" "c2" "pending" :1 "idle" :10 "inactive" :10}]
        XAUTOCLAIM s g c2 50 0 -> ["0-0" [["1-0" ["a" "1"]]] []]
        XPENDING s g - + 10 -> [["1-0" "c2" :0 :2] ["2-0" "c2" :10 :1]]
        XCLAIM s g c1 0 2 IDLE 70 JUSTID -> ["2-0"]
        XPENDING s g - + 10 c1 -> [["2-0" "c1" :70 :1]]
        XINFO STREAM s FULL COUNT 1 -> {"length" :2 "radix-tree-keys" :1 "radix-tree-nodes" :2 "last-generated-id" "2-0" "max-deleted-entry-id" "0-0" "entries-added" :2 "recorded-first-entry-id" "1-0" "entries" [["1-0" ["a" "1"]]] "groups" [{"name" "g" "last-delivered-id" "2-0" "entries-read" :2 "lag" :0 "pel-count" :2 "pending" [["1-0" "c2" :1700000000110 :2]] "consumers" [{"name" "c1" "seen-time" :1700000000110 "active-time" :1700000000110 "pel-count" :1 "pending" [["2-0" :1700000000040 :1]]} {"name" "c2" "seen-time" :1700000000110 "active-time" :1700000000110 "pel-count" :1 "pending" [["1-0" :1700000000110 :2]]}]}]}
        "#,
    );
}

#[test]
fn an_approximate_trim_is_logged_by_what_it_left() {
    let mut bench = Bench::new();
    for number in 1..=250 {
        bench.run(&format!("XADD s {number} a 1"));
    }
    bench.logged();
    assert_eq!(bench.run("XTRIM s MAXLEN ~ 120"), ":100");
    assert_eq!(bench.run("XTRIM s MINID ~ 130 LIMIT 50"), ":0");
    assert_eq!(bench.run("XADD s MAXLEN ~ 51 251 a 1"), r#""251-0""#);
    assert_eq!(bench.run("XLEN s"), ":51");
    assert_eq!(bench.logged(), ["XTRIM s MAXLEN = 150", "XADD s MAXLEN = 51 251-0 a 1"]);
}

#[test]
fn streams_come_back_from_their_dump_and_from_their_log() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        XGROUP CREATE empty g $ MKSTREAM -> +OK
        XGROUP CREATECONSUMER empty g c -> :1
        XADD trimmed 5-1 a 1 b 2 -> "5-1"
        XTRIM trimmed MAXLEN 0 -> :1
        XADD s 1 a 1 -> "1-0"
        XADD s 2 a 2 -> "2-0"
        XADD s 3 a 3 -> "3-0"
        XGROUP CREATE s g 0 -> +OK
        XGROUP CREATE s h 3 ENTRIESREAD 3 -> +OK
        XREADGROUP GROUP g c1 COUNT 2 STREAMS s > -> [["s" [["1-0" ["a" "1"]] ["2-0" ["a" "2"]]]]]
        @5
        XREADGROUP GROUP g c2 STREAMS s > -> [["s" [["3-0" ["a" "3"]]]]]
        XDEL s 2 -> :1
        XCLAIM s g c2 0 1 JUSTID -> ["1-0"]
        XACK s g 3 -> :1
        "#,
    );
    let mut dumped = Vec::new();
    bench.store.dump(bench.moment, &mut |database, command| {
        dumped.push((database, command.iter().map(|word| word.to_vec()).collect()));
    });
    let expected = bench.dump();
    assert_eq!(dump(&replayed(&dumped, bench.moment), bench.moment), expected);
    assert_eq!(dump(&replayed(&bench.log, bench.moment), bench.moment), expected);
}

#[test]
fn each_change_has_the_event_redis_gives_it() {
    let mut bench = Bench::new();
    for (command, expected) in [
        ("XADD s 1 a 1", "xadd s"),
        ("XADD s 2 a 1", "xadd s"),
        ("XGROUP CREATE s g 0", "xgroup-create s"),
        ("XGROUP CREATECONSUMER s g c", "xgroup-createconsumer s"),
        ("XGROUP SETID s g 0", "xgroup-setid s"),
        ("XREADGROUP GROUP g c STREAMS s >", "xreadgroup s"),
        ("XREADGROUP GROUP g c STREAMS s >", ""),
        ("XACK s g 1", "xack s"),
        ("XACK s g 1", ""),
        ("XGROUP DELCONSUMER s g c", "xgroup-delconsumer s"),
        ("XGROUP DESTROY s g", "xgroup-destroy s"),
        ("XDEL s 1", "xdel s"),
        ("XTRIM s MAXLEN 0", "xtrim s"),
        ("XSETID s 9", "xsetid s"),
        ("DEL s", "del s"),
    ] {
        bench.run(command);
        assert_eq!(bench.events().join(", "), expected, "{command}");
    }
}
