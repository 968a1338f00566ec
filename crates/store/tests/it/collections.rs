//! Lists, hashes and sets.

use crate::bench::Bench;

const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn lists_are_pushed_popped_and_read() {
    Bench::new().script(
        r#"
        RPUSH l a b c -> :3
        LPUSH l z y -> :5
        LRANGE l 0 -1 -> ["y" "z" "a" "b" "c"]
        LRANGE l -2 100 -> ["b" "c"]
        LRANGE l 3 1 -> []
        LRANGE none 0 -1 -> []
        LLEN l -> :5
        LPOP l -> "y"
        RPOP l 2 -> ["c" "b"]
        LPOP l 0 -> []
        LPOP none -> nil
        LPOP none 2 -> *nil
        LPOP none 0 -> *nil
        LPOP l -1 -> -ERR value is out of range, must be positive
        LPOP l 1 2 -> -ERR wrong number of arguments for 'lpop' command
        LPOP l 99 -> ["z" "a"]
        EXISTS l -> :0
        LPUSHX l a -> :0
        EXISTS l -> :0
        RPUSH l a -> :1
        RPUSHX l b c -> :3
        LINDEX l 0 -> "a"
        LINDEX l -1 -> "c"
        LINDEX l 3 -> nil
        LSET l -1 C -> +OK
        LSET l 3 x -> -ERR index out of range
        LSET none 0 x -> -ERR no such key
        LINSERT l BEFORE C B -> :4
        LINSERT l AFTER C D -> :5
        LINSERT l AFTER none D -> :-1
        LINSERT none AFTER a b -> :0
        LINSERT l NEAR a b -> -ERR syntax error
        LRANGE l 0 -1 -> ["a" "b" "B" "C" "D"]
        LTRIM l 1 -2 -> +OK
        LRANGE l 0 -1 -> ["b" "B" "C"]
        LTRIM l 5 9 -> +OK
        EXISTS l -> :0
        LTRIM none 0 1 -> +OK
        "#,
    );
}

#[test]
fn elements_are_removed_and_found_by_value() {
    Bench::new().script(
        r#"
        RPUSH l a b a c a -> :5
        LPOS l a -> :0
        LPOS l none -> nil
        LPOS l a RANK -1 -> :4
        LPOS l a COUNT 0 -> [:0 :2 :4]
        LPOS l a COUNT 2 RANK 2 -> [:2 :4]
        LPOS l a COUNT 0 MAXLEN 3 -> [:0 :2]
        LPOS l a COUNT 0 RANK -2 -> [:2 :0]
        LPOS none a COUNT 1 -> []
        LPOS l a RANK 0 -> -ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
        LPOS l a COUNT -1 -> -ERR COUNT can't be negative
        LPOS l a MAXLEN -1 -> -ERR MAXLEN can't be negative
        LREM l -2 a -> :2
        LRANGE l 0 -1 -> ["a" "b" "c"]
        LREM l 0 a -> :1
        LREM l 1 none -> :0
        RPUSH l b c -> :4
        LREM l 1 b -> :1
        LRANGE l 0 -1 -> ["c" "b" "c"]
        LREM l 0 c -> :2
        LREM l 0 b -> :1
        EXISTS l -> :0
        "#,
    );
}

#[test]
fn elements_move_between_lists() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        RPUSH a 1 2 3 -> :3
        LMOVE a b LEFT RIGHT -> "1"
        RPOPLPUSH a b -> "3"
        LRANGE b 0 -1 -> ["3" "1"]
        LMOVE b b LEFT RIGHT -> "3"
        LRANGE b 0 -1 -> ["1" "3"]
        LMOVE none b LEFT RIGHT -> nil
        LMOVE a b UP RIGHT -> -ERR syntax error
        SET s x -> +OK
        LMOVE a s LEFT LEFT -> -WRONGTYPE Operation against a key holding the wrong kind of value
        LRANGE a 0 -1 -> ["2"]
        LMOVE a b LEFT LEFT -> "2"
        EXISTS a -> :0
        LMPOP 2 a b LEFT -> ["b" ["2"]]
        LMPOP 2 a b RIGHT COUNT 5 -> ["b" ["3" "1"]]
        LMPOP 2 a b RIGHT -> *nil
        LMPOP 0 a RIGHT -> -ERR numkeys should be greater than 0
        LMPOP 1 a RIGHT COUNT 0 -> -ERR count should be greater than 0
        LMPOP 3 a RIGHT -> -ERR syntax error
        "#,
    );
    let events = bench.events();
    assert_eq!(events[1..3], ["rpush b", "lpop a"]);
    assert_eq!(events[events.len() - 3..], ["lpop b", "rpop b", "del b"]);
}

#[test]
fn hashes_hold_fields() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        HSET h a 1 b 2 -> :2
        HSET h a 3 c 4 -> :1
        HMSET h d 5 -> +OK
        HGET h a -> "3"
        HGET h none -> nil
        HMGET h a none d -> ["3" nil "5"]
        HMGET none a -> [nil]
        HGETALL h -> {"a" "3" "b" "2" "c" "4" "d" "5"}
        HGETALL none -> {}
        HKEYS h -> ["a" "b" "c" "d"]
        HVALS h -> ["3" "2" "4" "5"]
        HLEN h -> :4
        HEXISTS h a -> :1
        HSTRLEN h d -> :1
        HSETNX h a 9 -> :0
        HSETNX h e 9 -> :1
        HDEL h a none e -> :2
        HKEYS h -> ["b" "c" "d"]
        HINCRBY h b 40 -> :42
        HINCRBY h n -1 -> :-1
        HSET h t text -> :1
        HINCRBY h t 1 -> -ERR hash value is not an integer
        HINCRBYFLOAT h t 1 -> -ERR hash value is not a float
        HINCRBYFLOAT h b 0.5 -> "42.5"
        HINCRBY h b x -> -ERR value is not an integer or out of range
        HSET h a -> -ERR wrong number of arguments for 'hset' command
        HSET h a 1 b -> -ERR wrong number of arguments for 'hset' command
        HMSET h a 1 b -> -ERR wrong number of arguments for 'hmset' command
        HSCAN h 0 MATCH b -> ["0" ["b" "42.5"]]
        HSCAN h 0 MATCH b NOVALUES -> ["0" ["b"]]
        HSCAN none 0 -> ["0" []]
        HDEL h b c d n t -> :5
        EXISTS h -> :0
        HRANDFIELD none -> nil
        HRANDFIELD none 2 -> []
        HSET one f v -> :1
        HRANDFIELD one -> "f"
        HRANDFIELD one 5 -> ["f"]
        HRANDFIELD one -2 WITHVALUES -> ["f" "v" "f" "v"]
        HRANDFIELD one 1 NOSUCH -> -ERR syntax error
        HRANDFIELD one -9223372036854775808 -> -ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
        HRANDFIELD one -100000000 -> -ERR value is out of range
        SET s x -> +OK
        "#,
    );
    assert_eq!(bench.run("HSET s a 1"), WRONG);
    assert_eq!(bench.run("HGETALL s"), WRONG);
    bench.resp3 = true;
    assert_eq!(bench.run("HRANDFIELD one -1 WITHVALUES"), r#"[["f" "v"]]"#);
}

#[test]
fn sets_hold_members() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        SADD s a b c -> :3
        SADD s a d -> :1
        SMEMBERS s -> <"a" "b" "c" "d">
        SMEMBERS none -> <>
        SISMEMBER s a -> :1
        SMISMEMBER s a none -> [:1 :0]
        SCARD s -> :4
        SREM s a none -> :1
        SMOVE s t b -> :1
        SMOVE s t none -> :0
        SMOVE none t a -> :0
        SMEMBERS t -> <"b">
        SADD t c -> :1
        SINTER s t -> <"c">
        SINTER s none -> <>
        SUNION s t none -> <"c" "d" "b">
        SDIFF s t -> <"d">
        SDIFF none s -> <>
        SINTERCARD 2 s t -> :1
        SINTERCARD 2 s s LIMIT 1 -> :1
        SINTERCARD 2 s s LIMIT 0 -> :2
        SINTERCARD 0 s -> -ERR numkeys should be greater than 0
        SINTERCARD 3 s t -> -ERR Number of keys can't be greater than number of args
        SINTERCARD 1 s LIMIT -1 -> -ERR LIMIT can't be negative
        SUNIONSTORE u s t -> :3
        SINTERSTORE u s none -> :0
        EXISTS u -> :0
        SDIFFSTORE u s t -> :1
        SMEMBERS u -> <"d">
        SSCAN s 0 MATCH c -> ["0" ["c"]]
        SRANDMEMBER none -> nil
        SRANDMEMBER none 3 -> []
        SRANDMEMBER u -> "d"
        SRANDMEMBER u -2 -> ["d" "d"]
        SPOP none -> nil
        SPOP none 2 -> <>
        SPOP u -1 -> -ERR value is out of range, must be positive
        SPOP u -> "d"
        EXISTS u -> :0
        SREM s c d -> :2
        EXISTS s -> :0
        "#,
    );
}

#[test]
fn what_chance_decided_goes_to_the_log_by_name() {
    let mut bench = Bench::new();
    bench.run("SADD s a b c");
    let popped = bench.run("SPOP s");
    let logged = bench.logged();
    assert_eq!(logged[1], format!("SREM s {}", popped.trim_matches('"')));
    bench.run("SPOP s 5");
    assert_eq!(bench.events(), ["sadd s", "spop s", "spop s", "del s"]);
}

#[test]
fn random_elements_are_all_as_likely() {
    let mut bench = Bench::new();
    bench.run("SADD s a b c d");
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..4000 {
        *seen.entry(bench.run("SRANDMEMBER s 2")).or_insert(0) += 1;
    }
    // Twelve ordered pairs, 333 of each to be expected, a deviation of 17: seven of them either way.
    assert_eq!(seen.len(), 12, "{seen:?}");
    assert!(seen.values().all(|&times| (210..460).contains(&times)), "{seen:?}");
}
