//! Arguments of `remuda serve`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use remuda_model::Address;

use super::{Adjusting, LogFormat};

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The folder; index.html is its first page.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Where: PORT (for this machine alone), HOST:PORT (0.0.0.0 for others too), unix:PATH,
    /// systemd:NAME, fd:NUMBER.
    #[arg(short, long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = place)]
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

/// An address, as `listen` of a socket has it. But for a port alone, which is one of this machine: a folder is shown to a
/// network by who says so.
fn place(text: &str) -> Result<String, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        let port: Option<u16> = port.parse().ok();
        let port = port.ok_or_else(|| format!("a port is at most {}", u16::MAX))?;
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string());
    }
    match text.parse::<Address>() {
        Ok(Address::Udp(_) | Address::UnixDatagram(_) | Address::UnixSeqpacket(_)) => {
            Err("HTTP is spoken on TCP and on Unix stream sockets".to_owned())
        }
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write 8081, 0.0.0.0:8081, localhost:8081 or unix:/run/web.sock".to_owned()),
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
