//! `remuda status`: what runs, in a table one can read; `remuda metrics`: the same for a monitor.

mod detail;
mod overview;

use std::time::Duration;

use anstyle::Style;
use jiff::tz::TimeZone;
use remuda_model::hub::HUB;
use remuda_model::view::{Instance, Service, ServicePhase, Worker};
use remuda_model::{Load, Refusal, ServiceName, WorkerPhase};
use tokio::time::MissedTickBehavior;

use crate::arguments::{Global, StatusArguments};
use crate::exit::{Exit, Outcome};
use crate::instance;
use crate::quantity::age;
use crate::screen::{BAD, DIM, GOOD, NOTICE, Screen};

/// With `--watch` the picture is this old at most.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Clears a terminal from its upper left corner.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Shows the status. The answer is no (exit 1) when a service failed or cannot boot.
pub(crate) async fn run(arguments: StatusArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut view = client.status().await?;
        select(&mut view, &arguments.services)?;
        if arguments.printing.json {
            screen.json(&view)?;
        } else {
            let text = render(&view, !arguments.services.is_empty(), screen.width(), &TimeZone::system());
            let clear = if arguments.watch && screen.out_is_terminal() { CLEAR } else { "" };
            screen.text(&format!("{clear}{text}"))?;
        }
        if !arguments.watch {
            return Ok(answer(&view));
        }
    }
}

/// metrics.
pub(crate) async fn metrics(global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    screen.text(&client.metrics().await?)?;
    Ok(Exit::Done)
}

/// Whether all is as it should be, as an exit code.
fn answer(view: &Instance) -> Exit {
    let broken = |service: &Service| matches!(service.phase, ServicePhase::Failed | ServicePhase::CrashLoop);
    if view.services.iter().any(broken) { Exit::No } else { Exit::Done }
}

fn select(view: &mut Instance, services: &[ServiceName]) -> Result<(), Refusal> {
    if services.is_empty() {
        return Ok(());
    }
    for name in services {
        if !view.services.iter().any(|service| service.name == *name) {
            return Err(crate::nearest::no_such_service(view, name.as_str()));
        }
    }
    view.services.retain(|service| services.contains(&service.name));
    if !services.iter().any(|name| name.as_str() == HUB) {
        view.hub = None;
    }
    view.sockets.retain(|socket| socket.services.iter().any(|service| services.contains(service)));
    Ok(())
}

/// The picture as text, at most `width` columns wide where possible.
pub(crate) fn render(view: &Instance, in_detail: bool, width: usize, zone: &TimeZone) -> String {
    let body =
        if in_detail { detail::render(view, width, zone) } else { overview::render(view, width, zone) };
    format!("{}\n{body}", overview::heading(view))
}

pub(crate) fn phase_style(phase: ServicePhase) -> Style {
    match phase {
        ServicePhase::Running | ServicePhase::Done => GOOD,
        ServicePhase::Stopped | ServicePhase::Idle | ServicePhase::Scheduled => DIM,
        ServicePhase::Waiting
        | ServicePhase::Starting
        | ServicePhase::Degraded
        | ServicePhase::Reloading
        | ServicePhase::Held
        | ServicePhase::Stopping => NOTICE,
        ServicePhase::CrashLoop | ServicePhase::Failed => BAD,
    }
}

pub(crate) fn worker_style(phase: WorkerPhase) -> Style {
    match phase {
        WorkerPhase::Ready => GOOD,
        WorkerPhase::Preparing
        | WorkerPhase::Spawning
        | WorkerPhase::Starting
        | WorkerPhase::Draining
        | WorkerPhase::Stopping => NOTICE,
        WorkerPhase::Killing | WorkerPhase::Ended => BAD,
    }
}

/// The sum of what is known; nothing when nothing is.
fn sum(workers: &[Worker], of: impl Fn(&Worker) -> Option<u64>) -> Option<u64> {
    workers.iter().filter_map(of).reduce(u64::saturating_add)
}

/// Why a service is not as it should be, a line each.
fn remarks(service: &Service, zone: &TimeZone) -> Vec<String> {
    let mut remarks: Vec<String> =
        service.reason.iter().flat_map(|reason| reason.lines()).map(str::to_owned).collect();
    if let Some(progress) = service.reload {
        remarks.push(format!("{} of {} replaced", progress.done, progress.total));
    }
    if let Some(bounds) = service.scaling {
        let on = match bounds.on {
            Load::Backlog => "backlog",
            Load::Cpu => "processor time",
        };
        remarks.push(format!("between {} and {} workers, by {on}", bounds.min, bounds.max));
    }
    if let Some(left) = service.held_for_ms {
        remarks.push(format!("held for another {}; who comes waits in the queue", age(left)));
    }
    if let Some(next) = service.next_run_ms {
        remarks.push(format!("next run {}", crate::quantity::date_and_time(next, zone)));
    }
    remarks.extend(service.backoffs.iter().map(|pause| {
        let failures = pause.failures;
        match pause.retry_in_ms {
            Some(delay) => {
                format!("slot {} is tried again in {} ({failures} failures in a row)", pause.slot, age(delay))
            }
            None => {
                format!("slot {} is held until another one boots ({failures} failures in a row)", pause.slot)
            }
        }
    }));
    remarks
}

#[cfg(test)]
mod tests;
