//! What goes together is wanted by the same, and is what was published.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::Kinds;
use crate::NodeId;
use crate::sim::messages_of;
use crate::spread::message::Payload;
use crate::spread::summary::Summary;

fn topic() -> impl Strategy<Value = Bytes> {
    vec(prop_oneof![Just(b'a'), Just(b'b')], 0..6).prop_map(Bytes::from)
}

fn summaries() -> impl Strategy<Value = Vec<Summary>> {
    let summary = prop_oneof![
        6 => vec(topic(), 0..5).prop_map(Summary::of),
        1 => Just(Summary::Everything),
    ];
    vec(summary, 0..5)
}

fn kinds_of(summaries: &[Summary]) -> Kinds {
    Kinds::of((1..).map(NodeId).zip(summaries))
}

fn are_alike(kinds: &Kinds, one: &[u8], other: &[u8]) -> bool {
    kinds.runs(&messages_of(&[(one, b""), (other, b"")])).len() == 1
}

proptest! {
    #[test]
    fn topics_are_alike_exactly_if_the_same_nodes_want_them(
        summaries in summaries(), one in topic(), other in topic(),
    ) {
        let is_wanted_alike =
            summaries.iter().all(|summary| summary.wants(&one) == summary.wants(&other));
        prop_assert_eq!(are_alike(&kinds_of(&summaries), &one, &other), is_wanted_alike);
    }

    #[test]
    fn runs_are_all_that_was_published_and_within_their_limits(
        summaries in summaries(), messages in vec((topic(), prop_oneof![Just(10_usize), Just(40 << 10)]), 0..30),
    ) {
        let payload = vec![0; 40 << 10];
        let messages: Vec<(&[u8], &[u8])> =
            messages.iter().map(|(topic, size)| (&topic[..], &payload[..*size])).collect();
        let batch = messages_of(&messages);
        let runs = kinds_of(&summaries).runs(&batch);
        let mut end = 0;
        for run in runs {
            prop_assert!(run.start == end && run.end > end);
            end = run.end;
            let part = batch.stretch(run);
            prop_assert!(part.messages.len() == 1 || part.bytes.len() <= Payload::TOGETHER_MAX);
            let wants = |summary: &Summary, at: usize| summary.wants(part.matched(&part.messages[at]));
            for at in 1..part.messages.len() {
                prop_assert!(summaries.iter().all(|summary| wants(summary, 0) == wants(summary, at)));
            }
        }
        prop_assert_eq!(end, batch.messages.len());
    }
}

#[test]
fn messages_that_go_together_are_limited_in_number() {
    let batch = messages_of(&vec![(&b"t"[..], &b""[..]); Payload::MESSAGES_MAX + 1]);
    let runs = Kinds::default().runs(&batch);
    // Of this size as many as bytes allow go together, which is fewer.
    assert!(runs.len() > 1 && runs.iter().all(|run| run.len() <= Payload::MESSAGES_MAX));
}

#[test]
fn with_too_many_prefixes_each_topic_goes_by_itself() {
    let number = |number: usize| Bytes::from(format!("{number}."));
    let summaries: Vec<Summary> =
        (0..70).map(|node| Summary::of((0..1_000).map(|each| number(node * 1_000 + each)))).collect();
    let kinds = kinds_of(&summaries);
    assert!(are_alike(&kinds, b"x", b"x") && !are_alike(&kinds, b"x", b"y"));
    assert!(are_alike(&kinds_of(&summaries[..9]), b"x", b"y"));
}
