//! The command line.

mod act;
mod dashboard;
mod herd;
mod hub;
mod route;
mod serve;
mod value;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use remuda_daemon::Stream;
use remuda_model::{ServiceName, Target};

pub(crate) use act::{
    ActArguments, ApplyArguments, HoldArguments, ReleaseArguments, ScaleArguments, SignalArguments,
    UpgradeArguments,
};
pub(crate) use dashboard::{DashboardArguments, DashboardCommand, DashboardRole};
pub(crate) use herd::{
    HerdArguments, HerdCommand, InitHerdArguments, InviteArguments, JoinArguments, RemoveArguments,
    RenewArguments, RotateArguments,
};
pub(crate) use hub::{
    DelArguments, GetArguments, KeysArguments, LockArguments, PubArguments, SetArguments, SubArguments,
    TopArguments, WatchArguments,
};
pub(crate) use route::{RouteArguments, RouteCommand, RouteListArguments, RouteTestArguments};
pub(crate) use serve::ServeArguments;
pub(crate) use value::Scaling;
use value::{formation, stream};

/// Binds your sockets once and keeps your workers running on them.
#[derive(Debug, Parser)]
#[command(
    name = "remuda",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 the answer is no, 2 misuse or bad config, 3 no arbiter runs, 4 refused, \
                        101 a bug of remuda."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of all commands.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The config file [default: ./remuda.toml].
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The running instance to speak to, by name.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) instance: Option<String>,
    /// Colours in the output; NO_COLOR is honoured by auto.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// When there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the arbiter and its workers, in the foreground
    Up(UpArguments),
    /// Serve the files of a folder
    Serve(ServeArguments),
    /// Stop everything and end the arbiter
    Down(Answering),
    /// Show services, workers and sockets
    Status(StatusArguments),
    /// Watch services and the hub at work
    Top(TopArguments),
    /// Open the page for browsers to people
    Dashboard(DashboardArguments),
    /// Print figures of services and queues for a monitor (text format of Prometheus)
    Metrics,
    /// Show what workers write
    Logs(LogsArguments),
    /// Show what happened
    Events(EventsArguments),
    /// Start services
    Start(ActArguments),
    /// Stop services
    Stop(ActArguments),
    /// Stop, then start; sockets stay open
    Restart(ActArguments),
    /// Put new workers in the place of old ones, without a gap
    Reload(ActArguments),
    /// Change the number of workers: web=4, web=+1
    Scale(ScaleArguments),
    /// Let new connections wait while the workers of a service are gone
    Hold(HoldArguments),
    /// Start a held service again
    Release(ReleaseArguments),
    /// Send a signal to workers
    Signal(SignalArguments),
    /// Read the config file anew and apply what changed
    Apply(ApplyArguments),
    /// Go on with another build of remuda; workers and connections do not notice
    Upgrade(UpgradeArguments),
    /// Publish a message on the hub's bus
    Pub(PubArguments),
    /// Print messages of the hub's bus as they come
    Sub(SubArguments),
    /// Print the value of a key of the hub's store
    Get(GetArguments),
    /// Set a key of the hub's store
    Set(SetArguments),
    /// Delete keys of the hub's store
    Del(DelArguments),
    /// List keys of the hub's store
    Keys(KeysArguments),
    /// Print keys of the hub's store, then every change of them
    Watch(WatchArguments),
    /// Show the other servers of the herd, and the links with them
    Peers(Printing),
    /// Make this server a node of a herd, invite others, remove them
    Herd(HerdArguments),
    /// Run a command while a lock of the hub is held, on one of all who ask for it at a time
    Lock(LockArguments),
    /// List the locks that are held
    Locks(Printing),
    /// Check a config file; show what it means and would change
    Check(CheckArguments),
    /// Show the gateway's routes, and which one a request takes
    Route(RouteArguments),
    /// Print the JSON Schema of remuda.toml
    Schema,
    /// Propose a remuda.toml for this folder
    Init(InitArguments),
    /// Rewrite a file of another system as remuda.toml
    Import(ImportArguments),
    /// Print completions for a shell
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Look for what in this system would get in the way
    Doctor(Printing),
    /// Be a worker that is built in (internal: the arbiter starts it)
    #[command(hide = true)]
    Worker(WorkerArguments),
    /// Print the document of the control API
    #[command(hide = true)]
    Openapi,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArguments {
    /// Which.
    #[arg(value_name = "KIND")]
    pub(crate) kind: BuiltIn,
}

/// What is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BuiltIn {
    /// Bus and store.
    Hub,
    /// The web.
    Gateway,
}

#[derive(Debug, Args)]
pub(crate) struct Printing {
    /// Print JSON, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Answering {
    /// Return at once instead of when it is done.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Print the answer as JSON, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// remuda.toml, circus.ini, Procfile or systemd units [default: ./remuda.toml].
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Run in the background; return when all is ready.
    #[arg(short, long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) adjusting: Adjusting,
    /// Show no lines of workers.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How lines and events are shown.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// Options that change what the config says: `up` runs what `check` with the same ones shows.
#[derive(Debug, Args)]
pub(crate) struct Adjusting {
    /// Write the arbiter's pid here.
    #[arg(long, value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Instances of a systemd template unit.
    #[arg(long, value_name = "N")]
    pub(crate) instances: Option<u32>,
    /// Workers of a service, instead of what the file says; may be repeated.
    #[arg(long, value_name = "NAME=N", value_parser = formation, value_delimiter = ',')]
    pub(crate) workers: Vec<(ServiceName, u32)>,
}

/// How lines and events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// A JSON document a line, for programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Show the slots of these services [default: all services in short].
    #[arg(value_name = "NAME")]
    pub(crate) services: Vec<ServiceName>,
    /// Show it again every second.
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArguments {
    /// Lines of these services or one slot [default: all].
    #[arg(value_name = "NAME")]
    pub(crate) targets: Vec<Target>,
    /// The same as a NAME.
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<Target>,
    /// Go on with what comes.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Not older than this: 10m, 2h, 2026-01-02T15:04:05Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Only this output.
    #[arg(long, value_name = "NAME", value_parser = stream)]
    pub(crate) stream: Option<Stream>,
    /// Begin with so many lines [default: 100; all with --since].
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<usize>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    /// Go on with what comes.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only events after this number.
    #[arg(long, value_name = "N")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The file [default: that of --config, or ./remuda.toml].
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) adjusting: Adjusting,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Write remuda.toml instead of printing it.
    #[arg(long)]
    pub(crate) write: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// circus.ini, Procfile or systemd units.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write to this file, which must not exist, instead of printing.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Instances of a systemd template unit.
    #[arg(long, value_name = "N")]
    pub(crate) instances: Option<u32>,
}

impl Arguments {
    /// Those of this process. What is wrong with them is said, and ends it.
    pub(crate) fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            // The message repeats what was given: a terminal is not to obey that.
            let shown = std::env::args_os().map(|argument| without_controls(&argument.to_string_lossy()));
            Self::try_parse_from(shown).err().unwrap_or(error).exit()
        })
    }
}

/// Control characters as they are written in a string.
fn without_controls(text: &str) -> String {
    let plain =
        |sign: char| if sign.is_control() { sign.escape_default().to_string() } else { sign.to_string() };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests;
