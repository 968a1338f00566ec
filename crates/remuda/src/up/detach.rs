//! `remuda up --detach`: another process of ours in a session of its own, watched until it serves.
//!
//! The child says why it cannot start on stderr, a pipe to us, and lets go of it when it has started.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use remuda_control::Client;
use remuda_model::Config;
use remuda_model::view::{Instance, ServicePhase};

use crate::dashboard;
use crate::exit::{Exit, Failure, Outcome};
use crate::instance::CONTROL_SOCKET;
use crate::screen::Screen;

/// Tells the child that it is the one in the background.
pub(super) const VARIABLE: &str = "REMUDA_DETACHED";
/// So much of what a failing child says is passed on, bytes.
const MESSAGE_MAX: u64 = 64 * 1024;

/// Whether this process is the one in the background.
pub(super) fn is_detached() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Cuts the child's last ties to the terminal it was started from.
pub(super) fn leave() -> Result<(), Failure> {
    remuda_sys::terminal::leave()
        .map_err(|error| Failure::new(Exit::No, format!("cannot detach from the terminal: {error}")))
}

/// Starts the child and returns when its services have started, or failed to.
pub(super) async fn run(config: &Config, screen: &mut Screen) -> Outcome {
    let failed =
        |what: &str, error: std::io::Error| Failure::new(Exit::No, format!("cannot {what}: {error}"));
    let program = std::env::current_exe().map_err(|error| failed("find our own program", error))?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(VARIABLE, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed("start in the background", error))?;
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        // Text that is not UTF-8 is no message of ours.
        let _ = stderr.take(MESSAGE_MAX).read_to_string(&mut said);
    }
    match Client::connect(config.instance.runtime_dir.join(CONTROL_SOCKET)).await {
        Ok(client) if said.is_empty() => {
            let exit = settled(&client, child.id(), screen).await?;
            if let Some(line) = dashboard::whereabouts(config).await {
                screen.line(&line)?;
            }
            Ok(exit)
        }
        _ => Err(ended(child, &said)),
    }
}

fn ended(mut child: Child, said: &str) -> Failure {
    let exit = match child.wait().ok().and_then(|status| status.code()) {
        Some(2) => Exit::Misuse,
        Some(3) => Exit::NotRunning,
        Some(4) => Exit::Refused,
        _ => Exit::No,
    };
    match said.trim() {
        "" => Failure::new(exit, "the arbiter ended at once, without a word"),
        // It has its own layout, hints among it.
        said => Failure { laid_out: true, ..Failure::new(exit, said) },
    }
}

async fn settled(client: &Client, pid: u32, screen: &mut Screen) -> Outcome {
    let mut events = client.events(None, true).await?;
    loop {
        let view = client.status().await?;
        let waiting = |phase| matches!(phase, ServicePhase::Waiting | ServicePhase::Starting);
        if !view.services.iter().any(|service| waiting(service.phase)) {
            screen.line(&format!("{} runs in the background (pid {pid})", view.name))?;
            return Ok(told(&view, screen));
        }
        // The end of the stream is the end of the arbiter; asking it for its status then says so.
        let _ = events.next().await?;
    }
}

fn told(view: &Instance, screen: &mut Screen) -> Exit {
    let broken = view.services.iter().filter(|service| {
        matches!(service.phase, ServicePhase::Failed | ServicePhase::CrashLoop | ServicePhase::Degraded)
    });
    let mut exit = Exit::Done;
    for service in broken {
        let reason = service.reason.as_deref().unwrap_or("`remuda logs` may say why");
        screen.note(&format!("{} is {}: {reason}", service.name, service.phase));
        exit = Exit::No;
    }
    exit
}
