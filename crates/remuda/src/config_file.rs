//! Reading config files, native or foreign, with what the command line changes in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_config::foreign::{self, Format, Formation, ImportError, ImportOptions, Note, Severity};
use remuda_config::{Loaded, Report, Style, Surroundings};
use remuda_model::{Config, ServiceName};

use crate::arguments::Adjusting;
use crate::exit::Failure;
use crate::instance::CONFIG_FILE;
use crate::screen::{BAD, paint};

/// What the command line changes in a config.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adjustments {
    /// Instances of systemd's template units.
    pub(crate) instances: Option<u32>,
    /// Workers of services, instead of what the file says.
    pub(crate) workers: Vec<(ServiceName, u32)>,
    /// Where the arbiter writes its pid, instead of what the file says; absolute.
    pub(crate) pid_file: Option<PathBuf>,
}

impl Adjustments {
    /// What the options of `up` and `check` ask for.
    pub(crate) fn of(options: &Adjusting) -> Result<Self, Failure> {
        // The working directory may be another one by the time the file is written.
        let pid_file = options
            .pid_file
            .as_ref()
            .map(|path| std::path::absolute(path).map_err(|error| Failure::file("find", path, &error)));
        Ok(Self {
            instances: options.instances,
            workers: options.workers.clone(),
            pid_file: pid_file.transpose()?,
        })
    }
}

/// A config as read, and what has to be said about it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) loaded: Loaded,
    /// What became of the settings of a foreign file.
    notes: Vec<Note>,
}

impl Read {
    /// Warnings, and the settings of a foreign file that mean something else here, or nothing.
    pub(crate) fn remarks(&self, style: Style) -> Vec<String> {
        let matters = |note: &&Note| note.severity != Severity::Unneeded;
        let mut remarks: Vec<String> =
            self.notes.iter().filter(matters).map(|note| note_text(note, style)).collect();
        if !self.loaded.warnings.is_empty() {
            remarks.push(self.loaded.warnings.render(style).trim_end().to_owned());
        }
        remarks
    }
}

/// A note as a line; one of a protection that is lost stands out.
pub(crate) fn note_text(note: &Note, style: Style) -> String {
    match (note.severity, style) {
        (Severity::Lost, Style::Coloured) => paint(BAD, &note.to_string()),
        _ => note.to_string(),
    }
}

/// Why a config cannot be loaded.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// The file says something wrong, at places that the report shows.
    Report(Report),
    /// Anything else.
    Failure(Failure),
}

impl LoadError {
    /// The failure of a command that needs the config.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Report(report) => Failure::report(&report),
            Self::Failure(failure) => failure,
        }
    }
}

/// The files named, or else that of `--config`, or else the one of this folder.
pub(crate) fn chosen(files: &[PathBuf], config: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    if !files.is_empty() {
        return Ok(files.to_vec());
    }
    if let Some(config) = config {
        return Ok(vec![config.to_owned()]);
    }
    if Path::new(CONFIG_FILE).exists() {
        return Ok(vec![PathBuf::from(CONFIG_FILE)]);
    }
    let others = ["circus.ini", "Procfile"].into_iter().filter(|name| Path::new(name).exists());
    let hint = others.map(|name| format!("there is a {name}: `remuda up {name}` runs it as it is")).next();
    let hint = hint.unwrap_or_else(|| "`remuda init` proposes one; --config names one elsewhere".to_owned());
    Err(Failure::misuse(format!("there is no {CONFIG_FILE} in this folder")).hint(hint))
}

/// Loads a config: one native file, or those of another system.
pub(crate) fn load(files: &[PathBuf], adjustments: &Adjustments) -> Result<Read, LoadError> {
    let surroundings = surroundings().map_err(LoadError::Failure)?;
    let mut read = match files {
        [file] if is_native(file) => {
            let loaded = remuda_config::load(file, &surroundings).map_err(LoadError::Report)?;
            Read { loaded, notes: Vec::new() }
        }
        files => foreign(files, adjustments, &surroundings)?,
    };
    adjust(&mut read.loaded.config, adjustments).map_err(LoadError::Failure)?;
    Ok(read)
}

/// Loads a config that is in no file: `text`, as if it lay at `path`.
pub(crate) fn load_made(text: &str, path: &Path, adjustments: &Adjustments) -> Result<Read, LoadError> {
    let surroundings = surroundings().map_err(LoadError::Failure)?;
    let loaded = remuda_config::load_text(text, path, &surroundings).map_err(LoadError::Report)?;
    let mut read = Read { loaded, notes: Vec::new() };
    adjust(&mut read.loaded.config, adjustments).map_err(LoadError::Failure)?;
    Ok(read)
}

/// A file that cannot be read is told of by the native reader.
fn is_native(file: &Path) -> bool {
    remuda_config::read_file(file).map_or(true, |text| foreign::detect(file, &text) == Format::Remuda)
}

fn foreign(
    files: &[PathBuf],
    adjustments: &Adjustments,
    surroundings: &Surroundings,
) -> Result<Read, LoadError> {
    let imported = import(files, adjustments)?;
    let beside = files.first().map_or(Path::new(CONFIG_FILE), PathBuf::as_path);
    let loaded = remuda_config::load_text(imported.text(), beside, surroundings);
    let loaded = loaded.map_err(|report| LoadError::Report(imported.relocate(&report)))?;
    let warnings = imported.relocate(&loaded.warnings);
    Ok(Read { loaded: Loaded { warnings, sources: imported.sources, ..loaded }, notes: imported.notes })
}

fn surroundings() -> Result<Surroundings, Failure> {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let directory = std::env::current_dir();
    Ok(Surroundings {
        variables: variables(),
        uid: remuda_sys::users::effective_user(),
        cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
        directory: directory
            .map_err(|error| Failure::misuse(format!("cannot tell the current folder: {error}")))?,
    })
}

/// Our variables, as far as they are text.
pub(crate) fn variables() -> BTreeMap<String, String> {
    let variables = std::env::vars_os();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reads files of another system.
pub(crate) fn import(files: &[PathBuf], adjustments: &Adjustments) -> Result<foreign::Imported, LoadError> {
    foreign::import(files, &import_options(adjustments)).map_err(|error| match error {
        ImportError::Refused(report) | ImportError::Invalid(report) => LoadError::Report(report),
        other => LoadError::Failure(Failure::misuse(other.to_string())),
    })
}

fn import_options(adjustments: &Adjustments) -> ImportOptions {
    let formation: Vec<String> =
        adjustments.workers.iter().map(|(name, workers)| format!("{name}={workers}")).collect();
    // Names and numbers that have been parsed are a formation.
    let formation: Formation = formation.join(",").parse().unwrap_or_default();
    ImportOptions { variables: variables(), formation, instances: adjustments.instances }
}

fn adjust(config: &mut Config, adjustments: &Adjustments) -> Result<(), Failure> {
    let limit = config.instance.workers_max;
    for (name, workers) in &adjustments.workers {
        let Some(service) = config.services.get_mut(name) else {
            let known: Vec<&str> = config.services.keys().map(ServiceName::as_str).collect();
            let message = format!(
                "--workers names {name}, which is no service of the config; it has {}",
                known.join(", ")
            );
            return Err(Failure::misuse(message));
        };
        if service.kind.hub().is_some() && *workers != service.workers {
            let message = format!("--workers {name}={workers}: the hub always has one worker");
            return Err(Failure::misuse(message));
        }
        if service.singleton && *workers > 1 {
            let message = format!("--workers {name}={workers}: {name} is a singleton and has one worker");
            return Err(Failure::misuse(message));
        }
        if *workers > limit {
            let message = format!("--workers {name}={workers} is more than remuda.workers_max = {limit}");
            return Err(Failure::misuse(message));
        }
        let service = Arc::make_mut(service);
        (service.workers, service.scaling) = (*workers, None);
    }
    if adjustments.pid_file.is_some() {
        config.instance.pid_file.clone_from(&adjustments.pid_file);
    }
    Ok(())
}
