//! How workers are reloaded, stopped, retried, woken, scheduled and logged.

use std::time::Duration;

use remuda_model::{
    Backoff, LogFile, OnDemand, Overlap, Reload, ReloadMethod, Schedule, Signal, SocketName, Stop, StopScope,
};

use super::{Resolution, or};
use crate::raw::{self, Located};
use crate::report::Problem;
use crate::schedule;

const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const LOG_MAX_SIZE: u64 = 64 << 20;
const LOG_KEEP: u32 = 5;

impl Resolution<'_> {
    pub(super) fn reload_settings(
        &mut self,
        raw: Option<&Located<raw::Reload>>,
        bake: Duration,
        timeout: Duration,
    ) -> Reload {
        let mut method = ReloadMethod::Replace;
        let mut table = raw::ReloadTable::default();
        match raw.map(|raw| (&raw.value, raw)) {
            None => {}
            Some((raw::Reload::Word(word), raw)) => method = self.reload_word(&raw.with(word.clone())),
            Some((raw::Reload::Table(written), _)) => {
                table = written.clone();
                method = written.signal.as_ref().map_or(method, |signal| ReloadMethod::Signal(signal.value));
            }
        }
        self.demand(&table.surge, |surge| *surge > 0, "a reload needs room for at least one worker more");
        Reload {
            method,
            surge: or(&table.surge, 1),
            canary: or(&table.canary, true),
            bake: table.bake.as_ref().map_or(bake, |bake| bake.0),
            timeout: self.time(&table.timeout, timeout),
        }
    }

    fn reload_word(&mut self, word: &Located<String>) -> ReloadMethod {
        let signal = match word.as_str() {
            "replace" => return ReloadMethod::Replace,
            "hup" => Ok(Signal::HUP),
            other => match other.strip_prefix("signal:") {
                Some(name) => name.parse::<Signal>().map_err(|why| why.to_string()),
                None => Err(format!(
                    "{other:?} is no way to reload; write \"hup\", \"signal:NAME\", \"replace\" or {{ surge = …, timeout = … }}"
                )),
            },
        };
        signal.map(ReloadMethod::Signal).unwrap_or_else(|why| {
            self.error(word.span.as_ref(), why);
            ReloadMethod::Replace
        })
    }

    pub(super) fn stop(&mut self, raw: Option<&Located<raw::Stop>>) -> Stop {
        let default = Stop { signal: Signal::TERM, scope: StopScope::Main, timeout: STOP_TIMEOUT };
        match raw.map(|raw| &raw.value) {
            None => default,
            Some(raw::Stop::Signal(signal)) => Stop { signal: *signal, ..default },
            Some(raw::Stop::Table(table)) => Stop {
                signal: or(&table.signal, default.signal),
                scope: or(&table.scope, default.scope),
                // Zero means to kill at once.
                timeout: table.timeout.as_ref().map_or(default.timeout, |timeout| timeout.0),
            },
        }
    }

    pub(super) fn backoff(&mut self, raw: Option<&Located<raw::Backoff>>) -> Backoff {
        let table = raw.map(|raw| raw.value.clone()).unwrap_or_default();
        let base = self.time(&table.base, Duration::from_millis(100));
        let cap = self.time(&table.cap, Duration::from_secs(60).max(base));
        let least = |count: &u32| *count > 0;
        self.demand(
            &table.cap,
            |cap| cap.0 >= base,
            "the longest delay is shorter than the one to begin with",
        );
        self.demand(&table.crash_loop_after, least, "it takes at least one failure");
        self.demand(&table.give_up_after, least, "it takes at least one failure");
        Backoff {
            base,
            cap,
            healthy_after: table.healthy_after.as_ref().map_or(Duration::from_secs(10), |time| time.0),
            crash_loop_after: or(&table.crash_loop_after, 10),
            give_up_after: table.give_up_after.as_ref().map(|count| count.value),
        }
    }

    pub(super) fn on_demand(&mut self, raw: &raw::Service, sockets: &[SocketName]) -> Option<OnDemand> {
        let written = raw.on_demand.as_ref()?;
        let idle = match &written.value {
            raw::OnDemand::Flag(false) => return None,
            raw::OnDemand::Flag(true) => None,
            raw::OnDemand::Table(table) => self.optional_time(&table.idle),
        };
        if sockets.is_empty() {
            let problem =
                Problem::error(written.span.clone(), "nothing can demand this service: it has no sockets");
            self.problems.push(problem.hint("a connection on one of its `sockets` starts it"));
        }
        if let Some(schedule) = &raw.schedule {
            let problem =
                Problem::error(written.span.clone(), "a service starts on demand or by a schedule, not both");
            self.problems.push(problem.related(schedule.span.clone(), "the schedule"));
        }
        Some(OnDemand { idle })
    }

    pub(super) fn schedule(&mut self, raw: Option<&Located<raw::Schedule>>) -> Option<Schedule> {
        let written = raw?;
        let table = match &written.value {
            raw::Schedule::Cron(cron) => {
                raw::ScheduleTable { cron: Some(written.with(cron.clone())), ..raw::ScheduleTable::default() }
            }
            raw::Schedule::Table(table) => table.clone(),
        };
        let Some(cron) = &table.cron else {
            let problem = Problem::error(written.span.clone(), "the schedule has no `cron`");
            self.problems.push(problem.hint("write when it is due: cron = \"0 3 * * *\""));
            return None;
        };
        let schedule = Schedule {
            cron: cron.value.clone(),
            timezone: table.timezone.as_ref().map(|zone| zone.value.clone()),
            overlap: or(&table.overlap, Overlap::Skip),
        };
        let expression = Schedule { timezone: None, ..schedule.clone() };
        if let Err(why) = schedule::check(&expression) {
            self.error(cron.span.as_ref(), why.to_string());
        } else if let Err(why) = schedule::check(&schedule) {
            self.error(table.timezone.as_ref().and_then(|zone| zone.span.as_ref()), why.to_string());
        }
        Some(schedule)
    }

    pub(super) fn log(&mut self, raw: Option<&Located<raw::Log>>) -> Option<LogFile> {
        let written = raw?;
        let table = match &written.value {
            raw::Log::File(file) => {
                raw::LogTable { file: Some(written.with(file.clone())), ..raw::LogTable::default() }
            }
            raw::Log::Table(table) => table.clone(),
        };
        let Some(file) = &table.file else {
            self.error(written.span.as_ref(), "the log has no `file`");
            return None;
        };
        let path = self.path(file);
        let max_size = table.max_size.as_ref().map_or(LOG_MAX_SIZE, |size| size.0);
        Some(LogFile { path, max_size, keep: or(&table.keep, LOG_KEEP) })
    }
}
