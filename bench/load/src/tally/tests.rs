//! Counting, against the obvious way of doing it.

use proptest::prelude::*;

use super::{MARK, PROBE, Tally};

fn counted(sequences: &[u64]) -> Tally {
    let mut tally = Tally::default();
    sequences.iter().for_each(|sequence| tally.count(*sequence));
    tally
}

#[test]
fn a_gap_a_repetition_and_a_missing_end_are_told_apart() {
    let tally = counted(&[0, 1, 4, 4, 2, 5]);
    assert_eq!((tally.received, tally.lost, tally.misordered), (4, 2, 2));
    assert_eq!(tally.missing(8), 4, "2 and 3 in the gap, 6 and 7 at the end");
}

#[test]
fn probes_and_their_mark_are_no_messages() {
    let tally = counted(&[PROBE, PROBE, MARK, 0]);
    assert!(tally.probed && tally.marked);
    assert_eq!((tally.received, tally.lost, tally.misordered), (1, 0, 0));
}

proptest! {
    #[test]
    fn what_is_dropped_from_a_stream_is_what_is_missing(kept in prop::collection::vec(any::<bool>(), 0..200)) {
        let published = u64::try_from(kept.len()).unwrap();
        let sequences: Vec<u64> = (0..published).zip(&kept).filter(|(_, kept)| **kept).map(|(n, _)| n).collect();
        let tally = counted(&sequences);
        let arrived = u64::try_from(sequences.len()).unwrap();
        prop_assert_eq!(tally.received, arrived);
        prop_assert_eq!(tally.missing(published), published - arrived);
        prop_assert_eq!(tally.misordered, 0);
    }
}
