//! The conversation with a Redis, without one: what is asked for, and which copies are delivered.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use remuda_model::glob_matches;

use super::{InForce, RedisBus};
use crate::engine::interest::{Ask, glob_of};

fn asks() -> impl Strategy<Value = Vec<(Vec<u8>, bool)>> {
    let prefix = prop::collection::vec(prop::sample::select(b"ab".to_vec()), 0..4);
    prop::collection::vec((prefix, any::<bool>()), 0..30)
}

proptest! {
    #[test]
    fn the_prefixes_asked_for_are_the_shortest_of_those_wanted(steps in asks()) {
        let (mut redis, mut out) = (RedisBus::default(), BytesMut::new());
        let mut wanted = BTreeSet::new();
        for (prefix, is_on) in steps {
            let prefix = Bytes::from(prefix);
            let is_change = if is_on { wanted.insert(prefix.clone()) } else { wanted.remove(&prefix) };
            if is_change {
                redis.ask(&Ask::Prefix(prefix), is_on, &mut out);
            }
            let is_shortest = |prefix: &&Bytes| !(0..prefix.len()).any(|end| wanted.contains(&prefix[..end]));
            let shortest: BTreeSet<Bytes> = wanted.iter().filter(is_shortest).cloned().collect();
            prop_assert_eq!(&redis.asked_prefixes, &shortest);
        }
    }

    #[test]
    fn of_all_copies_of_a_message_exactly_one_is_delivered(
        prefixes in prop::collection::btree_set("[ab]{0,3}", 0..4),
        patterns in prop::collection::btree_set("[ab?]{0,3}[?*]b", 0..4),
        channels in prop::collection::btree_set("[ab]{0,3}", 0..3),
        topic in "[ab]{0,4}",
    ) {
        let mut in_force = InForce::default();
        let bytes = |text: &String| Bytes::from(text.clone());
        prefixes.iter().for_each(|prefix| in_force.change(&Ask::Prefix(bytes(prefix)), true));
        patterns.iter().for_each(|pattern| in_force.change(&Ask::Pattern(bytes(pattern)), true));
        channels.iter().for_each(|channel| in_force.change(&Ask::Channel(bytes(channel)), true));
        let globs = prefixes.iter().map(|prefix| glob_of(prefix.as_bytes()));
        let globs = globs.chain(patterns.iter().map(|pattern| pattern.clone().into_bytes()));
        let copies: Vec<Vec<u8>> = globs.filter(|glob| glob_matches(glob, topic.as_bytes())).collect();
        let delivered = copies.iter().filter(|glob| in_force.is_first(glob, topic.as_bytes())).count();
        let by_channel = usize::from(channels.contains(&topic));
        let expected = usize::from(!copies.is_empty() || by_channel > 0);
        prop_assert_eq!(delivered + by_channel, expected);
    }
}
