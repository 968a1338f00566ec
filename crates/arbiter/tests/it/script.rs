//! Scripts: lines in, orders out, compared with a snapshot beside them.
//!
//! | line | meaning |
//! |---|---|
//! | `service web workers=2 …` | adds or changes a service of the config in hand; `remove web`; `exit_with web` |
//! | `boot`, `apply` | gives the config in hand to the machine |
//! | `serve web/0 …`, `serve all` | spawned, running and ready, at once |
//! | `spawned`, `running`, `ready`, `not-spawned`, `setup-failed`, `exited web/0 code=1`, `notify web/0 ping` | a fact |
//! | `hook 1 passed`, `hook 1 failed`, `demand web`, `connections web 3`, `drained web 2`, `due web`, `kill-all` | a fact |
//! | `measured web 3`, `measured web 0 cpu=900 pressure`, `load 5s web 3` (so at each measurement for so long) | a fact |
//! | `hold web 30s`, `release web` | a request |
//! | `start`, `stop`, `restart`, `reload`, `scale web 3`, `signal HUP web`, `shutdown` | a request |
//! | `at 20ms LINE` | the same, then |
//! | `until 3s` | all deadlines up to then |
//! | `view` | the picture |
//!
//! `web/0` is the youngest worker of that slot, `#3` the third worker of all. What a probe does is left out.

mod activation;
mod apply;
mod hold;
mod hook;
mod reload;
mod request;
mod retry;
mod scaling;
mod shutdown;
mod start;
mod steer;
mod worker;

use std::fmt::Write;

use remuda_arbiter::{Arbiter, Input, Order, plan};
use remuda_model::{
    Config, Event, ExitStatus, HookOutcome, NotifyMessage, Reply, Request, RequestId, Signal, SpawnFailure,
    StopScope, Tick, WorkerId, WorkerPhase,
};

use crate::specs::{duration, edit, empty_config, name};

/// Runs a script; what it prints is compared by the caller.
pub(crate) fn run(script: &str) -> String {
    let mut play = Play {
        arbiter: Arbiter::new(1),
        now: Tick(0),
        draft: empty_config(),
        in_force: empty_config(),
        requests: 0,
        printed: String::new(),
    };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        play.line(line);
    }
    play.printed
}

struct Play {
    arbiter: Arbiter,
    now: Tick,
    draft: Config,
    in_force: Config,
    requests: u64,
    printed: String,
}

impl Play {
    fn line(&mut self, line: &str) {
        if let Some((moment, rest)) = line.strip_prefix("at ").and_then(|rest| rest.split_once(' ')) {
            self.wake_until(Tick(0) + duration(moment), false);
            return self.line(rest);
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "service" => edit(&mut self.draft, rest),
            "remove" => drop(self.draft.services.remove(rest)),
            "exit_with" => self.draft.instance.exit_with = Some(name(rest)),
            "until" => self.wake_until(Tick(0) + duration(rest), true),
            "view" => self.view(),
            "load" => self.load(rest),
            "serve" => self.serve(rest),
            _ => {
                let input = self.input(verb, rest);
                self.step(line, input);
            }
        }
    }

    fn wake_until(&mut self, end: Tick, inclusive: bool) {
        while let Some(at) =
            self.arbiter.deadline().filter(|at| if inclusive { *at <= end } else { *at < end })
        {
            self.now = at;
            self.step("woke", Input::Woke);
        }
        self.now = end;
    }

    fn step(&mut self, line: &str, input: Input) {
        self.steps(line, [input]);
    }

    fn steps<const COUNT: usize>(&mut self, line: &str, inputs: [Input; COUNT]) {
        let mut orders = Vec::new();
        for input in inputs {
            self.arbiter.step(self.now, input, &mut orders);
        }
        let _ = writeln!(self.printed, "{}> {line}", self.now);
        self.print_orders(line, &orders);
    }

    /// What one input brought, if it brought anything.
    fn print(&mut self, line: &str, orders: &[Order]) {
        if orders.iter().any(|order| show(order).is_some()) {
            let _ = writeln!(self.printed, "{}> {line}", self.now);
        }
        self.print_orders(line, orders);
    }

    fn print_orders(&mut self, line: &str, orders: &[Order]) {
        for shown in orders.iter().filter_map(show) {
            let _ = writeln!(self.printed, "  {shown}");
        }
        assert_eq!(self.arbiter.faults(), Vec::<String>::new(), "after {line}");
    }

    fn serve(&mut self, rest: &str) {
        let all = rest == "all";
        let workers: Vec<WorkerId> = if all {
            let views = self.arbiter.view(self.now);
            let workers = views.iter().flat_map(|service| &service.workers);
            workers.filter(|worker| worker.phase == WorkerPhase::Spawning).map(|worker| worker.id).collect()
        } else {
            rest.split_whitespace().map(|word| self.worker(word)).collect()
        };
        for worker in workers {
            let line = format!("serve {worker}");
            let facts = [
                Input::Spawned { worker, pid: pid(worker) },
                Input::Running { worker },
                Input::Ready { worker },
            ];
            self.steps(&line, facts);
        }
    }

    /// `web/0` or `#3`.
    fn worker(&self, text: &str) -> WorkerId {
        if let Some(id) = text.strip_prefix('#') {
            return WorkerId(id.parse().unwrap());
        }
        let (service, slot) = text.split_once('/').unwrap();
        let views = self.arbiter.view(self.now);
        let service = views.iter().find(|known| known.name.as_str() == service).unwrap();
        let workers = service.workers.iter().filter(|worker| worker.slot.to_string() == slot);
        workers.map(|worker| worker.id).max().unwrap_or_else(|| panic!("nobody sits in {text}"))
    }

    fn input(&mut self, verb: &str, rest: &str) -> Input {
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "boot" => {
                self.in_force = self.draft.clone();
                Input::Boot(Box::new(self.draft.clone()))
            }
            "apply" => {
                let changes = plan(&self.in_force, &self.draft);
                self.in_force = self.draft.clone();
                self.requests += 1;
                Input::Apply {
                    id: RequestId(self.requests),
                    config: Box::new(self.draft.clone()),
                    plan: changes,
                }
            }
            "spawned" => Input::Spawned { worker: self.worker(first), pid: pid(self.worker(first)) },
            "running" => Input::Running { worker: self.worker(first) },
            "ready" => Input::Ready { worker: self.worker(first) },
            "not-spawned" => Input::NotSpawned { worker: self.worker(first), failure: failure(second) },
            "setup-failed" => Input::SetupFailed { worker: self.worker(first), failure: failure(second) },
            "exited" => Input::Exited { worker: self.worker(first), status: status(second) },
            "notify" => Input::Notify { worker: self.worker(first), message: message(second) },
            "hook" => {
                let failed = HookOutcome::Failed("exit 3".to_owned());
                let outcome = if second == "passed" { HookOutcome::Passed } else { failed };
                Input::HookDone { id: first.parse().unwrap(), outcome }
            }
            "demand" => Input::Demand { service: name(first) },
            "connections" => Input::Connections { service: name(first), count: second.parse().unwrap() },
            "drained" => Input::Drained { service: name(first), slot: second.parse().unwrap() },
            "due" => Input::Due { service: name(first) },
            "measured" => scaling::measured(rest),
            "kill-all" => Input::KillAll,
            _ => {
                self.requests += 1;
                Input::Request { id: RequestId(self.requests), request: request(verb, rest) }
            }
        }
    }

    fn view(&mut self) {
        for service in self.arbiter.view(self.now) {
            let workers: Vec<String> = service
                .workers
                .iter()
                .map(|worker| {
                    format!("{}:{} g{} {}", worker.slot, worker.id, worker.generation, worker.phase)
                })
                .collect();
            let reason = service.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            let _ = writeln!(
                self.printed,
                "{}: {} {}/{} g{}{reason} [{}]",
                service.name,
                service.phase,
                service.workers_ready,
                service.workers_wanted,
                service.generation,
                workers.join(", "),
            );
        }
    }
}

fn pid(worker: WorkerId) -> u32 {
    100 + u32::try_from(worker.0).unwrap()
}

fn failure(how: &str) -> SpawnFailure {
    let detail = "no such file".to_owned();
    SpawnFailure { stage: "program".to_owned(), errno: 2, detail, permanent: how == "permanent" }
}

fn status(text: &str) -> ExitStatus {
    match text.split_once('=') {
        Some(("signal", signal)) => ExitStatus::Signal { signal: signal.parse().unwrap(), core: false },
        Some((_, code)) => ExitStatus::Code(code.parse().unwrap()),
        None => ExitStatus::Code(0),
    }
}

fn message(text: &str) -> NotifyMessage {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    match key {
        "ready" => NotifyMessage::Ready,
        "ping" => NotifyMessage::WatchdogPing,
        "broken" => NotifyMessage::WatchdogTrigger,
        "interval" => NotifyMessage::WatchdogInterval(duration(value)),
        "extend" => NotifyMessage::ExtendTimeout(duration(value)),
        "requests" => NotifyMessage::Requests(value.parse().unwrap()),
        "reset" => NotifyMessage::RestartReset,
        "status" => NotifyMessage::Status(value.to_owned()),
        _ => panic!("no message {text}"),
    }
}

fn request(verb: &str, rest: &str) -> Request {
    let names = || rest.split_whitespace().map(name).collect();
    let targets = |text: &str| text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    match verb {
        "start" => Request::Start(names()),
        "stop" => Request::Stop(names()),
        "restart" => Request::Restart(targets(rest)),
        "reload" => Request::Reload(targets(rest)),
        "scale" => Request::Scale { service: name(first), to: second.parse().unwrap() },
        "hold" => Request::Hold { service: name(first), lasting: duration(second) },
        "release" => Request::Release(name(first)),
        "signal" => {
            let signal: Signal = first.parse().unwrap();
            Request::Signal { targets: targets(second), signal, scope: StopScope::Main }
        }
        "shutdown" => Request::Shutdown,
        _ => panic!("no line begins with {verb}"),
    }
}

fn show(order: &Order) -> Option<String> {
    Some(match order {
        Order::Spawn { worker, slot, generation, workers, spec } => {
            format!(
                "spawn {worker} in {}/{slot} g{generation} of {workers}: {}",
                spec.name,
                spec.command.argv.join(" ")
            )
        }
        Order::Refuse { service } => format!("refuse who comes to {service}"),
        Order::Probe { .. } | Order::StopProbe { .. } => return None,
        Order::Signal { worker, signal, .. } => format!("signal {signal} {worker}"),
        Order::Kill { worker } => format!("kill {worker}"),
        Order::Bury { worker } => format!("bury {worker}"),
        Order::RunHook { call, .. } => match call.worker {
            Some(worker) => format!("hook {} {} {worker}", call.id, call.point),
            None => format!("hook {} {} {}", call.id, call.point, call.service),
        },
        Order::Watch { service } => format!("watch {service}"),
        Order::Unwatch { service } => format!("unwatch {service}"),
        Order::CountConnections { service } => format!("count {service}"),
        Order::Measure { service } => format!("measure {service}"),
        Order::Steer { service, slot, away: true } => format!("steer away from {service}/{slot}"),
        Order::Steer { service, slot, away: false } => format!("steer to {service}/{slot}"),
        Order::Drain { service, slot } => format!("drain {service}/{slot}"),
        Order::Arm { service } => format!("arm {service}"),
        Order::Disarm { service } => format!("disarm {service}"),
        Order::Forget { service } => format!("forget {service}"),
        Order::Tell(event) => tell(event),
        Order::Reply { id, reply } => match reply {
            Reply::Done { lines } => format!("reply {} done: {}", id.0, lines.join("; ")),
            Reply::Failed { lines } => format!("reply {} failed: {}", id.0, lines.join("; ")),
            Reply::Refused(refusal) => format!("reply {} refused: {refusal}", id.0),
        },
        Order::Exit { code } => format!("exit {code}"),
    })
}

fn tell(event: &Event) -> String {
    let who = match (&event.service, event.slot, event.worker) {
        (Some(service), Some(slot), Some(worker)) => format!("{service}/{slot} {worker}"),
        (Some(service), _, _) => service.to_string(),
        (None, _, _) => "instance".to_owned(),
    };
    let what = format!("{:?}", event.kind).replace(", last_lines: []", "");
    format!("~ {who} {what}")
}
