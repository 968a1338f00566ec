//! What `remuda herd` takes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use remuda_model::{HerdName, NodeName};
use remuda_trust::Address;

use super::Printing;
use super::value::time;

#[derive(Debug, Args)]
pub(crate) struct HerdArguments {
    #[command(subcommand)]
    pub(crate) command: HerdCommand,
    /// The hub's state folder, in which this node's keys are [default: as the config says].
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HerdCommand {
    /// Begin a herd: make its authority, and this server its first node
    Init(InitHerdArguments),
    /// Print an invitation, with which another server joins
    Invite(InviteArguments),
    /// Make this server a node, by an invitation
    Join(JoinArguments),
    /// Renew this node's certificate
    Renew(RenewArguments),
    /// Remove a node: no other one speaks with it any more
    Remove(RemoveArguments),
    /// Make the authority's successor, then forget the old one
    Rotate(RotateArguments),
    /// Show who this node is, and how long its certificate lasts; exit 1 when it has expired
    Status(Printing),
    /// List the nodes that this one knows
    Nodes(Printing),
    /// Compare the shared keys of all servers; exit 1 when some differ, or a server cannot be asked
    Check(Printing),
}

#[derive(Debug, Args)]
pub(crate) struct InitHerdArguments {
    /// The herd's name [default: the instance's].
    #[arg(long, value_name = "HERD")]
    pub(crate) name: Option<HerdName>,
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct NodeArguments {
    /// This node's name [default: the machine's].
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<NodeName>,
    /// Where others reach this node: HOST:PORT; may be repeated.
    #[arg(long = "address", value_name = "ADDRESS")]
    pub(crate) addresses: Vec<Address>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The invitation is one line on standard output. Who has it can join: carry it like a password, \
                        as in\n  remuda herd invite | ssh other remuda herd join -"
)]
pub(crate) struct InviteArguments {
    /// How long it is good: 10s to 7d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    pub(crate) ttl: Duration,
    /// How many nodes may join with it, at most 1000.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) uses: u32,
    /// Let who joins have the authority's key, to invite and renew others; it must ask for it with --signer.
    #[arg(long)]
    pub(crate) signer: bool,
    /// Where this node is to be reached: HOST:PORT; may be repeated [default: as `init` or `join` was told].
    #[arg(long = "address", value_name = "ADDRESS")]
    pub(crate) addresses: Vec<Address>,
    /// Wait here for those who join, until all have or it has expired; for when no hub listens for them.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Arguments of a process can be read by every user of the machine: give the invitation on standard \
                        input, as in\n  remuda herd join - < invitation"
)]
pub(crate) struct JoinArguments {
    /// The invitation; `-` reads standard input.
    #[arg(value_name = "TOKEN", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) token: Option<String>,
    /// Read the invitation from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    /// Take the authority's key too, which the invitation must offer.
    #[arg(long)]
    pub(crate) signer: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct RenewArguments {
    /// Ask the signer at this address [default: a signer signs itself, others ask those they know].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<Address>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArguments {
    /// Its name, or its number as `remuda herd nodes` shows it.
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArguments {
    /// Believe the new authority only; after all nodes have been renewed.
    #[arg(long)]
    pub(crate) finish: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
}
