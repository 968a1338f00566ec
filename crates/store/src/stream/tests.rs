//! The stream against plain maps: entries, trims, groups, and what is told of lags.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::Stream;
use super::entries::{BLOCK_MAX_ENTRIES, Entries, Keep, Trim};
use super::entry::Fields;
use super::group::Group;
use super::id::StreamId;

#[derive(Debug, Clone)]
enum Step {
    Append(u64, usize),
    Delete(u64),
    TrimTo(u64),
    TrimFrom(u64),
    TrimAbout(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (1_u64..4, 0_usize..60).prop_map(|(gap, len)| Step::Append(gap, len)),
        8 => (0_u64..900).prop_map(Step::Delete),
        1 => (0_u64..300).prop_map(Step::TrimTo),
        1 => (0_u64..900).prop_map(Step::TrimFrom),
        1 => (0_u64..300).prop_map(Step::TrimAbout),
    ]
}

fn id(ms: u64) -> StreamId {
    StreamId { ms, number: 0 }
}

fn fields(len: usize) -> Fields {
    Fields::new(&[b"field", &vec![b'x'; len]])
}

fn listed(entries: &Entries) -> Vec<u64> {
    entries.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id.ms).collect()
}

fn exactly(keep: Keep) -> Trim {
    Trim { keep, is_approximate: false, limit: None }
}

fn about(keep: Keep) -> Trim {
    Trim { is_approximate: true, ..exactly(keep) }
}

fn filled(count: u64) -> Stream {
    let mut stream = Stream::new();
    for ms in 1..=count {
        assert!(stream.log.append(id(ms), fields(1)));
    }
    stream
}

proptest! {
    #[test]
    fn entries_are_what_a_sorted_vector_is(
        steps in prop::collection::vec(step(), 0..800),
        (from, to) in (0_u64..900, 0_u64..900),
    ) {
        let (mut stream, mut model) = (Stream::new(), Vec::<u64>::new());
        for step in steps {
            match step {
                Step::Append(gap, len) => {
                    let next = stream.log.last_id.ms + gap;
                    prop_assert!(stream.log.append(id(next), fields(len)));
                    prop_assert!(!stream.log.append(id(next), fields(len)));
                    model.push(next);
                }
                Step::Delete(ms) => {
                    let was_there = model.iter().position(|known| *known == ms).map(|at| model.remove(at));
                    prop_assert_eq!(stream.log.delete(id(ms)), was_there.is_some());
                }
                Step::TrimTo(kept) => {
                    let surplus = model.len().saturating_sub(usize::try_from(kept).unwrap());
                    prop_assert_eq!(stream.log.trim(exactly(Keep::Newest(kept))), surplus);
                    model.drain(..surplus);
                }
                Step::TrimFrom(ms) => {
                    let before = model.len();
                    model.retain(|known| *known >= ms);
                    prop_assert_eq!(stream.log.trim(exactly(Keep::From(id(ms)))), before - model.len());
                }
                Step::TrimAbout(kept) => {
                    let removed = stream.log.trim(about(Keep::Newest(kept)));
                    model.drain(..removed);
                    let len = u64::try_from(model.len()).unwrap();
                    prop_assert!(removed == 0 || len >= kept);
                }
            }
        }
        let entries = stream.log.entries();
        prop_assert_eq!(&listed(entries), &model);
        prop_assert_eq!(entries.len(), model.len());
        prop_assert_eq!(entries.first().map(|entry| entry.id.ms), model.first().copied());
        prop_assert_eq!(entries.last().map(|entry| entry.id.ms), model.last().copied());
        let inside: Vec<_> = model.iter().copied().filter(|ms| (from..=to).contains(ms)).collect();
        let range = entries.range(id(from), id(to));
        prop_assert_eq!(range.clone().map(|entry| entry.id.ms).collect::<Vec<_>>(), inside.clone());
        let backwards: Vec<_> = range.rev().map(|entry| entry.id.ms).collect();
        prop_assert_eq!(backwards, inside.into_iter().rev().collect::<Vec<_>>());
        for ms in 0..900 {
            prop_assert_eq!(entries.get(id(ms)).is_some(), model.binary_search(&ms).is_ok());
        }
        stream.log.trim(exactly(Keep::Newest(0)));
        prop_assert_eq!(stream.memory_bytes(), 0);
    }

    #[test]
    fn fields_come_back_as_they_were(
        items in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
        long in 0_usize..40_000,
    ) {
        let mut items = items;
        items.push(vec![7; long]);
        let borrowed: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
        let fields = Fields::new(&borrowed);
        prop_assert_eq!(fields.items().collect::<Vec<_>>(), borrowed);
    }

    #[test]
    fn ids_come_back_from_their_text(ms in any::<u64>(), number in any::<u64>()) {
        let id = StreamId { ms, number };
        let (text, spelled) = (id.text(), id.to_string());
        prop_assert_eq!(text.as_bytes(), spelled.as_bytes());
        prop_assert_eq!(StreamId::parse(text.as_bytes(), 0), Ok(id));
        prop_assert_eq!(id.next().map_or(Some(id), StreamId::previous), Some(id));
    }

    #[test]
    fn any_bytes_are_an_id_or_refused(text in prop::collection::vec(any::<u8>(), 0..30)) {
        let _ = StreamId::parse(&text, 0);
    }

    #[test]
    fn what_is_pending_stands_with_its_owner_and_nowhere_else(
        steps in prop::collection::vec((0_u8..10, 0_u64..30, 0_u8..4), 0..200),
    ) {
        let (mut stream, mut model) = (Stream::new(), BTreeMap::new());
        stream.create_group(b"group", Group::new(StreamId::MIN, None));
        for (action, ms, consumer) in steps {
            let name = [b'a' + consumer];
            stream.change_group(b"group", |group, _| {
                match action {
                    0..6 => {
                        group.create_consumer(&name, 1);
                        group.assign(id(ms), &name, 5, 1);
                        model.insert(ms, consumer);
                    }
                    6..9 => assert_eq!(group.acknowledge(id(ms)), model.remove(&ms).is_some()),
                    _ => {
                        let held = model.values().filter(|owner| **owner == consumer).count();
                        assert_eq!(group.remove_consumer(&name).unwrap_or(0), held);
                        model.retain(|_, owner| *owner != consumer);
                    }
                }
            });
        }
        let group = &stream.groups()[&b"group"[..]];
        let pending: Vec<_> =
            group.pending().iter().map(|(id, pending)| (id.ms, pending.consumer[0] - b'a')).collect();
        prop_assert_eq!(pending, model.iter().map(|(ms, owner)| (*ms, *owner)).collect::<Vec<_>>());
        for (name, consumer) in group.consumers() {
            let held: Vec<_> = consumer.pending().iter().map(|id| id.ms).collect();
            let of_model = model.iter().filter(|(_, owner)| **owner == name[0] - b'a');
            prop_assert_eq!(held, of_model.map(|(ms, _)| *ms).collect::<Vec<_>>());
        }
        prop_assert!(stream.destroy_group(b"group"));
        prop_assert_eq!(stream.memory_bytes(), 0);
    }
}

#[test]
fn an_approximate_trim_removes_whole_blocks_and_keeps_to_its_limit() {
    let mut stream = filled(350);
    assert_eq!(stream.log.entries().block_count(), 4);
    let limited = Trim { limit: Some(BLOCK_MAX_ENTRIES + 50), ..about(Keep::Newest(120)) };
    assert_eq!(stream.log.trim(limited), BLOCK_MAX_ENTRIES);
    assert_eq!(stream.log.trim(about(Keep::From(id(250)))), BLOCK_MAX_ENTRIES);
    assert_eq!(listed(stream.log.entries()).first(), Some(&201));
}

#[test]
fn ids_follow_the_clock_and_go_on_when_it_falls_back() {
    let mut stream = filled(5);
    assert_eq!(stream.log.next_id(9), Some(id(9)));
    assert_eq!(stream.log.next_id(3), Some(StreamId { ms: 5, number: 1 }));
    stream.log.last_id = StreamId { ms: 5, number: u64::MAX };
    assert_eq!(stream.log.next_id(5), Some(id(6)));
    stream.log.last_id = StreamId::MAX;
    assert_eq!(stream.log.next_id(5), None);
}

#[test]
fn an_id_is_two_numbers_or_one() {
    assert_eq!(StreamId::parse(b"5", 7), Ok(StreamId { ms: 5, number: 7 }));
    for refused in [&b""[..], b"-", b"5-", b"-5", b"5-6-7", b"+5-1", b"5-*", b"18446744073709551616-0"] {
        assert!(StreamId::parse(refused, 0).is_err(), "{}", refused.escape_ascii());
    }
}

#[test]
fn a_lag_is_told_as_long_as_no_gap_is_ahead() {
    let mut stream = filled(5);
    let lag = |stream: &Stream, ms, read| stream.log.lag(&Group::new(id(ms), read));
    assert_eq!(lag(&stream, 2, Some(2)), Some(3));
    assert_eq!(lag(&stream, 2, None), None, "the middle cannot be told");
    assert_eq!(lag(&stream, 0, None), Some(5));
    assert_eq!(lag(&stream, 1, None), Some(4));
    assert_eq!(lag(&stream, 5, None), Some(0));
    assert!(stream.log.delete(id(4)));
    assert_eq!(lag(&stream, 2, Some(2)), None, "a gap is ahead");
    assert_eq!(lag(&stream, 5, Some(5)), Some(0));
    stream.log.trim(exactly(Keep::Newest(0)));
    assert_eq!(lag(&stream, 2, None), Some(0), "nothing is left to read");
}
