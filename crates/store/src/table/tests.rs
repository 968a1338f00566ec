//! Commands by name, and where their keys are.

use std::collections::BTreeSet;

use super::{commands, lookup};

#[test]
fn every_command_is_found_by_its_name_in_any_case() {
    let mut seen = BTreeSet::new();
    for spec in commands() {
        assert!(seen.insert(spec.name), "{} is there twice", spec.name);
        assert_eq!(lookup(spec.name.as_bytes()).map(|found| found.name), Some(spec.name));
        assert_eq!(lookup(spec.name.to_uppercase().as_bytes()).map(|found| found.name), Some(spec.name));
    }
}

#[test]
fn other_names_are_not_found() {
    for name in ["", "ge", "gett", "subscribe", "a-name-longer-than-any-command", "\0get"] {
        assert!(lookup(name.as_bytes()).is_none(), "{name}");
    }
}

#[test]
fn keys_are_where_the_command_has_them() {
    let keys = |text: &str| {
        let command: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
        let names: Vec<_> =
            lookup(command[0]).unwrap().keys_of(&command).names().map(<[u8]>::to_vec).collect();
        names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("GET a"), "a");
    assert_eq!(keys("MSET a 1 b 2"), "a b");
    assert_eq!(keys("DEL a b c"), "a b c");
    assert_eq!(keys("BLPOP a b 0"), "a b");
    assert_eq!(keys("LMPOP 2 a b LEFT"), "a b");
    assert_eq!(keys("LMPOP 9 a b LEFT"), "a b LEFT");
    assert_eq!(keys("LMPOP x a b LEFT"), "");
    assert_eq!(keys("BLMOVE a b LEFT RIGHT 0"), "a b");
    assert_eq!(keys("SORT a BY nosort STORE b"), "b a");
    assert_eq!(keys("OBJECT ENCODING a"), "a");
    assert_eq!(keys("KEYS *"), "");
}
