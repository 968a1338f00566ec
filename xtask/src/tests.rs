//! Everything the tests need, then the tests: doctests first, so that nextest's summary is the last thing said.

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

fn ensure_nextest() -> Result<()> {
    if Program::cargo("nextest --version").output().is_ok() {
        return Ok(());
    }
    println!("test: cargo-nextest is not there, installing it");
    Program::cargo("install cargo-nextest --locked").run()
}
