//! `remuda up`: the arbiter, its API and its view, together in this process.

mod detach;

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;

use remuda_config::Style;
use remuda_control::{Access, Api, serve};
use remuda_daemon::{Beginning, Boot, ConfigSource, Daemon, SUCCESSION_VARIABLES, Started, Succession};
use remuda_model::Config;
use remuda_sys::socket::Activation;
use tokio::net::UnixListener;
use tokio::sync::watch;

use crate::arguments::{Global, UpArguments};
use crate::config_file::{self, Adjustments, LoadError};
use crate::dashboard;
use crate::exit::{Exit, Failure, Outcome};
use crate::route::ROUTING;
use crate::screen::Screen;
use crate::terminal::{self, Notes, View};

/// What a service manager says of descriptors it passed; meant for this process alone.
const ACTIVATION_VARIABLES: [&str; 4] = ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// Runs the arbiter until everything is stopped; the exit code is that of the service named by `exit_with`, or 0.
///
/// With a `succession` it goes on where another program was, whatever the config file says by now.
pub(crate) async fn run(
    arguments: UpArguments,
    global: &Global,
    succession: Option<Succession>,
    screen: &mut Screen,
) -> Outcome {
    let source = Source::new(&arguments, global)?;
    run_source(arguments, source, succession, screen).await
}

/// As [`run`], with the config of `source`.
pub(crate) async fn run_source(
    arguments: UpArguments,
    source: Source,
    succession: Option<Succession>,
    screen: &mut Screen,
) -> Outcome {
    let detached = detach::is_detached();
    let goes_on = succession.is_some();
    let environment = config_file::variables();
    let (beginning, activation) = match succession {
        Some(succession) => (Beginning::Succession(Box::new(succession)), Activation::default()),
        None => {
            let config = load(&source, detached, screen)?;
            if arguments.detach && !detached {
                return detach::run(&config, screen).await;
            }
            (Beginning::Config(Box::new(config)), passed(&environment)?)
        }
    };
    let boot = Boot {
        beginning,
        source: source.config_source(),
        environment: for_workers(environment),
        activation,
        seed: RandomState::new().hash_one("remuda"),
    };
    let started = Daemon::start(boot).map_err(|error| {
        let failure = Failure::new(Exit::No, error.to_string());
        match source.elsewhere.filter(|_| error.is_taken()) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    if detached && !goes_on {
        detach::leave()?;
    }
    let format = arguments.log_format;
    let after = (started.handle.events().newest(), started.handle.logs().newest());
    let view = (!detached).then(|| View { format, quiet: arguments.quiet, after, choice: screen.choice() });
    attend(started, view).await
}

fn load(source: &Source, detached: bool, screen: &mut Screen) -> Result<Config, Failure> {
    let read = source.read().map_err(LoadError::into_failure)?;
    if !detached {
        read.remarks(Style::Coloured).iter().for_each(|remark| screen.note(remark));
    }
    Ok(read.loaded.config)
}

/// The descriptors that a service manager passed.
fn passed(environment: &BTreeMap<String, String>) -> Result<Activation, Failure> {
    Activation::from_env(environment, std::process::id()).map_err(|error| {
        Failure::misuse(format!("the descriptors passed by the service manager cannot be used: {error}"))
    })
}

/// The loop with its surfaces around it: they end after it, and have seen its last event.
async fn attend(started: Started, view: Option<View>) -> Outcome {
    let Started { daemon, handle, control } = started;
    let listener = UnixListener::from_std(control)
        .map_err(|error| Failure::new(Exit::No, format!("the control socket cannot be served: {error}")))?;
    let (ended, watched) = watch::channel(None);
    let arbiter = async move {
        let code = Box::pin(daemon.run()).await;
        ended.send_replace(Some(code));
        code
    };
    let over = end(watched.clone());
    let over = async {
        over.await;
    };
    let api = Api::new(handle.clone(), Access::new([]), ROUTING);
    let server = serve(listener, api.clone(), over);
    let notes = Notes::default();
    let dashboard = dashboard::serve(handle.clone(), api, notes.clone(), end(watched.clone()));
    let shown = async {
        if let Some(view) = view {
            terminal::show(view, handle, notes, end(watched)).await;
        }
    };
    let (code, (), (), ()) = tokio::join!(arbiter, server, dashboard, shown);
    Ok(match u8::try_from(code) {
        Ok(0) => Exit::Done,
        Ok(code) => Exit::Worker(code),
        Err(_) => Exit::No,
    })
}

/// The exit code of the arbiter, when it has ended; none when it was dropped.
async fn end(mut ended: watch::Receiver<Option<i32>>) -> Option<i32> {
    ended.wait_for(Option::is_some).await.ok().and_then(|code| *code)
}

/// Where the config comes from, now and whenever it is read anew.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    files: Vec<PathBuf>,
    /// A config that is in no file, and where it would lie.
    made: Option<(String, PathBuf)>,
    /// What is to be done where an address is taken, if that is not said in a file.
    elsewhere: Option<&'static str>,
    adjustments: Adjustments,
}

impl Source {
    fn new(arguments: &UpArguments, global: &Global) -> Result<Self, Failure> {
        // The working directory may be another one by the time the files are read anew.
        let absolute =
            |path: &PathBuf| std::path::absolute(path).map_err(|error| Failure::file("find", path, &error));
        let files = config_file::chosen(&arguments.files, global.config.as_deref())?;
        Ok(Self {
            files: files.iter().map(absolute).collect::<Result<_, _>>()?,
            made: None,
            elsewhere: None,
            adjustments: Adjustments::of(&arguments.adjusting)?,
        })
    }

    /// A config that is in no file: `text`, as if it lay at `path`.
    pub(crate) fn made(text: String, path: PathBuf, arguments: &UpArguments) -> Result<Self, Failure> {
        let adjustments = Adjustments::of(&arguments.adjusting)?;
        Ok(Self { files: Vec::new(), made: Some((text, path)), elsewhere: None, adjustments })
    }

    /// The same, with advice for who finds an address taken.
    pub(crate) fn elsewhere(self, hint: &'static str) -> Self {
        Self { elsewhere: Some(hint), ..self }
    }

    fn read(&self) -> Result<config_file::Read, LoadError> {
        match &self.made {
            Some((text, path)) => config_file::load_made(text, path, &self.adjustments),
            None => config_file::load(&self.files, &self.adjustments),
        }
    }

    fn name(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        if self.made.is_some() { "the command line".to_owned() } else { names.join(" ") }
    }

    fn config_source(&self) -> ConfigSource {
        let source = self.clone();
        ConfigSource::new(self.name(), move || match source.read() {
            Ok(read) => Ok(read.loaded.config),
            Err(LoadError::Report(report)) => Err(report.render(Style::Plain)),
            Err(LoadError::Failure(failure)) => Err(failure.to_string()),
        })
    }
}

fn for_workers(mut environment: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for name in ACTIVATION_VARIABLES.iter().chain(&SUCCESSION_VARIABLES).chain([&detach::VARIABLE]) {
        environment.remove(*name);
    }
    environment
}
