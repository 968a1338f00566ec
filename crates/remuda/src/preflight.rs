//! `remuda __preflight`: a running arbiter asks whether this program could take its place.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// Answers, if that is what this program was started for: its command line is the arbiter's, after one word, and the
/// record is its standard input. One JSON object goes to standard output, or a sentence to standard error.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let program = arguments.next();
    arguments.next().filter(|word| word == remuda_daemon::PREFLIGHT_WORD)?;
    let understood = Arguments::try_parse_from(program.into_iter().chain(arguments));
    let answer = match understood {
        Ok(Arguments { command: Command::Up(_) | Command::Serve(_), .. }) => look(),
        Ok(_) => Err("its command line is not that of `remuda up` or `remuda serve`".to_owned()),
        Err(error) => Err(format!("it does not understand the arbiter's command line: {error}")),
    };
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    // Nobody can be told that nobody can be told.
    Some(match answer {
        Ok(text) => {
            let _ = writeln!(stdout, "{text}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            let _ = writeln!(stderr, "{reason}");
            ExitCode::FAILURE
        }
    })
}

fn look() -> Result<String, String> {
    let record = std::io::stdin().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let fitness = remuda_daemon::look_at(record)?;
    serde_json::to_string(&fitness).map_err(|error| error.to_string())
}
