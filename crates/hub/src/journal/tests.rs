//! What the tests of journals share.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use remuda_sys::event::{Interest, Poller, Token};

use super::{CloseError, Fsync, Journal, OpenError, Options, Position, Report, RewriteError};

mod damage;
mod lives;
mod rewriting;
mod troubles;

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

fn last_log(folder: &Path) -> std::path::PathBuf {
    let names: BTreeSet<u64> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_prefix("log.")?.parse().ok())
        .collect();
    folder.join(format!("log.{}", names.last().unwrap()))
}
