//! [`raw::File`] to [`Config`]: names checked, defaults made explicit, paths made absolute, and whatever cannot work
//! refused with the place where it is written.
//!
//! Resolving goes on after an error, with the default in place of what is wrong, so that one report tells all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::{Config, NameError, ServiceName, ServiceSpec, SocketName, SocketSpec};

use crate::interpolate::Variables;
use crate::raw::{self, Field, Located, Span};
use crate::report::{Problem, Report, Severity};
use crate::source::Sources;

mod bus;
mod command;
mod dashboard;
mod environment;
mod gateway;
mod herd;
mod hub;
mod instance;
mod life;
mod limits;
mod locks;
mod readiness;
mod relation;
mod scaling;
mod service;
mod socket;
mod store;

/// What a config is read in: nothing of it is looked up by this crate itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The variables that `${NAME}` stands for.
    pub variables: Variables,
    /// Effective user id of the arbiter.
    pub uid: u32,
    /// CPUs that the arbiter may use, at least 1.
    pub cpus: u32,
    /// Working directory, absolute: a relative path of a config file is taken from here.
    pub directory: PathBuf,
}

/// Variables of workers whose values are not to be shown: they came from a file of variables or from `${NAME}`.
pub type Masked = BTreeSet<(ServiceName, String)>;

/// A config that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The config.
    pub config: Config,
    /// What is probably not as it was meant; often empty.
    pub warnings: Report,
    /// The files it was read from: the config file first, then files of variables.
    pub sources: Vec<PathBuf>,
    /// Values not to be shown.
    pub masked: Masked,
    /// The lines of the routes, in their order; empty where nothing was written.
    pub routes: Vec<Option<usize>>,
}

/// Where a config comes from, besides its declarations.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The texts that spans speak of; empty if there are none.
    pub sources: Sources,
    /// What relative paths are relative to, absolute.
    pub folder: PathBuf,
    /// Where the texts begin whose variables were filled in.
    pub(crate) expanded: BTreeSet<usize>,
    /// `[section.name]`s of which something was cut out because it was wrong.
    pub(crate) cut: BTreeSet<(String, String)>,
}

impl Origin {
    /// Texts, and the folder that relative paths are relative to.
    #[must_use]
    pub fn new(sources: Sources, folder: &Path) -> Self {
        Self { sources, folder: folder.to_owned(), ..Self::default() }
    }
}

/// Resolves declarations, of whatever format they were read.
///
/// # Errors
/// All that is wrong with them.
pub fn resolve(file: &raw::File, origin: Origin, surroundings: &Surroundings) -> Result<Loaded, Report> {
    resolve_with(file, origin, surroundings, Vec::new())
}

/// [`resolve`], with what was found wrong before.
pub(crate) fn resolve_with(
    file: &raw::File,
    origin: Origin,
    surroundings: &Surroundings,
    problems: Vec<Problem>,
) -> Result<Loaded, Report> {
    let Origin { sources, folder, expanded, cut } = origin;
    let mut resolution =
        Resolution { file, folder, surroundings, expanded, cut, sources, problems, masked: Masked::new() };
    let config = resolution.config();
    let Resolution { sources, problems, masked, .. } = resolution;
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    match config {
        Some(config) if !failed => {
            let paths = sources.paths();
            let routes = gateway::lines(file, &sources);
            Ok(Loaded { config, warnings: Report::new(sources, problems), sources: paths, masked, routes })
        }
        _ => Err(Report::new(sources, problems)),
    }
}

/// The work in progress.
struct Resolution<'a> {
    file: &'a raw::File,
    folder: PathBuf,
    surroundings: &'a Surroundings,
    expanded: BTreeSet<usize>,
    cut: BTreeSet<(String, String)>,
    sources: Sources,
    problems: Vec<Problem>,
    masked: Masked,
}

impl Resolution<'_> {
    /// `None` only together with an error.
    fn config(&mut self) -> Option<Config> {
        let file = self.file;
        let mut sockets = BTreeMap::new();
        for (name, socket) in &file.socket {
            if let Some(spec) = self.section("socket", name, |this| this.socket(name, socket)) {
                sockets.insert(spec.name.clone(), spec);
            }
        }
        let mut services = BTreeMap::new();
        for (name, service) in &file.service {
            if let Some(spec) = self.section("service", name, |this| this.service(name, service)) {
                services.insert(spec.name.clone(), spec);
            }
        }
        self.relations(&sockets, &services);
        let mut instance = self.instance(&services)?;
        self.worker_counts(&instance, &services);
        self.hub(&mut instance, &mut sockets, &mut services);
        self.gateway(&instance, &sockets, &mut services);
        let services = services.into_iter().map(|(name, spec)| (name, Arc::new(spec))).collect();
        Some(Config { instance, sockets, services })
    }

    /// Resolves one section. Of a section that something was cut out of, only the readers' problems are told:
    /// others may only follow from these.
    fn section<T>(&mut self, kind: &str, name: &str, resolve: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.problems.len();
        let resolved = resolve(self);
        if self.cut.contains(&(kind.to_owned(), name.to_owned())) {
            self.problems.truncate(before);
        }
        resolved
    }

    fn error(&mut self, span: Option<&Span>, message: impl Into<String>) {
        self.problems.push(Problem::error(span.cloned(), message));
    }

    /// Refuses a number or time outside its range.
    fn demand<T>(&mut self, field: &Field<T>, holds: impl FnOnce(&T) -> bool, message: &str) {
        if let Some(field) = field
            && !holds(&field.value)
        {
            self.error(field.span.as_ref(), message);
        }
    }

    /// A path below the config file's folder.
    fn path(&mut self, text: &Located<String>) -> PathBuf {
        if text.is_empty() || text.contains('\0') {
            self.error(text.span.as_ref(), "a path is not empty and has no NUL byte");
        }
        self.folder.join(&text.value)
    }

    fn name<N>(&mut self, text: &Located<String>, kind: &str, checked: Result<N, NameError>) -> Option<N> {
        checked
            .map_err(|why| {
                let message = format!("{:?} cannot be the name of a {kind}: {why}", text.value);
                self.error(text.span.as_ref(), message);
            })
            .ok()
    }
}

/// The value of a field, or its default.
fn or<T: Clone>(field: &Field<T>, default: T) -> T {
    field.as_ref().map_or(default, |field| field.value.clone())
}

type Sockets = BTreeMap<SocketName, SocketSpec>;
type Services = BTreeMap<ServiceName, ServiceSpec>;
