//! Services slot by slot.

use jiff::tz::TimeZone;
use remuda_model::view::{Instance, Service};

use super::{overview, phase_style, remarks, worker_style};
use crate::quantity::{age, size};
use crate::screen::{BOLD, DIM, paint};
use crate::table::{Cell, Column, Table};
use crate::visible::visible;

/// Each service with its workers, and the sockets they share.
pub(super) fn render(view: &Instance, width: usize, zone: &TimeZone) -> String {
    let mut parts: Vec<String> = view.services.iter().map(|service| one(service, width, zone)).collect();
    if !view.sockets.is_empty() {
        parts.push(overview::sockets(&view.sockets, true, width));
    }
    parts.extend(view.hub.as_ref().map(|hub| overview::endpoints(hub, width)));
    parts.join("\n")
}

fn one(service: &Service, width: usize, zone: &TimeZone) -> String {
    let phase = paint(phase_style(service.phase), &service.phase.to_string());
    let wanted = if service.wanted { "" } else { ", not wanted" };
    let mut text = format!(
        "{}  {phase}{wanted}, {} of {} ready, generation {}, {} failures\n",
        paint(BOLD, service.name.as_str()),
        service.workers_ready,
        service.workers_wanted,
        service.generation,
        service.failures_total
    );
    for remark in remarks(service, zone) {
        text.push_str(&format!("  {}\n", paint(DIM, &remark)));
    }
    if !service.workers.is_empty() {
        text.push_str(&workers(service, width));
    }
    text
}

fn workers(service: &Service, width: usize) -> String {
    let mut table = Table::new(&[
        Column { title: "SLOT", right: true, dispensable: 0 },
        Column { title: "PID", right: true, dispensable: 0 },
        Column { title: "PHASE", right: false, dispensable: 0 },
        Column { title: "GEN", right: true, dispensable: 2 },
        Column { title: "AGE", right: true, dispensable: 1 },
        Column { title: "MEMORY", right: true, dispensable: 3 },
        Column { title: "CPU", right: true, dispensable: 4 },
        Column { title: "REQUESTS", right: true, dispensable: 5 },
        Column { title: "SAYS", right: false, dispensable: 6 },
    ]);
    for worker in &service.workers {
        table.row(vec![
            worker.slot.to_string().into(),
            Cell::maybe(worker.pid.map(|pid| pid.to_string())),
            Cell::styled(worker.phase.to_string(), worker_style(worker.phase)),
            worker.generation.to_string().into(),
            age(worker.age_ms).into(),
            Cell::maybe(worker.memory_bytes.map(size)),
            Cell::maybe(worker.cpu_ms.map(age)),
            Cell::maybe(worker.requests.map(|requests| requests.to_string())),
            Cell::maybe(
                worker
                    .status
                    .as_deref()
                    .map(|status| anstream::adapter::strip_str(&visible(status)).to_string()),
            ),
        ]);
    }
    table.render(width)
}
