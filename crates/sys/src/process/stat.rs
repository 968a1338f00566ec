//! `/proc/PID/stat` and its neighbours.

use std::fs;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};

use crate::CallError;

/// Longest command line shown, in bytes.
const COMMAND_LIMIT_BYTES: usize = 4096;

/// The fields of `/proc/PID/stat` this crate uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) command: String,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    pub(crate) cpu_ticks: u64,
    pub(crate) threads: u32,
    pub(crate) start_ticks: u64,
    pub(crate) resident_pages: u64,
}

/// What a process costs at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time so far, in user and kernel mode, without children.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub rss: u64,
    /// Threads.
    pub threads: u32,
    /// Open descriptors; `None` when we may not look.
    pub descriptors: Option<u32>,
}

/// Parses a line of `/proc/PID/stat`; the command stands in parentheses and may itself contain any character.
pub(crate) fn parse(line: &str) -> Option<Stat> {
    let (head, tail) = line.rsplit_once(')')?;
    let (_, command) = head.split_once('(')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    // proc_pid_stat(5) counts from 1 and the state, first after the parenthesis, is field 3.
    let field = |number: usize| fields.get(number - 3).copied();
    let number = |at: usize| field(at)?.parse::<u64>().ok();
    // A group or session outside our pid namespace is 0, the kernel's own is -1.
    let id = |at: usize| field(at)?.parse::<i64>().ok().map(|id| u32::try_from(id).unwrap_or(0));
    Some(Stat {
        command: command.to_owned(),
        state: field(3)?.chars().next()?,
        parent: id(4)?,
        group: id(5)?,
        session: id(6)?,
        cpu_ticks: number(14)?.saturating_add(number(15)?),
        threads: id(20)?,
        start_ticks: number(22)?,
        resident_pages: number(24)?,
    })
}

/// The present state of `pid`; `None` when there is no such process.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&String::from_utf8_lossy(&line))
}

fn stat_or_error(pid: u32) -> Result<Stat, CallError> {
    stat(pid).ok_or_else(|| CallError::new(format!("look at process {pid}"), rustix::io::Errno::SRCH))
}

/// When `pid` started, in clock ticks since boot: with the pid it names a process for good.
///
/// # Errors
/// `ESRCH`: no such process.
pub fn start_time(pid: u32) -> Result<u64, CallError> {
    stat_or_error(pid).map(|stat| stat.start_ticks)
}

/// What `pid` costs.
///
/// # Errors
/// `ESRCH`: no such process.
pub fn usage(pid: u32) -> Result<Usage, CallError> {
    let stat = stat_or_error(pid)?;
    let ticks_per_second = clock_ticks_per_second().max(1);
    let milliseconds = stat.cpu_ticks.saturating_mul(1000) / ticks_per_second;
    // Since Linux 6.2 the size of the folder is the number of descriptors, which spares listing it.
    let counted = || fs::read_dir(format!("/proc/{pid}/fd")).ok().map(Iterator::count);
    let shown = fs::metadata(format!("/proc/{pid}/fd"))
        .ok()
        .map(|folder| std::os::unix::fs::MetadataExt::size(&folder));
    let descriptors = match shown {
        Some(0) => counted().and_then(|count| u32::try_from(count).ok()),
        Some(count) => u32::try_from(count).ok(),
        None => None,
    };
    Ok(Usage {
        cpu: Duration::from_millis(milliseconds),
        rss: stat.resident_pages.saturating_mul(u64::try_from(page_size()).unwrap_or(4096)),
        threads: stat.threads,
        descriptors,
    })
}

/// The command line of `pid`, arguments separated by spaces, at most 4096 bytes; the program's short name for
/// processes without one.
///
/// # Errors
/// `ESRCH`: no such process.
pub fn command_line(pid: u32) -> Result<String, CallError> {
    let mut content = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    content.truncate(COMMAND_LIMIT_BYTES);
    let text = String::from_utf8_lossy(&content).replace('\0', " ").trim().to_owned();
    if text.is_empty() { stat_or_error(pid).map(|stat| stat.command) } else { Ok(text) }
}

#[cfg(test)]
mod tests;
