//! The sorted set against a plain vector that is sorted anew each time it is asked.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::SortedSet;
use super::bounds::{LexRange, ScoreRange};
use super::score::score_text;
use crate::number::float;
use crate::value::Hashing;

#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<u8>, f64),
    Remove(Vec<u8>),
    RemoveRanks(usize, usize),
    PopFirst,
    PopLast,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    (0_u16..700).prop_map(|number| format!("m{number}").into_bytes())
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-20_i8..20).prop_map(f64::from),
        1 => Just(-0.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => any::<f64>().prop_filter("NaN is refused by the commands", |score| !score.is_nan()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (member(), score()).prop_map(|(member, score)| Step::Insert(member, score)),
        6 => member().prop_map(Step::Remove),
        1 => (0_usize..700, 0_usize..120).prop_map(|(start, count)| Step::RemoveRanks(start, start + count)),
        2 => Just(Step::PopFirst),
        2 => Just(Step::PopLast),
    ]
}

/// The naive set.
#[derive(Default)]
struct Model(Vec<(Vec<u8>, f64)>);

impl Model {
    fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let old = self.remove(member);
        self.0.push((member.to_vec(), score));
        self.0.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then_with(|| a.0.cmp(&b.0)));
        old
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let at = self.0.iter().position(|(known, _)| known == member)?;
        Some(self.0.remove(at).1)
    }

    fn remove_ranks(&mut self, start: usize, end: usize) -> usize {
        let end = end.min(self.0.len());
        self.0.drain(start.min(end)..end).count()
    }
}

fn set() -> SortedSet {
    SortedSet::new(Hashing::with_seed(7))
}

fn listed(set: &SortedSet) -> Vec<(Vec<u8>, f64)> {
    set.iter().map(|(member, score)| (member.to_vec(), score)).collect()
}

fn filled(count: u32) -> SortedSet {
    let mut set = set();
    for number in 0..count {
        set.insert(format!("{number:06}").as_bytes(), f64::from(number % 17));
    }
    set
}

proptest! {
    #[test]
    fn a_sorted_set_is_what_a_sorted_vector_is(steps in prop::collection::vec(step(), 0..1500)) {
        let (mut set, mut model) = (set(), Model::default());
        for step in steps {
            match step {
                Step::Insert(member, score) => {
                    prop_assert_eq!(set.insert(&member, score), model.insert(&member, score));
                }
                Step::Remove(member) => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                Step::RemoveRanks(start, end) => {
                    prop_assert_eq!(set.remove_ranks(start..end), model.remove_ranks(start, end));
                }
                Step::PopFirst => {
                    let popped = set.pop_first().map(|(member, score)| (member.into_vec(), score));
                    let expected = if model.0.is_empty() { None } else { Some(model.0.remove(0)) };
                    prop_assert_eq!(popped, expected);
                }
                Step::PopLast => {
                    let popped = set.pop_last().map(|(member, score)| (member.into_vec(), score));
                    prop_assert_eq!(popped, model.0.pop());
                }
            }
            prop_assert_eq!(set.len(), model.0.len());
        }
        prop_assert_eq!(&listed(&set), &model.0);
        let backwards: Vec<_> = set.iter().rev().map(|(member, score)| (member.to_vec(), score)).collect();
        prop_assert_eq!(backwards, model.0.iter().rev().cloned().collect::<Vec<_>>());
        for (rank, (member, score)) in model.0.iter().enumerate() {
            prop_assert_eq!(set.rank(member), Some(rank));
            prop_assert_eq!(set.score(member), Some(*score));
            prop_assert_eq!(set.range(rank..rank + 1).next(), Some((&**member, *score)));
        }
        let mut by_index: Vec<_> = (0..set.len()).map(|at| set.by_index(at).unwrap().0.to_vec()).collect();
        by_index.sort();
        let mut members: Vec<_> = model.0.iter().map(|(member, _)| member.clone()).collect();
        members.sort();
        prop_assert_eq!(by_index, members);
        prop_assert_eq!(set.member_bytes, model.0.iter().map(|(member, _)| member.len()).sum::<usize>());
    }

    #[test]
    fn ranges_by_score_hold_what_a_filter_holds(
        pairs in prop::collection::vec((member(), score()), 0..600),
        (min, max) in (score(), score()),
        (is_min_open, is_max_open) in (any::<bool>(), any::<bool>()),
    ) {
        let mut set = set();
        for (member, score) in &pairs {
            set.insert(member, *score);
        }
        let text = |is_open: bool, score: f64| format!("{}{score}", if is_open { "(" } else { "" });
        let (from, to) = (text(is_min_open, min), text(is_max_open, max));
        let range = ScoreRange::parse(from.as_bytes(), to.as_bytes()).unwrap();
        let ranks = set.ranks_by_score(&range);
        let inside = |score: f64| {
            (score > min || (score == min && !is_min_open)) && (score < max || (score == max && !is_max_open))
        };
        let expected: Vec<_> = listed(&set).into_iter().filter(|(_, score)| inside(*score)).collect();
        let found: Vec<_> = set.range(ranks).map(|(member, score)| (member.to_vec(), score)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn ranges_by_member_hold_what_a_filter_holds(
        members in prop::collection::vec(member(), 0..600),
        (min, max) in (member(), member()),
        (is_min_open, is_max_open) in (any::<bool>(), any::<bool>()),
    ) {
        let mut set = set();
        for member in &members {
            set.insert(member, 1.0);
        }
        let text = |is_open: bool, member: &[u8]| [if is_open { b"(" } else { b"[" }, member].concat();
        let (from, to) = (text(is_min_open, &min), text(is_max_open, &max));
        let ranks = set.ranks_by_lex(&LexRange::parse(&from, &to).unwrap());
        let inside = |member: &Vec<u8>| {
            (*member > min || (*member == min && !is_min_open)) && (*member < max || (*member == max && !is_max_open))
        };
        let expected: Vec<_> = listed(&set).into_iter().map(|pair| pair.0).filter(inside).collect();
        let found: Vec<_> = set.range(ranks).map(|(member, _)| member.to_vec()).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_a_score_or_refused(text in prop::collection::vec(any::<u8>(), 0..12)) {
        if let Some(score) = float(&text) {
            assert!(!score.is_nan());
        }
        let _ = LexRange::parse(&text, b"+");
    }
}

proptest! {
    #[test]
    fn the_text_of_a_score_reads_back_exactly(score in any::<f64>()) {
        if !score.is_nan() {
            let text = score_text(score);
            prop_assert_eq!(float(text.as_bytes()).map(f64::to_bits), Some(score.to_bits()));
            assert!(text.len() <= 25, "{text}");
        }
    }
}

#[test]
fn a_score_is_spelled_as_redis_spells_it() {
    for (score, text) in [
        (3.0, "3"),
        (-0.0, "-0"),
        (1_700_000_000.0, "1700000000"),
        (0.1, "0.1"),
        (123_456.789, "123456.789"),
        (1e20, "1e+20"),
        (1.5e300, "1.5e+300"),
        (0.000_001, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(score_text(score), text);
    }
}

#[test]
fn a_set_of_many_chunks_shrinks_to_nothing_from_either_end() {
    let mut set = filled(20_000);
    let expected = listed(&set);
    for pair in &expected[..10_000] {
        assert_eq!(set.pop_first().unwrap().0.as_ref(), pair.0);
    }
    for pair in expected[10_000..].iter().rev() {
        assert_eq!(set.pop_last().unwrap().0.as_ref(), pair.0);
    }
    assert!(set.is_empty());
    assert_eq!(set.memory_bytes(), 0);
}

#[test]
fn the_open_ends_of_a_range_by_member_hold_all_or_nothing() {
    let set = filled(10);
    let ranks = |min: &[u8], max: &[u8]| set.ranks_by_lex(&LexRange::parse(min, max).unwrap());
    assert_eq!(ranks(b"-", b"+"), 0..10);
    assert!(ranks(b"+", b"-").is_empty());
    assert!(ranks(b"-", b"-").is_empty());
    assert_eq!(LexRange::parse(b"a", b"+"), None);
    assert_eq!(LexRange::parse(b"", b"+"), None);
}

#[test]
fn scores_are_numbers_and_infinities_and_nothing_else() {
    assert_eq!(float(b"1.5"), Some(1.5));
    assert_eq!(float(b"-1e3"), Some(-1000.0));
    assert_eq!(float(b"+inf"), Some(f64::INFINITY));
    assert_eq!(float(b"-Infinity"), Some(f64::NEG_INFINITY));
    for refused in [&b"nan"[..], b"", b" 1", b"1 ", b"1e999", b"one", b"0x10"] {
        assert_eq!(float(refused), None, "{}", refused.escape_ascii());
    }
}

#[test]
fn a_set_beyond_the_limits_of_a_listpack_is_a_skiplist_for_good() {
    let mut set = filled(128);
    assert_eq!(set.encoding(), "listpack");
    set.insert(b"one more", 1.0);
    set.remove(b"one more");
    assert_eq!(set.encoding(), "skiplist");
}
