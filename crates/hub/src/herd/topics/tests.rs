//! Messages that travel are the same at the other end.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use remuda_bus::Filter;
use remuda_herd::spread::{Payload, Summary};
use remuda_wire::zmtp::encode_message;

use super::{Unpacked, Wanted, is_local, pack, pack_pair};
use crate::zeromq::batch_of;

fn message(parts: &[&[u8]]) -> Bytes {
    let mut out = BytesMut::new();
    encode_message(parts, &mut out);
    out.freeze()
}

fn there_and_back(parts: &[&[u8]]) -> Bytes {
    let batch = batch_of(message(parts));
    let (topic, frames) = pack(&batch, &batch.messages[0]).unwrap();
    assert!(parts[0].starts_with(&topic));
    unpacked(&topic, &frames)
}

fn unpacked(topic: &[u8], frames: &[Bytes]) -> Bytes {
    let mut unpacked = Unpacked::default();
    assert!(unpacked.add(topic, frames));
    unpacked.take().unwrap().bytes
}

proptest! {
    #[test]
    fn a_message_of_any_frames_arrives_as_it_was(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 1..6),
    ) {
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        prop_assert_eq!(there_and_back(&parts), message(&parts));
    }

    #[test]
    fn frames_that_nobody_made_are_no_message_and_no_panic(
        topic in prop::collection::vec(any::<u8>(), 0..20),
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 0..4),
    ) {
        let frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        let mut unpacked = Unpacked::default();
        let is_message = unpacked.add(&topic, &frames);
        prop_assert_eq!(unpacked.take().is_some(), is_message);
    }

    #[test]
    fn messages_unpacked_together_lie_where_the_batch_says(
        messages in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 1..4),
            1..8,
        ),
    ) {
        let mut unpacked = Unpacked::default();
        for parts in &messages {
            let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
            let batch = batch_of(message(&parts));
            let (topic, frames) = pack(&batch, &batch.messages[0]).unwrap();
            prop_assert!(unpacked.add(&topic, &frames));
            prop_assert!(!unpacked.add(b"no form", &[]));
        }
        let batch = unpacked.take().unwrap();
        prop_assert!(unpacked.take().is_none());
        prop_assert_eq!(batch.messages.len(), messages.len());
        let mut end = 0;
        for (span, parts) in batch.messages.iter().zip(&messages) {
            let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
            prop_assert_eq!(span.start, end);
            end = span.end;
            prop_assert_eq!(batch.frames(span), message(&parts));
            prop_assert_eq!(batch.matched(span), parts[0]);
            prop_assert_eq!(span.single, parts.len() == 1);
        }
        prop_assert_eq!(usize::try_from(end).unwrap(), batch.bytes.len());
    }
}

#[test]
fn one_frame_longer_than_a_topic_is_one_frame_again() {
    let long = vec![b'x'; Payload::TOPIC_MAX * 2 + 1];
    assert_eq!(there_and_back(&[&long]), message(&[&long]));
    let batch = batch_of(message(&[&long, b"more"]));
    assert!(pack(&batch, &batch.messages[0]).is_none());
    let (topic, frames) = pack_pair(b"news", b"rain").unwrap();
    assert_eq!(unpacked(&topic, &frames), message(&[b"news", b"rain"]));
    assert!(pack_pair(&long, b"").is_none());
}

#[test]
fn some_topics_stay_here() {
    let kept = ["tmp.".to_owned()];
    for topic in ["store.a", "__keyspace@0__:a", "$SYS", "tmp.a"] {
        assert!(is_local(topic.as_bytes(), &kept), "{topic}");
    }
    assert!(!is_local(b"tmp", &kept) && !is_local(b"", &kept));
}

#[test]
fn what_is_wanted_is_the_beginning_of_what_somebody_asked_for() {
    let mut wanted = Wanted::new(["kept."].into_iter());
    let text = |text: &'static str| Bytes::from_static(text.as_bytes());
    wanted.is_news = false;
    for filter in [Filter::Channel(text("news")), Filter::Prefix(text("news"))] {
        wanted.change(&filter, true);
    }
    wanted.change(&Filter::Shard(text("shard")), true);
    wanted.change(&Filter::Prefix(text("store.a")), true);
    assert!(std::mem::take(&mut wanted.is_news));
    wanted.change(&Filter::Pattern(text("a.*.b")), true);
    assert_eq!(wanted.summary(), Summary::of([text("a."), text("kept."), text("news")]));
    wanted.is_news = false;
    wanted.change(&Filter::Prefix(text("news")), false);
    assert!(!wanted.is_news, "somebody wants it still");
    wanted.change(&Filter::Channel(text("news")), false);
    assert!(wanted.is_news);
    wanted.change(&Filter::Pattern(text("*")), true);
    assert_eq!(wanted.summary(), Summary::Everything);
}
