//! Shell patterns.

use proptest::prelude::*;

use super::{expand, matches};

#[test]
fn patterns_match_whole_texts() {
    for (pattern, text) in [
        ("*", ""),
        ("web", "web"),
        ("w?b", "wéb"),
        ("a*b*c", "a__b_bc"),
        ("[a-c]x", "bx"),
        ("[!a]x", "bx"),
        ("[]]", "]"),
        ("[x", "[x"),
    ] {
        assert!(matches(pattern, text), "{pattern} should match {text}");
    }
    for (pattern, text) in
        [("web", "webs"), ("w?b", "wb"), ("a*b", "abc"), ("[!a]x", "ax"), ("", "a"), ("[a-c]", "d")]
    {
        assert!(!matches(pattern, text), "{pattern} should not match {text}");
    }
}

#[test]
fn a_leading_dot_is_matched_only_by_a_dot() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.ini", "a.ini", ".c.ini", "d.txt"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let names = |pattern: &str| {
        let found = expand(&folder.path().join(pattern));
        found.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("*.ini"), ["a.ini", "b.ini"]);
    assert_eq!(names(".*.ini"), [".c.ini"]);
    assert!(names("none/*.ini").is_empty());
}

proptest! {
    #[test]
    fn a_text_without_special_characters_matches_itself_alone(text in "[a-z.]{0,9}", other in "[a-z.]{0,9}") {
        prop_assert!(matches(&text, &text));
        prop_assert_eq!(matches(&text, &other), text == other);
    }

    #[test]
    fn a_star_stands_for_any_middle(start in "[a-z]{0,4}", middle in ".{0,9}", end in "[a-z]{0,4}") {
        let (pattern, text) = (format!("{start}*{end}"), format!("{start}{middle}{end}"));
        prop_assert!(matches(&pattern, &text));
    }
}
