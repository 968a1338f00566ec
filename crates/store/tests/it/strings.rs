//! Strings.

use crate::bench::Bench;

#[test]
fn strings_are_set_under_conditions() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        SET a 1 XX -> nil
        SET a 1 NX -> +OK
        SET a 2 NX -> nil
        SET a 2 XX GET -> "1"
        SET b 1 GET -> nil
        SET b 2 NX GET -> "1"
        GET b -> "1"
        SET a 3 KEEPTTL EX 10 -> -ERR syntax error
        SET a 3 EX 10 PX 10 -> -ERR syntax error
        SET a 3 NX XX -> -ERR syntax error
        SET a 3 EX -> -ERR syntax error
        SET a 3 EX 0 -> -ERR invalid expire time in 'set' command
        SET a 3 EX x -> -ERR value is not an integer or out of range
        SET a 3 PXAT -1 -> -ERR invalid expire time in 'set' command
        SET a 3 EX 10 -> +OK
        SET a 4 KEEPTTL -> +OK
        TTL a -> :10
        SET a 5 -> +OK
        TTL a -> :-1
        SETEX a 10 6 -> +OK
        PSETEX a 1500 6 -> +OK
        PTTL a -> :1500
        SETEX a 0 6 -> -ERR invalid expire time in 'setex' command
        PSETEX a -1 6 -> -ERR invalid expire time in 'psetex' command
        SETNX a 7 -> :0
        SETNX n 7 -> :1
        GETSET n 8 -> "7"
        GETSET none 8 -> nil
        GETDEL n -> "8"
        GETDEL n -> nil
        RPUSH l x -> :1
        GET l -> -WRONGTYPE Operation against a key holding the wrong kind of value
        SET l 1 GET -> -WRONGTYPE Operation against a key holding the wrong kind of value
        GETSET l 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        SET l 1 -> +OK
        "#,
    );
}

#[test]
fn getex_changes_the_lifetime_alone() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        GETEX none EX 10 -> nil
        SET a 1 -> +OK
        GETEX a EX 10 -> "1"
        TTL a -> :10
        GETEX a -> "1"
        TTL a -> :10
        GETEX a PERSIST -> "1"
        TTL a -> :-1
        GETEX a PXAT 1700000005000 -> "1"
        PTTL a -> :5000
        GETEX a EX 10 PERSIST -> -ERR syntax error
        GETEX a EX 0 -> -ERR invalid expire time in 'getex' command
        GETEX a NX -> -ERR syntax error
        GETEX a EXAT 1 -> "1"
        EXISTS a -> :0
        "#,
    );
    assert_eq!(
        bench.logged(),
        ["SET a 1", "PEXPIREAT a 1700000010000", "PERSIST a", "PEXPIREAT a 1700000005000", "DEL a"]
    );
}

#[test]
fn counters_count() {
    let mut bench = Bench::new();
    bench.script(
        r#"
        INCR a -> :1
        INCRBY a 41 -> :42
        DECR a -> :41
        DECRBY a 1 -> :40
        GET a -> "40"
        STRLEN a -> :2
        SET a 9223372036854775807 -> +OK
        INCR a -> -ERR increment or decrement would overflow
        DECRBY a -9223372036854775808 -> -ERR decrement would overflow
        INCRBY a x -> -ERR value is not an integer or out of range
        SET t text -> +OK
        INCR t -> -ERR value is not an integer or out of range
        INCRBYFLOAT f 10.5 -> "10.5"
        INCRBYFLOAT f 0.1 -> "10.6"
        INCRBYFLOAT f -5 -> "5.6"
        INCRBYFLOAT f 5.0e3 -> "5005.6"
        INCRBYFLOAT t 1 -> -ERR value is not a valid float
        INCRBYFLOAT f x -> -ERR value is not a valid float
        INCRBYFLOAT f inf -> -ERR increment would produce NaN or Infinity
        SET g 0.1 EX 10 -> +OK
        INCRBYFLOAT g 0.2 -> "0.3"
        TTL g -> :10
        "#,
    );
    assert_eq!(bench.logged().last().unwrap(), "SET g 0.3 KEEPTTL");
}

#[test]
fn strings_have_parts() {
    Bench::new().script(
        r#"
        APPEND a Hello -> :5
        APPEND a " World" -> :11
        GETRANGE a 0 4 -> "Hello"
        GETRANGE a -5 -1 -> "World"
        GETRANGE a -1 -5 -> ""
        GETRANGE a 5 100 -> " World"
        GETRANGE a 20 30 -> ""
        GETRANGE none 0 -1 -> ""
        SUBSTR a 0 0 -> "H"
        SETRANGE a 6 Redis -> :11
        GET a -> "Hello Redis"
        SETRANGE p 3 x -> :4
        GET p -> "\x00\x00\x00x"
        SETRANGE none 3 "" -> :0
        EXISTS none -> :0
        SETRANGE a -1 x -> -ERR offset is out of range
        SETRANGE a 999999999 x -> -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        SET n 10 -> +OK
        APPEND n 5 -> :3
        INCR n -> :106
        "#,
    );
}

#[test]
fn many_are_set_and_read_at_once() {
    Bench::new().script(
        r#"
        MSET a 1 b 2 -> +OK
        RPUSH l x -> :1
        MGET a none l b -> ["1" nil nil "2"]
        MSETNX c 3 a 4 -> :0
        EXISTS c -> :0
        MSETNX c 3 d 4 -> :1
        MSET a -> -ERR wrong number of arguments for 'mset' command
        MSET a 1 b -> -ERR wrong number of arguments for 'mset' command
        MSETNX a 1 b -> -ERR wrong number of arguments for 'msetnx' command
        MSET l 1 -> +OK
        GET l -> "1"
        "#,
    );
}
