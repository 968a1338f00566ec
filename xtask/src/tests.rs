//! Everything the tests need, then the tests: doctests first, so that nextest's summary is the last thing said.

use std::env;
use std::time::UNIX_EPOCH;

use anyhow::Result;

use crate::program::Program;

/// Runs all tests; `rest` goes to `cargo nextest run`, where it may choose some of them.
pub(crate) fn run(rest: &[String]) -> Result<()> {
    Program::new("tests/peers/install").run()?;
    ensure_nextest()?;
    // The tests start the real binary, so it is built whatever part of the workspace they were chosen from.
    Program::cargo("build --workspace --quiet").run()?;
    Program::cargo("test --workspace --doc --quiet").run()?;
    Program::cargo("nextest run --workspace").args(rest).run()
}

/// The seed that `.cargo/config.toml` gives to all tests.
const USUAL_SEED: &str = "1";

/// Looks for cases that the usual ones are not among; `rest` goes to `cargo nextest run`.
pub(crate) fn properties(rest: &[String]) -> Result<()> {
    ensure_nextest()?;
    let given = env::var("PROPTEST_RNG_SEED").ok().filter(|seed| seed != USUAL_SEED);
    let seed = match given {
        Some(seed) => seed,
        None => UNIX_EPOCH.elapsed()?.as_secs().to_string(),
    };
    let cases = env::var("PROPTEST_CASES").unwrap_or_else(|_| "2000".to_owned());
    println!("properties: seed {seed}, {cases} cases each");
    // The two that are left out start whole programs.
    Program::cargo("nextest run --profile properties --workspace --exclude remuda --exclude remuda-gateway")
        .env("PROPTEST_RNG_SEED", &seed)
        .env("PROPTEST_CASES", &cases)
        .args(rest)
        .run()
}

fn ensure_nextest() -> Result<()> {
    if Program::cargo("nextest --version").output().is_ok() {
        return Ok(());
    }
    println!("test: cargo-nextest is not there, installing it");
    Program::cargo("install cargo-nextest --locked").run()
}
