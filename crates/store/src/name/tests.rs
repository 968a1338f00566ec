//! Names of every length are the bytes they were made of.

use std::collections::HashSet;

use super::*;

#[test]
fn a_name_is_what_it_was_made_of_whatever_its_length() {
    for len in 0..200_usize {
        let bytes: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let name = Name::from(&bytes[..]);
        assert_eq!(&*name, &bytes[..]);
        assert_eq!(name, name.clone());
        assert_eq!(Name::apart_bytes(&bytes) > 0, len > INLINE_MAX);
    }
    assert_eq!(size_of::<Name>(), 3 * size_of::<usize>());
}

#[test]
fn a_name_is_found_by_its_bytes() {
    let names: HashSet<Name> = [&b""[..], b"a", &[7; 22], &[7; 23]].map(Name::from).into_iter().collect();
    assert_eq!(names.len(), 4);
    for wanted in [&b""[..], b"a", &[7; 22], &[7; 23]] {
        assert!(names.contains(wanted));
    }
    assert!(!names.contains(&[7_u8; 24][..]));
    assert_eq!(format!("{:?}", Name::from(&b"a\n"[..])), "\"a\\n\"");
}
