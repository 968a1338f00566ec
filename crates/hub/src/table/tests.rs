//! Numbers of connections.

use std::collections::BTreeSet;

use super::Table;

#[test]
fn a_number_is_never_used_twice_over_a_handover_either() {
    let mut before = Table::new();
    let mut given = BTreeSet::new();
    let mut come = |table: &mut Table<()>| {
        let key = table.insert(|_| ());
        assert!(given.insert(key), "{key:?} was somebody's");
        key
    };
    let keys: Vec<_> = (0..6).map(|_| come(&mut before)).collect();
    for key in [keys[1], keys[5], keys[3]] {
        before.remove(key);
    }
    for _ in 0..5 {
        let key = come(&mut before);
        before.remove(key);
    }
    let mut after = Table::new();
    for key in [keys[0], keys[4]] {
        after.restore(key, ());
    }
    after.restored(before.last_turn());
    for _ in 0..8 {
        come(&mut after);
    }
    assert_eq!(after.keys().len(), 10);
}
