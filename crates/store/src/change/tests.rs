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
