//! What one run does, as the script that starts it writes it.
//!
//! Everything has a limit here, so that a plan with a slip in it ends with a message and not with the machine.

use std::path::PathBuf;

use serde::Deserialize;

use crate::dialect::Dialect;
use crate::failure::LoadError;

/// Sockets of one run; two and a half times what the largest measurement wants.
const SUBSCRIBERS_MAX: usize = 5_000;
/// The largest payload; a batch of the publisher holds at least one message.
const PAYLOAD_MAX_BYTES: usize = 64 * 1024;
/// A payload starts with its sequence number.
const PAYLOAD_MIN_BYTES: usize = 8;
/// The longest phase of any work.
const PHASE_MAX_MS: u64 = 60_000;
/// Bounds the latencies kept for one run: at most a million messages of a second.
const PER_SECOND_MAX: u64 = 1_000_000;

/// One run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The protocol, and with ZeroMQ the type of the publishing socket.
    pub(crate) dialect: Dialect,
    /// Where the publisher connects: `HOST:PORT`, or the path of a Unix socket.
    pub(crate) publish: String,
    /// Where the subscribers connect.
    pub(crate) subscribe: String,
    /// The network namespace from which the publisher connects, as a path; absent: this program's own.
    #[serde(default)]
    pub(crate) publish_from: Option<PathBuf>,
    /// The same for the subscribers, and for what comes after them if `publish_from` is absent.
    #[serde(default)]
    pub(crate) subscribe_from: Option<PathBuf>,
    /// User and password, for Redis' AUTH.
    #[serde(default)]
    pub(crate) login: Option<(String, String)>,
    /// How many subscribers, up to 5,000.
    pub(crate) subscribers: usize,
    /// Bytes of a payload, 8 to 65,536; the topic comes on top.
    pub(crate) payload_bytes: usize,
    /// Processes whose time on a processor is counted.
    #[serde(default)]
    pub(crate) servers: Vec<u32>,
    /// What to do when everybody is connected.
    pub(crate) work: Work,
}

/// What to do with the connections.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Work {
    /// As many messages as go through.
    Saturate(Saturation),
    /// Messages at fixed times.
    Pace(Pace),
    /// As many messages as can be sent, to one subscriber that reads slowly and others that do not.
    Flood(Flood),
    /// Nothing: connections are held until stdin ends.
    Idle,
    /// Redis only: subscribers of a pattern read what somebody else causes, until stdin ends.
    Watch {
        /// What they subscribe to.
        pattern: String,
    },
}

/// Saturation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saturation {
    /// Messages sent and not yet read by every subscriber; none: only TCP holds the publisher.
    pub(crate) window: Option<u64>,
    /// Time before the measurement.
    pub(crate) warm_up_ms: u64,
    /// Time measured.
    pub(crate) measure_ms: u64,
}

/// A fixed rate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pace {
    /// Messages a second.
    pub(crate) per_second: u64,
    /// Time before the measurement.
    pub(crate) warm_up_ms: u64,
    /// Time measured.
    pub(crate) measure_ms: u64,
}

/// A flood.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flood {
    /// How long is published.
    pub(crate) blast_ms: u64,
    /// What the last of the subscribers reads in that time.
    pub(crate) slow_bytes_per_ms: usize,
    /// How long it may take afterwards, reading at full speed, to get what is left.
    pub(crate) drain_ms: u64,
}

impl Plan {
    /// Reads a plan and holds it against the limits.
    pub(crate) fn parse(text: &str) -> Result<Self, LoadError> {
        let plan: Self = serde_json::from_str(text).map_err(LoadError::Plan)?;
        within("subscribers", plan.subscribers, 1, SUBSCRIBERS_MAX)?;
        within("payload_bytes", plan.payload_bytes, PAYLOAD_MIN_BYTES, PAYLOAD_MAX_BYTES)?;
        match &plan.work {
            Work::Saturate(work) => {
                within("window", work.window.unwrap_or(1), 1, u64::from(u32::MAX))?;
                within("warm_up_ms", work.warm_up_ms, 0, PHASE_MAX_MS)?;
                within("measure_ms", work.measure_ms, 1, PHASE_MAX_MS)?;
            }
            Work::Pace(work) => {
                within("per_second", work.per_second, 1, PER_SECOND_MAX)?;
                within("warm_up_ms", work.warm_up_ms, 0, PHASE_MAX_MS)?;
                within("measure_ms", work.measure_ms, 1, PHASE_MAX_MS)?;
            }
            Work::Flood(work) => {
                within("blast_ms", work.blast_ms, 1, PHASE_MAX_MS)?;
                within("slow_bytes_per_ms", work.slow_bytes_per_ms, 1, 1 << 30)?;
                within("drain_ms", work.drain_ms, 1, PHASE_MAX_MS)?;
            }
            Work::Idle | Work::Watch { .. } => {}
        }
        Ok(plan)
    }
}

fn within<N: PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: N,
    least: N,
    most: N,
) -> Result<(), LoadError> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(LoadError::OutOfBounds { key, value: value.to_string(), bounds: format!("{least} to {most}") })
}
