//! The tables of the hub: what they mean, and that they read back.

mod mistakes;

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use remuda_config::{Masked, Surroundings, effective, load_text};
use remuda_model::hub::{
    Access, BusAuth, Engine, Events, Fsync, FullPolicy, HubSpec, LocksSpec, ReplaySpec, SlowPolicy,
    Spreading, StoreAuth,
};
use remuda_model::{Address, Config, Readiness, ServiceSpec};

use crate::support::{load, surroundings};

const WEB: &str = "[service.web]\ncommand = \"web\"\n";

/// The hub of a text, with one service.
#[track_caller]
fn hub(text: &str) -> (HubSpec, ServiceSpec) {
    of(&load(&format!("{text}\n{WEB}")).config)
}

fn of(config: &Config) -> (HubSpec, ServiceSpec) {
    let service = config.services.get("hub").expect("a hub");
    (service.kind.hub().expect("the kind of a hub").clone(), ServiceSpec::clone(service))
}

fn listens(config: &Config) -> Vec<String> {
    config.sockets.values().map(|spec| format!("{} {}", spec.name, spec.listen)).collect()
}

#[test]
fn a_herd_makes_a_hub_and_shares_nothing_that_is_not_named() {
    let text = "[herd]\nlisten = [\"10.0.0.1:7946\", \"[::1]:7946\"]\npeers = [\"10.0.0.2:7946\", \"three.example:7946\"]\n";
    let config = load(&format!("{text}{WEB}")).config;
    let herd = of(&config).0.herd.expect("a herd");
    assert_eq!(herd.peers, ["10.0.0.2:7946", "three.example:7946"]);
    assert_eq!((herd.keys, herd.local_topics), (vec![], vec![]));
    assert_eq!((herd.mode, herd.filter, herd.discover, herd.queue), (Spreading::Auto, true, false, 64 << 20));
    assert_eq!((herd.heartbeat, herd.future_max), (Duration::from_secs(1), Duration::from_millis(500)));
    assert_eq!(
        (herd.tombstones, herd.compare_every),
        (Duration::from_secs(24 * 3600), Duration::from_secs(60))
    );
    let listens = listens(&config);
    assert!(listens.contains(&"hub-herd-1 10.0.0.1:7946".to_owned()), "{listens:?}");
    assert!(listens.contains(&"hub-herd-2 [::1]:7946".to_owned()), "{listens:?}");
    assert_eq!(of(&load(&format!("[bus]\n{WEB}")).config).0.herd, None);
}

#[test]
fn locks_are_kept_by_the_hub_by_a_named_node_or_by_an_engine() {
    let locks = |text: &str| of(&load(&format!("{text}{WEB}")).config).0.locks;
    assert_eq!(locks("[bus]\n"), LocksSpec::default());
    assert_eq!(locks("[bus]\n[locks]\n"), LocksSpec::default());
    let at_home = locks("[herd]\npeers = [\"10.0.0.2:7946\"]\n[locks]\nhome = \"one\"\n");
    assert_eq!((at_home.home.as_deref(), at_home.engine), (Some("one"), Engine::Embedded));
    for url in ["postgres://me:pw@db/x", "etcd://kv:2379", "redis://cache"] {
        let kept = locks(&format!("[herd]\npeers = [\"10.0.0.2:7946\"]\n[locks]\nengine = \"{url}\"\n"));
        assert_eq!(String::from(kept.engine), url);
    }
}

#[test]
fn either_table_makes_a_hub_with_all_defaults() {
    let config = load(&format!("[bus]\n{WEB}")).config;
    assert_eq!(config.services, load(&format!("[store]\n{WEB}")).config.services);
    let (spec, service) = of(&config);
    assert_eq!(service.command.argv, ["/proc/self/exe", "worker", "hub"]);
    assert_eq!((service.workers, service.ready.clone(), service.singleton), (1, Readiness::Notify, false));
    assert_eq!(service.watchdog, Some(Duration::from_secs(30)));
    assert_eq!(spec.state_dir, Path::new("/home/ann/.local/state/remuda/shop/hub"));
    assert_eq!(
        (spec.bus.auth, spec.bus.slow, spec.bus.queue),
        (BusAuth::None, SlowPolicy::DropOldest, 8 << 20)
    );
    assert_eq!(
        (spec.bus.patience, spec.bus.heartbeat),
        (Duration::from_millis(100), Duration::from_secs(30))
    );
    assert_eq!((spec.bus.message_max, spec.bus.peers_max), (64 << 20, 10_000));
    assert_eq!(
        (spec.store.auth, spec.store.full, spec.store.memory),
        (StoreAuth::Token, FullPolicy::Refuse, 512 << 20)
    );
    assert_eq!((spec.store.fsync, spec.store.durable), (Fsync::Every(Duration::from_secs(1)), true));
    assert_eq!(
        (spec.store.databases, spec.store.clients_max, spec.store.events),
        (16, 10_000, Events::WithValues)
    );
    assert_eq!((spec.store.script.time, spec.store.script.memory), (Duration::from_secs(5), 64 << 20));
    let own = [
        "hub-bus unix:/tmp/remuda-1000/shop/bus.sock",
        "hub-bus-1 127.0.0.1:0",
        "hub-store unix:/tmp/remuda-1000/shop/store.sock",
        "hub-store-1 127.0.0.1:0",
    ];
    assert_eq!(listens(&config), own);
    assert!(
        config
            .sockets
            .values()
            .filter(|spec| spec.listen.path().is_some())
            .all(|spec| spec.options.file_mode == 0o600)
    );
    let inherited: Vec<&str> = service.sockets.iter().map(|name| name.as_str()).collect();
    assert_eq!(inherited, ["hub-bus", "hub-store", "hub-bus-1", "hub-store-1"]);
}

#[test]
fn without_the_tables_there_is_no_hub() {
    let config = load(WEB).config;
    assert_eq!((config.services.len(), config.sockets.len()), (1, 0));
    let web = config.services.values().next().expect("a service");
    assert!(!web.hub && web.after.is_empty());
}

#[test]
fn the_state_folder_is_where_its_user_may_write() {
    let state = |uid: u32, variables: &[(&str, &str)]| {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let surroundings = Surroundings { uid, variables, ..surroundings() };
        let loaded = load_text("[bus]\n", Path::new("/srv/shop/remuda.toml"), &surroundings);
        of(&loaded.expect("a hub alone").config).0.state_dir
    };
    assert_eq!(state(0, &[("HOME", "/root")]), Path::new("/var/lib/remuda/shop/hub"));
    assert_eq!(state(7, &[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]), Path::new("/s/remuda/shop/hub"));
    assert_eq!(state(7, &[]), Path::new("/var/tmp/remuda-7/shop/hub"));
    assert_eq!(hub("[bus]\n[hub]\nstate = \"data\"").0.state_dir, Path::new("/srv/shop/data"));
}

#[test]
fn everything_can_be_said() {
    let (spec, service) = hub(
        "[bus]\nlisten = [\"127.0.0.1:5000\", \"unix:bus\"]\npub_listen = \"127.0.0.1:5556\"\npull_listen = \"127.0.0.1:5555\"\nauth = \"plain\"\nqueue = \"1MiB\"\nslow = \"disconnect\"\npatience = \"0s\"\nmessage_max = \"1MiB\"\npeers_max = 5\nheartbeat = \"1s\"\nreplay = [{ prefix = \"chat.\" }, { prefix = \"\", messages = 7, bytes = \"1KiB\" }]\nengine = \"nats://n:4222\"\n\
         [store]\nlisten = \"[::1]:6379\"\nauth = \"none\"\nmemory = \"1GiB\"\nfull = \"soonest-expiry\"\nfsync = \"always\"\ndatabases = 1\nclients_max = 3\nevents = \"with-values\"\nscript = { time = \"1s\", memory = \"1MiB\" }\n\
         [hub]\nuser = \"hub\"\nnice = 5\nready_timeout = \"2s\"\nstop = { timeout = \"3s\" }\nlog = \"hub.log\"\nenv = { A = \"1\" }\nlimits = { nofile = 9 }\n",
    );
    let listen = |text: &str| text.parse::<Address>().expect("an address");
    assert_eq!(spec.bus.listen, [listen("127.0.0.1:5000"), listen("unix:/srv/shop/bus")]);
    assert_eq!(
        (spec.bus.pub_listen, spec.bus.pull_listen),
        (Some(listen("127.0.0.1:5556")), Some(listen("127.0.0.1:5555")))
    );
    assert_eq!(
        (spec.bus.auth, spec.bus.slow, spec.bus.patience),
        (BusAuth::Plain, SlowPolicy::Disconnect, Duration::ZERO)
    );
    let chat = ReplaySpec { prefix: "chat.".into(), messages: 1000, bytes: 8 << 20 };
    let all = ReplaySpec { prefix: String::new(), messages: 7, bytes: 1 << 10 };
    assert_eq!(spec.bus.replay, [chat, all]);
    assert_eq!(spec.bus.engine, "nats://n:4222".parse::<Engine>().unwrap());
    assert_eq!(
        (spec.store.auth, spec.store.full, spec.store.fsync),
        (StoreAuth::None, FullPolicy::SoonestExpiry, Fsync::Always)
    );
    assert_eq!((spec.store.events, spec.store.script.time), (Events::WithValues, Duration::from_secs(1)));
    assert_eq!((service.identity.user.as_deref(), service.nice), (Some("hub"), 5));
    assert_eq!(
        (service.ready_timeout, service.reload.timeout),
        (Duration::from_secs(2), Duration::from_secs(2))
    );
    assert_eq!(service.environment.variables.get("A").map(String::as_str), Some("1"));
}

#[test]
fn services_come_after_the_hub_unless_they_have_nothing_to_do_with_it() {
    let config = load("[bus]\n[service.a]\ncommand = \"a\"\n[service.b]\ncommand = \"b\"\nhub = false\n[service.c]\ncommand = \"c\"\nafter = [\"hub\", \"a\"]\n").config;
    let seen: Vec<(bool, Vec<&str>)> = ["a", "b", "c"]
        .iter()
        .map(|name| &config.services[*name])
        .map(|spec| (spec.hub, spec.after.iter().map(|name| name.as_str()).collect()))
        .collect();
    assert_eq!(seen, [(true, vec!["hub"]), (false, vec![]), (true, vec!["hub", "a"])]);
    let (hub, _) = of(&config);
    assert_eq!(hub.accesses.get("b"), Some(&Access::none()), "old tokens of theirs open nothing");
    assert_eq!(config.instance.stop_timeout, Some(Duration::from_secs(30 + 5 + 30)), "the hub stops last");
    assert_eq!(config.instance.scale_on_signal, None, "not the one that always has one worker");
}

#[test]
fn unix_sockets_are_open_to_the_users_of_services() {
    let text = "[bus]\n[service.a]\ncommand = \"a\"\nuser = \"www\"\n[service.b]\ncommand = \"b\"\nuser = \"db\"\nhub = false\n";
    let config = load(text).config;
    assert_eq!(of(&config).0.users.into_iter().collect::<Vec<_>>(), ["www"]);
    assert_eq!(of(&config).0.limited_users.into_iter().collect::<Vec<_>>(), ["db"]);
    for rules in ["[service.app]\ncommand = \"app\"\nuser = \"www\"\nhub = false", "[access.web]\nkeys = []"]
    {
        let text = format!("[bus]\n{WEB}user = \"www\"\n{rules}\n");
        let limited = of(&load(&text).config).0.limited_users;
        assert_eq!(limited.into_iter().collect::<Vec<_>>(), ["www"], "{rules}");
    }
    assert_eq!(config.sockets["hub-store"].options.file_mode, 0o666);
}

#[test]
fn a_rule_says_what_a_service_may_do() {
    let (spec, _) = hub("[bus]\n[access.web]\nkeys = [\"cart:\"]\nread_keys = [\"price:\"]\ntopics = []\n");
    let rule = &spec.accesses["web"];
    assert!(rule.may_write(b"cart:1") && rule.may_read(b"price:1") && !rule.may_write(b"price:1"));
    assert!(!rule.may_publish(b"x"));
}

#[test]
fn a_password_of_an_engine_is_not_shown() {
    let loaded = load("[store]\nengine = \"redis://me:hunter2@r:6379\"\n");
    let shown = effective(&loaded.config, &loaded.masked);
    assert!(shown.contains("redis://me:***@r:6379") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_says_how_our_store_is_kept_says_nothing_of_another_server() {
    let loaded = load("[store]\nengine = \"redis://r\"\ndurable = false\nmemory = \"1MiB\"\n");
    insta::assert_snapshot!(loaded.warnings, @r#"
    warning: `durable` has no effect: another server holds the data, with settings of its own
     --> /srv/shop/remuda.toml:3:11
      |
    2 | engine = "redis://r"
      |          ----------- this one
    3 | durable = false
      |           ^^^^^

    warning: `memory` has no effect: another server holds the data, with settings of its own
     --> /srv/shop/remuda.toml:4:10
      |
    2 | engine = "redis://r"
      |          ----------- this one
    3 | durable = false
    4 | memory = "1MiB"
      |          ^^^^^^
    "#);
    let (plain, _) = hub("[store]\nengine = \"redis://r\"\n");
    assert_eq!(of(&loaded.config).0.store, plain.store);
}

#[test]
fn a_password_may_come_from_the_environment() {
    let (spec, _) = hub("[bus]\nengine = \"redis://:${SECRET}@r\"\n");
    assert_eq!(spec.bus.engine.external().unwrap().password.as_deref(), Some("hunter2"));
}

fn table(lines: Vec<&'static str>) -> impl Strategy<Value = String> {
    let all = lines.len();
    proptest::sample::subsequence(lines, 0..=all).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_effective_config_reads_back_as_the_same(
        bus in table(vec!["listen = []", "pub_listen = \"127.0.0.1:0\"", "auth = \"plain\"", "queue = \"5MiB\"", "slow = \"drop-newest\"", "patience = \"1s\"", "replay = [{ prefix = \"a${x:-}.\" }]", "engine = \"redis://r\""]),
        store in table(vec!["listen = [\"127.0.0.1:7\", \"unix:s\"]", "auth = \"none\"", "full = \"least-recently-used\"", "fsync = \"never\"", "durable = false", "events = false", "engine = \"redis://r/3\"", "script = { time = \"9s\" }"]),
        own in table(vec!["state = \"s\"", "user = \"u\"", "watchdog = \"3s\"", "restart = \"on-failure\"", "env = { A = \"$$(x)\" }", "limits = { core = 0 }"]),
        access in table(vec!["keys = [\"a:\", \"$$b\"]", "read_keys = [\"c\"]", "topics = []", "read_topics = [\"d\"]"]),
        other in select(vec!["", "hub = false", "hub = true\nafter = [\"hub\"]", "user = \"w\""]),
    ) {
        let text = format!("[bus]\n{bus}\n[store]\n{store}\n[hub]\n{own}\n[access.web]\n{access}\n{WEB}[service.b]\ncommand = \"b\"\n{other}\n");
        let before = load(&text).config;
        let shown = effective(&before, &Masked::new());
        let after = load(&shown).config;
        prop_assert_eq!(before, after, "{}", shown);
    }
}
