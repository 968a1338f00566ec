//! Arguments of `remuda route`.

use clap::{Args, Subcommand};
use remuda_control::RouteQuestion;

use super::Printing;

#[derive(Debug, Args)]
pub(crate) struct RouteArguments {
    #[command(subcommand)]
    pub(crate) command: RouteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Show all routes, in the order of the file
    List(RouteListArguments),
    /// Show which route a request takes, and why not the others
    Test(RouteTestArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RouteListArguments {
    #[command(flatten)]
    pub(crate) printing: Printing,
}

#[derive(Debug, Args)]
pub(crate) struct RouteTestArguments {
    /// Its method and URL; GET where there is only a URL: `POST https://shop.example/cart?x=1`, or `/cart`.
    #[arg(value_name = "METHOD URL", num_args = 1..=2, required = true)]
    pub(crate) request: Vec<String>,
    /// A header, NAME: VALUE; may be given several times.
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = RouteQuestion::header)]
    pub(crate) headers: Vec<(String, String)>,
    /// The host, where the URL has none.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) host: String,
    /// The client's address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) from: std::net::IpAddr,
    /// The socket it comes in on [default: the first of the first gateway].
    #[arg(long, value_name = "NAME")]
    pub(crate) socket: Option<String>,
    #[command(flatten)]
    pub(crate) printing: Printing,
}
