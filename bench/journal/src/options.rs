//! The command line.

use std::path::PathBuf;

use crate::failure::BenchError;

/// What may be said.
pub(crate) const USAGE: &str = "\
usage: remuda-journal-bench [--folder FOLDER] [--rounds N]

  --folder  where the files are written, in a folder of its own that goes at the end; by default beside this program
  --rounds  1 to 9, by default 3";

const ROUNDS: usize = 3;
const ROUNDS_MAX: usize = 9;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// This run's own folder.
    pub(crate) folder: PathBuf,
    pub(crate) rounds: usize,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, BenchError> {
        let (mut parent, mut rounds) = (None, ROUNDS);
        while let Some(name) = arguments.next() {
            let value =
                arguments.next().ok_or_else(|| BenchError::Misuse(format!("{name} wants a value")))?;
            match name.as_str() {
                "--folder" => parent = Some(PathBuf::from(value)),
                "--rounds" => {
                    let number = value.parse().ok().filter(|number| (1..=ROUNDS_MAX).contains(number));
                    rounds = number.ok_or_else(|| BenchError::Misuse(format!("--rounds is not {value}")))?;
                }
                _ => return Err(BenchError::Misuse(format!("there is no {name}"))),
            }
        }
        let parent = match parent {
            Some(parent) => parent,
            None => {
                let program = std::env::current_exe().map_err(|source| BenchError::file(".", source))?;
                program.parent().map_or_else(PathBuf::new, PathBuf::from)
            }
        };
        Ok(Self { folder: parent.join(format!("journal-bench.{}", std::process::id())), rounds })
    }
}
