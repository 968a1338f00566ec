//! A simulated world: it carries out orders late, badly or not at all, in virtual time, and watches the machine.

mod chance;
mod properties;
mod successor;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_model::{
    Config, ExitStatus, HookOutcome, HookPoint, NotifyMessage, RequestId, ServiceName, Signal, SpawnFailure,
    Tick, WorkerId,
};

use chance::Chance;

/// How often things go wrong, percent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    spawn_fails: u64,
    setup_fails: u64,
    permanent: u64,
    never_ready: u64,
    ignores_term: u64,
    ignores_kill: u64,
    crashes: u64,
    hook_fails: u64,
    echoes: u64,
}

impl Weather {
    pub(crate) const CALM: Self = Self {
        spawn_fails: 0,
        setup_fails: 0,
        permanent: 0,
        never_ready: 0,
        ignores_term: 0,
        ignores_kill: 0,
        crashes: 0,
        hook_fails: 0,
        echoes: 0,
    };

    pub(crate) const ROUGH: Self = Self {
        spawn_fails: 10,
        setup_fails: 10,
        permanent: 15,
        never_ready: 10,
        ignores_term: 25,
        ignores_kill: 10,
        crashes: 40,
        hook_fails: 15,
        echoes: 10,
    };
}

/// One process of the world, by what the machine was told of it.
#[derive(Debug, Clone)]
struct Process {
    service: ServiceName,
    singleton: bool,
    oneshot: bool,
    watchdog: bool,
    /// It has a socket.
    listens: bool,
    /// The machine was told of it.
    told: bool,
    /// The machine was told that it runs.
    running: bool,
    /// No process was made.
    missing: bool,
    exited: bool,
    buried: bool,
    /// A fact of its end is under way.
    ending: bool,
}

impl Process {
    fn lives(&self) -> bool {
        !self.missing && !self.exited
    }
}

pub(crate) struct World {
    pub(crate) arbiter: Arbiter,
    pub(crate) now: Tick,
    pub(crate) weather: Weather,
    chance: Chance,
    facts: BTreeMap<(Tick, u64), Input>,
    sequence: u64,
    processes: BTreeMap<WorkerId, Process>,
    /// Services that the config in force makes singletons.
    singletons: BTreeSet<ServiceName>,
    armed: BTreeSet<ServiceName>,
    /// Slots that the shell was told to give connections to.
    served: BTreeSet<(ServiceName, u32)>,
    asked: BTreeSet<RequestId>,
    answered: BTreeSet<RequestId>,
    pub(crate) stopped_by_operator: BTreeSet<ServiceName>,
    /// When the number of workers of a service last changed.
    scaled: BTreeMap<ServiceName, Tick>,
    pub(crate) exits: Vec<i32>,
    pub(crate) history: Vec<String>,
    next_request: u64,
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather, config: Config) -> Self {
        let mut world = Self {
            arbiter: Arbiter::new(seed),
            now: Tick(1000),
            weather,
            chance: Chance::new(seed),
            facts: BTreeMap::new(),
            sequence: 0,
            processes: BTreeMap::new(),
            singletons: BTreeSet::new(),
            armed: BTreeSet::new(),
            served: BTreeSet::new(),
            asked: BTreeSet::new(),
            answered: BTreeSet::new(),
            stopped_by_operator: BTreeSet::new(),
            scaled: BTreeMap::new(),
            exits: Vec::new(),
            history: Vec::new(),
            next_request: 1,
        };
        world.step(Input::Boot(Box::new(config)));
        world
    }

    pub(crate) fn request_id(&mut self) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.asked.insert(id);
        id
    }

    pub(crate) fn unanswered(&self) -> Vec<RequestId> {
        self.asked.difference(&self.answered).copied().collect()
    }

    pub(crate) fn living(&self) -> usize {
        self.processes.values().filter(|process| process.lives()).count()
    }

    /// One fact, all that the machine does about it, and all that must hold then.
    pub(crate) fn step(&mut self, input: Input) {
        self.note_fact(&input);
        let before = self.arbiter.view(self.now);
        let mut orders = Vec::new();
        let line = format!("{} {input:?}", self.now);
        self.history.push(if line.len() > 400 { line.chars().take(400).collect() } else { line });
        self.arbiter.step(self.now, input, &mut orders);
        self.history.extend(
            orders
                .iter()
                .filter(|order| !matches!(order, Order::Spawn { .. }))
                .map(|order| format!("    {order:?}")),
        );
        for order in &orders {
            self.perform(order);
        }
        self.watch(&before, &orders);
        self.watch_pace(&orders);
    }

    /// What happens until `end`.
    pub(crate) fn live_until(&mut self, end: Tick) {
        for _ in 0..200_000 {
            let fact = self.facts.keys().next().map(|(at, _)| *at);
            let next = [fact, self.arbiter.deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            let input = match fact {
                Some(at) if at <= next => self.facts.pop_first().map_or(Input::Woke, |(_, input)| input),
                _ => Input::Woke,
            };
            let echo = self.chance.percent(self.weather.echoes).then(|| input.clone());
            if self.still_true(&input) {
                self.keep_pinging(&input);
                self.step(input);
            }
            if let Some(echo) = echo.filter(echoes) {
                self.step(echo);
            }
        }
        panic!("the world does not come to {end}: too much happens");
    }

    /// A worker that serves pings its watchdog, well within its time.
    fn keep_pinging(&mut self, input: &Input) {
        let worker = match input {
            Input::Running { worker } => *worker,
            Input::Notify { worker, message: NotifyMessage::WatchdogPing } => *worker,
            _ => return,
        };
        let watched = self.processes.get(&worker).is_some_and(|process| process.watchdog);
        if watched && !self.chance.percent(self.weather.never_ready) {
            self.later(5_000, Input::Notify { worker, message: NotifyMessage::WatchdogPing });
        }
    }

    /// A fact is let in at most `most` milliseconds from now.
    fn later(&mut self, most: u64, input: Input) {
        let at = Tick(self.now.0 + self.chance.up_to(most));
        self.sequence += 1;
        self.facts.insert((at, self.sequence), input);
    }

    /// Facts about a process that ended meanwhile do not happen.
    fn still_true(&self, input: &Input) -> bool {
        let alive = |id: &WorkerId| self.processes.get(id).is_none_or(|process| process.lives());
        match input {
            Input::Spawned { worker, .. }
            | Input::Running { worker }
            | Input::Ready { worker }
            | Input::SetupFailed { worker, .. }
            | Input::Notify { worker, .. }
            | Input::Exited { worker, .. } => alive(worker),
            Input::NotSpawned { .. } | Input::Boot(_) | Input::Request { .. } | Input::Apply { .. } => true,
            Input::MainPid { .. }
            | Input::HookDone { .. }
            | Input::Demand { .. }
            | Input::Drained { .. }
            | Input::Measured { .. }
            | Input::Connections { .. } => true,
            Input::Due { service } => self.armed.contains(service),
            Input::Woke | Input::KillAll | Input::Resumed => true,
        }
    }

    fn note_fact(&mut self, input: &Input) {
        match input {
            Input::Spawned { worker, .. } => {
                if let Some(process) = self.processes.get_mut(worker) {
                    process.told = true;
                }
            }
            Input::Running { worker } | Input::Ready { worker } => {
                if let Some(process) = self.processes.get_mut(worker) {
                    process.running = true;
                }
            }
            Input::NotSpawned { worker, .. } => {
                if let Some(process) = self.processes.get_mut(worker) {
                    process.missing = true;
                }
            }
            Input::Exited { worker, .. } => {
                if let Some(process) = self.processes.get_mut(worker) {
                    process.exited = true;
                }
            }
            Input::Due { service } => {
                self.armed.remove(service);
            }
            Input::Boot(config) | Input::Apply { config, .. } => {
                let singletons = config.services.values().filter(|spec| spec.singleton);
                self.singletons = singletons.map(|spec| spec.name.clone()).collect();
            }
            _ => {}
        }
    }

    fn perform(&mut self, order: &Order) {
        match order {
            Order::Spawn { worker, spec, .. } => {
                let known = self.processes.insert(
                    *worker,
                    Process {
                        service: spec.name.clone(),
                        singleton: spec.singleton,
                        oneshot: spec.oneshot,
                        watchdog: spec.watchdog.is_some(),
                        listens: !spec.sockets.is_empty(),
                        told: false,
                        running: false,
                        missing: false,
                        exited: false,
                        buried: false,
                        ending: false,
                    },
                );
                assert!(known.is_none(), "{worker} is spawned twice");
                self.spawn(*worker);
            }
            Order::Probe { worker } => {
                if !self.chance.percent(self.weather.never_ready) {
                    self.later(300, Input::Ready { worker: *worker });
                }
            }
            Order::Signal { worker, signal, .. } => self.signal(*worker, *signal),
            Order::Kill { worker } => {
                self.assert_reachable(*worker, "killed");
                if !self.chance.percent(self.weather.ignores_kill) {
                    self.end(*worker, 50, ExitStatus::Signal { signal: Signal::KILL, core: false });
                }
            }
            Order::Bury { worker } => self.bury(*worker),
            Order::RunHook { call, .. } => {
                let fails = self.chance.percent(self.weather.hook_fails);
                let late = if self.chance.percent(self.weather.hook_fails) { 10_000 } else { 100 };
                let outcome =
                    if fails { HookOutcome::Failed("exit 1".to_owned()) } else { HookOutcome::Passed };
                if let (Some(worker), HookPoint::AfterSpawn) = (call.worker, call.point) {
                    assert!(self.processes.contains_key(&worker), "after_spawn of {worker}, which never was");
                }
                self.later(late, Input::HookDone { id: call.id, outcome });
            }
            Order::Watch { service } => {
                if self.chance.percent(30) {
                    self.later(5_000, Input::Demand { service: service.clone() });
                }
            }
            Order::CountConnections { service } => {
                let count = u32::from(self.chance.percent(30));
                self.later(20, Input::Connections { service: service.clone(), count });
            }
            Order::Measure { service } => self.measure(service),
            Order::Steer { service, slot, away } => self.steer(service, *slot, *away),
            Order::Drain { service, slot } => self.drain(service, *slot),
            Order::Arm { service } => {
                self.armed.insert(service.clone());
                self.later(20_000, Input::Due { service: service.clone() });
            }
            Order::Disarm { service } | Order::Forget { service } => {
                self.armed.remove(service);
            }
            Order::Reply { id, .. } => {
                assert!(self.asked.contains(id), "{id:?} was never asked");
                assert!(self.answered.insert(*id), "{id:?} is answered twice");
            }
            Order::Exit { code } => self.exits.push(*code),
            Order::StopProbe { .. } | Order::Unwatch { .. } | Order::Refuse { .. } | Order::Tell(_) => {}
        }
    }

    /// Fair weather has no load; in foul weather it comes and goes, and some answers are lost.
    fn measure(&mut self, service: &ServiceName) {
        if self.chance.percent(self.weather.never_ready) {
            return;
        }
        let rough = self.weather.crashes > 0;
        let backlog = if rough { self.chance.up_to(3).try_into().unwrap() } else { 0 };
        let cpu_permille = if rough { self.chance.up_to(1_200).try_into().unwrap() } else { 0 };
        let pressure = self.chance.percent(self.weather.hook_fails);
        self.later(20, Input::Measured { service: service.clone(), backlog, cpu_permille, pressure });
    }

    fn drain(&mut self, service: &ServiceName, slot: u32) {
        let served = self.served.contains(&(service.clone(), slot));
        assert!(!served, "{service}.{slot} is drained while it gets more");
        if !self.chance.percent(self.weather.never_ready) {
            self.later(1_500, Input::Drained { service: service.clone(), slot });
        }
    }

    fn steer(&mut self, service: &ServiceName, slot: u32, away: bool) {
        let place = (service.clone(), slot);
        let changed = if away { self.served.remove(&place) } else { self.served.insert(place) };
        assert!(changed, "{service}.{slot} is steered as it was");
    }

    fn spawn(&mut self, worker: WorkerId) {
        let permanent = self.chance.percent(self.weather.permanent);
        let failure = SpawnFailure {
            stage: "program".to_owned(),
            errno: 2,
            detail: "no such file".to_owned(),
            permanent,
        };
        if self.chance.percent(self.weather.spawn_fails) {
            self.later(30, Input::NotSpawned { worker, failure });
            return;
        }
        let pid = 1000 + u32::try_from(worker.0).unwrap();
        self.later(0, Input::Spawned { worker, pid });
        if self.chance.percent(self.weather.setup_fails) {
            self.later(0, Input::SetupFailed { worker, failure });
            self.end(worker, 20, ExitStatus::Code(127));
            return;
        }
        self.later(30, Input::Running { worker });
        // A word of the worker itself, which may overtake the news that it runs.
        if self.chance.percent(20) && self.weather.never_ready > 0 {
            self.later(60, Input::Ready { worker });
        }
        let oneshot = self.processes.get(&worker).is_some_and(|process| process.oneshot);
        if self.chance.percent(self.weather.crashes) {
            let code = i32::from(self.chance.percent(70));
            let most = if self.chance.percent(50) { 200 } else { 30_000 };
            self.end(worker, most, ExitStatus::Code(code));
        } else if oneshot {
            self.end(worker, 2_000, ExitStatus::Code(0));
        }
    }

    fn signal(&mut self, worker: WorkerId, signal: Signal) {
        self.assert_reachable(worker, "signalled");
        let ends = signal == Signal::TERM || signal == Signal::ABRT;
        if ends && !self.chance.percent(self.weather.ignores_term) {
            self.end(worker, 2_000, ExitStatus::Code(0));
        }
    }

    fn end(&mut self, worker: WorkerId, most: u64, status: ExitStatus) {
        if let Some(process) = self.processes.get_mut(&worker) {
            process.ending = true;
            self.later(most, Input::Exited { worker, status });
        }
    }

    fn bury(&mut self, worker: WorkerId) {
        let process =
            self.processes.get_mut(&worker).unwrap_or_else(|| panic!("{worker} is buried, never spawned"));
        assert!(process.exited, "{worker} is buried alive");
        assert!(!process.buried, "{worker} is buried twice");
        process.buried = true;
    }

    fn assert_reachable(&self, worker: WorkerId, how: &str) {
        let process =
            self.processes.get(&worker).unwrap_or_else(|| panic!("{worker} is {how}, never spawned"));
        assert!(!process.buried, "{worker} is {how} after its burial");
        assert!(!process.missing, "{worker} is {how} and never had a process");
    }
}

/// Facts that may reach the machine twice.
fn echoes(input: &Input) -> bool {
    match input {
        Input::Boot(_) | Input::Request { .. } | Input::Apply { .. } => false,
        Input::KillAll | Input::Resumed => false,
        // A second demand, count or time of day is a new fact.
        Input::Demand { .. } | Input::Connections { .. } | Input::Measured { .. } => false,
        Input::Due { .. } | Input::Woke => false,
        Input::Spawned { .. }
        | Input::Running { .. }
        | Input::Drained { .. }
        | Input::NotSpawned { .. }
        | Input::SetupFailed { .. } => true,
        Input::Notify { .. } => false,
        Input::Ready { .. } | Input::MainPid { .. } | Input::Exited { .. } => true,
        Input::HookDone { .. } => true,
    }
}
