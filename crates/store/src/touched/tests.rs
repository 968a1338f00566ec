//! What commands say of what they did.

use crate::touched::{Touched, touched};

fn elements(line: &str) -> Vec<String> {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let (_, touched) = touched(&words).unwrap();
    touched.elements().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

#[test]
fn elements_are_those_a_command_names() {
    assert_eq!(elements("HSET h a 1 b 2"), ["a", "b"]);
    assert_eq!(elements("hdel h a b"), ["a", "b"]);
    assert_eq!(elements("HINCRBY h a 5"), ["a"]);
    assert_eq!(elements("ZADD z NX CH 1 a 2 b"), ["a", "b"]);
    assert_eq!(elements("ZINCRBY z 3 a"), ["a"]);
    assert_eq!(elements("SMOVE s t m"), ["m"]);
}

fn step(line: &'static str) -> Touched<'static> {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    touched(words.leak()).unwrap().1
}

#[test]
fn counts_are_signed() {
    assert_eq!(step("DECRBY k 5"), Touched::Counted(-5));
    assert_eq!(step("INCR k"), Touched::Counted(1));
    assert_eq!(step("PEXPIREAT k 5"), Touched::Expiry);
    assert_eq!(step("RENAME a b"), Touched::Whole);
}

#[test]
fn keys_go_along() {
    let command: [&[u8]; 4] = [b"SMOVE", b"s", b"t", b"m"];
    let (keys, _) = touched(&command).unwrap();
    assert_eq!(keys.names().collect::<Vec<_>>(), [b"s", b"t"]);
    assert!(touched(&[b"NONE"]).is_none());
}
