//! The store's journal beside embedded engines: the same work for Remuda's own, for redb and for fjall, in one run.
//!
//! Each round gives every contender a new folder and takes it through the same steps: 200,000 keys are loaded, the folder
//! is opened again and every key read, a copy of it is opened as a crash would leave it, then keys are overwritten, durably in groups of several sizes and with a sync each
//! second. Contenders take turns, and who begins moves on from round to round, so that a slow spell of the machine falls
//! on all. What is printed is markdown; progress goes to stderr.
//!
//! All three run as they come, at their own defaults, and are driven by one thread. Remuda's is the journal *and* the
//! store in memory, because an engine answers reads too: a write executes `SET`, appends the effect and, where it has to
//! be durable, waits until the journal says it is settled, as the hub does. A snapshot is made whenever one is due.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool reports to its terminal")]

mod contender;
mod failure;
mod meter;
mod options;
mod plan;
mod round;
mod table;
mod work;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::contender::{fjall::Fjall, redb::Redb, remuda::Remuda};
use crate::failure::BenchError;
use crate::options::Options;
use crate::round::{Figures, round};
use crate::table::Table;

/// A round that would end after this, going by the longest before it, does not begin: a run is to stay below three minutes.
const LIMIT: Duration = Duration::from_secs(175);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("remuda-journal-bench: {error}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let outcome = run(&options);
    // What stays is told by its name, which has this program's.
    let _ = std::fs::remove_dir_all(&options.folder);
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("remuda-journal-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<String, BenchError> {
    meter::refuse_memory(&options.folder)?;
    let began = Instant::now();
    let mut results: [Vec<Figures>; 3] = Default::default();
    let mut rounds = 0;
    let mut longest = Duration::ZERO;
    while rounds < options.rounds && began.elapsed() + longest < LIMIT {
        let round_began = Instant::now();
        for turn in 0..results.len() {
            let contender = (rounds + turn) % results.len();
            let figures = match contender {
                0 => round::<Remuda>(&options.folder)?,
                1 => round::<Redb>(&options.folder)?,
                _ => round::<Fjall>(&options.folder)?,
            };
            results[contender].push(figures);
        }
        rounds += 1;
        longest = longest.max(round_began.elapsed());
        eprintln!("round {rounds} done after {:.0?}", began.elapsed());
    }
    Ok(Table { rounds, took: began.elapsed(), results: &results }.to_string())
}
