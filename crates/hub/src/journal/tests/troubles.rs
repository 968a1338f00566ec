//! Folders in use, and disks that take nothing.

use super::*;

#[test]
fn one_folder_has_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, ..) = replay(folder.path(), Options::default());
    assert!(matches!(Journal::open(folder.path(), Options::default()), Err(OpenError::Lock(_))));
    journal.close(PATIENCE).unwrap();
    Journal::open(folder.path(), Options::default()).unwrap();
}

#[test]
fn what_cannot_be_written_waits_in_memory_and_is_written_when_it_can() {
    let (folder, before, _) = written(1);
    let (mut journal, ..) =
        replay(folder.path(), Options { pending_max_bytes: 1000, ..options(Fsync::Always) });
    // The next log cannot be made while its name is a folder's.
    fs::create_dir(folder.path().join("log.2")).unwrap();
    drop(journal.begin_rewrite().unwrap());
    let position = add(&mut journal, 0, &[b"SET".to_vec(), b"a".to_vec(), vec![b'x'; 2000]]);
    journal.flush();
    wait_until(&mut journal, |journal| journal.trouble().is_some());
    let trouble = journal.trouble().unwrap();
    assert!(trouble.contains("log.1: EISDIR"), "{trouble}");
    assert!(journal.is_congested());
    assert!(journal.settled() < position);
    fs::remove_dir(folder.path().join("log.2")).unwrap();
    wait_until(&mut journal, |journal| journal.settled() >= position && journal.trouble().is_none());
    assert!(!journal.is_congested());
    assert_eq!(journal.figures().congestions, 1);
    assert!(journal.figures().failures > 0);
    journal.close(PATIENCE).unwrap();
    assert_eq!(read(folder.path()).0.len(), before.len() + 1);
}

#[test]
fn a_journal_that_cannot_be_written_says_so_when_it_is_closed() {
    let (folder, before, _) = written(1);
    let (mut journal, ..) = replay(folder.path(), options(Fsync::default()));
    fs::create_dir(folder.path().join("log.2")).unwrap();
    drop(journal.begin_rewrite().unwrap());
    add(&mut journal, 0, &set(1));
    add(&mut journal, 0, &set(2));
    let CloseError { records, why } = journal.close(Duration::from_millis(200)).unwrap_err();
    assert_eq!(records, 2);
    assert!(why.contains("EISDIR"), "{why}");
    fs::remove_dir(folder.path().join("log.2")).unwrap();
    assert_eq!(read(folder.path()).0, before);
}
