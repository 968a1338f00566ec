//! Any life of a journal: what was recorded is what is read.

use std::time::Instant;

use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::*;

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_done_the_records_come_back_in_order(steps in steps(), every_second: bool) {
        let folder = tempfile::tempdir().unwrap();
        let fsync = if every_second { Fsync::default() } else { Fsync::Never };
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

#[test]
fn records_are_synced_as_often_as_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (time, syncs) in [(Duration::from_millis(10), true), (Duration::from_secs(60), false)] {
        let (mut journal, ..) = replay(folder.path(), options(Fsync::Every(time)));
        add(&mut journal, 0, &set(1));
        journal.flush();
        let written = |journal: &mut Journal| journal.figures().pending_bytes == 0;
        wait_until(&mut journal, written);
        // No news comes of a sync that no reply waits for: it is looked for as long as it takes, and the one that is
        // not wanted ten times as long as the other is asked for.
        let end = Instant::now() + if syncs { PATIENCE } else { Duration::from_millis(100) };
        while journal.figures().syncs == 0 && Instant::now() < end {
            std::thread::yield_now();
        }
        assert_eq!(journal.figures().syncs > 0, syncs, "{time:?}");
        journal.close(PATIENCE).unwrap();
    }
}
