//! What the commands take that change something.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use remuda_model::{ServiceName, Signal, StopScope, Target};

use super::Answering;
use super::value::{Scaling, scaling, scope, some_time};

#[derive(Debug, Args)]
pub(crate) struct ActArguments {
    /// Services (web); restart and reload also take slots (web.2).
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(crate) targets: Vec<Target>,
    /// All services.
    #[arg(long, conflicts_with = "targets")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) answering: Answering,
}

#[derive(Debug, Args)]
pub(crate) struct ScaleArguments {
    /// web=4 for four, web=+1 for one more, web=-1 for one less.
    #[arg(value_name = "NAME=N", required = true, value_parser = scaling)]
    pub(crate) scalings: Vec<Scaling>,
    #[command(flatten)]
    pub(crate) answering: Answering,
}

#[derive(Debug, Args)]
pub(crate) struct HoldArguments {
    /// The service; it needs a socket, in whose queue connections wait.
    #[arg(value_name = "NAME")]
    pub(crate) service: ServiceName,
    /// It starts again by itself after this long: 30s, 2m; at most 10m.
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = some_time)]
    pub(crate) lasting: Duration,
    #[command(flatten)]
    pub(crate) answering: Answering,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArguments {
    /// The service.
    #[arg(value_name = "NAME")]
    pub(crate) service: ServiceName,
    #[command(flatten)]
    pub(crate) answering: Answering,
}

#[derive(Debug, Args)]
pub(crate) struct SignalArguments {
    /// HUP, USR1, 10, RTMIN+1.
    pub(crate) signal: Signal,
    /// Services (web) or slots (web.2).
    #[arg(value_name = "NAME", required = true)]
    pub(crate) targets: Vec<Target>,
    /// To which of a worker's processes.
    #[arg(long, value_name = "SCOPE", default_value = "main", value_parser = scope)]
    pub(crate) scope: StopScope,
    #[command(flatten)]
    pub(crate) answering: Answering,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// Only show what would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) answering: Answering,
}

#[derive(Debug, Args)]
pub(crate) struct UpgradeArguments {
    /// The executable that goes on [default: the file that the arbiter was started from].
    #[arg(long, value_name = "BINARY")]
    pub(crate) to: Option<PathBuf>,
    /// The outcome as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
