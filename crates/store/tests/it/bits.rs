//! Bits, with the answers of Redis 7.

use remuda_store::StoreOptions;

use crate::bench::Bench;

#[test]
fn bits_are_set_and_read() {
    Bench::new().script(
        r#"
        SETBIT b 7 1 -> :0
        SETBIT b 7 0 -> :1
        SETBIT b 0 1 -> :0
        GETBIT b 0 -> :1
        GETBIT b 100 -> :0
        GETBIT none 1 -> :0
        SETBIT b -1 1 -> -ERR bit offset is not an integer or out of range
        SETBIT b x 1 -> -ERR bit offset is not an integer or out of range
        SETBIT b 1 2 -> -ERR bit is not an integer or out of range
        SETBIT b 20 1 -> :0
        STRLEN b -> :3
        ZADD z 1 a -> :1
        SETBIT z 1 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        GETBIT z 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn bits_are_counted_and_found() {
    Bench::new().script(
        r#"
        SET s foobar -> +OK
        BITCOUNT s -> :26
        BITCOUNT s 0 0 -> :4
        BITCOUNT s 1 -2 -> :18
        BITCOUNT s 5 30 BIT -> :17
        BITCOUNT s -3 -5 -> :0
        BITCOUNT s 0 -> -ERR syntax error
        BITCOUNT s 0 x -> -ERR value is not an integer or out of range
        BITCOUNT s 0 1 FOO -> -ERR syntax error
        BITCOUNT none -> :0
        BITPOS s 1 -> :1
        BITPOS s 0 -> :0
        BITPOS s 1 2 -> :17
        BITPOS s 1 10 20 BIT -> :10
        BITPOS s 2 -> -ERR The bit argument must be 1 or 0.
        BITPOS none 1 -> :-1
        BITPOS none 0 -> :0
        SETRANGE f 0 ~ -> :1
        BITPOS f 0 0 7 BIT -> :0
        SETBIT o 7 1 -> :0
        BITOP NOT ones zero -> :0
        BITPOS o 1 -> :7
        BITPOS o 1 1 -> :-1
        "#,
    );
}

#[test]
fn strings_are_combined_bit_by_bit() {
    Bench::new().script(
        r#"
        SET a abc -> +OK
        SET b abcdef -> +OK
        BITOP AND t a b -> :6
        GETRANGE t 0 2 -> "abc"
        STRLEN t -> :6
        BITOP OR t a b -> :6
        GET t -> "abcdef"
        BITOP XOR t a a -> :3
        BITOP NOT n a -> :3
        BITCOUNT n -> :14
        BITOP NOT n a b -> -ERR BITOP NOT must be called with a single source key.
        BITOP FOO t a -> -ERR syntax error
        BITOP AND t none -> :0
        EXISTS t -> :0
        "#,
    );
}

#[test]
fn fields_are_integers_of_any_width() {
    Bench::new().script(
        r#"
        BITFIELD b SET u8 0 255 GET i8 0 GET u4 4 -> [:0 :-1 :15]
        BITFIELD b INCRBY u8 0 1 -> [:0]
        BITFIELD b OVERFLOW SAT INCRBY i8 #1 200 OVERFLOW FAIL INCRBY i8 #1 1 -> [:127 nil]
        BITFIELD b OVERFLOW WRAP INCRBY i8 #1 1 GET u63 0 -> [:-128 :18014398509481984]
        BITFIELD b SET i64 3 -5 GET i64 3 -> [:288230376151711744 :-5]
        BITFIELD b GET u64 0 -> -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
        BITFIELD b GET i8 -1 -> -ERR bit offset is not an integer or out of range
        BITFIELD b OVERFLOW FOO GET i8 0 -> -ERR Invalid OVERFLOW type specified
        BITFIELD b GET u8 -> -ERR syntax error
        BITFIELD b FOO u8 0 -> -ERR syntax error
        BITFIELD b SET u8 0 x -> -ERR value is not an integer or out of range
        BITFIELD_RO b GET u8 #1 -> [:255]
        BITFIELD_RO b SET u8 0 1 -> -ERR BITFIELD_RO only supports the GET subcommand
        BITFIELD none GET u8 0 -> [:0]
        BITFIELD b -> []
        EXISTS none -> :0
        "#,
    );
}

#[test]
fn no_bit_lies_beyond_the_longest_string() {
    let options = StoreOptions { value_max_bytes: 100, ..StoreOptions::default() };
    Bench::with(options).script(
        r#"
        SETBIT b 799 1 -> :0
        SETBIT b 800 1 -> -ERR bit offset is not an integer or out of range
        BITFIELD b SET u8 792 1 -> [:1]
        BITFIELD b SET u8 793 1 -> -ERR bit offset is not an integer or out of range
        BITFIELD b GET u8 #9223372036854775807 -> -ERR bit offset is not an integer or out of range
        STRLEN b -> :100
        "#,
    );
}

#[test]
fn changes_of_bits_have_the_events_redis_gives_them() {
    let mut bench = Bench::new();
    for (command, expected) in [
        ("SETBIT b 1 1", "setbit b"),
        ("BITFIELD b SET u8 0 1", "setbit b"),
        ("BITFIELD b GET u8 0", ""),
        ("BITOP NOT t b", "set t"),
        ("BITOP AND t none", "del t"),
    ] {
        bench.run(command);
        assert_eq!(bench.events().join(", "), expected, "{command}");
    }
    let log = bench.logged();
    assert_eq!(log, ["SETBIT b 1 1", "BITFIELD b SET u8 0 1", "BITOP NOT t b", "BITOP AND t none"]);
}

#[test]
fn a_field_that_cannot_be_kept_is_answered_by_one_error() {
    let mut bench = Bench::new();
    bench.run("RPUSH l x");
    assert!(bench.run("BITFIELD l SET u8 0 1").starts_with("-WRONGTYPE"));
    assert!(bench.run("BITFIELD l GET u8 0").starts_with("-WRONGTYPE"));
}
