//! Arguments of `remuda serve`.

use std::path::PathBuf;

use clap::Args;

use super::{Adjusting, LogFormat};

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The folder; index.html is its first page.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Where: HOST:PORT, unix:PATH, systemd:NAME.
    #[arg(short, long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Workers, each with a thread of its own.
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) workers: u32,
    /// List folders that have no index.html.
    #[arg(long)]
    pub(crate) list: bool,
    /// Send this page where there is no file, for applications that look at the address by themselves: /index.html.
    #[arg(long, value_name = "PATH", value_parser = page)]
    pub(crate) fallback: Option<String>,
    /// Run in the background; return when all is ready.
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Show no lines of workers.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How lines and events are shown.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

impl ServeArguments {
    /// Nothing of a config is changed that was made as it should be.
    pub(crate) fn adjusting() -> Adjusting {
        Adjusting { pid_file: None, instances: None, workers: Vec::new() }
    }
}

/// A path in the folder; what would be a placeholder in a command line is none.
fn page(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("it begins with a slash, as the path of an address: /index.html".to_owned());
    }
    if text.contains(['$', '{', '(']) {
        return Err("it has a character that has a meaning in command lines: $ { (".to_owned());
    }
    Ok(text.to_owned())
}
