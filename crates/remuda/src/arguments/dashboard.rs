//! `dashboard`.

use clap::{Args, Subcommand, ValueEnum};

use super::Printing;

#[derive(Debug, Args)]
pub(crate) struct DashboardArguments {
    #[command(subcommand)]
    pub(crate) command: DashboardCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DashboardCommand {
    /// Print the address of the dashboard
    Url(Printing),
    /// Make a token, in the place of the one there was, and print the address with it
    Token(TokenArguments),
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// What who has it may do.
    #[arg(long, value_name = "ROLE", default_value = "operate")]
    pub(crate) role: DashboardRole,
    #[command(flatten)]
    pub(crate) printing: Printing,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DashboardRole {
    /// Look.
    View,
    /// Look, and do what the command line can.
    Operate,
}
