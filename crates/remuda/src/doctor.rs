//! `remuda doctor`: what in this system would get in the way, each finding with what it means and what helps.

mod config;
mod machine;

use anstyle::Style;
use serde::Serialize;

use crate::arguments::{Global, Printing};
use crate::config_file::{self, Adjustments};
use crate::exit::{Exit, Outcome};
use crate::screen::{BAD, DIM, GOOD, NOTICE, Screen, paint};

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could.
    Warn,
    /// Something that is wanted will not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    verdict: Verdict,
    /// What was looked at, and how it is.
    what: String,
    /// What that means.
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
    /// What helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what: what.into(), meaning: None, fix: None }
    }

    fn warn(what: impl Into<String>, meaning: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            what: what.into(),
            meaning: Some(meaning.into()),
            fix: Some(fix.into()),
        }
    }

    fn fail(what: impl Into<String>, meaning: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(what, meaning, fix) }
    }

    fn render(&self) -> String {
        let (word, style): (_, Style) = match self.verdict {
            Verdict::Ok => ("ok  ", GOOD),
            Verdict::Warn => ("warn", NOTICE),
            Verdict::Fail => ("fail", BAD),
        };
        let mut text = format!("{} {}", paint(style, word), self.what);
        for (label, line) in [("", &self.meaning), ("fix: ", &self.fix)] {
            if let Some(line) = line {
                text.push_str(&format!("\n     {}", paint(DIM, &format!("{label}{line}"))));
            }
        }
        text
    }
}

/// Looks at the machine and at the config, if there is one. Exit 1 when something will not work.
pub(crate) fn run(arguments: &Printing, global: &Global, screen: &mut Screen) -> Outcome {
    let mut findings = machine::findings();
    match config_file::chosen(&[], global.config.as_deref()) {
        Err(_) => screen.note("no config file here: only the machine is looked at"),
        Ok(files) => match config_file::load(&files, &Adjustments::default()) {
            Ok(read) => findings.extend(config::findings(&read.loaded.config)),
            Err(_) => {
                let what = format!(
                    "config {} cannot be loaded",
                    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
                );
                findings.push(Finding::fail(
                    what,
                    "`remuda up` would not start",
                    "`remuda check` says what is wrong",
                ));
            }
        },
    }
    let worst = findings.iter().any(|finding| finding.verdict == Verdict::Fail);
    if arguments.json {
        screen.json(&findings)?;
    } else {
        for finding in &findings {
            screen.line(&finding.render())?;
        }
    }
    Ok(if worst { Exit::No } else { Exit::Done })
}

#[cfg(test)]
mod tests;
