//! Patterns against names, by example and by chance.

use proptest::prelude::*;

use super::glob_matches;

fn check(pattern: &str, text: &str) -> bool {
    glob_matches(pattern.as_bytes(), text.as_bytes())
}

#[test]
fn patterns_match_as_in_redis() {
    for (pattern, text) in [
        ("*", ""),
        ("h?llo", "hello"),
        ("h*llo", "heeeello"),
        ("h[ae]llo", "hallo"),
        ("h[^e]llo", "hallo"),
        ("h[a-b]llo", "hbllo"),
        ("h[b-a]llo", "hallo"),
        ("a\\*b", "a*b"),
        ("socket.io#/#*", "socket.io#/#room#"),
        ("*a*b*c*", "xxaxxbxxcxx"),
        ("[abc", "b"),
        ("[\\]]", "]"),
    ] {
        assert!(check(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("", "a"),
        ("?", ""),
        ("h[^e]llo", "hello"),
        ("a\\*b", "aab"),
        ("*a*b", "ba"),
        ("[]", "a"),
        ("abc", "abcd"),
    ] {
        assert!(!check(pattern, text), "{pattern} {text}");
    }
}

#[test]
fn many_stars_do_not_take_forever() {
    let pattern = "a*".repeat(200) + "b";
    assert!(!check(&pattern, &"a".repeat(2000)));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(pattern in prop::collection::vec(any::<u8>(), 0..24), text in prop::collection::vec(any::<u8>(), 0..24)) {
        let _ = glob_matches(&pattern, &text);
    }

    #[test]
    fn a_prefix_and_a_star_is_starts_with(prefix in "[a-z]{0,4}", text in "[a-z]{0,8}") {
        prop_assert_eq!(check(&format!("{prefix}*"), &text), text.starts_with(&prefix));
    }
}
