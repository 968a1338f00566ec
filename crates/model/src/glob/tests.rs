//! The glob against Redis' documented cases, and against a matcher that tries everything.

use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use super::{glob_matches, one};

#[test]
fn the_documented_patterns_match_what_redis_says() {
    for (pattern, name, matches) in [
        ("h?llo", "hello", true),
        ("h?llo", "hllo", false),
        ("h*llo", "hllo", true),
        ("h*llo", "heeeello", true),
        ("h[ae]llo", "hallo", true),
        ("h[ae]llo", "hillo", false),
        ("h[^e]llo", "hello", false),
        ("h[^e]llo", "hallo", true),
        ("h[a-b]llo", "hbllo", true),
        ("h[b-a]llo", "hbllo", true),
        (r"h\*llo", "h*llo", true),
        (r"h\*llo", "hello", false),
        (r"a[\]]b", "a]b", true),
        ("a[bc", "ab", true),
        ("a[]", "a]", false),
        (r"a\", r"a\", true),
        ("news.*", "news.", true),
        ("*", "", true),
        ("", "", true),
        ("", "x", false),
        ("a***b", "ab", true),
        ("*a*b", "xaxbxb", true),
        ("*a*b", "ba", false),
        ("*a*b*c*", "xxaxxbxxcxx", true),
        ("socket.io#/#*", "socket.io#/#room#", true),
        ("?", "", false),
        ("[]", "a", false),
        ("abc", "abcd", false),
    ] {
        assert_eq!(glob_matches(pattern.as_bytes(), name.as_bytes()), matches, "{pattern} on {name}");
    }
}

#[test]
fn a_pattern_of_many_stars_stays_cheap() {
    let pattern = b"*a".repeat(500);
    let name = vec![b'b'; 10_000];
    assert!(!glob_matches(&pattern, &name));
}

fn naive(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some(b'*'), _) => (0..=name.len()).any(|skip| naive(&pattern[1..], &name[skip..])),
        (Some(_), None) => false,
        (Some(_), Some(byte)) => one(pattern, *byte).is_some_and(|used| naive(&pattern[used..], &name[1..])),
    }
}

proptest! {
    #[test]
    fn going_back_to_the_last_star_finds_what_trying_everything_finds(
        pattern in r"[ab*?\[\]^\\-]{0,9}", name in "[ab\\-\\]]{0,8}",
    ) {
        prop_assert_eq!(
            glob_matches(pattern.as_bytes(), name.as_bytes()),
            naive(pattern.as_bytes(), name.as_bytes())
        );
    }

    #[test]
    fn a_prefix_and_a_star_is_starts_with(prefix in "[a-z]{0,4}", name in "[a-z]{0,8}") {
        let pattern = format!("{prefix}*");
        prop_assert_eq!(glob_matches(pattern.as_bytes(), name.as_bytes()), name.starts_with(&prefix));
    }

    #[test]
    fn arbitrary_bytes_are_answered(
        pattern in prop::collection::vec(any::<u8>(), 0..40), name in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let _answered: bool = glob_matches(&pattern, &name);
    }
}
