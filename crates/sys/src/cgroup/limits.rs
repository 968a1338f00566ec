//! Limits of a group.

use std::path::Path;

use remuda_model::CgroupLimits;

use crate::{errno, files};

/// Controllers that limits use.
pub(super) const CONTROLLERS: [&str; 3] = ["memory", "cpu", "pids"];

/// `cpu.max` is written as a share of this period, in microseconds: the kernel's default.
const CPU_PERIOD_USEC: f64 = 100_000.0;

/// A limit that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{limit} cannot be limited to {value}: {reason}")]
pub struct LimitRefusal {
    /// `memory`, `cpu` or `pids`.
    pub limit: &'static str,
    /// What was wanted, as the kernel would have read it.
    pub value: String,
    /// Why not.
    pub reason: String,
}

pub(super) fn apply(path: &Path, limits: &CgroupLimits) -> Vec<LimitRefusal> {
    let wanted = [
        ("memory", "memory.max", limits.memory.map(|bytes| bytes.to_string())),
        ("cpu", "cpu.max", limits.cpu.map(quota)),
        ("pids", "pids.max", limits.pids.map(|count| count.to_string())),
    ];
    let mut refused = Vec::new();
    for (limit, file, value) in wanted {
        let Some(value) = value else { continue };
        if let Err(error) = files::write(&path.join(file), value.as_bytes()) {
            let reason = match error.errno {
                libc::ENOENT => format!("the {limit} controller is not available in this cgroup"),
                number => errno::describe(number),
            };
            refused.push(LimitRefusal { limit, value, reason });
        }
    }
    if limits.memory.is_some() && refused.iter().all(|refusal| refusal.limit != "memory") {
        // A worker that lost one process to the limit must not live on as half of itself. Kernels before 4.19 lack
        // the file; there it may.
        drop(files::write(&path.join("memory.oom.group"), b"1"));
    }
    refused
}

/// At least one millisecond per period: the kernel takes no less.
fn quota(cpus: f64) -> String {
    format!("{:.0} {CPU_PERIOD_USEC:.0}", (cpus * CPU_PERIOD_USEC).max(1000.0))
}

#[cfg(test)]
mod tests;
