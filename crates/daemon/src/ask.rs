//! What surfaces ask: requests, pictures, and a changed config.

use std::sync::Arc;

use remuda_arbiter::{Input, plan};
use remuda_model::view::ServicePhase;
use remuda_model::{Config, Event, EventKind, Plan, Refusal, Reply, Request, view};
use remuda_sys::clock;
use remuda_sys::process::usage;
use tokio::sync::oneshot;

use crate::VERSION;
use crate::daemon::Daemon;
use crate::handle::Command;
use crate::hub;

impl Daemon {
    pub(crate) fn command(&mut self, command: Command) {
        // An asker that has gone away meanwhile loses its answer, nothing else.
        match command {
            Command::Request { request, by, answer } => self.request(request, by, answer),
            Command::Apply { by, answer } => {
                let request = "apply the config".to_owned();
                self.tell(Event::instance(EventKind::Requested { request, by }));
                self.apply_config(Some(answer));
            }
            Command::Upgrade { to, by, answer } => self.upgrade(to, &by, Some(answer)),
            Command::Plan { answer } => {
                let _ = answer.send(self.plan().map(|(_, plan)| plan));
            }
            Command::View { answer } => {
                let _ = answer.send(self.view());
            }
            Command::Config { answer } => {
                let _ = answer.send(Arc::clone(&self.config));
            }
            Command::ReopenLogs { answer } => {
                self.capture.files().reopen();
                let _ = answer.send(());
            }
        }
    }

    fn request(&mut self, request: Request, by: String, answer: oneshot::Sender<Reply>) {
        let told = EventKind::Requested { request: words(&request), by };
        self.tell(Event::instance(told));
        let id = self.new_request(Some(answer));
        self.take(Input::Request { id, request });
    }

    /// The config as it is in its source now, and what differs from the one in force.
    pub(crate) fn plan(&self) -> Result<(Config, Plan), Refusal> {
        let config = self.source.read().map_err(|reason| Refusal::BadConfig { reason })?;
        let plan = plan(&self.config, &config);
        Ok((config, plan))
    }

    /// Reads the config anew and puts it in force, whole or not at all.
    pub(crate) fn apply_config(&mut self, answer: Option<oneshot::Sender<Reply>>) {
        // A manager that has asked for this by a signal waits for both words, whatever comes of it.
        self.manager.reloading();
        match self.try_apply() {
            Ok(Some(input)) => {
                let id = self.new_request(answer);
                self.take(input(id));
            }
            nothing_done => {
                let reply = match nothing_done {
                    Err(refusal) => {
                        self.tell(Event::instance(EventKind::ConfigRefused { reason: refusal.to_string() }));
                        Reply::Refused(refusal)
                    }
                    Ok(_) => Reply::Done { lines: vec!["nothing has changed".to_owned()] },
                };
                if let Some(answer) = answer {
                    // An asker that has gone away loses its answer.
                    let _ = answer.send(reply);
                }
            }
        }
        self.manager.reloaded();
    }

    #[expect(clippy::type_complexity, reason = "a closure that lacks only the request's id")]
    fn try_apply(&mut self) -> Result<Option<Box<dyn FnOnce(remuda_model::RequestId) -> Input>>, Refusal> {
        let (config, plan) = self.plan()?;
        if plan.is_empty() {
            return Ok(None);
        }
        let refused = |reason: String| Refusal::BadConfig { reason };
        for spec in config.services.values() {
            crate::spawner::account(spec)
                .map_err(|failure| refused(format!("service {}: {failure}", spec.name)))?;
        }
        let secret = hub::furnish(&config).map_err(|error| refused(error.to_string()))?;
        let prepared = self.sockets.prepare(&config, &plan).map_err(|error| refused(error.to_string()))?;
        // From here on nothing can fail.
        let watched: Vec<_> = self.watched.keys().cloned().collect();
        watched.iter().for_each(|service| self.unwatch(service));
        let (fresh, gone) = self.sockets.commit(prepared, &config);
        for socket in fresh {
            let (name, address) = (socket.name.clone(), socket.address());
            self.tell(Event::instance(EventKind::SocketBound { socket: name, address }));
        }
        for socket in gone {
            self.tell(Event::instance(EventKind::SocketReleased { socket }));
        }
        self.open_logs(&config);
        self.secret = secret;
        self.config = Arc::new(config.clone());
        self.specs.extend(config.services.clone());
        self.sockets_changed();
        self.policy_changed();
        for service in watched {
            if config.services.get(&service).is_some_and(|spec| spec.on_demand.is_some()) {
                self.perform(remuda_arbiter::Order::Watch { service });
            }
        }
        Ok(Some(Box::new(move |id| Input::Apply { id, config: Box::new(config), plan })))
    }

    pub(crate) fn view(&mut self) -> view::Instance {
        let mut services = self.arbiter.view(clock::boottime());
        for service in &mut services {
            // What it said itself says more than how it ended.
            if matches!(
                service.phase,
                ServicePhase::Failed | ServicePhase::CrashLoop | ServicePhase::Degraded
            ) && let (Some(reason), Some(words)) =
                (&mut service.reason, self.last_words.get(&service.name))
            {
                reason.push_str(&format!(" ({words})"));
            }
            service.next_run_ms = self.schedules.next_ms(&service.name);
            for worker in &mut service.workers {
                let pid = self.children.get(&worker.id).map(|child| child.main_pid());
                // A worker that has just ended has no usage.
                if let Some(usage) = pid.and_then(|pid| usage(pid).ok()) {
                    worker.memory_bytes = Some(usage.rss);
                    worker.cpu_ms = u64::try_from(usage.cpu.as_millis()).ok();
                }
            }
        }
        let dropped = self.capture.files().dropped();
        let sockets = self.sockets.view(&self.config, &self.files);
        self.notice_full_queues(&sockets);
        view::Instance {
            name: self.config.instance.name.clone(),
            version: VERSION.to_owned(),
            pid: std::process::id(),
            uptime_ms: u64::try_from(clock::boottime().since(self.started).as_millis()).unwrap_or(u64::MAX),
            config: self.source.name().to_owned(),
            tracking: self.tracking.words().to_owned(),
            memory_bytes: usage(std::process::id()).map_or(0, |usage| usage.rss),
            stopping: self.arbiter.is_stopping(),
            limits_hit: dropped
                .into_iter()
                .map(|(service, count)| view::LimitHit {
                    limit: format!("log file lines dropped ({service})"),
                    count,
                })
                .collect(),
            hub: self.hub_view(),
            gateways: self.gateway_view(),
            sockets,
            services,
        }
    }

    /// Tells the service manager above us once everything that starts with us has come up or has failed to.
    pub(crate) fn tell_manager(&mut self) {
        for message in self.capture.files().take_troubles() {
            self.trouble(message);
        }
        if self.arbiter.is_stopping() {
            self.manager.stopping();
        } else if self.manager.awaits_ready() && self.arbiter.has_booted() {
            self.manager.ready("running");
        }
    }
}

/// A request in words, for the event stream.
fn words(request: &Request) -> String {
    fn list<T: ToString>(verb: &str, items: &[T]) -> String {
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        format!("{verb} {}", items.join(" "))
    }
    match request {
        Request::Start(names) => list("start", names),
        Request::Stop(names) => list("stop", names),
        Request::Restart(targets) => list("restart", targets),
        Request::Reload(targets) => list("reload", targets),
        Request::Scale { service, to } => format!("scale {service} to {to}"),
        Request::Hold { service, lasting } => format!("hold {service} for {} s", lasting.as_secs_f64()),
        Request::Release(service) => format!("release {service}"),
        Request::Signal { targets, signal, .. } => list(&format!("signal {signal}"), targets),
        Request::Shutdown => "stop everything".to_owned(),
    }
}
