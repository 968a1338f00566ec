//! The ring of changes: what watchers get, and where they have a gap.

use proptest::prelude::*;

use super::{Change, Changes, Class};

fn set(key: &[u8]) -> Change<'_> {
    Change {
        database: 0,
        key: Some(key),
        event: "set",
        class: Class::Text,
        revision: 0,
        previous: None,
        deleted: false,
        origin: None,
    }
}

#[test]
fn a_name_larger_than_the_ring_leaves_a_gap() {
    let mut changes = Changes::new(8, 4);
    changes.push(&set(b"a"));
    changes.push(&set(b"much too long"));
    changes.push(&set(b"b"));
    assert_eq!(changes.since(1).err().map(|gap| gap.oldest), Some(3));
    assert_eq!(changes.since(2).unwrap().count(), 1);
    assert_eq!(changes.take(&mut |_| {}), 2);
    assert_eq!(changes.take(&mut |_| panic!("taken twice")), 0);
}

#[test]
fn the_future_is_a_gap_too() {
    let mut changes = Changes::new(8, 64);
    changes.push(&set(b"a"));
    assert!(changes.since(1).is_ok());
    assert!(changes.since(2).is_err());
}

#[test]
fn a_store_that_took_over_goes_on_with_what_the_other_remembered() {
    let mut old = Changes::new(4, 64);
    for name in [&b"a"[..], b"b", b"c", b"d", b"e"] {
        old.push(&set(name));
    }
    // The keys were read from a log meanwhile, and revisions go on where none was given out.
    let mut new = Changes::new(4, 64);
    new.restart(1000);
    let (complete_after, changes) = old.remembered();
    assert_eq!(complete_after, 1);
    new.go_on_with(complete_after, changes);
    assert_eq!(new.take(&mut |_| panic!("they were told before")), 0);
    assert_eq!(new.push(&set(b"f")), 1001);
    let names = |from| -> Vec<(u64, Vec<u8>)> {
        let found = new.since(from).unwrap();
        found.map(|change| (change.revision, change.key.unwrap().to_vec())).collect()
    };
    assert_eq!(names(5), [(1001, b"f".to_vec())]);
    assert_eq!(names(3), [(4, b"d".to_vec()), (5, b"e".to_vec()), (1001, b"f".to_vec())]);
    assert_eq!(new.since(1).err().map(|gap| gap.oldest), Some(3), "the ring is full");
    let mut taken = 0;
    assert_eq!(new.take(&mut |_| taken += 1), 0);
    assert_eq!(taken, 1);
    assert!(Class::of_letter(b'x') == Some(Class::Expired) && Class::of_letter(b'?').is_none());
}

proptest! {
    #[test]
    fn a_watcher_gets_each_change_once_or_a_gap(
        names in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 1..200),
        slots in 1usize..20,
        bytes in 1usize..60,
        from in 0u64..200,
    ) {
        let mut changes = Changes::new(slots, bytes);
        let mut all = Vec::new();
        let mut taken = Vec::new();
        for name in &names {
            let revision = changes.push(&set(name));
            all.push((revision, name.clone()));
            let lost = changes.take(&mut |change| taken.push((change.revision, change.key.unwrap().to_vec())));
            prop_assert_eq!(lost == 0, name.len() <= bytes);
        }
        let fitting: Vec<_> = all.iter().filter(|(_, name)| name.len() <= bytes).cloned().collect();
        prop_assert_eq!(taken, fitting);
        match changes.since(from) {
            Ok(found) => {
                let found: Vec<_> = found.map(|change| (change.revision, change.key.unwrap().to_vec())).collect();
                let wanted: Vec<_> = all.iter().filter(|(revision, _)| *revision > from).cloned().collect();
                prop_assert_eq!(found, wanted);
            }
            Err(gap) => prop_assert!(gap.oldest > from + 1 || from >= gap.oldest),
        }
    }
}
