//! How fast the journal is: records of one `SET` of 100 bytes, for each way of syncing.
//!
//! `cargo run --release -p remuda-hub --example journal_throughput [FOLDER]`; the folder decides which disk is measured.
//! "latency" is one writer who waits for its record; "group" is a loop with so many records in each turn.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use remuda_hub::journal::{Fsync, Journal, Options, Position};
use remuda_sys::event::{Interest, Poller, Token};

const PATIENCE: Duration = Duration::from_secs(60);
const TIME: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("journal-throughput.{}", std::process::id()));
    for fsync in [Fsync::Always, Fsync::default(), Fsync::Never] {
        for turn in [1, 50, 1000] {
            measure(&folder, fsync, turn)?;
            std::fs::remove_dir_all(&folder)?;
        }
    }
    measure_replay(&folder)?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn command() -> Vec<u8> {
    let value = "v".repeat(100);
    format!("*3\r\n$3\r\nSET\r\n$10\r\nkey0000001\r\n$100\r\n{value}\r\n").into_bytes()
}

fn measure(folder: &Path, fsync: Fsync, turn: u32) -> Result<(), Box<dyn Error>> {
    let options = Options { fsync, ..Options::default() };
    let (mut journal, _) = Journal::open(folder, options)?.replay(&mut |_| {})?;
    let mut poller = Poller::new()?;
    poller.add(&journal, Token(0), Interest::Read)?;
    let command = command();
    let began = Instant::now();
    let mut appending = Duration::ZERO;
    while began.elapsed() < TIME {
        let turn_began = Instant::now();
        let mut last = Position::default();
        for _ in 0..turn {
            last = journal.append(0, &command);
        }
        journal.flush();
        appending += turn_began.elapsed();
        while journal.settled() < last || journal.is_congested() {
            poller.wait(Some(PATIENCE))?.for_each(drop);
            journal.clear();
        }
    }
    let (took, figures) = (began.elapsed().as_secs_f64(), journal.figures());
    journal.close(PATIENCE)?;
    let records = f64::from(u32::try_from(figures.records)?);
    println!(
        "{fsync:?}, {turn} a turn: {:.0} records/s, {:.0} ns of the loop each, {} syncs, {} congestions",
        records / took,
        appending.as_secs_f64() * 1e9 / records,
        figures.syncs,
        figures.congestions,
    );
    Ok(())
}

fn measure_replay(folder: &Path) -> Result<(), Box<dyn Error>> {
    let options = Options { fsync: Fsync::Never, ..Options::default() };
    let (mut journal, _) = Journal::open(folder, options.clone())?.replay(&mut |_| {})?;
    let command = command();
    for _ in 0..1_000_000 {
        journal.append(0, &command);
    }
    journal.close(PATIENCE)?;
    let (journal, report) = Journal::open(folder, options)?.replay(&mut |_| {})?;
    println!("{report}");
    journal.close(PATIENCE)?;
    Ok(())
}
