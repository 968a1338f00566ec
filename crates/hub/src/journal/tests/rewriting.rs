//! Rewrites, whole and interrupted.

use std::process;

use super::*;

#[test]
fn a_rewrite_that_is_interrupted_anywhere_loses_nothing_and_leaves_nothing_behind() {
    let (folder, before, _) = written(3);
    let (mut journal, ..) = replay(folder.path(), options(Fsync::Always));
    let snapshot = [expected(5, &set(50))];
    let mut base = journal.begin_rewrite().unwrap();
    assert!(matches!(journal.begin_rewrite(), Err(RewriteError::Running)));
    let position = add(&mut journal, 1, &set(60));
    settle(&mut journal, position);
    fill(&mut base, &snapshot);
    let midway = copy(folder.path());
    base.finish();
    wait_until(&mut journal, |journal| journal.rewritten().map(Result::unwrap).is_some());
    let after = copy(folder.path());
    journal.close(PATIENCE).unwrap();
    let old: Vec<Command> = before.iter().cloned().chain([expected(1, &set(60))]).collect();
    let new: Vec<Command> = snapshot.iter().cloned().chain([expected(1, &set(60))]).collect();
    assert_eq!(read(folder.path()).0, new);
    assert!(!folder.path().join("log.1").exists());

    let (found, report) = read(midway.path());
    assert_eq!((found, report.is_damaged()), (old.clone(), false), "before the base was whole");
    assert!(!midway.path().join("base.2.part").exists());

    fs::copy(after.path().join("base.2"), midway.path().join("base.2")).unwrap();
    let (found, report) = read(midway.path());
    assert_eq!((found, report.is_damaged()), (old, false), "before the manifest named the base");
    assert!(!midway.path().join("base.2").exists());

    fs::remove_file(after.path().join("manifest")).unwrap();
    let (found, report) = read(after.path());
    assert_eq!((found, report.damaged_ranges), (new.clone(), 1), "a lost manifest is made anew, and told");
    assert_eq!(read(after.path()).1.damaged_ranges, 0);
    fs::write(after.path().join("manifest"), "nonsense").unwrap();
    assert_eq!(read(after.path()).0, new);
}

#[test]
fn a_rewrite_that_is_given_up_or_fails_leaves_the_journal_as_it_was() {
    let (folder, before, _) = written(2);
    let (mut journal, ..) = replay(folder.path(), options(Fsync::default()));
    drop(journal.begin_rewrite().unwrap());
    let mut outcome = None;
    wait_until(&mut journal, |journal| {
        outcome = journal.rewritten();
        outcome.is_some()
    });
    assert!(matches!(outcome, Some(Err(RewriteError::GivenUp))));
    fs::create_dir(folder.path().join("base.3.part")).unwrap();
    journal.begin_rewrite().unwrap().finish();
    wait_until(&mut journal, |journal| {
        outcome = journal.rewritten();
        outcome.is_some()
    });
    assert!(matches!(outcome, Some(Err(RewriteError::Write { .. }))), "{outcome:?}");
    let unfinished = journal.begin_rewrite().unwrap();
    add(&mut journal, 0, &set(8));
    journal.close(PATIENCE).unwrap();
    drop(unfinished);
    fs::remove_dir(folder.path().join("base.3.part")).unwrap();
    let expected: Vec<Command> = before.into_iter().chain([expected(0, &set(8))]).collect();
    assert_eq!(read(folder.path()).0, expected);
}

#[test]
fn a_disk_that_takes_nothing_holds_up_nobody_who_hands_over_the_store() {
    let (folder, _, _) = written(2);
    let (mut journal, ..) = replay(folder.path(), options(Fsync::default()));
    // A pipe without a reader: whoever opens it to write waits.
    let pipe = folder.path().join("base.2.part");
    assert!(process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut base = journal.begin_rewrite().unwrap();
    let value = vec![b'x'; 1 << 20];
    for _ in 0..40 {
        base.command(0, &[b"SET", b"key", &value]);
    }
    base.finish();
    let waiting = journal.figures().base_pending_bytes;
    assert!(waiting > 40 << 20, "{waiting}");
    let reader = fs::File::open(&pipe).unwrap();
    let mut outcome = None;
    wait_until(&mut journal, |journal| {
        outcome = journal.rewritten();
        outcome.is_some()
    });
    // A pipe is no place for a base.
    assert!(matches!(outcome, Some(Err(RewriteError::Write { .. }))), "{outcome:?}");
    assert_eq!(journal.figures().base_pending_bytes, 0);
    drop(reader);
    journal.close(PATIENCE).unwrap();
}

#[test]
fn a_log_that_was_begun_before_the_manifest_named_it_is_taken_in() {
    let (folder, before, ends) = written(2);
    let (mut journal, ..) = replay(folder.path(), options(Fsync::Always));
    let old = fs::read(folder.path().join("manifest")).unwrap();
    let base = journal.begin_rewrite().unwrap();
    let position = add(&mut journal, 0, &set(8));
    settle(&mut journal, position);
    let crashed = copy(folder.path());
    drop(base);
    drop(journal);
    fs::write(crashed.path().join("manifest"), &old).unwrap();
    // And the log before has a torn end.
    let log = crashed.path().join("log.1");
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend_from_slice(b"*3\r\n$3\r\nSE");
    fs::write(&log, bytes).unwrap();
    let all: Vec<Command> = before.into_iter().chain([expected(0, &set(8))]).collect();
    let (found, report) = read(crashed.path());
    assert_eq!((found, report.is_damaged()), (all.clone(), false), "{report}");
    assert_eq!(fs::metadata(&log).unwrap().len(), *ends.last().unwrap());
    let (found, report) = read(crashed.path());
    assert_eq!((found, report.torn, report.damaged_ranges), (all, None, 0));
}

#[test]
fn a_rewrite_that_cannot_begin_is_not_due_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, ..) = replay(folder.path(), options(Fsync::Always));
    journal.shared.wants_rewrite.store(true, std::sync::atomic::Ordering::Release);
    assert!(journal.is_rewrite_due());
    journal.logs = crate::journal::manifest::LOGS_MAX;
    assert!(matches!(journal.begin_rewrite(), Err(RewriteError::TooManyLogs(_))));
    assert!(!journal.is_rewrite_due(), "every turn would try, and say so");
}
