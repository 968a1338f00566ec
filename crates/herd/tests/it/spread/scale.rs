//! Herds as large as a test may be; larger ones by `cargo xtask sim`.

use remuda_herd::sim::{Senders, Trial};
use remuda_herd::spread::Mode;

#[test]
fn a_herd_that_finds_its_own_links_has_a_tree_without_a_spare_copy_and_few_hops() {
    let report = Trial { nodes: 150, rounds: 8, ..Trial::default() }.run();
    assert!(!report.is_disordered);
    assert!(report.degrees.keys().all(|links| (5..=8).contains(links)), "{:?}", report.degrees);
    for broadcast in &report.broadcasts {
        assert_eq!(broadcast.reached, broadcast.others);
    }
    for broadcast in report.stable() {
        assert!(broadcast.redundancy <= 0.05, "{broadcast:?}");
        assert!(broadcast.last_hop <= 8, "{broadcast:?}");
    }
}

#[test]
fn nodes_that_share_trees_reach_everybody() {
    let trial = Trial { nodes: 80, rounds: 40, senders: Senders::Random, ..Trial::default() };
    let report = trial.run();
    assert!(!report.is_disordered);
    assert!(report.broadcasts.iter().all(|broadcast| broadcast.reached == broadcast.others));
    assert_eq!(report.lost, 0);
}

#[test]
fn when_half_of_all_nodes_die_at_once_the_others_hear_everything() {
    for (mode, is_noticed) in [(Mode::Tree, true), (Mode::Flood, true)] {
        let trial = Trial { nodes: 100, rounds: 4, killed_percent: 50, mode, is_noticed, ..Trial::default() };
        let report = trial.run();
        let after = report.aftermath.unwrap();
        assert!(!report.is_disordered);
        assert_eq!(after.living, 49);
        assert_eq!((after.first, after.missed), (49, 0), "{mode:?} {after:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let report = Trial { nodes: 30, rounds: 4, killed_percent: 30, seed, ..Trial::default() }.run();
        format!("{report:?}")
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
