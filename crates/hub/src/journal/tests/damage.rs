//! Journals that are cut or changed, and what a start makes of them.

use super::*;

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
fn a_journal_of_which_nothing_can_be_read_is_refused_and_left_as_it_is() {
    let (original, ..) = written(1);
    let log = original.path().join("log.1");
    let mut bytes = fs::read(&log).unwrap();
    bytes[0] ^= 1;
    fs::write(&log, &bytes).unwrap();
    fs::write(original.path().join(crate::journal::manifest::FILE), "not what it was").unwrap();
    let error = Journal::open(original.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
    assert_eq!(fs::read(&log).unwrap(), bytes, "it is somebody's last copy");
}
