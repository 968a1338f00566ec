//! `[service.NAME]`, put together from its parts.

use std::time::Duration;

use remuda_model::hub::HUB;
use remuda_model::{
    Identity, Kind, NotifyAccess, Readiness, Recycle, Reload, Restart, ServiceName, ServiceSpec, Session,
    SocketName,
};

use super::{Resolution, or};
use crate::nearest::nearest;
use crate::raw::{self, Field, Located};
use crate::report::Problem;

const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// What TOML can write.
pub(super) const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();
const JITTER_PERCENT: u32 = 20;

impl Resolution<'_> {
    /// `None` only when its name is wrong.
    pub(super) fn service(&mut self, name: &Located<String>, raw: &raw::Service) -> Option<ServiceSpec> {
        let checked = self.name(name, "service", ServiceName::new(name));
        let as_command = super::gateway::is_gateway(raw).then(|| self.gateway_service(name, raw));
        let raw = as_command.as_ref().unwrap_or(raw);
        let sockets = self.inherited(name, raw);
        let command = self.service_command(name, raw, &sockets);
        let stdin = self.stdin(raw.stdin.as_ref());
        let ready = self.readiness(raw.ready.as_ref(), &sockets);
        let ready_timeout = self.time(&raw.ready_timeout, READY_TIMEOUT);
        let reload = self.reload(raw.reload.as_ref(), &ready, ready_timeout);
        let oneshot = self.oneshot(raw);
        let (workers, scaling) = self.workers(raw);
        self.ranges(raw);
        let spec = ServiceSpec {
            name: checked.clone()?,
            // What is built in gets its kind when everything else is known.
            kind: Kind::Command,
            command,
            stdin,
            workers,
            scaling,
            singleton: or(&raw.singleton, false),
            oneshot,
            autostart: or(&raw.autostart, true),
            after: self.after(name, raw),
            priority: or(&raw.priority, 0),
            ready,
            ready_timeout,
            notify_access: or(&raw.notify_access, NotifyAccess::All),
            watchdog: self.optional_time(&raw.watchdog),
            reload,
            stop: self.stop(raw.stop.as_ref()),
            restart: self.restart(raw, oneshot),
            success_codes: raw
                .success_codes
                .iter()
                .flat_map(|codes| codes.iter().map(|code| code.value))
                .collect(),
            backoff: self.backoff(raw.backoff.as_ref()),
            on_demand: self.on_demand(raw, &sockets),
            schedule: self.schedule(raw.schedule.as_ref()),
            recycle: self.recycle(raw),
            environment: self.environment(&checked?, raw, &sockets),
            identity: identity(raw),
            directory: match &raw.directory {
                Some(text) => self.path(text),
                None => self.folder.clone(),
            },
            limits: self.resources(raw.limits.as_ref()),
            cgroup: self.cgroup(raw.limits.as_ref()),
            nice: or(&raw.nice, 0),
            oom_score_adjust: raw.oom_score_adjust.as_ref().map(|adjust| adjust.value),
            no_new_privileges: or(&raw.no_new_privileges, false),
            session: or(&raw.session, Session::New),
            fd_store: or(&raw.fd_store, 0),
            hub: self.uses_hub(raw),
            log: self.log(raw.log.as_ref()),
            hooks: self.hooks(raw.hooks.as_ref(), &sockets),
            sockets,
        };
        Some(spec)
    }

    /// The sockets of a service, as far as they are names; whether they exist is told here too.
    fn inherited(&mut self, service: &str, raw: &raw::Service) -> Vec<SocketName> {
        let mut sockets: Vec<SocketName> = Vec::new();
        for text in raw.sockets.iter().flat_map(|list| &list.value) {
            if self.known_socket(text).is_some_and(|name| {
                let twice = sockets.contains(&name);
                sockets.push(name);
                twice
            }) {
                let message = format!("service.{service} lists the socket {} twice", text.value);
                self.error(text.span.as_ref(), message);
            }
        }
        sockets
    }

    /// A socket of the file.
    pub(super) fn known_socket(&mut self, text: &Located<String>) -> Option<SocketName> {
        let name = SocketName::new(text).ok();
        if !self.file.socket.contains_key(text.as_str()) {
            let nearest = nearest(text, self.file.socket.keys().map(|name| name.as_str()));
            let problem =
                Problem::error(text.span.clone(), format!("there is no socket named {:?}", text.value));
            self.problems.push(problem.nearest(nearest));
        }
        name
    }

    fn after(&mut self, service: &str, raw: &raw::Service) -> Vec<ServiceName> {
        let listed = raw.after.iter().flat_map(|list| &list.value);
        let mut after: Vec<ServiceName> = listed.filter_map(|text| self.known_service(text)).collect();
        // Who may use the hub finds it serving.
        let uses_hub = self.has_hub() && or(&raw.hub, true) && service != HUB;
        if uses_hub && !after.iter().any(|name| name.as_str() == HUB) {
            after.extend(ServiceName::new(HUB).ok());
        }
        after
    }

    /// A service of the file.
    pub(super) fn known_service(&mut self, text: &Located<String>) -> Option<ServiceName> {
        let name = ServiceName::new(text).ok();
        let is_hub = self.has_hub() && text.as_str() == HUB;
        if !is_hub && !self.file.service.contains_key(text.as_str()) {
            let nearest = nearest(text, self.file.service.keys().map(|name| name.as_str()));
            let problem =
                Problem::error(text.span.clone(), format!("there is no service named {:?}", text.value));
            self.problems.push(problem.nearest(nearest));
        }
        name
    }

    fn oneshot(&mut self, raw: &raw::Service) -> bool {
        if let (Some(oneshot), Some(schedule)) = (&raw.oneshot, &raw.schedule)
            && !oneshot.value
        {
            let problem = Problem::error(
                oneshot.span.clone(),
                "a service with a schedule is oneshot: each run has an end",
            );
            self.problems.push(problem.related(schedule.span.clone(), "the schedule"));
        }
        or(&raw.oneshot, false) || raw.schedule.is_some()
    }

    fn restart(&mut self, raw: &raw::Service, oneshot: bool) -> Restart {
        let default = if oneshot { Restart::OnFailure } else { Restart::Always };
        let restart = or(&raw.restart, default);
        if oneshot && restart == Restart::Always {
            let span = raw.restart.as_ref().and_then(|restart| restart.span.clone());
            let problem = Problem::error(span, "a oneshot service that is always restarted is never done");
            self.problems.push(problem.hint("write restart = \"on-failure\", or leave oneshot out"));
        }
        restart
    }

    fn recycle(&mut self, raw: &raw::Service) -> Recycle {
        let writable = |count: &u64| (1..=NUMBER_MAX).contains(count);
        self.demand(&raw.max_requests, writable, "a worker serves at least one request, and at most 2^63-1");
        Recycle {
            max_age: self.optional_time(&raw.max_age),
            max_requests: raw.max_requests.as_ref().map(|count| count.value),
            jitter_percent: raw.recycle_jitter.as_ref().map_or(JITTER_PERCENT, |jitter| jitter.0),
        }
    }

    fn ranges(&mut self, raw: &raw::Service) {
        self.demand(&raw.nice, |nice| (-20..=19).contains(nice), "niceness is a number from -20 to 19");
        let adjust = |adjust: &i32| (-1000..=1000).contains(adjust);
        self.demand(
            &raw.oom_score_adjust,
            adjust,
            "an adjustment of the OOM score is a number from -1000 to 1000",
        );
        self.demand(&raw.umask, |mask| mask.0 <= 0o777, "a mask has three octal digits: \"022\"");
    }

    /// A time that must not be zero.
    pub(super) fn time(&mut self, field: &Field<raw::Duration>, default: Duration) -> Duration {
        self.optional_time(field).unwrap_or(default)
    }

    /// A time that must not be zero, without a default.
    pub(super) fn optional_time(&mut self, field: &Field<raw::Duration>) -> Option<Duration> {
        self.demand(field, |time| !time.0.is_zero(), "this time must be longer than zero");
        field.as_ref().map(|time| time.0)
    }

    fn reload(
        &mut self,
        raw: Option<&Located<raw::Reload>>,
        ready: &Readiness,
        ready_timeout: Duration,
    ) -> Reload {
        let bake = if *ready == Readiness::Started { Duration::from_secs(1) } else { Duration::ZERO };
        self.reload_settings(raw, bake, ready_timeout)
    }
}

fn identity(raw: &raw::Service) -> Identity {
    Identity {
        user: raw.user.as_ref().map(|user| user.0.clone()),
        group: raw.group.as_ref().map(|group| group.0.clone()),
        groups: raw.groups.as_ref().map(|groups| groups.iter().map(|group| group.0.clone()).collect()),
        umask: raw.umask.as_ref().map(|mask| mask.0),
    }
}
