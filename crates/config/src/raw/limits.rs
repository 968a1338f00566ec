//! `[service.NAME.limits]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Field, Limit, Size};

/// Resource limits of each worker: `[service.NAME.limits]`. A limit is a number, a size such as "64KiB",
/// "unlimited", or `{ soft = …, hard = … }`; what is absent is inherited.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `memory.max` of the worker's control group, where one can be had. Default: none.
    pub memory: Field<Size>,
    /// `cpu.max` of the worker's control group, in CPUs: 1.5 is one and a half. Default: none.
    pub cpu: Field<f64>,
    /// `pids.max` of the worker's control group. Default: none.
    pub pids: Field<u64>,
    /// `RLIMIT_NOFILE`: open descriptors.
    pub nofile: Field<Limit>,
    /// `RLIMIT_NPROC`: processes of the user.
    pub nproc: Field<Limit>,
    /// `RLIMIT_CORE`: size of a core dump.
    pub core: Field<Limit>,
    /// `RLIMIT_CPU`: processor time, in seconds.
    pub cpu_time: Field<Limit>,
    /// `RLIMIT_AS`: address space.
    #[serde(rename = "as")]
    pub address_space: Field<Limit>,
    /// `RLIMIT_DATA`: data segment.
    pub data: Field<Limit>,
    /// `RLIMIT_FSIZE`: size of a file it writes.
    pub fsize: Field<Limit>,
    /// `RLIMIT_LOCKS`: file locks; without effect since Linux 2.4.
    pub locks: Field<Limit>,
    /// `RLIMIT_MEMLOCK`: locked memory.
    pub memlock: Field<Limit>,
    /// `RLIMIT_MSGQUEUE`: bytes in POSIX message queues.
    pub msgqueue: Field<Limit>,
    /// `RLIMIT_NICE`: 20 minus the lowest niceness it may give itself.
    pub nice: Field<Limit>,
    /// `RLIMIT_RSS`: resident memory; without effect since Linux 2.4.
    pub rss: Field<Limit>,
    /// `RLIMIT_RTPRIO`: highest real-time priority.
    pub rtprio: Field<Limit>,
    /// `RLIMIT_RTTIME`: microseconds under a real-time policy without blocking.
    pub rttime: Field<Limit>,
    /// `RLIMIT_SIGPENDING`: queued signals.
    pub sigpending: Field<Limit>,
    /// `RLIMIT_STACK`: stack.
    pub stack: Field<Limit>,
}

impl Limits {
    /// The rlimits that are set, by their names as in setrlimit(2) in lower case without `RLIMIT_`.
    #[must_use]
    pub fn resources(&self) -> Vec<(&'static str, &super::Located<Limit>)> {
        let named = [
            ("nofile", &self.nofile),
            ("nproc", &self.nproc),
            ("core", &self.core),
            ("cpu", &self.cpu_time),
            ("as", &self.address_space),
            ("data", &self.data),
            ("fsize", &self.fsize),
            ("locks", &self.locks),
            ("memlock", &self.memlock),
            ("msgqueue", &self.msgqueue),
            ("nice", &self.nice),
            ("rss", &self.rss),
            ("rtprio", &self.rtprio),
            ("rttime", &self.rttime),
            ("sigpending", &self.sigpending),
            ("stack", &self.stack),
        ];
        named.into_iter().filter_map(|(name, limit)| Some((name, limit.as_ref()?))).collect()
    }

    /// The field of the rlimit of that name (as in [`Limits::resources`]).
    pub fn resource_mut(&mut self, name: &str) -> Option<&mut Field<Limit>> {
        Some(match name {
            "nofile" => &mut self.nofile,
            "nproc" => &mut self.nproc,
            "core" => &mut self.core,
            "cpu" => &mut self.cpu_time,
            "as" => &mut self.address_space,
            "data" => &mut self.data,
            "fsize" => &mut self.fsize,
            "locks" => &mut self.locks,
            "memlock" => &mut self.memlock,
            "msgqueue" => &mut self.msgqueue,
            "nice" => &mut self.nice,
            "rss" => &mut self.rss,
            "rtprio" => &mut self.rtprio,
            "rttime" => &mut self.rttime,
            "sigpending" => &mut self.sigpending,
            "stack" => &mut self.stack,
            _ => return None,
        })
    }
}
