//! Filters of members as one list of what is wanted.

use proptest::prelude::*;
use remuda_bus::Filter;
use remuda_model::glob_matches;

use super::{Ask, Interest, beginning_of, glob_of, prefix_of};

fn told(interest: &mut Interest, filter: &Filter, is_added: bool) -> Vec<(Ask, bool)> {
    let mut told = Vec::new();
    interest.change(filter, is_added, |ask, wanted| told.push((ask.clone(), wanted)));
    told
}

#[test]
fn what_several_want_is_asked_for_once_and_ends_with_the_last() {
    let mut interest = Interest::default();
    let (prefix, pattern) = (Filter::Prefix("news.".into()), Filter::Pattern("news.*".into()));
    assert_eq!(told(&mut interest, &prefix, true), [(Ask::Prefix("news.".into()), true)]);
    assert_eq!(told(&mut interest, &pattern, true), []);
    assert_eq!(told(&mut interest, &prefix, false), []);
    assert_eq!(interest.all().count(), 1);
    assert_eq!(told(&mut interest, &pattern, false), [(Ask::Prefix("news.".into()), false)]);
    assert_eq!(interest.all().count(), 0);
}

#[test]
fn the_hubs_own_topics_are_asked_of_nobody() {
    let mut interest = Interest::default();
    assert_eq!(told(&mut interest, &Filter::Prefix("store.user".into()), true), []);
    assert_eq!(told(&mut interest, &Filter::Pattern("__keyspace@0__:*".into()), true), []);
}

#[test]
fn a_prefix_with_a_blank_asks_for_the_topic_before_it_too() {
    let mut interest = Interest::default();
    let asked = told(&mut interest, &Filter::Prefix("10001 3".into()), true);
    assert_eq!(asked, [(Ask::Prefix("10001 3".into()), true), (Ask::Channel("10001".into()), true)]);
}

#[test]
fn only_globs_that_are_prefixes_are_taken_for_prefixes() {
    assert_eq!(prefix_of(b"a\\*b*"), Some(b"a*b".to_vec()));
    for glob in ["a", "a?*", "a*b*", "[ab]*", "a\\*"] {
        assert_eq!(prefix_of(glob.as_bytes()), None, "{glob}");
    }
    assert_eq!(beginning_of(b"news.[ab]*"), b"news.");
}

proptest! {
    #[test]
    fn a_prefix_as_a_glob_stands_for_what_begins_with_it(
        prefix in prop::collection::vec(prop::sample::select(b"ab*?[]\\-^\xff".to_vec()), 0..6),
        name in prop::collection::vec(prop::sample::select(b"ab*?[]\\-^\xff".to_vec()), 0..8),
    ) {
        let glob = glob_of(&prefix);
        prop_assert_eq!(glob_matches(&glob, &name), name.starts_with(&prefix));
        prop_assert_eq!(prefix_of(&glob), Some(prefix));
    }
}
