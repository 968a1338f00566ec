//! Configs for tests: small, complete, with every default written out, and keys to change them by.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use remuda_model::{
    Backoff, Command, Config, Hook, HookFailure, HookPoint, InstanceSpec, Kind, Load, NotifyAccess, OnCrash,
    OnDemand, Overlap, Readiness, Recycle, Reload, ReloadMethod, Restart, Scaling, Schedule, ServiceName,
    ServiceSpec, SocketName, Stdin, Stop, StopScope,
};

pub(crate) fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

pub(crate) fn empty_config() -> Config {
    let instance = InstanceSpec {
        name: "test".to_owned(),
        runtime_dir: PathBuf::from("/run/remuda/test"),
        pid_file: None,
        exit_with: None,
        scale_on_signal: None,
        log_memory: 1 << 20,
        log_line_max: 1 << 16,
        events_kept: 4096,
        workers_max: 10_000,
        on_crash: OnCrash::Keep,
        dashboard: Default::default(),
        stop_timeout: None,
    };
    Config { instance, sockets: BTreeMap::new(), services: BTreeMap::new() }
}

pub(crate) fn service(text: &str) -> ServiceSpec {
    let seconds = Duration::from_secs;
    ServiceSpec {
        name: name(text),
        kind: Kind::Command,
        command: Command { argv: vec![text.to_owned()] },
        sockets: Vec::new(),
        stdin: Stdin::Null,
        workers: 1,
        scaling: None,
        singleton: false,
        oneshot: false,
        autostart: true,
        after: Vec::new(),
        priority: 0,
        ready: Readiness::Notify,
        ready_timeout: seconds(60),
        notify_access: NotifyAccess::All,
        watchdog: None,
        reload: Reload {
            method: ReloadMethod::Replace,
            surge: 1,
            canary: true,
            bake: Duration::ZERO,
            timeout: seconds(60),
        },
        stop: Stop { signal: remuda_model::Signal::TERM, scope: StopScope::Main, timeout: seconds(30) },
        restart: Restart::Always,
        success_codes: Vec::new(),
        backoff: Backoff {
            base: Duration::from_millis(100),
            cap: seconds(60),
            healthy_after: seconds(10),
            crash_loop_after: 10,
            give_up_after: None,
        },
        on_demand: None,
        schedule: None,
        recycle: Recycle::default(),
        environment: Default::default(),
        identity: Default::default(),
        directory: PathBuf::from("/"),
        limits: Vec::new(),
        cgroup: Default::default(),
        nice: 0,
        oom_score_adjust: None,
        hub: false,
        no_new_privileges: false,
        session: Default::default(),
        fd_store: 0,
        log: None,
        hooks: BTreeMap::new(),
    }
}

/// `30s`, `20ms`.
pub(crate) fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(millis) => Duration::from_millis(millis.parse().unwrap()),
        None => Duration::from_secs(text.strip_suffix('s').unwrap().parse().unwrap()),
    }
}

/// Changes one key of a service: `workers=2`, `singleton`, `after=a,b`, `before_start=abort`.
pub(crate) fn set(spec: &mut ServiceSpec, pair: &str) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    match key {
        "workers" => spec.workers = value.parse().unwrap(),
        "scaling" => scale(spec, value),
        "singleton" => spec.singleton = true,
        "is_hub" => spec.kind = Kind::Hub(Box::new(crate::hub::spec())),
        "is_gateway" => spec.kind = Kind::Gateway(Arc::default()),
        "hub_user" => spec.hub = true,
        "uses_hub" => {
            spec.hub = true;
            spec.after.push(name("hub"));
        }
        "oneshot" => spec.oneshot = true,
        "manual" => spec.autostart = false,
        "after" => spec.after = value.split(',').map(name).collect(),
        "priority" => spec.priority = value.parse().unwrap(),
        "ready_timeout" => spec.ready_timeout = duration(value),
        "watchdog" => spec.watchdog = Some(duration(value)),
        "surge" => spec.reload.surge = value.parse().unwrap(),
        "no_canary" => spec.reload.canary = false,
        "bake" => spec.reload.bake = duration(value),
        "reload_signal" => spec.reload.method = ReloadMethod::Signal(value.parse().unwrap()),
        "reload_timeout" => spec.reload.timeout = duration(value),
        "stop_timeout" => spec.stop.timeout = duration(value),
        "restart" => {
            spec.restart = match value {
                "always" => Restart::Always,
                "on-failure" => Restart::OnFailure,
                _ => Restart::Never,
            }
        }
        "success" => spec.success_codes = vec![value.parse().unwrap()],
        "cap" => spec.backoff.cap = duration(value),
        "crash_loop_after" => spec.backoff.crash_loop_after = value.parse().unwrap(),
        "give_up_after" => spec.backoff.give_up_after = Some(value.parse().unwrap()),
        "on_demand" => spec.on_demand = Some(OnDemand { idle: Some(duration(value)) }),
        "schedule" => {
            let overlap = match value {
                "queue" => Overlap::Queue,
                "replace" => Overlap::Replace,
                _ => Overlap::Skip,
            };
            spec.schedule = Some(Schedule { cron: "* * * * *".to_owned(), timezone: None, overlap });
        }
        "max_age" => spec.recycle.max_age = Some(duration(value)),
        "max_requests" => spec.recycle.max_requests = Some(value.parse().unwrap()),
        "sockets" => spec.sockets = value.split(',').map(|text| SocketName::new(text).unwrap()).collect(),
        "command" => spec.command.argv = vec![value.to_owned()],
        _ => {
            let on_failure = if value == "abort" { HookFailure::Abort } else { HookFailure::Ignore };
            let hook = Hook { argv: vec!["hook".to_owned()], timeout: Duration::from_secs(10), on_failure };
            spec.hooks.insert(hook_point(key), hook);
        }
    }
}

/// `2..8:cpu`; `none`.
fn scale(spec: &mut ServiceSpec, text: &str) {
    let Some((bounds, on)) = text.split_once(':') else { return spec.scaling = None };
    let (min, max) = bounds.split_once("..").unwrap();
    let on = if on == "cpu" { Load::Cpu } else { Load::Backlog };
    let scaling = Scaling { min: min.parse().unwrap(), max: max.parse().unwrap(), on };
    spec.workers = scaling.min;
    spec.scaling = Some(scaling);
}

fn hook_point(text: &str) -> HookPoint {
    POINTS.into_iter().find(|point| point.to_string() == text).unwrap_or_else(|| panic!("no key {text}"))
}

pub(crate) const POINTS: [HookPoint; 8] = [
    HookPoint::BeforeStart,
    HookPoint::AfterStart,
    HookPoint::BeforeSpawn,
    HookPoint::AfterSpawn,
    HookPoint::BeforeStop,
    HookPoint::AfterStop,
    HookPoint::BeforeReap,
    HookPoint::AfterReap,
];

/// Adds or changes a service: `web workers=2 singleton`.
pub(crate) fn edit(config: &mut Config, line: &str) {
    let mut words = line.split_whitespace();
    let text = words.next().unwrap();
    let mut spec = config.services.get(text).map_or_else(|| service(text), |spec| (**spec).clone());
    words.for_each(|pair| set(&mut spec, pair));
    config.services.insert(spec.name.clone(), Arc::new(spec));
}
