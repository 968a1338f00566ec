//! The journal against kill -9 and a full disk: a child process of this very program writes, we look.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use remuda_hub::journal::{Fsync, Journal, Options, Position, Report};
use remuda_sys::event::{Interest, Poller, Token};

const PATIENCE: Duration = Duration::from_secs(30);
/// Where the child writes; without it the child's tests do nothing, as they are no tests of their own.
const FOLDER: &str = "REMUDA_TEST_JOURNAL";

fn options() -> Options {
    Options { fsync: Fsync::Always, ..Options::default() }
}

/// The numbers that were recorded.
fn recorded(folder: &Path) -> (Vec<u64>, Report) {
    let mut numbers = Vec::new();
    let (journal, report) = Journal::open(folder, options())
        .unwrap()
        .replay(&mut |words| {
            if let [b"RPUSH", b"list", number, ..] = words {
                numbers.push(std::str::from_utf8(number).unwrap().parse().unwrap());
            }
        })
        .unwrap();
    journal.close(PATIENCE).unwrap();
    (numbers, report)
}

/// Runs one of the functions below, in `wrapper` if there is one.
fn child(wrapper: &[&str], function: &str, folder: &Path) -> (Child, BufReader<ChildStdout>) {
    let program = std::env::current_exe().unwrap();
    let mut command = match wrapper {
        [] => Command::new(&program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(&program);
            command
        }
    };
    command.args([
        "--exact",
        &format!("journal::{function}"),
        "--nocapture",
        "--ignored",
        "--test-threads=1",
    ]);
    let mut child = command.env(FOLDER, folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// The next line that says `what`, without it; the harness prints lines of its own.
fn line_with(lines: &mut impl BufRead, what: &str) -> Option<String> {
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if let Some((_, rest)) = line.split_once(what) {
            return Some(rest.trim().to_owned());
        }
        line.clear();
    }
    None
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}").unwrap();
    out.flush().unwrap();
}

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

fn push(journal: &mut Journal, number: u64, filling: &[u8]) -> Position {
    journal.add(0, &[b"RPUSH", b"list", number.to_string().as_bytes(), filling]);
    journal.end_record()
}

/// Goes on where the journal ends, and says each number that is settled.
#[test]
#[ignore = "a part of `what_was_settled_outlives_kill_9`, which starts it"]
fn appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let mut number = 0;
    let (mut journal, _) = Journal::open(Path::new(&folder), options())
        .unwrap()
        .replay(&mut |words| number += u64::from(words[0] == b"RPUSH"))
        .unwrap();
    let mut rewrite = 0;
    loop {
        let mut last = Position::default();
        for _ in 0..=number % 7 {
            last = push(&mut journal, number, &vec![b'x'; usize::try_from(number % 500).unwrap()]);
            number += 1;
        }
        journal.flush();
        wait_until(&mut journal, |journal| journal.settled() >= last);
        say(&format!("settled {}", number - 1));
        let _ = journal.rewritten();
        rewrite += 1;
        if rewrite % 20 == 0
            && let Ok(mut base) = journal.begin_rewrite()
        {
            for earlier in 0..number {
                base.command(0, &[b"RPUSH", b"list", earlier.to_string().as_bytes()]);
            }
            base.finish();
        }
    }
}

#[test]
fn what_was_settled_outlives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut settled = 0;
    for round in 0..8_usize {
        let (mut child, mut lines) = child(&[], "appends_until_it_is_killed", folder.path());
        for _ in 0..=(round * 13) {
            settled = line_with(&mut lines, "settled ").expect("a child that appends").parse().unwrap();
        }
        child.kill().unwrap();
        // What it said before the end counts as well.
        while let Some(number) = line_with(&mut lines, "settled ").and_then(|number| number.parse().ok()) {
            settled = number;
        }
        child.wait().unwrap();
        let (numbers, report) = recorded(folder.path());
        assert!(!report.is_damaged(), "{report}");
        assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "none is missing and none is twice");
        assert!(numbers.len() as u64 > settled, "{settled} was settled, {} are there", numbers.len());
    }
}

/// Fills its disk, says so, waits for room, and goes on.
#[test]
#[ignore = "a part of `a_full_disk_loses_nothing_and_is_left_when_room_comes_back`, which starts it"]
fn fills_the_disk() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let disk = Path::new(&folder);
    let folder = disk.join("journal");
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![0; 400 * 1024]).unwrap();
    let (mut journal, _) = Journal::open(&folder, options()).unwrap().replay(&mut |_| {}).unwrap();
    let mut number = 0;
    let mut last = Position::default();
    while journal.trouble().is_none() {
        last = push(&mut journal, number, &[b'x'; 3000]);
        number += 1;
        journal.flush();
        wait_until(&mut journal, |journal| journal.settled() >= last || journal.trouble().is_some());
    }
    assert!(journal.settled() < last);
    say(&format!("trouble {}", journal.trouble().unwrap()));
    let (numbers, report) = {
        let copy = tempfile::tempdir().unwrap();
        for name in ["manifest", "log.1"] {
            std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
        }
        recorded(copy.path())
    };
    assert!(!report.is_damaged(), "{report}");
    assert_eq!(numbers.len() as u64, number - 1, "what was settled is there, and nothing half of the rest");
    std::fs::remove_file(&ballast).unwrap();
    wait_until(&mut journal, |journal| journal.settled() >= last && journal.trouble().is_none());
    let last = push(&mut journal, number, b"");
    journal.flush();
    wait_until(&mut journal, |journal| journal.settled() >= last);
    journal.close(PATIENCE).unwrap();
    let (numbers, report) = recorded(&folder);
    assert_eq!((numbers, report.damaged_ranges), ((0..=number).collect(), 0));
    say("recovered");
}

#[test]
fn a_full_disk_loses_nothing_and_is_left_when_room_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    // A disk of its own, in a mount namespace that ends with the child; a user namespace for whoever is not root.
    let script = "mount -t tmpfs -o size=1m none \"$REMUDA_TEST_JOURNAL\" && exec \"$@\"";
    let wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
    let (mut child, mut lines) = child(&wrapper, "fills_the_disk", folder.path());
    let trouble = line_with(&mut lines, "trouble ").expect("a disk that gets full");
    assert!(trouble.contains("ENOSPC"), "{trouble}");
    assert!(line_with(&mut lines, "recovered").is_some(), "it goes on when there is room");
    assert!(child.wait().unwrap().success());
}
