//! The hub as a process among others: what it and its users are given, and that it comes and goes without them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use remuda_model::EventKind;
use remuda_model::hub::{Secret, token};
use remuda_model::view::ServicePhase;
use rustix::process::Signal;

use crate::harness::{Instance, PATIENCE, Setup, is_root, process};

const SHOP: &str = r#"
[bus]
pull_listen = "127.0.0.1:0"
[store]
[hub]
state = "state"
[service.web]
command = "sleep 1000"
[service.own]
command = "sleep 1000"
env = { REDIS_URL = "redis://elsewhere/0" }
"#;

fn secret(instance: &Setup) -> Secret {
    let text = std::fs::read_to_string(instance.dir().join("state/hub.secret")).unwrap();
    text.trim_end().parse().unwrap()
}

fn environment(instance: &Instance, service: &str) -> BTreeMap<String, String> {
    process::environment(instance.pids(service)[0])
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// What a worker of `web` should find.
fn expected(instance: &Instance) -> [(&'static str, String); 7] {
    let bus = format!("ipc://{}", instance.runtime().join("bus.sock").display());
    let token = token(&secret(instance), "web");
    [
        ("REMUDA_BUS", bus.clone()),
        ("REMUDA_BUS_SUB", bus.clone()),
        ("REMUDA_BUS_PUSH", bus),
        ("REMUDA_BUS_TCP", format!("tcp://{}", instance.address("hub-bus-1"))),
        ("REDIS_URL", format!("redis://web:{token}@{}/0", instance.address("hub-store-1"))),
        ("REMUDA_TOKEN", token),
        ("REMUDA_REDIS_SOCKET", instance.runtime().join("store.sock").display().to_string()),
    ]
}

#[track_caller]
fn assert_told(instance: &Instance) {
    let found = environment(instance, "web");
    for (name, value) in expected(instance) {
        assert_eq!(found.get(name), Some(&value), "{name}");
    }
}

#[test]
fn workers_find_the_hub_in_their_variables_and_their_own_setting_wins() {
    let instance = Instance::up(SHOP);
    assert_told(&instance);
    let own = environment(&instance, "own");
    assert_eq!(own.get("REDIS_URL").map(String::as_str), Some("redis://elsewhere/0"));
    assert!(own.contains_key("REMUDA_BUS"));
    let events = instance.events();
    let position = |service: &str, wanted: fn(&EventKind) -> bool| {
        let of = |record: &&remuda_model::Record| {
            record.event.service.as_ref().is_some_and(|name| name.as_str() == service)
                && wanted(&record.event.kind)
        };
        events.iter().find(of).map(|record| record.seq).unwrap()
    };
    let running = position("hub", |kind| matches!(kind, EventKind::ServiceRunning));
    assert!(running < position("web", |kind| matches!(kind, EventKind::ServiceStarting)));
    instance.end();
}

#[test]
fn status_tells_where_the_hub_is() {
    let instance = Instance::up(SHOP);
    let hub = instance.status().hub.unwrap();
    let runtime = instance.runtime();
    let bus = [
        format!("ipc://{}", runtime.join("bus.sock").display()),
        format!("tcp://{}", instance.address("hub-bus-1")),
    ];
    assert_eq!(hub.bus, bus);
    assert_eq!(hub.bus_pull, Some(format!("tcp://{}", instance.address("hub-pull"))));
    assert_eq!(hub.store[1], format!("redis://{}", instance.address("hub-store-1")));
    let said = instance.remuda(&["status"]).done();
    assert!(said.out.contains(&hub.store[0]) && said.out.contains(&bus[0]), "{said:?}");
    instance.end();
}

#[test]
fn neither_the_secret_nor_a_token_is_shown_anywhere() {
    let mut instance = Instance::up(SHOP);
    let hidden =
        [secret(&instance).to_hex(), token(&secret(&instance), "web"), token(&secret(&instance), "own")];
    instance.remuda(&["reload", "hub", "web"]).done();
    let commands: [&[&str]; 7] = [
        &["status"],
        &["status", "--json"],
        &["status", "hub", "web"],
        &["events", "--json"],
        &["logs", "-n", "1000"],
        &["check"],
        &["metrics"],
    ];
    for command in commands {
        let said = instance.remuda(command).done();
        for text in &hidden {
            assert!(!said.out.contains(text) && !said.err.contains(text), "{command:?} shows {text}");
        }
    }
    for pid in process::marked(instance.dir()) {
        let words = process::arguments(pid).join(" ");
        assert!(hidden.iter().all(|text| !words.contains(text)), "{words}");
    }
    let own = environment(&instance, "hub");
    assert!(own.values().all(|value| hidden.iter().all(|text| !value.contains(text))), "{own:?}");
    let record = std::fs::read(instance.runtime().join("record")).unwrap();
    let record = String::from_utf8_lossy(&record);
    assert!(hidden.iter().all(|text| !record.contains(text)));
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let written = instance.transcript.locked();
    let told = format!("{:?} {:?}", written.events, written.lines);
    assert!(hidden.iter().all(|text| !told.contains(text)));
}

#[test]
fn the_secret_is_for_its_owner_alone_and_outlives_the_instance() {
    let mut instance = Instance::up(SHOP);
    let first = secret(&instance);
    let folder = instance.dir().join("state");
    assert_eq!((mode(&folder), mode(&folder.join("hub.secret"))), (0o700, 0o600));
    assert_eq!(mode(&instance.runtime().join("hub")), 0o700);
    assert_eq!(
        (mode(&instance.runtime().join("bus.sock")), mode(&instance.runtime().join("store.sock"))),
        (0o600, 0o600)
    );
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    assert!(!instance.runtime().exists(), "nothing of the hub is left in the runtime folder");
    instance.anew();
    instance.settled();
    assert_eq!(secret(&instance), first);
    assert_told(&instance);
    instance.end();
}

#[test]
fn workers_outlive_a_reload_and_a_crash_of_the_hub() {
    let instance = Instance::up(SHOP);
    let (hub, web) = (instance.pids("hub"), instance.pids("web"));
    let addresses = instance.status().hub;
    instance.remuda(&["reload", "hub"]).done();
    let reloaded = instance.pids("hub");
    assert_ne!(reloaded, hub);
    let newest = instance.last_event();
    process::signal(reloaded[0], Signal::KILL);
    instance.wait_event_after(newest, "another hub", |event| {
        event.service.as_ref().is_some_and(|name| name.as_str() == "hub")
            && matches!(event.kind, EventKind::ServiceRunning | EventKind::WorkerReady { .. })
    });
    instance.wait_phase("hub", ServicePhase::Running);
    assert_ne!(instance.pids("hub"), reloaded);
    assert_eq!(instance.pids("web"), web);
    assert_eq!(instance.status().hub, addresses);
    instance.end();
}

#[test]
fn the_hub_and_its_tokens_outlive_a_crash_and_an_upgrade_of_the_arbiter() {
    let mut instance = Instance::up(SHOP);
    let (hub, web) = (instance.pids("hub"), instance.pids("web"));
    let addresses = instance.status().hub;
    instance.kill_arbiter();
    instance.again();
    instance.remuda(&["upgrade"]).done();
    assert_eq!((instance.pids("hub"), instance.pids("web")), (hub, web.clone()));
    assert_eq!(instance.status().hub, addresses);
    instance.remuda(&["reload", "hub", "web"]).done();
    assert_ne!(instance.pids("web"), web);
    assert_told(&instance);
    instance.end();
}

#[test]
fn a_change_of_its_tables_reloads_the_hub_alone() {
    let instance = Instance::up(SHOP);
    let (hub, web) = (instance.pids("hub"), instance.pids("web"));
    instance.configure(&SHOP.replace("[store]", "[store]\nmemory = \"64MiB\""));
    let said = instance.remuda(&["check"]).done();
    let plan = "~ service hub: store.memory (replaced without a gap)";
    assert!(said.out.lines().any(|line| line == plan), "{said:?}");
    instance.remuda(&["apply"]).done();
    assert_ne!(instance.pids("hub"), hub);
    assert_eq!(instance.pids("web"), web);
    instance.end();
}

#[test]
fn a_hub_that_comes_later_or_moves_is_told_to_those_who_use_it() {
    let plain = "[service.web]\ncommand = \"sleep 1000\"\n";
    let instance = Instance::up(plain);
    assert!(!environment(&instance, "web").contains_key("REDIS_URL"));
    instance.configure(SHOP);
    instance.remuda(&["apply"]).done();
    instance.settled();
    assert_told(&instance);
    let before = instance.pids("own");
    instance.configure(&SHOP.replace("[store]", "[store]\nlisten = []"));
    instance.remuda(&["apply"]).done();
    let unix = format!(
        "unix://web:{}@{}?db=0",
        token(&secret(&instance), "web"),
        instance.runtime().join("store.sock").display()
    );
    assert_eq!(environment(&instance, "web").get("REDIS_URL"), Some(&unix));
    assert_ne!(instance.pids("own"), before);
    instance.configure(plain);
    instance.remuda(&["apply"]).done();
    instance.settled();
    assert!(instance.status().hub.is_none() && instance.status().sockets.is_empty());
    assert!(!environment(&instance, "web").contains_key("REDIS_URL"));
    instance.end();
}

#[test]
fn the_hub_ends_when_those_who_use_it_have_ended() {
    let config = SHOP.replace(
        "[service.web]\ncommand = \"sleep 1000\"",
        "[service.web]\ncommand = [\"sh\", \"-c\", \"trap 'read _ < gate; exit 0' TERM; echo waits; sleep 1000 & wait\"]",
    );
    let setup = Setup::new(&config);
    setup.gate("gate");
    let mut instance = setup.up();
    instance.settled();
    instance.wait_line("waits");
    let hub = instance.pids("hub")[0];
    instance.signal(Signal::TERM);
    instance.wait_event("the end of own", |event| {
        event.service.as_ref().is_some_and(|name| name.as_str() == "own")
            && matches!(event.kind, EventKind::ServiceStopped)
    });
    assert!(process::is_alive(hub), "web is still at work");
    assert_eq!(instance.service("hub").workers_ready, 1);
    let _open = instance.open_gate("gate");
    assert_eq!(instance.wait_end(), 0);
    assert!(!process::is_alive(hub));
}

#[test]
fn a_hub_that_hangs_is_replaced() {
    let instance = Instance::up(&SHOP.replace("state = \"state\"", "state = \"state\"\nwatchdog = \"1s\""));
    let pid = instance.pids("hub")[0];
    process::signal(pid, Signal::STOP);
    instance.wait_event("the watchdog", |event| matches!(event.kind, EventKind::WatchdogMissed { .. }));
    instance.wait_status("another hub", |view| {
        let hub = view.services.iter().find(|service| service.name.as_str() == "hub").unwrap();
        hub.phase == ServicePhase::Running && hub.workers.iter().all(|worker| worker.pid != Some(pid))
    });
    instance.end();
}

/// What `user`, in a thread of its own, hears on a socket when it says `text`: so many bytes.
fn heard_as(user: u32, path: &Path, text: &str, bytes: usize) -> String {
    let (path, text) = (path.to_path_buf(), text.to_owned());
    let heard = std::thread::spawn(move || {
        let uid = rustix::process::Uid::from_raw(user);
        rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
        let mut stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut heard = vec![0; bytes];
        stream.read_exact(&mut heard).unwrap();
        String::from_utf8_lossy(&heard).into_owned()
    });
    heard.join().unwrap()
}

#[test]
fn a_process_is_trusted_by_its_user_unless_a_service_of_that_user_has_rules() {
    let (free, ruled) = (65_001, 65_002);
    if !is_root() {
        return;
    }
    let config = format!(
        "{SHOP}[service.free]\ncommand = \"sleep 1000\"\nuser = {free}\n\
         [service.ruled]\ncommand = \"sleep 1000\"\nuser = {ruled}\n[access.ruled]\nkeys = [\"ruled:\"]\n"
    );
    let instance = Instance::up(&config);
    std::fs::set_permissions(instance.dir(), std::fs::Permissions::from_mode(0o711)).unwrap();
    let (store, bus) = (instance.runtime().join("store.sock"), instance.runtime().join("bus.sock"));
    assert_eq!(heard_as(free, &store, "SET any 1\r\n", 5), "+OK\r\n");
    assert_eq!(heard_as(ruled, &store, "GET any\r\n", 7), "-NOAUTH");
    let token = token(&secret(&instance), "ruled");
    let said = format!("AUTH ruled {token}\r\nSET ruled:a 1\r\nGET any\r\n");
    assert_eq!(heard_as(ruled, &store, &said, 17), "+OK\r\n+OK\r\n-NOPERM");
    // What the hub's greeting asks for; its first byte is no character.
    let mechanism = |user| heard_as(user, &bus, "", 64).trim_start_matches(|c| !"NP".contains(c)).to_owned();
    assert_eq!(&mechanism(free)[..4], "NULL");
    assert_eq!(&mechanism(ruled)[..5], "PLAIN");
    instance.end();
}

#[test]
fn workers_of_other_users_reach_the_unix_sockets_and_the_hub_its_folder() {
    if !is_root() {
        return;
    }
    let config = SHOP
        .replace("[service.web]\n", "[service.web]\nuser = \"nobody\"\n")
        .replace("state = \"state\"", "state = \"state\"\nuser = \"daemon\"");
    let instance = Instance::up(&config);
    assert_eq!(mode(&instance.runtime().join("store.sock")), 0o666);
    let owner = |path: &Path| std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap());
    let daemon = owner(&instance.runtime().join("hub"));
    assert_ne!(daemon, 0);
    assert_eq!(owner(&instance.dir().join("state")), daemon);
    assert_eq!(owner(&instance.dir().join("state/hub.secret")), 0, "the hub is told, and need not read it");
    instance.remuda(&["reload", "hub"]).done();
    instance.end();
}
