//! The two protocols and plain reachability say the same, over links that are given.

use std::collections::BTreeSet;

use remuda_oracle::node::{Node, Place};
use remuda_oracle::ours::Ours;
use remuda_oracle::theirs::Theirs;
use remuda_oracle::trial::{Outcome, Trial};

fn trial(seed: u64, killed_percent: usize) -> Trial {
    Trial { nodes: 150, seed, degree: Some(5), rounds: 8, killed_percent }
}

/// The links every node has are those that were given.
#[track_caller]
fn has_its_links<N: Node>(trial: &Trial) -> Outcome {
    let outcome = trial.run::<N>();
    let everybody: BTreeSet<Place> = (0..trial.nodes).collect();
    let linked: usize = outcome.peers.iter().map(BTreeSet::len).sum();
    let degree = trial.degree.unwrap_or(0);
    assert!(
        linked >= trial.nodes * degree - 4 && linked <= trial.nodes * degree + 8,
        "{linked} ends of links"
    );
    for (said, _) in &outcome.stable {
        assert!(said.reached.keys().eq(everybody.iter()), "a message missed somebody");
        assert_eq!(said.repeated, 0);
    }
    outcome
}

#[test]
fn the_same_nodes_are_reached_before_and_after_some_die() {
    for (seed, killed_percent) in [(1, 30), (2, 50), (3, 60)] {
        let trial = trial(seed, killed_percent);
        let (ours, theirs) = (has_its_links::<Ours>(&trial), has_its_links::<Theirs>(&trial));
        assert_eq!(ours.peers, theirs.peers, "seed {seed}");
        assert_eq!(ours.living, theirs.living, "seed {seed}");
        let reachable = trial.reachable(&ours.living).unwrap();
        assert!(reachable.len() > 1);
        for number in 0..ours.after.len() {
            let (our, their) = (ours.reached(number).0, theirs.reached(number).0);
            assert_eq!(our, their, "seed {seed}, message {number} after the deaths");
            assert_eq!(our, reachable, "seed {seed}, message {number} after the deaths");
        }
    }
}

#[test]
fn a_tree_that_stands_sends_little_twice() {
    for seed in [4, 5] {
        let trial = trial(seed, 0);
        for redundancy in has_its_links::<Ours>(&trial).redundancy() {
            assert!(redundancy <= 0.05, "seed {seed}: {redundancy}");
        }
    }
}

#[test]
fn nodes_that_find_their_own_links_are_all_reached_again_after_half_of_them_die() {
    let trial = Trial { degree: None, ..trial(6, 50) };
    let outcome = trial.run::<Ours>();
    let last = outcome.reached(outcome.after.len() - 1).0;
    assert_eq!(last, outcome.living);
}
