//! Ranges as clients write them, and as they should not.

use std::ops::Range;

use proptest::prelude::{any, prop, proptest};

use super::{GAP, PARTS_MAX, Ranges, read};

fn parts(list: &[Range<u64>]) -> Ranges {
    Ranges::Parts(list.to_vec())
}

fn part(part: Range<u64>) -> Ranges {
    Ranges::Parts(std::iter::once(part).collect())
}

#[test]
fn single_ranges_are_cut_to_the_file() {
    let one = |text: &str| read(text.as_bytes(), 1000);
    assert_eq!(one("bytes=0-499"), part(0..500));
    assert_eq!(one("bytes=500-"), part(500..1000));
    assert_eq!(one("bytes=-1"), part(999..1000));
    assert_eq!(one("Bytes=900-5000"), part(900..1000));
    assert_eq!(one("bytes= 1-1 ,"), part(1..2));
    assert_eq!(one("bytes=1-99999999999999999999999999"), part(1..1000));
    // All of it is the whole.
    assert_eq!(one("bytes=0-"), Ranges::Whole);
    assert_eq!(one("bytes=-5000"), Ranges::Whole);
}

#[test]
fn what_does_not_exist_is_not_satisfiable_and_what_is_no_range_is_passed_over() {
    let one = |text: &str| read(text.as_bytes(), 1000);
    for text in ["bytes=1000-", "bytes=-0", "bytes=2000-3000", "bytes=1000-1000,-0"] {
        assert_eq!(one(text), Ranges::Unsatisfiable, "{text}");
    }
    for text in
        ["bytes=", "bytes=-", "bytes=2-1", "bytes=a-b", "bytes=+1-2", "lines=1-2", "bytes 1-2", "", "bytes=1"]
    {
        assert_eq!(one(text), Ranges::Whole, "{text}");
    }
    // One that is none makes all of them none.
    assert_eq!(one("bytes=0-1,x"), Ranges::Whole);
    assert_eq!(read(b"bytes=0-", 0), Ranges::Unsatisfiable);
}

#[test]
fn several_ranges_keep_their_order_and_join_where_they_touch() {
    let one = |text: &str| read(text.as_bytes(), 10_000);
    assert_eq!(one("bytes=5000-5099,0-99"), parts(&[5000..5100, 0..100]));
    assert_eq!(one("bytes=0-99,50-149"), part(0..150));
    assert_eq!(one("bytes=5000-5001,100-199,0-99"), parts(&[5000..5002, 0..200]));
    assert_eq!(one("bytes=0-0,20000-"), part(0..1));
    let six: Vec<_> = (0..=PARTS_MAX).map(|at| format!("{}-{}", at * 1000, at * 1000 + 1)).collect();
    assert_eq!(one(&format!("bytes={}", six.join(","))), Ranges::Whole);
    assert_eq!(one(&format!("bytes={}", "0-0,".repeat(101))), Ranges::Whole);
}

proptest! {
    #[test]
    fn what_is_given_covers_what_was_asked_and_nothing_overlaps(
        asked in prop::collection::vec((0_u64..5000, 0_u64..300), 1..8),
        len in 1_u64..5000,
    ) {
        let list: Vec<_> = asked.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
        match read(format!("bytes={}", list.join(",")).as_bytes(), len) {
            Ranges::Whole => {}
            Ranges::Unsatisfiable => assert!(asked.iter().all(|(first, _)| *first >= len)),
            Ranges::Parts(parts) => {
                assert!(!parts.is_empty() && parts.len() <= PARTS_MAX);
                for (first, more) in &asked {
                    let last = (first + more).min(len - 1);
                    assert!(*first >= len || parts.iter().any(|part| part.contains(first) && part.contains(&last)));
                }
                let mut sorted = parts.clone();
                sorted.sort_by_key(|part| part.start);
                assert!(sorted.windows(2).all(|two| two[0].end + GAP < two[1].start));
                assert!(sorted.iter().all(|part| !part.is_empty() && part.end <= len));
            }
        }
    }

    #[test]
    fn noise_is_endured(value in prop::collection::vec(any::<u8>(), 0..80), len in any::<u64>()) {
        let _whatever = read(&value, len);
        let _whatever = read(&[b"bytes=", value.as_slice()].concat(), len);
    }
}
