//! The normal form of paths.

use proptest::prelude::{any, prop, proptest};
use remuda_wire::http::{PathFault, decode_segment, normalize};

fn normal(path: &str) -> String {
    let mut out = b"kept".to_vec();
    match normalize(path.as_bytes(), &mut out) {
        Ok(true) => String::from_utf8(out.split_off(4)).unwrap(),
        Ok(false) => {
            assert_eq!(out, b"kept");
            path.to_owned()
        }
        Err(fault) => panic!("{path}: {fault}"),
    }
}

#[test]
fn paths_are_decoded_once_and_lose_their_dots() {
    for (path, expected) in [
        ("/", "/"),
        ("/a/b.c", "/a/b.c"),
        ("/%61%20%C3%A4", "/a \u{e4}"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/.", "/a/"),
        ("/./", "/"),
        ("/%2e/%2E%2e/..", "unused"),
        ("//a//", "//a//"),
        ("/a//../b", "/a/b"),
        ("/.hidden/...", "/.hidden/..."),
        ("/a%2fb/..", "/"),
        ("/a%2f..%2fb", "/a%2F..%2Fb"),
        ("/%252F", "/%252F"),
        ("/%25", "/%25"),
        ("/100%25/x", "/100%25/x"),
    ] {
        if expected != "unused" {
            assert_eq!(normal(path), expected, "{path}");
        }
    }
    assert_eq!(normalize(b"/%2e/%2E%2e/..", &mut Vec::new()), Err(PathFault::AboveRoot));
    assert_eq!(normalize(b"a", &mut Vec::new()), Err(PathFault::Relative));
    assert_eq!(normalize(b"", &mut Vec::new()), Err(PathFault::Relative));
}

#[test]
fn a_segment_is_decoded_to_what_was_meant() {
    assert_eq!(decode_segment(b"a%2Fb%25"), b"a/b%");
    assert_eq!(decode_segment(b"100%"), b"100%");
    // Twice encoded is decoded twice only where once was meant by its sender.
    assert_eq!(decode_segment(&normal("/%252F").as_bytes()[1..]), b"%2F");
}

proptest! {
    #[test]
    fn a_normal_form_is_its_own_and_has_nothing_dangerous(path in "/([a-c./\\\\%]|%2[eEfF5]|%00|%5c|%61){0,16}") {
        let mut out = Vec::new();
        let Ok(changed) = normalize(path.as_bytes(), &mut out) else { return Ok(()) };
        let normal = if changed { out } else { path.clone().into_bytes() };
        let mut again = Vec::new();
        let changed = normalize(&normal, &mut again).unwrap();
        assert_eq!(if changed { again } else { normal.clone() }, normal);
        assert_eq!(normal[0], b'/');
        assert!(normal.split(|byte| *byte == b'/').all(|segment| segment != b".." && segment != b"."));
        assert!(!normal.contains(&0) && !normal.contains(&b'\\'));
    }

    #[test]
    fn noise_is_endured(path in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        let _whatever = normalize(&path, &mut out);
        assert!(out.len() <= path.len() + 1);
        assert!(decode_segment(&path).len() <= path.len());
    }
}
