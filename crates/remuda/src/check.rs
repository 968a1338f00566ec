//! Commands about config files: check, schema, init, import.

mod addresses;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use remuda_config::Style;
use remuda_config::foreign::Severity;

use crate::act::plan_text;
use crate::arguments::{CheckArguments, Global, ImportArguments, InitArguments};
use crate::config_file::{self, Adjustments, LoadError, note_text};
use crate::exit::{Exit, Failure, Outcome};
use crate::instance::{self, CONFIG_FILE};
use crate::screen::{DIM, Screen, paint};

/// Prints the effective config, and what it would change where its instance runs. A bad file is exit 2 and a report.
pub(crate) async fn check(arguments: CheckArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let files = config_file::chosen(&arguments.files, global.config.as_deref())?;
    let read = match config_file::load(&files, &Adjustments::of(&arguments.adjusting)?) {
        Ok(read) => read,
        Err(LoadError::Report(report)) if arguments.printing.json => {
            screen.json(&serde_json::json!({"valid": false, "report": report.render(Style::Plain)}))?;
            return Ok(Exit::Misuse);
        }
        Err(error) => return Err(error.into_failure()),
    };
    let style = if arguments.printing.json { Style::Plain } else { Style::Coloured };
    let mut remarks = read.remarks(style);
    let loaded = read.loaded;
    let effective = remuda_config::effective(&loaded.config, &loaded.masked);
    let mut verdict = "the config is valid";
    let plan = match instance::of_config(&loaded.config).await {
        Ok(client) => Some(client.plan().await?),
        // Without a running instance there is nothing to compare with, and nothing wrong with that.
        Err(failure) if failure.exit == Exit::NotRunning => {
            verdict = "the config is valid; its instance does not run";
            remarks.extend(addresses::remarks(&loaded.config, style));
            None
        }
        Err(failure) => {
            remarks.push(format!("what would change cannot be told: {}", failure.message));
            None
        }
    };
    if arguments.printing.json {
        screen.json(
            &serde_json::json!({"valid": true, "remarks": remarks, "config": effective, "plan": plan}),
        )?;
        return Ok(Exit::Done);
    }
    screen.text(&effective)?;
    remarks.iter().for_each(|remark| screen.note(remark));
    match plan {
        Some(plan) => {
            screen.text(&format!("\n{}{}", paint(DIM, "# `remuda apply` would do:\n"), plan_text(&plan)))?;
        }
        None => screen.note(verdict),
    }
    Ok(Exit::Done)
}

/// Prints the JSON Schema of `remuda.toml`.
pub(crate) fn schema(screen: &mut Screen) -> Outcome {
    screen.line(&format!("{:#}", remuda_config::schema()))?;
    Ok(Exit::Done)
}

/// Prints or writes a `remuda.toml` for what lies in this folder.
pub(crate) fn init(arguments: &InitArguments, screen: &mut Screen) -> Outcome {
    let here = std::env::current_dir()
        .map_err(|error| Failure::misuse(format!("cannot tell the current folder: {error}")))?;
    let proposal = remuda_config::init::propose(&here).map_err(|error| Failure::misuse(error.to_string()))?;
    screen.note(&proposal.why);
    if arguments.write {
        write_new(Path::new(CONFIG_FILE), &proposal.toml)?;
        screen.note(&format!("written to {CONFIG_FILE}; `remuda check` explains it, `remuda up` runs it"));
    } else {
        screen.text(&proposal.toml)?;
    }
    Ok(Exit::Done)
}

/// Rewrites a foreign file.
pub(crate) fn import(arguments: &ImportArguments, screen: &mut Screen) -> Outcome {
    let adjustments = Adjustments { instances: arguments.instances, ..Adjustments::default() };
    let imported = config_file::import(&arguments.files, &adjustments).map_err(LoadError::into_failure)?;
    let toml = imported.to_toml();
    match &arguments.output {
        None => {
            screen.text(&toml)?;
            // The text has them in comments, where they are read too late when it goes to a file.
            let lost = imported.notes.iter().filter(|note| note.severity == Severity::Lost);
            lost.for_each(|note| screen.note(&note_text(note, Style::Coloured)));
        }
        Some(path) => {
            write_new(path, &toml)?;
            for note in &imported.notes {
                screen.note(&note_text(note, Style::Coloured));
            }
            screen.note(&format!("written to {}; `remuda check -c {0}` explains it", path.display()));
        }
    }
    Ok(Exit::Done)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| {
        let failure = Failure::file("create", path, &error);
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            failure.hint("it is not overwritten; move it away first")
        } else {
            failure
        }
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::file("write", path, &error))
}

#[cfg(test)]
mod tests;
