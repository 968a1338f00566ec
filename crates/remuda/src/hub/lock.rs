//! `lock`: a command that runs while a lock is held, and no longer.
//!
//! The command is told its fence; what it writes to should refuse fences below the highest it has seen, since a machine
//! that was asleep learns too late that its lease ended. When the lease is lost the command is ended, by TERM and after a
//! while by KILL.

use std::os::fd::AsFd as _;
use std::time::Duration;

use remuda_config::raw;
use remuda_model::{ExitStatus, Signal, Tick};
use remuda_sys::clock;
use remuda_sys::event::{Signals, wait_readable};
use remuda_sys::process::send_signal;
use remuda_toolkit::Environment;
use remuda_toolkit::client::Hub;
use serde_json::json;

use super::HUB_AWAY;
use super::guarded::Guarded;
use super::lease::{Lease, Standing, Wanted};
use crate::arguments::{Global, LockArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::Screen;

/// What is passed on to the command; while there is none, it ends the wait.
const PASSED_ON: [&str; 6] = ["TERM", "INT", "QUIT", "HUP", "USR1", "USR2"];
/// A command that was told to end, because the lock is lost, is killed after this.
const GRACE: Duration = Duration::from_secs(10);
/// The exit code for a lock that was lost while the command ran, as `timeout` has it for a time that is over.
const LOST: u8 = 124;
/// The longest wait that may be asked for, as the hub has it.
const WAIT_MAX: Duration = Duration::from_hours(24);
/// As shells have it: ended by a signal of this number more.
const SIGNALLED: i32 = 128;

/// Runs the command while the lock is held.
pub(crate) async fn lock(arguments: LockArguments, global: &Global, screen: &mut Screen) -> Outcome {
    if let Some(wait) = arguments.wait.filter(|wait| *wait > WAIT_MAX) {
        let message = format!("{} is longer than a lock can be waited for: 24h at most", words(wait));
        return Err(Failure::new(Exit::Refused, message).hint("without --wait it waits as long as it takes"));
    }
    let own = own_hub(global)?;
    let is_own = own.is_some();
    let hub = match own {
        Some(hub) => hub,
        None => super::find(global, 0).await?,
    };
    // From here on, and in the thread of the lease too: what the command is told it is told by us.
    let signals: Vec<Signal> = PASSED_ON.iter().filter_map(|name| name.parse().ok()).collect();
    let signals = Signals::only(&signals).map_err(failed)?;
    let wanted = Wanted {
        name: arguments.name.clone().into_bytes(),
        owner: arguments.owner.clone().unwrap_or_else(whoever).into_bytes(),
        ttl: arguments.ttl,
        wait: arguments.wait,
    };
    let lease = Lease::begin(&hub, wanted)
        .map_err(|error| Failure::new(Exit::No, format!("cannot start: {error}")))?;
    let outcome = held(&lease, &signals, &arguments, screen);
    let is_unanswered = lease.look(|standing| matches!(standing, Standing::Unanswered(_)));
    lease.end();
    match outcome {
        // The arbiter may know why.
        Err(failure) if is_unanswered && !is_own => match super::find(global, 0).await {
            Err(Failure { hint: Some(hint), message, .. }) => {
                Err(Failure::new(Exit::No, format!("{}: {message}", failure.message)).hint(hint))
            }
            _ => Err(failure),
        },
        outcome => outcome,
    }
}

/// In a worker, unless an instance is named: the hub as the worker finds it, with what its service may do.
fn own_hub(global: &Global) -> Result<Option<Hub>, Failure> {
    let is_worker = std::env::var_os("REMUDA_SERVICE").is_some() && std::env::var_os("REDIS_URL").is_some();
    if !is_worker || global.config.is_some() || global.instance.is_some() {
        return Ok(None);
    }
    let environment = Environment::read().map_err(failed)?;
    Ok(Some(Hub::from_environment(&environment)?))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::No, error.to_string())
}

/// This machine and process.
fn whoever() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}", host.trim(), std::process::id())
}

/// Waits for the lock, then for the command.
fn held(lease: &Lease, signals: &Signals, arguments: &LockArguments, screen: &mut Screen) -> Outcome {
    let name = &arguments.name;
    let mut away: Option<String> = None;
    let fence = loop {
        let (now_away, news) = lease.look(|standing| match standing {
            Standing::Waiting => (None, None),
            Standing::Away(who) => (Some(who.clone()), None),
            Standing::Held { fence, .. } => (None, Some(Ok(*fence))),
            Standing::Taken => {
                (None, Some(Err(Failure::new(Exit::No, format!("another has the lock {name:?}")))))
            }
            Standing::Lost(why) => (None, Some(Err(lost(name, why)))),
            Standing::Unanswered(why) => (away.clone(), Some(Err(unanswered(arguments, why)))),
            Standing::Failed(failure) => (away.clone(), Some(Err(failure.clone()))),
        });
        match (&away, &now_away) {
            (None, Some(who)) => {
                screen.note(&format!("remuda: {who} is away; the lock {name:?} is waited for all the same"));
            }
            (Some(who), None) => {
                screen.note(&format!("remuda: {who} is back; the lock {name:?} is waited for"));
            }
            _ => {}
        }
        away = now_away;
        if let Some(news) = news {
            break news?;
        }
        if let Some(received) = signals.take().map_err(failed)? {
            let number = SIGNALLED + received.signal.number();
            return Ok(Exit::Worker(u8::try_from(number).unwrap_or(u8::MAX)));
        }
        wait_readable([&signals.as_fd(), &lease.bell().as_fd()], None).map_err(failed)?;
    };
    if arguments.printing.json {
        screen.json(&json!({"lock": name, "event": "acquired", "fence": fence}))?;
    }
    let command = Guarded::start(&arguments.command, name, fence)?;
    let (status, why) = attend(lease, signals, &command, screen, name)?;
    let code = match why {
        Some(_) => LOST,
        None => code(status),
    };
    if arguments.printing.json {
        let event = if why.is_some() { "lost" } else { "ended" };
        screen.json(&json!({"lock": name, "event": event, "fence": fence, "exit": code, "why": why}))?;
    }
    Ok(if code == 0 { Exit::Done } else { Exit::Worker(code) })
}

/// Passes signals on until the command has ended, and ends it when the lock is lost: then it says why.
fn attend(
    lease: &Lease,
    signals: &Signals,
    command: &Guarded,
    screen: &mut Screen,
    name: &str,
) -> Result<(ExitStatus, Option<String>), Failure> {
    let process = command.process();
    let tell = |signal: &str| {
        if let Ok(signal) = signal.parse::<Signal>() {
            // One that has ended meanwhile is reaped in a moment.
            let _ = send_signal(process, signal);
        }
    };
    let mut why: Option<String> = None;
    let mut kill_at: Option<Tick> = None;
    loop {
        let now = clock::boottime();
        let until = lease.look(|standing| match standing {
            Standing::Held { until, .. } if *until > now => Ok(*until),
            Standing::Held { .. } => Err("the hub did not answer for as long as the lease lasts".to_owned()),
            Standing::Lost(why) => Err(why.clone()),
            _ => Err("it is not held".to_owned()),
        });
        if let (Err(reason), None) = (&until, &why) {
            screen.note(&format!("remuda: the lock {name:?} is lost: {reason}; the command is told to end"));
            tell("TERM");
            (why, kill_at) = (Some(reason.clone()), Some(now + GRACE));
        }
        if kill_at.is_some_and(|at| at <= now) {
            tell("KILL");
            kill_at = None;
        }
        let next = if why.is_some() { kill_at } else { until.ok() };
        let timeout = next.map(|next| next.since(now));
        let [signalled, _, ended] =
            wait_readable([&signals.as_fd(), &lease.bell().as_fd(), &process], timeout).map_err(failed)?;
        if signalled && let Some(received) = signals.take().map_err(failed)? {
            let _ = send_signal(process, received.signal);
        }
        if ended && let Some(status) = command.ended()? {
            return Ok((status, why));
        }
    }
}

fn lost(name: &str, why: &str) -> Failure {
    Failure::new(Exit::Worker(LOST), format!("the lock {name:?} is lost: {why}"))
}

/// Nobody answered for as long as it was to be waited.
fn unanswered(arguments: &LockArguments, why: &str) -> Failure {
    let within = match arguments.wait.filter(|wait| !wait.is_zero()) {
        Some(wait) => format!(" within {}", words(wait)),
        None => String::new(),
    };
    Failure::new(Exit::No, format!("cannot get the lock {:?}{within}: {why}", arguments.name)).hint(HUB_AWAY)
}

/// As it is written on the command line.
fn words(time: Duration) -> String {
    raw::Duration(time).to_string().replace(' ', "")
}

fn code(status: ExitStatus) -> u8 {
    let number = match status {
        ExitStatus::Code(code) => Some(code),
        ExitStatus::Signal { signal, .. } => Some(SIGNALLED + signal.number()),
        ExitStatus::Unknown => None,
    };
    number.and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX)
}
