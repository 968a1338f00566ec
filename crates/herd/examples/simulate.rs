//! Herds of thousands of nodes, simulated: how much is sent twice, over how many links the last node gets a message and
//! when, and what half of the nodes dying at once does to it.
//!
//! `cargo xtask sim`, or with what is to be tried: `--nodes 10000 --seed 1 --mode tree --senders random --rounds 30
//! --kill 50 --silent --degree 6 --delay 10-50 --jitter 0`. With `--degree` links are given, else nodes find their own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it measures, and says what it measured")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use remuda_herd::sim::{Broadcast, Report, Senders, Topology, Trial};
use remuda_herd::spread::Mode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let trials = match trials(&arguments) {
        Ok(trials) => trials,
        Err(wrong) => {
            eprintln!("simulate: {wrong}");
            return ExitCode::from(2);
        }
    };
    println!(
        "RMR: copies beyond the one each node needs; LDH: most links to any node; last: when the last node had it"
    );
    println!(
        "{:<34} {:>6} {:>9} {:>15} {:>11} {:>15} {:>7} {:>9} {:>7}",
        "trial",
        "missed",
        "first RMR",
        "RMR mean (max)",
        "LDH mean(max)",
        "last ms (max)",
        "other/n",
        "KiB kept",
        "took s"
    );
    for (name, trial) in trials {
        let began = Instant::now();
        let report = trial.run();
        row(&name, &report, began.elapsed());
    }
    ExitCode::SUCCESS
}

fn row(name: &str, report: &Report, took: Duration) {
    let stable = report.stable();
    let mean = |of: &dyn Fn(&Broadcast) -> f64| {
        stable.iter().map(of).sum::<f64>() / f64::from(u32::try_from(stable.len().max(1)).unwrap_or(1))
    };
    let most = |of: &dyn Fn(&Broadcast) -> f64| stable.iter().map(of).fold(0.0, f64::max);
    let redundancy = |one: &Broadcast| one.redundancy;
    let hop = |one: &Broadcast| f64::from(one.last_hop);
    let last = |one: &Broadcast| one.last_at.as_secs_f64() * 1_000.0;
    let missed: usize = report.broadcasts.iter().map(|one| one.others - one.reached).sum();
    println!(
        "{name:<34} {missed:>6} {:>9.2} {:>15} {:>11} {:>15} {:>7.1} {:>9} {:>7.1}",
        report.broadcasts.first().map_or(0.0, |one| one.redundancy),
        format!("{:.3} ({:.3})", mean(&redundancy), most(&redundancy)),
        format!("{:.1} ({:.0})", mean(&hop), most(&hop)),
        format!("{:.0} ({:.0})", mean(&last), most(&last)),
        mean(&|one| one.others_per_node),
        report.cached_bytes_max / 1024,
        took.as_secs_f64(),
    );
    if report.is_disordered {
        println!("  DISORDER: a node was given something twice, or out of order");
    }
    if let Some(after) = report.aftermath {
        let share = |some: usize| {
            100.0 * f64::from(u32::try_from(some).unwrap_or(0))
                / f64::from(u32::try_from(after.living.max(1)).unwrap_or(1))
        };
        println!(
            "  of {} that live, the first message reached {:.2} % in 1 s and {:.2} % in the end; all reached in 1 s again \
             after {}; {} deliveries missed of all messages",
            after.living,
            share(after.first_soon),
            share(after.first),
            after.repaired_after.map_or("never".to_owned(), |span| format!("{:.1} s", span.as_secs_f64())),
            after.missed,
        );
    }
    println!(
        "  links of nodes when the first message goes: {:?}; messages lost: {}",
        report.degrees, report.lost
    );
}

/// What is to be tried: what the arguments say, or the table of the documentation.
fn trials(arguments: &[String]) -> Result<Vec<(String, Trial)>, String> {
    if arguments.is_empty() {
        return Ok(table());
    }
    let mut trial = Trial::default();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if name == "--silent" {
            trial.is_noticed = false;
            continue;
        }
        let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<usize>().map_err(|error| format!("{name} {value}: {error}"));
        let millis = |text: &str| {
            text.parse().map(Duration::from_millis).map_err(|error| format!("{name} {value}: {error}"))
        };
        match name.as_str() {
            "--nodes" => trial.nodes = number()?.max(2),
            "--seed" => trial.seed = u64::try_from(number()?).unwrap_or(u64::MAX),
            "--rounds" => trial.rounds = number()?.max(2),
            "--kill" => trial.killed_percent = number()?.min(99),
            "--degree" => trial.topology = Some(Topology::Random { degree: number()? }),
            "--jitter" => trial.weather.jitter = millis(value)?,
            "--delay" => {
                let (least, most) = value.split_once('-').unwrap_or((value, value));
                (trial.weather.delay_min, trial.weather.delay_max) = (millis(least)?, millis(most)?);
            }
            "--mode" => {
                trial.mode = match value.as_str() {
                    "tree" => Mode::Tree,
                    "flood" => Mode::Flood,
                    "auto" => Mode::Auto,
                    _ => return Err(format!("--mode is tree, flood or auto, not {value}")),
                }
            }
            "--senders" => {
                trial.senders = match value.as_str() {
                    "one" => Senders::One,
                    "random" => Senders::Random,
                    _ => return Err(format!("--senders is one or random, not {value}")),
                }
            }
            _ => return Err(format!("there is no {name}")),
        }
    }
    Ok(vec![("as asked".to_owned(), trial)])
}

fn table() -> Vec<(String, Trial)> {
    let base = Trial::default();
    let steady = |millis| {
        let mut weather = base.weather;
        (weather.delay_min, weather.delay_max) =
            (Duration::from_millis(millis), Duration::from_millis(millis));
        weather
    };
    let with = |nodes, mode| Trial { nodes, mode, ..base.clone() };
    let unnoticed = |killed_percent, mode| {
        let name = if mode == Mode::Tree { "tree" } else { "flood" };
        let trial = Trial { killed_percent, is_noticed: false, rounds: 4, ..with(1_000, mode) };
        (format!("1,000, {name}, {killed_percent} % die unnoticed"), trial)
    };
    let large = Trial { rounds: 12, ..with(10_000, Mode::Tree) };
    let named = |name: &str, trial| (name.to_owned(), trial);
    vec![
        named("100, tree, one sender", with(100, Mode::Tree)),
        named("1,000, tree, one sender", with(1_000, Mode::Tree)),
        named(
            "1,000, tree, random senders",
            Trial { senders: Senders::Random, rounds: 200, ..with(1_000, Mode::Tree) },
        ),
        named("1,000, flood, one sender", with(1_000, Mode::Flood)),
        unnoticed(30, Mode::Tree),
        unnoticed(30, Mode::Flood),
        unnoticed(50, Mode::Tree),
        unnoticed(50, Mode::Flood),
        named("10,000, tree, one sender", large.clone()),
        named("10,000, tree, 50 ms links", Trial { weather: steady(50), ..large.clone() }),
        named("10,000, flood, one sender", Trial { rounds: 4, ..with(10_000, Mode::Flood) }),
        named("10,000, tree, 30 % die", Trial { killed_percent: 30, ..large.clone() }),
        named(
            "10,000, flood, 30 % die",
            Trial { killed_percent: 30, rounds: 4, ..with(10_000, Mode::Flood) },
        ),
        named("10,000, tree, 50 % die", Trial { killed_percent: 50, ..large }),
        named(
            "10,000, flood, 50 % die",
            Trial { killed_percent: 50, rounds: 4, ..with(10_000, Mode::Flood) },
        ),
    ]
}
