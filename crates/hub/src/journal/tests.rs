//! Journals that are cut, damaged, rewritten and interrupted, and what a start makes of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use remuda_sys::event::{Interest, Poller, Token};

use super::{CloseError, Fsync, Journal, OpenError, Options, Position, Report, RewriteError};

const PATIENCE: Duration = Duration::from_secs(20);

type Command = Vec<Vec<u8>>;

fn options(fsync: Fsync) -> Options {
    Options { fsync, ..Options::default() }
}

/// Waits until `is` says so, woken by the journal's own descriptor.
fn wait_until(journal: &mut Journal, mut is: impl FnMut(&mut Journal) -> bool) {
    let mut poller = Poller::new().unwrap();
    poller.add(&*journal, Token(0), Interest::Read).unwrap();
    loop {
        journal.clear();
        if is(journal) {
            return;
        }
        assert!(poller.wait(Some(PATIENCE)).unwrap().count() > 0, "the journal says nothing any more");
    }
}

fn settle(journal: &mut Journal, position: Position) {
    journal.flush();
    wait_until(journal, |journal| journal.settled() >= position);
}

/// Opens a journal and gives its commands, without the `SELECT`s: each with its database in front.
fn replay(folder: &Path, options: Options) -> (Journal, Vec<Command>, Report) {
    let (mut commands, mut database) = (Vec::new(), b"none".to_vec());
    let (journal, report) = Journal::open(folder, options)
        .unwrap()
        .replay(&mut |words| match words {
            [b"SELECT", number] => database = number.to_vec(),
            words => {
                let words = words.iter().map(|word| word.to_vec());
                commands.push(std::iter::once(database.clone()).chain(words).collect());
            }
        })
        .unwrap();
    (journal, commands, report)
}

fn read(folder: &Path) -> (Vec<Command>, Report) {
    let (journal, commands, report) = replay(folder, options(Fsync::Always));
    journal.close(PATIENCE).unwrap();
    (commands, report)
}

fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    folder
}

fn set(number: usize) -> [Vec<u8>; 3] {
    // A value that looks like the journal's own bytes, line ends included.
    let value = format!("*2\r\n$4\r\nECHO\r\n$71\r\nremuda.seal {number:016x} ");
    [b"SET".to_vec(), format!("key{number}").into_bytes(), value.into_bytes()]
}

fn add(journal: &mut Journal, database: u32, command: &[Vec<u8>]) -> Position {
    let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
    journal.add(database, &words);
    journal.end_record()
}

fn expected(database: u32, command: &[Vec<u8>]) -> Command {
    std::iter::once(database.to_string().into_bytes()).chain(command.iter().cloned()).collect()
}

/// A journal of `count` records, each in a batch of its own; with the records, and where each ends in the log.
fn written(count: usize) -> (tempfile::TempDir, Vec<Command>, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, ..) = replay(folder.path(), options(Fsync::Always));
    let (mut commands, mut ends) = (Vec::new(), vec![journal.figures().log_bytes]);
    for number in 0..count {
        let database = u32::try_from(number % 3).unwrap();
        let position = add(&mut journal, database, &set(number));
        settle(&mut journal, position);
        commands.push(expected(database, &set(number)));
        ends.push(journal.figures().log_bytes);
    }
    journal.close(PATIENCE).unwrap();
    (folder, commands, ends)
}

#[test]
fn a_log_that_is_cut_at_any_byte_gives_what_was_settled_before_and_goes_on() {
    let (original, commands, ends) = written(3);
    let log = fs::read(original.path().join("log.1")).unwrap();
    assert_eq!(log.len() as u64, *ends.last().unwrap());
    for cut in 0..=log.len() {
        let folder = copy(original.path());
        fs::write(folder.path().join("log.1"), &log[..cut]).unwrap();
        let whole = ends[1..].iter().filter(|end| **end <= cut as u64).count();
        let (mut journal, found, report) = replay(folder.path(), options(Fsync::Always));
        assert_eq!(found, commands[..whole], "cut at {cut}");
        assert!(!report.is_damaged(), "cut at {cut}: {report}");
        let start = ends.iter().rfind(|end| **end <= cut as u64).copied().unwrap_or(0);
        let torn = report.torn.as_ref().map_or(0, |torn| torn.bytes);
        assert_eq!(torn, cut as u64 - start, "cut at {cut}: {report}");
        let position = add(&mut journal, 9, &set(99));
        settle(&mut journal, position);
        journal.close(PATIENCE).unwrap();
        let (found, report) = read(folder.path());
        assert_eq!(found[..whole], commands[..whole]);
        assert_eq!(found[whole..], [expected(9, &set(99))], "cut at {cut}");
        assert_eq!((report.torn, report.damage.len()), (None, 0));
    }
}

#[test]
fn any_changed_byte_is_told_and_costs_the_batch_it_stands_in_and_no_other() {
    let (original, commands, ends) = written(3);
    let log = fs::read(original.path().join("log.1")).unwrap();
    for at in 0..log.len() {
        let folder = copy(original.path());
        let mut bytes = log.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(folder.path().join("log.1"), &bytes).unwrap();
        let (found, report) = read(folder.path());
        let hit = ends
            .iter()
            .position(|end| at as u64 >= *end)
            .map(|_| ends.iter().rposition(|end| at as u64 >= *end).unwrap());
        let kept: Vec<Command> = commands
            .iter()
            .enumerate()
            .filter(|(number, _)| Some(*number) != hit)
            .map(|(_, command)| command.clone())
            .collect();
        assert_eq!(found, kept, "byte {at}: {report}");
        assert!(report.is_damaged() || report.torn.is_some(), "byte {at}: {report}");
        if let Some(damage) = report.damage.first() {
            assert!(damage.lost.contains(&(at as u64)), "byte {at}: {report}");
            let kept = damage.kept.as_ref().unwrap();
            assert_eq!(fs::read(kept).unwrap(), bytes, "the damaged file is kept as it was");
            assert!(report.to_string().contains("DAMAGED"), "{report}");
        }
    }
}

#[test]
fn a_damaged_journal_is_written_on_behind_the_damage_and_healed_by_a_rewrite() {
    let (folder, commands, ends) = written(3);
    let path = folder.path().join("log.1");
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(ends[1]).unwrap() + 40] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let (mut journal, found, report) = replay(folder.path(), options(Fsync::Always));
    assert_eq!(found, [commands[0].clone(), commands[2].clone()]);
    assert_eq!(report.damaged_ranges, 1);
    assert!(journal.is_rewrite_due(), "damage asks for a rewrite");
    let position = add(&mut journal, 0, &set(7));
    settle(&mut journal, position);
    journal.close(PATIENCE).unwrap();
    let (mut journal, found, report) = replay(folder.path(), options(Fsync::Always));
    assert_eq!(found, [commands[0].clone(), commands[2].clone(), expected(0, &set(7))]);
    assert_eq!(report.damaged_ranges, 1, "told again as long as the file is there");
    rewrite(&mut journal, &found);
    assert!(!journal.is_rewrite_due());
    journal.close(PATIENCE).unwrap();
    let (again, report) = read(folder.path());
    assert_eq!((again, report.damaged_ranges), (found, 0));
    let kept: Vec<_> = fs::read_dir(folder.path().join("damaged")).unwrap().collect();
    assert_eq!(kept.len(), 1);
}

/// Rewrites the journal to be `commands`.
fn rewrite(journal: &mut Journal, commands: &[Command]) {
    let mut base = journal.begin_rewrite().unwrap();
    fill(&mut base, commands);
    base.finish();
    wait_until(journal, |journal| journal.rewritten().map(Result::unwrap).is_some());
}

fn fill(base: &mut super::BaseWriter, commands: &[Command]) {
    for command in commands {
        let database = String::from_utf8(command[0].clone()).unwrap().parse().unwrap();
        let words: Vec<&[u8]> = command[1..].iter().map(Vec::as_slice).collect();
        base.command(database, &words);
    }
}

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
    let (mut journal, ..) = replay(folder.path(), options(Fsync::EverySecond));
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
fn a_file_that_is_missing_or_shorter_than_it_was_is_noticed() {
    let (folder, commands, ends) = written(3);
    let (mut journal, found, _) = replay(folder.path(), options(Fsync::Always));
    rewrite(&mut journal, &found);
    drop(journal.begin_rewrite().unwrap());
    add(&mut journal, 0, &set(8));
    journal.close(PATIENCE).unwrap();
    let short = copy(folder.path());
    let base = short.path().join("base.2");
    let bytes = fs::read(&base).unwrap();
    // A whole file to look at: its opening alone.
    fs::write(&base, &bytes[..usize::try_from(ends[0]).unwrap()]).unwrap();
    let (found, report) = read(short.path());
    assert!(found.len() < commands.len() + 1);
    assert!(report.is_damaged(), "{report}");
    fs::remove_file(folder.path().join("log.2")).unwrap();
    let opened = Journal::open(folder.path(), Options::default()).unwrap().replay(&mut |_| {});
    let Err(OpenError::Read { path, .. }) = opened else { panic!("it was opened without its log") };
    assert!(path.ends_with("log.2"));
}

#[test]
fn bytes_of_a_journal_in_a_value_are_never_taken_for_batches() {
    let (folder, commands, ends) = written(2);
    let log = fs::read(folder.path().join("log.1")).unwrap();
    let (mut journal, ..) = replay(folder.path(), options(Fsync::Always));
    let copied = [b"SET".to_vec(), b"copy".to_vec(), log];
    let position = add(&mut journal, 0, &copied);
    settle(&mut journal, position);
    let position = add(&mut journal, 0, &set(5));
    settle(&mut journal, position);
    journal.close(PATIENCE).unwrap();
    let path = folder.path().join("log.1");
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(*ends.last().unwrap()).unwrap() + 2] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (found, report) = read(folder.path());
    let kept: Vec<Command> = commands.into_iter().chain([expected(0, &set(5))]).collect();
    assert_eq!((found, report.damaged_ranges), (kept, 1));
}

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
    let (mut journal, ..) = replay(folder.path(), options(Fsync::EverySecond));
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

/// What happens to a journal between two starts.
#[derive(Debug, Clone)]
enum Step {
    Record { database: u32, words: Vec<Vec<u8>> },
    Flush,
    Rewrite,
    GiveUp,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let word = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..60),
        1 => (60_000..90_000_usize).prop_map(|length| vec![b'v'; length]),
    ];
    let words = proptest::collection::vec(word, 1..4).prop_map(|mut words| {
        words.insert(0, b"SET".to_vec());
        words
    });
    let step = prop_oneof![
        20 => (0..3_u32, words).prop_map(|(database, words)| Step::Record { database, words }),
        6 => Just(Step::Flush),
        1 => Just(Step::Rewrite),
        1 => Just(Step::GiveUp),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..60)
}

/// Does the steps, with all that was recorded as the snapshot of a rewrite.
fn perform(folder: &Path, fsync: Fsync, steps: &[Step]) -> Vec<Command> {
    let (mut journal, ..) = replay(folder, options(fsync));
    let mut commands = Vec::new();
    for step in steps {
        match step {
            Step::Record { database, words } => {
                add(&mut journal, *database, words);
                commands.push(expected(*database, words));
            }
            Step::Flush => journal.flush(),
            Step::Rewrite => rewrite(&mut journal, &commands),
            Step::GiveUp => {
                drop(journal.begin_rewrite().unwrap());
                wait_until(&mut journal, |journal| journal.rewritten().is_some());
            }
            Step::Reopen => {
                journal.close(PATIENCE).unwrap();
                journal = replay(folder, options(fsync)).0;
            }
        }
    }
    journal.close(PATIENCE).unwrap();
    commands
}

fn last_log(folder: &Path) -> std::path::PathBuf {
    let names: BTreeSet<u64> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_prefix("log.")?.parse().ok())
        .collect();
    folder.join(format!("log.{}", names.last().unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_done_the_records_come_back_in_order(steps in steps(), every_second: bool) {
        let folder = tempfile::tempdir().unwrap();
        let fsync = if every_second { Fsync::EverySecond } else { Fsync::Never };
        let commands = perform(folder.path(), fsync, &steps);
        let (found, report) = read(folder.path());
        prop_assert_eq!(found, commands);
        prop_assert!(!report.is_damaged() && report.torn.is_none(), "{}", report);
    }

    #[test]
    fn a_log_cut_anywhere_gives_a_prefix(steps in steps(), at: proptest::sample::Index) {
        let folder = tempfile::tempdir().unwrap();
        let commands = perform(folder.path(), Fsync::Never, &steps);
        let log = last_log(folder.path());
        let bytes = fs::read(&log).unwrap();
        fs::write(&log, &bytes[..at.index(bytes.len())]).unwrap();
        let (found, report) = read(folder.path());
        prop_assert!(commands.starts_with(&found), "{}", report);
        prop_assert!(!report.is_damaged(), "{}", report);
    }

    #[test]
    fn damage_anywhere_invents_nothing(
        steps in steps(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 1..=u8::MAX), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let commands = perform(folder.path(), Fsync::Never, &steps);
        let files: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.ends_with("lock"))
            .collect();
        for (at, change) in changes {
            let path = &files[at.index(files.len())];
            let mut bytes = fs::read(path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            fs::write(path, bytes).unwrap();
        }
        let Ok(recovery) = Journal::open(folder.path(), Options::default()) else { return Ok(()) };
        let mut found: Vec<Vec<Vec<u8>>> = Vec::new();
        let opened = recovery.replay(&mut |words| found.push(words.iter().map(|word| word.to_vec()).collect()));
        found.retain(|command| command[0] != b"SELECT");
        let mut rest = commands.iter();
        for command in &found {
            prop_assert!(rest.any(|recorded| recorded[1..] == command[..]), "an invented or misplaced command");
        }
        if let Ok((_, report)) = opened {
            prop_assert!(report.is_damaged() || report.torn.is_some() || found.len() == commands.len());
        }
    }
}
