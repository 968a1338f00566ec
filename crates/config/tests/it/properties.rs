//! What holds for every config and every text.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use remuda_config::raw::{self, Field, Located};
use remuda_config::{Origin, Sources, Style, effective, load_text, resolve, substitute};
use remuda_model::{Balance, HookFailure, Load, Mode, NotifyAccess, Overlap, Restart, StopScope};

use crate::support::{surroundings, try_load};

/// Boxed, like the larger parts below: nested strategies by value outgrow a test's stack.
fn field<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Field<T>> {
    of(value.prop_map(Located::from)).boxed()
}

fn time() -> impl Strategy<Value = raw::Duration> {
    (1..10_u64.pow(15)).prop_map(|nanos| raw::Duration(Duration::from_nanos(nanos)))
}

fn size() -> impl Strategy<Value = raw::Size> {
    prop_oneof![1..4096_u64, (1..512_u64).prop_map(|kib| kib << 10), Just(i64::MAX.unsigned_abs())]
        .prop_map(raw::Size)
}

/// Text with everything that could be mistaken for something.
fn text() -> impl Strategy<Value = String> {
    r#"[a-z]([a-z '"\\$#{}()\n\té]|\$\$|\$\{HOME\}|\$\(slot\)|\{SOCKET:x\}){0,12}"#
        .prop_map(|text| substitute::escape(&text))
}

fn command() -> impl Strategy<Value = raw::Command> {
    let words = vec(text(), 1..4).prop_map(|words| words.into_iter().map(Located::from).collect());
    prop_oneof![
        words.prop_map(raw::Command::Words),
        "[a-z]{1,8}( [a-z./-]{1,8}){0,3}".prop_map(raw::Command::Line)
    ]
}

fn amount() -> impl Strategy<Value = raw::Amount> {
    prop_oneof![(0..1_u64 << 40).prop_map(raw::Amount::Of), Just(raw::Amount::Unlimited)]
}

fn socket(index: usize) -> BoxedStrategy<raw::Socket> {
    let listen = select(vec![
        format!("127.0.0.1:{}", 1000 + index),
        format!("localhost:{}", 1000 + index),
        format!("udp:[::1]:{}", 1000 + index),
        format!("unix:run/$${index}.sock"),
        format!("unix:@${{x}}{index}"),
        format!("systemd:s{index}"),
    ]);
    let plain = (
        listen,
        field(0..4096_u32),
        field(any::<bool>()),
        field(any::<bool>()),
        field(size()),
        field(any::<u32>()),
    );
    let times = (
        field((1..100_u64).prop_map(|seconds| raw::Duration(Duration::from_secs(seconds)))),
        field(1..9_u32),
    );
    let balance = field(select(vec![Balance::Hash, Balance::Random, Balance::Cpu]));
    (plain, times, any::<bool>(), field((0..=0o777_u32).prop_map(raw::FileMode)), balance)
        .prop_map(|(plain, times, worker, file_mode, balance)| {
            let (listen, backlog, reuse_port, v6_only, receive_buffer, mark) = plain;
            let unix = listen.starts_with("unix");
            let (time, probes) = times;
            let keepalive = raw::KeepaliveTable { time: time.clone(), interval: None, probes };
            raw::Socket {
                listen: Some(listen.parse::<remuda_model::Address>().expect("an address").into()),
                mode: Some(if worker && !unix { Mode::PerWorker } else { Mode::Shared }.into()),
                balance: if worker && !unix { balance } else { None },
                backlog,
                reuse_port,
                v6_only,
                receive_buffer,
                mark,
                keepalive: Some(raw::Keepalive::Table(keepalive).into()),
                defer_accept: time,
                file_mode: if unix { file_mode } else { None },
                ..raw::Socket::default()
            }
        })
        .boxed()
}

fn ready(socket: bool) -> impl Strategy<Value = String> {
    let mut forms = vec![
        "started",
        "notify",
        "listen",
        "ack",
        "fd:77",
        "exec:test -e 'a b'",
        "log:^up [0-9]+$",
        "delay:5s",
    ];
    if socket {
        forms.extend(["http:/x", "http://localhost/x", "tcp", "tcp:127.0.0.1:1"]);
    }
    select(forms).prop_map(str::to_owned)
}

type Life = (
    Field<raw::Reload>,
    Field<raw::Stop>,
    Field<raw::Backoff>,
    Field<raw::OnDemand>,
    Field<raw::Schedule>,
    Field<raw::Log>,
);

fn life(socket: bool) -> BoxedStrategy<Life> {
    let reload = (field(1..5_u32), field(any::<bool>()), field(time()), field(time())).prop_map(
        |(surge, canary, bake, timeout)| {
            raw::Reload::Table(raw::ReloadTable { surge, canary, bake, timeout, signal: None })
        },
    );
    let reload = prop_oneof![
        reload,
        Just(raw::Reload::Word("hup".into())),
        Just(raw::Reload::Word("signal:RTMIN+3".into()))
    ];
    let scope = select(vec![StopScope::Main, StopScope::Group, StopScope::Tree]);
    let stop = (field(time()), field(scope))
        .prop_map(|(timeout, scope)| raw::Stop::Table(raw::StopTable { signal: None, timeout, scope }));
    let backoff = (field(time()), field(1..9_u32)).prop_map(|(base, give_up_after)| raw::Backoff {
        base,
        give_up_after,
        ..raw::Backoff::default()
    });
    let demand = field(field(time()).prop_map(|idle| raw::OnDemand::Table(raw::OnDemandTable { idle })));
    let overlap = select(vec![Overlap::Skip, Overlap::Queue, Overlap::Replace]);
    let schedule = field(field(overlap).prop_map(|overlap| {
        let cron = Some("*/5 1-3 * * mon".to_owned().into());
        raw::Schedule::Table(raw::ScheduleTable { cron, timezone: Some("UTC".to_owned().into()), overlap })
    }));
    let log = (text(), field(size()), field(0..9_u32)).prop_map(|(file, max_size, keep)| {
        raw::Log::Table(raw::LogTable { file: Some(file.into()), max_size, keep })
    });
    (field(reload), field(stop), field(backoff), demand, schedule, field(log))
        .prop_map(move |(reload, stop, backoff, demand, schedule, log)| {
            let demand = if socket && schedule.is_none() { demand } else { None };
            (reload, stop, backoff, demand, schedule, log)
        })
        .boxed()
}

type Surface = (
    Option<raw::Limits>,
    Option<raw::Hooks>,
    Option<BTreeMap<Located<String>, Located<raw::Variable>>>,
    Field<bool>,
);

fn surface() -> BoxedStrategy<Surface> {
    let pair = (amount(), amount()).prop_map(|(soft, _)| {
        raw::Limit::Pair(raw::LimitPair {
            soft: Some(soft.into()),
            hard: Some(raw::Amount::Unlimited.into()),
        })
    });
    let limits =
        (field(amount().prop_map(raw::Limit::Both)), field(pair), field(0.1..9.0_f64), field(size()))
            .prop_map(|(nofile, cpu_time, cpu, memory)| raw::Limits {
                nofile,
                cpu_time,
                cpu,
                memory,
                ..raw::Limits::default()
            });
    let failure = select(vec![HookFailure::Abort, HookFailure::Ignore]);
    let hook = (command(), field(time()), field(failure)).prop_map(|(command, timeout, on_failure)| {
        raw::Hook::Table(raw::HookTable { command: Some(command.into()), timeout, on_failure })
    });
    let hooks = (field(hook), field(command().prop_map(raw::Hook::Command))).prop_map(
        |(before_start, after_reap)| raw::Hooks { before_start, after_reap, ..raw::Hooks::default() },
    );
    let env = btree_map("[A-Z][A-Z0-9_]{0,6}", text(), 0..4).prop_map(|variables| {
        variables.into_iter().map(|(name, value)| (name.into(), raw::Variable(value).into())).collect()
    });
    (of(limits), of(hooks), of(env), field(any::<bool>())).boxed()
}

fn service(socket: bool) -> BoxedStrategy<raw::Service> {
    let shape = (
        command(),
        field(0..20_u32),
        any::<bool>(),
        field(any::<i32>()),
        field(time()),
        field(ready(socket)),
    );
    let who = (
        field(text()),
        field((0..=0o777_u32).prop_map(raw::FileMode)),
        field(-20..20_i32),
        field(vec(any::<i32>(), 0..3)),
    );
    let rules = (
        field(select(vec![Restart::OnFailure, Restart::Never])),
        field(select(vec![NotifyAccess::Main, NotifyAccess::All])),
        field(1..1000_u64),
        field((0..200_u32).prop_map(raw::Percent)),
    );
    (shape, who, rules, life(socket), surface())
        .prop_map(move |(shape, who, rules, life, surface)| {
            let (command, workers, oneshot, priority, ready_timeout, ready) = shape;
            let (directory, umask, nice, codes) = who;
            let (restart, notify_access, max_requests, recycle_jitter) = rules;
            let (reload, stop, backoff, on_demand, schedule, log) = life;
            let (limits, hooks, env, inherit_env) = surface;
            raw::Service {
                command: Some(command.into()),
                sockets: socket.then(|| std::vec![Located::from("s0")].into()),
                workers: workers.map(|workers| {
                    let bounded = workers.value % 2 == 1 && !oneshot && schedule.is_none();
                    workers.with(number_of_workers(workers.value, bounded))
                }),
                oneshot: if schedule.is_some() { None } else { Some(oneshot.into()) },
                success_codes: codes
                    .map(|codes| codes.with(codes.iter().map(|code| (*code).into()).collect())),
                priority,
                ready_timeout,
                ready,
                directory,
                umask,
                nice,
                restart,
                notify_access,
                max_requests,
                recycle_jitter,
                reload,
                stop,
                backoff,
                on_demand,
                schedule,
                log,
                limits,
                hooks,
                env,
                inherit_env,
                ..raw::Service::default()
            }
        })
        .boxed()
}

/// So many, or at least so many and three more at most.
fn number_of_workers(number: u32, bounded: bool) -> raw::Workers {
    let count = raw::WorkerCount::Number;
    if !bounded {
        return raw::Workers::Count(count(number));
    }
    let (min, max) = (Some(count(number).into()), Some(count(number + 3).into()));
    raw::Workers::Bounds(raw::WorkerBounds { min, max, on: Some(Load::Cpu.into()) })
}

fn file() -> BoxedStrategy<raw::File> {
    let instance = (field(size()), field(time()), field(100..200_u32), field(text())).prop_map(
        |(log_memory, stop_timeout, workers_max, pid_file)| raw::Instance {
            log_memory,
            stop_timeout,
            workers_max,
            pid_file,
            ..raw::Instance::default()
        },
    );
    let services = (service(true), of(service(false)), any::<Index>());
    (of(instance), socket(0), of(socket(1)), services)
        .prop_map(|(remuda, first, second, (one, two, after))| {
            let mut file = raw::File { remuda, ..raw::File::default() };
            file.socket.insert("s0".into(), first);
            file.socket.extend(second.map(|second| ("s1".into(), second)));
            file.service.insert("one".into(), one);
            if let Some(mut two) = two {
                if after.index(2) == 0 {
                    two.after = Some(std::vec![Located::from("one")].into());
                }
                file.service.insert("two".into(), two);
            }
            file
        })
        .boxed()
}

proptest! {
    #[test]
    fn the_effective_config_reads_back_as_the_same(file in file()) {
        let origin = Origin::new(Sources::default(), Path::new("/srv/shop"));
        let first = resolve(&file, origin, &surroundings()).expect("a config without mistakes");
        let text = effective(&first.config, &first.masked);
        // Another place, another machine: nothing may be left to them.
        let mut elsewhere = surroundings();
        elsewhere.uid = 0;
        elsewhere.variables.insert("x".into(), "wrong".into());
        let second = load_text(&text, Path::new("/etc/other.toml"), &elsewhere);
        let second = second.unwrap_or_else(|report| panic!("{report}\n{text}"));
        prop_assert_eq!(first.config, second.config);
    }

    #[test]
    fn declarations_read_back_as_the_same(file in file()) {
        let text = file.to_toml().expect("nothing that TOML cannot write");
        let origin = Origin::new(Sources::default(), Path::new("/srv/shop"));
        let direct = resolve(&file, origin, &surroundings()).expect("a config without mistakes");
        let read = try_load(&text).unwrap_or_else(|report| panic!("{report}\n{text}"));
        prop_assert_eq!(direct.config, read.config);
    }

    #[test]
    fn durations_and_sizes_read_back(nanos in 0..3_155_760_000_000_000_000_u64, bytes in 0..i64::MAX.unsigned_abs()) {
        let time = raw::Duration(Duration::from_nanos(nanos));
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        prop_assert_eq!(raw::Size(bytes).to_string().parse(), Ok(raw::Size(bytes)));
    }

    #[test]
    fn no_text_makes_reading_panic(text in r#"(\PC|[\[\]{}=".,$\n]|service|socket|web|command|= "|limits|\[service\.a\]){0,40}"#) {
        if let Err(report) = try_load(&text) {
            prop_assert!(!report.is_empty());
            prop_assert!(!report.render(Style::Coloured).is_empty());
        }
    }

    #[test]
    fn no_damage_makes_reading_panic(cuts in vec((any::<Index>(), any::<Index>(), "\\PC{0,3}"), 1..4)) {
        let mut text = WHOLE.to_owned();
        for (from, length, with) in cuts {
            let from = text.floor_char_boundary(from.index(text.len() + 1));
            let to = text.floor_char_boundary((from + length.index(20)).min(text.len())).max(from);
            text.replace_range(from..to, &with);
        }
        if let Err(report) = try_load(&text) {
            prop_assert!(!report.render(Style::Plain).is_empty());
        }
    }

    #[test]
    fn no_file_of_variables_makes_reading_panic(text in r#"(\PC|[='"\\#\n ]|export |KEY=){0,30}"#) {
        let _ = remuda_config::env_file::parse(&text);
    }
}

const WHOLE: &str = r#"
[remuda]
log_memory = "2MiB"
[socket.web]
listen = "127.0.0.1:8080"
keepalive = { time = "1m", probes = 3 }
[service.web]
command = "run --fd $(socket.web) ${PORT:-1}"
sockets = ["web"]
workers = "cpus*2"
ready = "http:/healthz"
reload = { surge = 1, timeout = "30s" }
stop = "QUIT"
schedule = { cron = "0 3 * * *", timezone = "UTC" }
[service.web.env]
A = "${HOME}"
[service.web.limits]
nofile = { soft = 10, hard = "unlimited" }
[service.web.hooks]
before_start = { command = ["a", "b"], on_failure = "ignore" }
"#;
