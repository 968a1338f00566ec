//! The repository's own commands, the same at home and in CI.
//!
//! `cargo xtask ci` is what a change must pass: [`lints`](fn@lint) first, because they are quick and say most,
//! then the tests. Everything else is there to be run alone. A command that fails names itself and ends the run
//! with exit code 1; a wrong call ends it with 2.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool reports to its terminal")]

mod layers;
mod program;
mod tests;
mod tidy;

use std::process::ExitCode;

use anyhow::{Context, Result};
use program::Program;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci       everything a change must pass: lint, then test
  lint     fmt, clippy, layers, tidy and the documentation, warnings being errors
  layers   which crate may depend on which, read from cargo metadata
  tidy     file sizes and openings, unsafe code, open marks, paths of one machine
  test     installs the peers and cargo-nextest where missing, then doctests and all tests
           (further arguments go to cargo nextest run)
  properties  the tests of all crates but the two with whole programs, with another seed and 2,000 cases for each property
           (PROPTEST_RNG_SEED, PROPTEST_CASES; further arguments go to cargo nextest run)
  bench    builds a release, installs the peers, measures: `bench supervise` (the default), `bench loss`,
           `bench hub`, `bench herd`, `bench http`, `bench realtime` or `bench journal`
           (further arguments go to that program)
  sim      herds of up to 10,000 nodes, simulated, as a table (`sim --nodes 1000 --kill 50` and so on: one trial;
           crates/herd/examples/simulate.rs has them all)
  oracle   the herd's trees beside another implementation of their protocols: its tests, then a table
           (`oracle --nodes 1000 --kill 50` and so on: one trial; bench/oracle/README.md)
  demo     builds a release and runs examples/hello";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&command, &rest) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `false` when there is none of that name, or it takes no arguments.
fn run(command: &str, rest: &[String]) -> Result<bool> {
    if !rest.is_empty() && !matches!(command, "test" | "properties" | "bench" | "sim" | "oracle") {
        return Ok(false);
    }
    match command {
        "ci" => lint().and_then(|()| tests::run(&[]))?,
        "lint" => lint()?,
        "layers" => layers::check()?,
        "tidy" => tidy::check()?,
        "test" => tests::run(rest)?,
        "properties" => tests::properties(rest)?,
        "bench" => bench(rest)?,
        "sim" => simulate(rest)?,
        "oracle" => oracle(rest)?,
        "demo" => demo()?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn lint() -> Result<()> {
    tidy::check()?;
    layers::check()?;
    Program::cargo("fmt --all -- --check").run()?;
    Program::cargo("clippy --workspace --all-targets --quiet -- -D warnings").run()?;
    Program::cargo("doc --workspace --no-deps --document-private-items --quiet")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn bench(rest: &[String]) -> Result<()> {
    if let Some((name, rest)) = rest.split_first()
        && name == "journal"
    {
        // A package with a lock of its own, and no need of a release.
        return Program::cargo(
            "run --release --locked --target-dir target --manifest-path bench/journal/Cargo.toml --",
        )
        .args(rest)
        .run();
    }
    let binary = release_binary()?;
    if let Some((name, rest)) = rest.split_first()
        && matches!(name.as_str(), "hub" | "herd" | "realtime" | "http")
    {
        if name == "http" {
            Program::new("bench/http_peers/install").run()?;
        } else {
            Program::cargo("build --release -p remuda-load").run()?;
            Program::new("tests/peers/hub/install").run()?;
        }
        return Program::new(&format!("bench/{name}")).args(["--remuda", &binary]).args(rest).run();
    }
    Program::new("bench/peers").run()?;
    let (program, rest) = match rest.split_first() {
        Some((name, rest)) if name == "loss" => ("bench/loss", rest),
        Some((name, rest)) if name == "supervise" => ("bench/supervise", rest),
        _ => ("bench/supervise", rest),
    };
    Program::new(program).args(["--remuda", &binary]).args(rest).run()
}

fn simulate(rest: &[String]) -> Result<()> {
    Program::cargo("run --quiet --release -p remuda-herd --example simulate --").args(rest).run()
}

/// A package with a lock of its own, as `bench journal`.
fn oracle(rest: &[String]) -> Result<()> {
    let package = "--locked --target-dir target --manifest-path bench/oracle/Cargo.toml";
    if rest.is_empty() {
        Program::cargo(&format!("test --quiet {package}")).run()?;
    }
    Program::cargo(&format!("run --quiet {package} --")).args(rest).run()
}

fn demo() -> Result<()> {
    let binary = release_binary()?;
    Program::new("examples/hello/run").env("REMUDA", &binary).run()
}

/// Builds the release and says where it is, which `CARGO_TARGET_DIR` may have moved.
fn release_binary() -> Result<String> {
    Program::cargo("build --release --bin remuda").run()?;
    let metadata = layers::metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(format!("{target}/release/remuda"))
}
