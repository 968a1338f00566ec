//! What the commands that speak to the hub take, and `top`.

use std::time::Duration;

use clap::Args;

use super::Printing;
use super::value::{some_time, time};

#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database of the store.
    #[arg(long = "database", value_name = "N", default_value_t = 0)]
    pub(crate) number: u32,
}

#[derive(Debug, Args)]
pub(crate) struct PubArguments {
    /// What it is about; who subscribed to a beginning of it hears it.
    #[arg(value_name = "TOPIC")]
    pub(crate) topic: String,
    /// What to say; `-` reads standard input.
    #[arg(value_name = "PAYLOAD", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(crate) payload: String,
    /// Print how many subscribers heard it.
    #[arg(long)]
    pub(crate) count: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct SubArguments {
    /// Beginnings of topics [default: all topics].
    #[arg(value_name = "PREFIX")]
    pub(crate) prefixes: Vec<String>,
    /// Begin after the message with this number, as far as the hub has kept what came since.
    #[arg(long, value_name = "N")]
    pub(crate) after: Option<u64>,
    /// End after so many messages.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// The key.
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct SetArguments {
    /// The key.
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Its value; `-` reads standard input.
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: String,
    /// It goes by itself after this long: 500ms, 10s, 2h.
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) ttl: Option<Duration>,
    /// Only when there is no such key.
    #[arg(long, conflicts_with = "if_present")]
    pub(crate) if_absent: bool,
    /// Only when there is such a key.
    #[arg(long)]
    pub(crate) if_present: bool,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct DelArguments {
    /// The keys.
    #[arg(value_name = "KEY", required = true)]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct KeysArguments {
    /// Which: `cart:*`, `user:?`, `[ab]*`.
    #[arg(value_name = "PATTERN", default_value = "*")]
    pub(crate) pattern: String,
    /// Show so many at most.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// Beginning of the keys; empty for all.
    #[arg(value_name = "PREFIX")]
    pub(crate) prefix: String,
    /// Begin with the changes after this revision instead of the keys that are there.
    #[arg(long, value_name = "REVISION")]
    pub(crate) from: Option<u64>,
    /// End after so many changes.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) database: Database,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct TopArguments {
    /// Show it anew so often, from 100ms on.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = some_time)]
    pub(crate) every: Duration,
    /// Print one picture and end; rates are those between two looks.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct LockArguments {
    /// The lock.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// A holder that is not heard of for this long has lost it, 100ms to 24h.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = some_time)]
    pub(crate) ttl: Duration,
    /// Wait so long while another has it; 0 is not at all [default: as long as it takes].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) wait: Option<Duration>,
    /// What `remuda locks` shows as its holder [default: this machine and process].
    #[arg(long, value_name = "TEXT")]
    pub(crate) owner: Option<String>,
    #[command(flatten)]
    pub(crate) printing: Printing,
    /// What runs while the lock is held; it finds REMUDA_LOCK_NAME and REMUDA_FENCE in its variables.
    #[arg(value_name = "CMD", required = true, last = true)]
    pub(crate) command: Vec<std::ffi::OsString>,
}
