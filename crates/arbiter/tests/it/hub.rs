//! The hub: a service like any other, which goes last, and whose changes reach those who use it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use remuda_arbiter::plan;
use remuda_model::hub::{
    Access, BusAuth, BusSpec, Engine, Events, Fsync, FullPolicy, HubSocket, HubSpec, LocksSpec, ScriptSpec,
    SlowPolicy, StoreAuth, StoreSpec,
};
use remuda_model::{Address, Balance, Config, Kind, Mode, SocketOptions, SocketSpec};

use crate::script::run;
use crate::specs::{edit, empty_config, name};

pub(crate) fn spec() -> HubSpec {
    let second = Duration::from_secs(1);
    HubSpec {
        herd: None,
        bus: BusSpec {
            listen: Vec::new(),
            pub_listen: None,
            pull_listen: None,
            auth: BusAuth::None,
            curve_keys: None,
            queue: 1 << 20,
            slow: SlowPolicy::DropOldest,
            patience: second,
            message_max: 1 << 20,
            peers_max: 10,
            heartbeat: second,
            replay: Vec::new(),
            engine: Engine::Embedded,
        },
        store: StoreSpec {
            listen: Vec::new(),
            auth: StoreAuth::Token,
            memory: 1 << 20,
            full: FullPolicy::Refuse,
            fsync: Fsync::Every(second),
            durable: true,
            databases: 16,
            clients_max: 10,
            script: ScriptSpec { time: second, memory: 1 << 20 },
            events: Events::Names,
            engine: Engine::Embedded,
        },
        locks: LocksSpec::default(),
        state_dir: PathBuf::from("/var/lib/remuda/shop/hub"),
        limited_users: Default::default(),
        users: Default::default(),
        accesses: Default::default(),
    }
}

/// A hub with one socket, a service that uses it and one that does not.
fn config(change: impl FnOnce(&mut HubSpec), listen: &str) -> Config {
    let mut config = empty_config();
    for line in ["hub is_hub", "other", "web uses_hub"] {
        edit(&mut config, line);
    }
    let mut hub = spec();
    change(&mut hub);
    let listen: Address = listen.parse().unwrap();
    let socket = SocketSpec {
        name: HubSocket::Store.socket_name(1),
        listen,
        mode: Mode::Shared,
        balance: Balance::Hash,
        options: SocketOptions::default(),
    };
    let service = config.services.get_mut("hub").unwrap();
    let service = Arc::make_mut(service);
    (service.kind, service.sockets) = (Kind::Hub(Box::new(hub)), vec![socket.name.clone()]);
    config.sockets.insert(socket.name.clone(), socket);
    config
}

fn lines(old: &Config, new: &Config) -> Vec<String> {
    plan(old, new).lines()
}

#[test]
fn what_of_the_hub_changes_is_named_by_its_table_and_touches_nobody_else() {
    let old = config(|_| {}, "127.0.0.1:1");
    assert!(plan(&old, &old).is_empty());
    let new = config(
        |hub| {
            hub.bus.queue += 1;
            hub.store.memory += 1;
            hub.accesses.insert(name("web"), Access::none());
        },
        "127.0.0.1:1",
    );
    assert_eq!(
        lines(&old, &new),
        ["~ service hub: bus.queue, store.memory, access (replaced without a gap)"]
    );
}

#[test]
fn an_address_that_workers_are_not_told_of_moves_nobody() {
    let old = config(|_| {}, "127.0.0.1:1");
    for sort in [HubSocket::Pub, HubSocket::Pull, HubSocket::Store] {
        let mut new = old.clone();
        let mut socket = new.sockets.values().next().unwrap().clone();
        socket.name = sort.socket_name(2);
        socket.listen = "127.0.0.1:2".parse().unwrap();
        let hub = Arc::make_mut(new.services.get_mut("hub").unwrap());
        hub.sockets.push(socket.name.clone());
        new.sockets.insert(socket.name.clone(), socket);
        for (before, after) in [(&old, &new), (&new, &old)] {
            let lines = lines(before, after);
            assert!(!lines.iter().any(|line| line.contains("service web")), "{lines:?}");
            assert!(lines.iter().any(|line| line.contains("service hub")), "{lines:?}");
        }
    }
}

#[test]
fn who_uses_the_hub_is_replaced_when_it_moves() {
    let old = config(|_| {}, "127.0.0.1:1");
    let moved = [
        "~ socket hub-store-1: listen (replaced without a gap)",
        "~ service hub: socket address (replaced without a gap)",
        "~ service web: hub address (replaced without a gap)",
    ];
    assert_eq!(lines(&old, &config(|_| {}, "127.0.0.1:2")), moved);
    let elsewhere = config(|hub| hub.state_dir = "/srv/hub".into(), "127.0.0.1:1");
    let other_secret = [
        "~ service hub: hub.state (replaced without a gap)",
        "~ service web: hub address (replaced without a gap)",
    ];
    assert_eq!(lines(&old, &elsewhere), other_secret);
}

#[test]
fn who_may_use_the_hub_from_now_on_is_replaced_to_be_told_where_it_is() {
    let mut old = empty_config();
    edit(&mut old, "web");
    let mut new = empty_config();
    edit(&mut new, "hub is_hub");
    edit(&mut new, "web uses_hub");
    assert_eq!(lines(&old, &new), ["+ service hub", "~ service web: hub (replaced without a gap)"]);
}

#[test]
fn others_wait_for_the_hub_to_begin_and_not_for_its_return() {
    let said = run("
        service hub is_hub
        service web uses_hub
        boot
        serve hub/0
        serve web/0
        exited hub/0 code=1
    ");
    insta::assert_snapshot!(said, @r#"
    0ms> boot
      ~ hub ServiceStarting
      spawn #1 in hub/0 g1 of 1: hub
      ~ web ServiceWaiting { after: [ServiceName("hub")] }
    0ms> serve #1
      ~ hub/0 #1 WorkerSpawned
      ~ hub/0 #1 WorkerReady { after_ms: 0 }
      ~ hub ServiceRunning
      ~ web ServiceStarting
      spawn #2 in web/0 g1 of 1: web
    0ms> serve #2
      ~ web/0 #2 WorkerSpawned
      ~ web/0 #2 WorkerReady { after_ms: 0 }
      ~ web ServiceRunning
    0ms> exited hub/0 code=1
      ~ hub/0 #1 WorkerExited { status: Code(1), expected: false, lived_ms: 0 }
      bury #1
      spawn #3 in hub/0 g1 of 1: hub
    "#);
}

#[test]
fn the_hub_has_one_worker() {
    let said = run("
        service hub is_hub
        boot
        serve hub/0
        scale hub 2
        scale hub 0
        scale hub 1
    ");
    let replies: Vec<&str> = said.lines().filter(|line| line.contains("reply")).map(str::trim).collect();
    assert_eq!(
        replies,
        [
            "reply 1 refused: the number of workers of hub is always 1",
            "reply 2 refused: the number of workers of hub is always 1",
            "reply 3 done: hub runs with 1 worker",
        ]
    );
}

#[test]
fn the_hub_is_stopped_when_nobody_is_left_who_uses_it() {
    let said = run("
        service hub is_hub
        service other
        service web uses_hub
        boot
        serve hub/0
        serve other/0
        serve web/0
        shutdown
        exited web/0 code=0
        exited other/0 code=0
        exited hub/0 code=0
    ");
    let (_, end) = said.split_once("> shutdown\n").unwrap();
    insta::assert_snapshot!(end, @r#"
      ~ instance InstanceStopping { reason: "request" }
      ~ other ServiceStopping
      ~ other/0 #2 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #2
      ~ web ServiceStopping
      ~ web/0 #3 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #3
    0ms> exited web/0 code=0
      ~ web/0 #3 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #3
      ~ web ServiceStopped
      ~ hub ServiceStopping
      ~ hub/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
    0ms> exited other/0 code=0
      ~ other/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ other ServiceStopped
    0ms> exited hub/0 code=0
      ~ hub/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ hub ServiceStopped
      reply 1 done: everything is stopped
      exit 0
    "#);
}

#[test]
fn the_hub_is_not_recycled_while_those_who_use_it_end() {
    let said = run("
        service hub is_hub max_age=20s
        service web uses_hub stop_timeout=60s
        boot
        serve hub/0
        serve web/0
        shutdown
        until 30s
        exited web/0 code=0
    ");
    let (_, end) = said.split_once("> shutdown\n").unwrap();
    insta::assert_snapshot!(end, @r#"
      ~ instance InstanceStopping { reason: "request" }
      ~ web ServiceStopping
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #2
    1000ms> woke
    10000ms> woke
    20000ms> woke
    30000ms> exited web/0 code=0
      ~ web/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 30000 }
      bury #2
      ~ web ServiceStopped
      ~ hub ServiceStopping
      ~ hub/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
    "#);
}

#[test]
fn a_kill_of_everything_does_not_spare_the_hub() {
    let said = run("
        service hub is_hub
        service web uses_hub
        boot
        serve hub/0
        serve web/0
        kill-all
        exited web/0 code=0
        exited hub/0 code=0
    ");
    let (_, end) = said.split_once("> kill-all\n").unwrap();
    insta::assert_snapshot!(end, @r#"
      ~ instance InstanceStopping { reason: "kill" }
      ~ web ServiceStopping
      ~ web/0 #2 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #2
      ~ hub ServiceStopping
      ~ hub/0 #1 WorkerStopping { signal: Signal(15), reason: "shutdown" }
      signal TERM #1
      ~ hub/0 #1 WorkerKilling { reason: "shutdown" }
      kill #1
      ~ web/0 #2 WorkerKilling { reason: "shutdown" }
      kill #2
    0ms> exited web/0 code=0
      ~ web/0 #2 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #2
      ~ web ServiceStopped
    0ms> exited hub/0 code=0
      ~ hub/0 #1 WorkerExited { status: Code(0), expected: true, lived_ms: 0 }
      bury #1
      ~ hub ServiceStopped
      exit 0
    "#);
}
