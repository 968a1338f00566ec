//! Topics to subjects and back.

use proptest::prelude::*;

use super::{Named, covering, named, of_prefix, of_shard, of_topic};

#[test]
fn usual_topics_stay_as_they_are() {
    for topic in ["orders.new", "user:42/x", "größe.€", "a.$b"] {
        assert_eq!(of_topic(topic.as_bytes()), topic.as_bytes(), "{topic}");
    }
    let text = |topic: &[u8]| String::from_utf8(of_topic(topic)).unwrap();
    assert_eq!(text(b""), "%");
    assert_eq!(text(b".a..b."), "%.a.%.b.%");
    assert_eq!(text(b"a b*>%\xff"), "a%20b%2A%3E%25%FF");
    assert_eq!(text(b"$SYS.x"), "%24SYS.x");
    assert_eq!(text(b"_INBOX.x"), "%5FINBOX.x");
}

#[test]
fn the_servers_own_subjects_are_no_topics() {
    assert_eq!(named(b"$SYS.REQ"), None);
    assert_eq!(named(b"_INBOX.abc"), None);
    assert_eq!(named(b"a%2"), None);
    assert_eq!(named(b"a%zz"), None);
    assert_eq!(named(&of_shard(b"x.y")), Some(Named::Shard(b"x.y".to_vec())));
}

fn topic() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..12),
        prop::collection::vec(prop::sample::select(b"a.$ _%".to_vec()), 0..12)
    ]
}

proptest! {
    #[test]
    fn every_topic_comes_back_from_its_subject(topic in topic()) {
        let subject = of_topic(&topic);
        prop_assert!(subject.split(|byte| *byte == b'.').all(|token| !token.is_empty()));
        prop_assert!(!subject.iter().any(|byte| *byte <= b' ' || *byte == b'*' || *byte == b'>'));
        prop_assert_eq!(named(&subject), Some(Named::Topic(topic.clone())));
        prop_assert_eq!(named(&of_shard(&topic)), Some(Named::Shard(topic)));
    }

    #[test]
    fn a_prefix_has_every_topic_that_begins_with_it(topic in topic(), length in 0_usize..12) {
        let prefix = &topic[..length.min(topic.len())];
        let subject = of_topic(&topic);
        let mut all = covering(&subject);
        prop_assert!(all.any(|cover| cover == of_prefix(prefix)));
    }
}
