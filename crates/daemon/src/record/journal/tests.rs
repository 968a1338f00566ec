//! A record that cannot be written.

use std::borrow::Cow;

use remuda_arbiter::Input;
use remuda_model::Tick;

use super::Journal;
use crate::record::Entry;

#[test]
fn after_a_failure_nothing_of_the_record_is_left_and_nothing_is_written_before_a_new_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/record");
    let mut journal = Journal::new(path.clone());
    journal.begin(Ok(b"picture\n".to_vec()));
    let failure = journal.take_failure().expect("there is no such folder");
    assert!(failure.to_string().contains("record"), "{failure}");
    assert!(journal.held().is_none() && !journal.is_due(), "it is tried again later");
    std::fs::create_dir(folder.path().join("run")).unwrap();
    journal.add(&Entry::Step { at: Tick(1), input: Cow::Owned(Input::Woke) });
    assert!(!path.exists(), "half of the truth is worse than none");
    journal.begin(Ok(b"picture\n".to_vec()));
    assert!(journal.take_failure().is_none() && journal.held().is_some());
    journal.add(&Entry::Step { at: Tick(1), input: Cow::Owned(Input::Woke) });
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
}
