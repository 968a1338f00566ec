//! Prints the two protocols side by side: `cargo xtask oracle [--nodes N] [--kill PERCENT] [--degree LINKS] [--seed SEED]`.
//!
//! Without arguments: a thousand and ten thousand nodes, links given and links found, 30 and 50 of a hundred killed. Ends
//! with 1 when, over given links, a message did not reach exactly those whom a way leads to.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it measures, and says what it measured")]

use std::collections::BTreeSet;
use std::process::ExitCode;

use remuda_oracle::node::{Node, Place};
use remuda_oracle::ours::Ours;
use remuda_oracle::theirs::Theirs;
use remuda_oracle::trial::{Outcome, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let trials = match trials(&arguments) {
        Ok(trials) => trials,
        Err(wrong) => {
            eprintln!("oracle: {wrong}");
            return ExitCode::from(2);
        }
    };
    println!(
        "RMR: copies beyond the one each node needs; LDH: most links to any node; both and times: mean (worst)\n"
    );
    println!(
        "| nodes | links | killed | machine | RMR | LDH | last, ms | other messages | first message reached in 1 s | \
         in the end | all again after | agrees |\n|{}",
        "---|".repeat(12)
    );
    let mut agree = true;
    for trial in trials {
        agree &= side_by_side::<Ours>(&trial, "remuda");
        agree &= side_by_side::<Theirs>(&trial, "iroh-gossip");
    }
    if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a trial for one protocol and prints its line; `false` when it is not as it should be.
fn side_by_side<N: Node>(trial: &Trial, name: &str) -> bool {
    let outcome = trial.run::<N>();
    let everybody: BTreeSet<Place> = (0..trial.nodes).collect();
    let reachable = trial.reachable(&outcome.living);
    let wanted = reachable.as_ref().unwrap_or(&outcome.living);
    let agrees =
        outcome.stable.iter().all(|(said, _)| said.reached.keys().copied().eq(everybody.iter().copied()))
            && (0..outcome.after.len()).all(|number| outcome.reached(number).0 == *wanted);
    let share = |some: usize| format!("{:.2} %", 100.0 * some as f64 / wanted.len() as f64);
    let (first, soon, repaired) = match outcome.after.is_empty() {
        true => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
        false => {
            let (all, within) = outcome.reached(0);
            let after = outcome.repaired_after(wanted.len());
            let after = after.map_or("never".to_owned(), |span| format!("{:.1} s", span.as_secs_f64()));
            (share(all.len()), share(within), after)
        }
    };
    println!(
        "| {} | {} | {} % | {name} | {} | {} | {} | {:.1} | {soon} | {first} | {repaired} | {} |",
        trial.nodes,
        links(trial, &outcome),
        trial.killed_percent,
        shown(&outcome.redundancy(), 3),
        shown(&outcome.last_hops(), 1),
        shown(&outcome.last_ms(), 0),
        outcome.others_per_node,
        if agrees { "yes" } else { "no" },
    );
    agrees || trial.degree.is_none()
}

fn links(trial: &Trial, outcome: &Outcome) -> String {
    let all: usize = outcome.peers.iter().map(BTreeSet::len).sum();
    let mean = all as f64 / trial.nodes as f64;
    if trial.degree.is_some() { format!("given, {mean:.1}") } else { format!("found, {mean:.1}") }
}

fn shown(values: &[f64], digits: usize) -> String {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{mean:.digits$} ({most:.digits$})")
}

/// What is to be tried: what the arguments say, or the table of the documentation.
fn trials(arguments: &[String]) -> Result<Vec<Trial>, String> {
    let base = Trial { nodes: 1_000, seed: 1, degree: None, rounds: 12, killed_percent: 0 };
    if arguments.is_empty() {
        let sizes = [(1_000, 30), (10_000, 30), (10_000, 50)];
        let each = |(nodes, killed_percent)| {
            [Some(6), None].map(|degree| Trial { nodes, degree, killed_percent, ..base })
        };
        return Ok(sizes.into_iter().flat_map(each).collect());
    }
    let mut trial = base;
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number: usize = value.parse().map_err(|error| format!("{name} {value}: {error}"))?;
        match name.as_str() {
            "--nodes" => trial.nodes = number.max(2),
            "--kill" => trial.killed_percent = number.min(99),
            "--degree" => trial.degree = Some(number.clamp(1, 60)),
            "--rounds" => trial.rounds = number.max(2),
            "--seed" => trial.seed = u64::try_from(number).unwrap_or(u64::MAX),
            _ => return Err(format!("there is no {name}")),
        }
    }
    Ok(vec![trial])
}
