//! Messages that travel are the same at the other end.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use remuda_bus::Filter;
use remuda_herd::spread::Summary;
use remuda_model::message::Batch;
use remuda_wire::zmtp::{encode_message, whole_messages};

use super::{Gathered, Wanted, is_local, travelling};

fn batch(messages: &[Vec<Vec<u8>>]) -> Batch {
    let mut out = BytesMut::new();
    for parts in messages {
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        encode_message(&parts, &mut out);
    }
    whole_messages(out.freeze(), messages.len()).unwrap_or_default()
}

fn messages() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 1..4), 1..8)
}

proptest! {
    #[test]
    fn messages_gathered_together_are_those_that_were_added_in_order(
        first in messages(),
        topic in prop::collection::vec(any::<u8>(), 0..600),
        payload in prop::collection::vec(any::<u8>(), 0..600),
        second in messages(),
    ) {
        let mut gathered = Gathered::default();
        gathered.add(&batch(&first));
        gathered.add_pair(&topic, &payload);
        gathered.add(&batch(&second));
        let all: Vec<_> = first.into_iter().chain([vec![topic, payload]]).chain(second).collect();
        prop_assert_eq!(gathered.take(), Some(batch(&all)));
        prop_assert!(gathered.take().is_none() && gathered.is_empty());
    }

    #[test]
    fn of_a_batch_all_but_what_stays_here_travels_in_order(topics in prop::collection::vec(0..3_usize, 0..12)) {
        let texts = ["a", "tmp.a", "b"];
        let all: Vec<_> = topics.iter().map(|topic| vec![texts[*topic].as_bytes().to_vec(), vec![7; 9]]).collect();
        let batch = batch(&all);
        let mut gathered = Gathered::default();
        for stretch in travelling(&batch, &["tmp.".to_owned()]) {
            gathered.add(&batch.stretch(stretch));
        }
        let wanted: Vec<_> = all.into_iter().filter(|parts| parts[0] != b"tmp.a").collect();
        prop_assert_eq!(gathered.take().unwrap_or_default(), self::batch(&wanted));
    }
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
