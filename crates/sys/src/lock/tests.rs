//! Lock files that are removed and made anew under the hands of one who locks.

use super::{hold, open, try_lock};

#[test]
fn a_file_that_was_removed_between_opening_and_locking_it_is_not_held() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lock");
    let first = try_lock(&path).expect("the first lock");
    let early = open(&path).expect("the same file");
    first.remove(&path);
    let late = try_lock(&path).expect("a file of its own");
    assert!(hold(early, &path).expect("nobody has the removed one").is_none());
    drop(late);
}
