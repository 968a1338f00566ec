//! What is said about mistakes in the tables of the hub.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::{WEB, listens};
use crate::support::{load, mistakes};

#[test]
fn addresses_that_other_machines_can_reach_are_guarded() {
    insta::assert_snapshot!(mistakes("[bus]\nlisten = [\"127.0.0.1:1\", \"0.0.0.0:2\"]\npull_listen = \"db:5555\"\nauth = \"none\"\n[store]\nlisten = \"10.0.0.1:6379\"\nauth = \"none\"\n"), @r#"
    error: other machines can reach this address of the bus, and anybody could use it
     --> /srv/shop/remuda.toml:2:26
      |
    2 | listen = ["127.0.0.1:1", "0.0.0.0:2"]
      |                          ^^^^^^^^^^^
    3 | pull_listen = "db:5555"
    4 | auth = "none"
      |        ------ nobody shows who they are
      |
      = help: write auth = "curve", or "plain" in a network that nobody listens to

    error: other machines can reach this address of the bus, and anybody could use it
     --> /srv/shop/remuda.toml:3:15
      |
    3 | pull_listen = "db:5555"
      |               ^^^^^^^^^
    4 | auth = "none"
      |        ------ nobody shows who they are
      |
      = help: write auth = "curve", or "plain" in a network that nobody listens to

    error: other machines can reach this address of the store, and anybody could use it
     --> /srv/shop/remuda.toml:6:10
      |
    6 | listen = "10.0.0.1:6379"
      |          ^^^^^^^^^^^^^^^
    7 | auth = "none"
      |        ------ nobody shows who they are
      |
      = help: write auth = "token", or leave `auth` out
    "#);
    let fine = "[bus]\nlisten = \"0.0.0.0:2\"\nauth = \"plain\"\npub_listen = \"[::1]:1\"\n[store]\nlisten = [\"10.0.0.1:6379\", \"localhost:1\", \"unix:@x\"]\n";
    assert_eq!(listens(&load(fine).config).len(), 2 + 2 + 3);
}

#[test]
fn names_of_the_hub_are_taken() {
    insta::assert_snapshot!(mistakes("[store]\nlisten = \"127.0.0.1:80\"\n[bus]\npub_listen = \"127.0.0.1:80\"\n[service.hub]\ncommand = \"x\"\nsockets = [\"hub-bus\"]\n[socket.hub-bus]\nlisten = \"127.0.0.1:80\"\n"), @r#"
    error: hub-pub and hub-store-1 listen on the same address, 127.0.0.1:80
     --> /srv/shop/remuda.toml:4:14
      |
    2 | listen = "127.0.0.1:80"
      |          -------------- first here
    3 | [bus]
    4 | pub_listen = "127.0.0.1:80"
      |              ^^^^^^^^^^^^^^

    error: a service cannot be named hub here: [bus], [store] and [herd] make a service of that name
     --> /srv/shop/remuda.toml:5:10
      |
    5 | [service.hub]
      |          ^^^
      |
      = help: rename it; how the hub runs is said in [hub]

    error: a socket cannot be named hub-bus here: the hub has one of that name
     --> /srv/shop/remuda.toml:8:9
      |
    8 | [socket.hub-bus]
      |         ^^^^^^^
    "#);
    assert_eq!(
        load("[service.hub]\ncommand = \"x\"\n").config.services.len(),
        1,
        "without a hub they are free"
    );
}

#[test]
fn what_speaks_of_a_hub_that_is_not_there_is_refused() {
    insta::assert_snapshot!(mistakes("[hub]\nnice = 1\n[access.web]\nkeys = []\n[service.web]\ncommand = \"x\"\nhub = true\n"), @"
    error: [hub] says how the hub runs, and there is none
     --> /srv/shop/remuda.toml:1:1
      |
    1 | [hub]
      | ^^^^^
      |
      = help: write [bus], [store] or [herd]: each makes a hub

    error: access.web says what a service may do on the hub, and there is none
     --> /srv/shop/remuda.toml:3:9
      |
    3 | [access.web]
      |         ^^^
      |
      = help: write [bus], [store] or [herd]: each makes a hub

    error: there is no hub that it could use
     --> /srv/shop/remuda.toml:7:7
      |
    7 | hub = true
      |       ^^^^
      |
      = help: write [bus], [store] or [herd]: each makes one
    ");
}

#[test]
fn rules_name_services_that_use_the_hub() {
    insta::assert_snapshot!(mistakes("[bus]\n[access.wbe]\nkeys = []\n[access.job]\n[service.web]\ncommand = \"x\"\n[service.job]\ncommand = \"x\"\nhub = false\n"), @r#"
    error: there is no service named "wbe"
     --> /srv/shop/remuda.toml:2:9
      |
    2 | [access.wbe]
      |         ^^^
      |
      = help: did you mean `web`?

    error: service.job does not use the hub: hub = false
     --> /srv/shop/remuda.toml:4:9
      |
    4 | [access.job]
      |         ^^^
    ...
    9 | hub = false
      |       ----- here
    "#);
}

#[test]
fn bad_values_are_told_where_they_stand() {
    insta::assert_snapshot!(mistakes("[bus]\nqueue = \"1KiB\"\npatience = \"1m\"\nmessage_max = 0\npeers_max = 0\nheartbeat = \"0s\"\nreplay = [{ messages = 1 }, { prefix = \"a\" }, { prefix = \"a\", bytes = 0 }]\nauth = \"curve\"\nlisten = [\"udp:127.0.0.1:1\", \"unix:a\", \"unix:a\"]\n"), @r#"
    error: a queue has room for 4KiB at least
     --> /srv/shop/remuda.toml:2:9
      |
    2 | queue = "1KiB"
      |         ^^^^^^

    error: publishers wait for 10s at most
     --> /srv/shop/remuda.toml:3:12
      |
    3 | patience = "1m"
      |            ^^^^

    error: the largest message has from 1 byte to 1GiB
     --> /srv/shop/remuda.toml:4:15
      |
    4 | message_max = 0
      |               ^

    error: there is room for 1 to 1000000 peers
     --> /srv/shop/remuda.toml:5:13
      |
    5 | peers_max = 0
      |             ^

    error: this time must be longer than zero
     --> /srv/shop/remuda.toml:6:13
      |
    6 | heartbeat = "0s"
      |             ^^^^

    error: this replay has no `prefix`
     --> /srv/shop/remuda.toml:7:11
      |
    7 | replay = [{ messages = 1 }, { prefix = "a" }, { prefix = "a", bytes = 0 }]
      |           ^^^^^^^^^^^^^^^^
      |
      = help: write which topics it keeps: prefix = "chat."

    error: topics that begin with "a" are kept twice
     --> /srv/shop/remuda.toml:7:58
      |
    7 | replay = [{ messages = 1 }, { prefix = "a" }, { prefix = "a", bytes = 0 }]
      |                                        --- first here    ^^^

    error: at least one byte is kept
     --> /srv/shop/remuda.toml:7:71
      |
    7 | replay = [{ messages = 1 }, { prefix = "a" }, { prefix = "a", bytes = 0 }]
      |                                                                       ^

    error: auth = "curve" needs a file of keys
     --> /srv/shop/remuda.toml:8:8
      |
    8 | auth = "curve"
      |        ^^^^^^^
      |
      = help: write where it is: curve_keys = "bus.keys"

    error: the hub has no use for udp:127.0.0.1:1
     --> /srv/shop/remuda.toml:9:11
      |
    9 | listen = ["udp:127.0.0.1:1", "unix:a", "unix:a"]
      |           ^^^^^^^^^^^^^^^^^
      |
      = help: it listens on TCP addresses and on unix:… ones

    error: unix:/srv/shop/a is listed twice
     --> /srv/shop/remuda.toml:9:40
      |
    9 | listen = ["udp:127.0.0.1:1", "unix:a", "unix:a"]
      |                                        ^^^^^^^^
    "#);
    insta::assert_snapshot!(mistakes("[store]\nmemory = 1\ndatabases = 0\nclients_max = 0\nscript = { memory = 1 }\nevents = \"values\"\nfsync = \"sometimes\"\nfull = \"panic\"\nlisten = [\"nowhere\"]\n"), @r#"
    error: "values" is not known here; write true, false or "with-values"
     --> /srv/shop/remuda.toml:6:10
      |
    6 | events = "values"
      |          ^^^^^^^^

    error: "sometimes" is not known here; write "always", "1s" or "never"
     --> /srv/shop/remuda.toml:7:9
      |
    7 | fsync = "sometimes"
      |         ^^^^^^^^^^^

    error: "panic" is not known here; write "refuse", "least-recently-used", "soonest-expiry"
     --> /srv/shop/remuda.toml:8:8
      |
    8 | full = "panic"
      |        ^^^^^^^

    error: "nowhere" is not an address; write "127.0.0.1:8080", "[::]:80", "unix:/run/x.sock", "udp:0.0.0.0:53", "systemd:NAME" or "fd:3"
     --> /srv/shop/remuda.toml:9:10
      |
    9 | listen = ["nowhere"]
      |          ^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(mistakes("[store]\nmemory = 1\ndatabases = 0\nclients_max = 0\nscript = { memory = 1 }\n"), @r#"
    error: the store takes 1MiB at least
     --> /srv/shop/remuda.toml:2:10
      |
    2 | memory = 1
      |          ^

    error: there are 1 to 1024 databases
     --> /srv/shop/remuda.toml:3:13
      |
    3 | databases = 0
      |             ^

    error: there is room for 1 to 1000000 clients
     --> /srv/shop/remuda.toml:4:15
      |
    4 | clients_max = 0
      |               ^

    error: scripts take 1MiB at least
     --> /srv/shop/remuda.toml:5:21
      |
    5 | script = { memory = 1 }
      |                     ^
    "#);
    insta::assert_snapshot!(mistakes("[bus]\nauth = \"curve\"\ncurve_keys = \"missing.keys\"\n"), @r#"
    error: the keys of /srv/shop/missing.keys cannot be used: No such file or directory (os error 2)
     --> /srv/shop/remuda.toml:3:14
      |
    3 | curve_keys = "missing.keys"
      |              ^^^^^^^^^^^^^^
    "#);
}

#[test]
fn misspelt_keys_get_the_nearest_name() {
    insta::assert_snapshot!(mistakes("[bus]\nheartbeet = \"1s\"\nreplay = [{ prefx = \"a\" }]\n[store]\nscript = { tiem = \"1s\" }\n[hub]\nstat = \"x\"\n[access.web]\nkey = []\n[service.web]\ncommand = \"x\"\n"), @r#"
    error: [bus] has no key `heartbeet`
     --> /srv/shop/remuda.toml:2:1
      |
    2 | heartbeet = "1s"
      | ^^^^^^^^^
      |
      = help: did you mean `heartbeat`?

    error: [bus.replay] has no key `prefx`
     --> /srv/shop/remuda.toml:3:13
      |
    3 | replay = [{ prefx = "a" }]
      |             ^^^^^
      |
      = help: did you mean `prefix`?

    error: [store.script] has no key `tiem`
     --> /srv/shop/remuda.toml:5:12
      |
    5 | script = { tiem = "1s" }
      |            ^^^^
      |
      = help: did you mean `time`?

    error: [hub] has no key `stat`
     --> /srv/shop/remuda.toml:7:1
      |
    7 | stat = "x"
      | ^^^^
      |
      = help: did you mean `state`?

    error: [access.web] has no key `key`
     --> /srv/shop/remuda.toml:9:1
      |
    9 | key = []
      | ^^^
      |
      = help: did you mean `keys`?
    "#);
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let loaded = load(&format!(
        "[bus]\ncurve_keys = \"k\"\n[store]\ndurable = false\nfsync = \"1s\"\n[access.web]\nread_keys = [\"a\"]\n{WEB}"
    ));
    insta::assert_snapshot!(loaded.warnings, @r#"
    warning: `curve_keys` has no effect without auth = "curve"
     --> /srv/shop/remuda.toml:2:14
      |
    2 | curve_keys = "k"
      |              ^^^

    warning: `fsync` has no effect with durable = false
     --> /srv/shop/remuda.toml:5:9
      |
    4 | durable = false
      |           ----- nothing is written
    5 | fsync = "1s"
      |         ^^^^

    warning: `read_keys` has no effect: without `keys` it may use all keys
     --> /srv/shop/remuda.toml:7:13
      |
    7 | read_keys = ["a"]
      |             ^^^^^
      |
      = help: write keys = [] to allow nothing else
    "#);
}

#[test]
fn keys_that_others_can_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus.keys");
    std::fs::write(&path, "secret").unwrap();
    let text = format!("[bus]\nauth = \"curve\"\ncurve_keys = {path:?}\n{WEB}");
    let said = |mode| {
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        load(&text).warnings.to_string()
    };
    assert!(said(0o640).contains("others can read the keys of"));
    assert!(!said(0o600).contains("others can read"));
}

#[test]
fn a_table_is_asked_for_in_the_words_of_the_config() {
    insta::assert_snapshot!(mistakes("bus = true\n"), @"
    error: this must be a table, not true
     --> /srv/shop/remuda.toml:1:7
      |
    1 | bus = true
      |       ^^^^
    ");
}

#[test]
fn times_of_the_store_are_ones_it_can_keep() {
    insta::assert_snapshot!(mistakes("[store]\nfsync = \"9ms\"\nscript = { time = \"61s\" }\n"), @r#"
    error: the journal is synced every 10ms to 1m, "always" or "never"
     --> /srv/shop/remuda.toml:2:9
      |
    2 | fsync = "9ms"
      |         ^^^^^

    error: a script runs for 1m at most
     --> /srv/shop/remuda.toml:3:19
      |
    3 | script = { time = "61s" }
      |                   ^^^^^
    "#);
    assert!(mistakes("[store]\nfsync = \"61s\"\n").contains("synced every 10ms to 1m"));
    for fine in ["10ms", "1m", "always", "never", "0s"] {
        load(&format!("[store]\nfsync = \"{fine}\"\nscript = {{ time = \"1m\" }}\n"));
    }
}

#[test]
fn a_replay_too_many_is_refused() {
    let replays = |count: usize| {
        let tables = (0..count).map(|number| format!("[[bus.replay]]\nprefix = \"topic.{number}.\"\n"));
        format!("[bus]\n{}", tables.collect::<String>())
    };
    load(&replays(64));
    insta::assert_snapshot!(mistakes(&replays(66)), @"
    error: this replay is one too many: there are 64 at most
       --> /srv/shop/remuda.toml:130:1
        |
    130 | [[bus.replay]]
        | ^^^^^^^^^^^^^^
    ");
}

#[test]
fn servers_that_cannot_be_called_are_told() {
    insta::assert_snapshot!(mistakes("[herd]\nlisten = \"unix:/run/herd\"\nadvertise = \"0.0.0.0:7946\"\npeers = [\"10.0.0.2\", \"10.0.0.3:0\", \"a:1\", \"a:1\"]\nheartbeat = \"1ms\"\nqueue = \"1KiB\"\n"), @r#"
    error: other servers cannot reach unix:/run/herd
     --> /srv/shop/remuda.toml:2:10
      |
    2 | listen = "unix:/run/herd"
      |          ^^^^^^^^^^^^^^^^

    error: "0.0.0.0:7946" cannot be called: 0.0.0.0 is no server's address
     --> /srv/shop/remuda.toml:3:13
      |
    3 | advertise = "0.0.0.0:7946"
      |             ^^^^^^^^^^^^^^
      |
      = help: write a host and a port: "10.0.0.2:7946"

    error: "10.0.0.2" cannot be called: it is not a host and a port
     --> /srv/shop/remuda.toml:4:10
      |
    4 | peers = ["10.0.0.2", "10.0.0.3:0", "a:1", "a:1"]
      |          ^^^^^^^^^^
      |
      = help: write a host and a port: "10.0.0.2:7946"

    error: "10.0.0.3:0" cannot be called: nobody listens on port 0
     --> /srv/shop/remuda.toml:4:22
      |
    4 | peers = ["10.0.0.2", "10.0.0.3:0", "a:1", "a:1"]
      |                      ^^^^^^^^^^^^
      |
      = help: write a host and a port: "10.0.0.2:7946"

    error: a:1 is listed twice
     --> /srv/shop/remuda.toml:4:43
      |
    4 | peers = ["10.0.0.2", "10.0.0.3:0", "a:1", "a:1"]
      |                                           ^^^^^

    error: a heartbeat comes every 100ms to 1m
     --> /srv/shop/remuda.toml:5:13
      |
    5 | heartbeat = "1ms"
      |             ^^^^^

    error: a link's queue has room for 64KiB at least
     --> /srv/shop/remuda.toml:6:9
      |
    6 | queue = "1KiB"
      |         ^^^^^^
    "#);
}

#[test]
fn what_is_wrong_with_an_engine_is_told_where_it_stands_and_without_its_password() {
    insta::assert_snapshot!(mistakes("[bus]\nengine = \"kafka://u:hunter2@k\"\n[store]\nengine = \"nats://n\"\n"), @r#"
    error: this is no engine: write "embedded", "redis://host:6379", "nats://host:4222", "postgres://user@host:5432/database" or "etcd://host:2379"
     --> /srv/shop/remuda.toml:2:10
      |
    2 | engine = "kafka://u:*******@k"
      |          ^^^^^^^^^^^^^^^^^^^^^

    error: a NATS carries messages; it cannot be the store
     --> /srv/shop/remuda.toml:4:10
      |
    4 | engine = "nats://n"
      |          ^^^^^^^^^^
      |
      = help: write "embedded" or "redis://host:6379"
    "#);
    insta::assert_snapshot!(mistakes("[bus]\nengine = \"redis://me:hunter2@\"\n[store]\nmemory = \"1GiB\"\nengine = \"redis://me:hun/ter2@r\"\n"), @r#"
    error: the engine's URL names no host
     --> /srv/shop/remuda.toml:2:10
      |
    2 | engine = "redis://me:*******@"
      |          ^^^^^^^^^^^^^^^^^^^^^

    error: the port in the engine's URL is no number from 1 to 65535
     --> /srv/shop/remuda.toml:5:10
      |
    5 | engine = "redis://me:********@r"
      |          ^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn locks_that_several_hubs_would_give_away_are_refused_with_what_to_write() {
    insta::assert_snapshot!(mistakes("[herd]\npeers = [\"10.0.0.2:7946\"]\n[locks]\n"), @r#"
    error: this hub is in a herd, and each of them would give the same lock away: say who keeps the locks
     --> /srv/shop/remuda.toml:3:1
      |
    3 | [locks]
      | ^^^^^^^
      |
      = help: home = "NODE" names the one hub that keeps them; engine = "postgres://…" or "etcd://…" keeps them for all
    "#);
    insta::assert_snapshot!(mistakes("[store]\nengine = \"redis://r\"\n[locks]\nengine = \"embedded\"\n"), @r#"
    error: this hub shares its bus or store with others, and each of them would give the same lock away: say who keeps the locks
     --> /srv/shop/remuda.toml:3:1
      |
    3 | [locks]
      | ^^^^^^^
      |
      = help: home = "NODE" names the one hub that keeps them; engine = "postgres://…" or "etcd://…" keeps them for all
    "#);
    insta::assert_snapshot!(mistakes("[herd]\npeers = [\"10.0.0.2:7946\"]\n[locks]\nengine = \"mysql://h\"\n"), @r#"
    error: this is no engine: write "embedded", "redis://host:6379", "nats://host:4222", "postgres://user@host:5432/database" or "etcd://host:2379"
     --> /srv/shop/remuda.toml:4:10
      |
    4 | engine = "mysql://h"
      |          ^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(mistakes("[bus]\n[locks]\nengine = \"nats://n\"\n"), @r#"
    error: a NATS carries messages; it cannot keep locks
     --> /srv/shop/remuda.toml:3:10
      |
    3 | engine = "nats://n"
      |          ^^^^^^^^^^
      |
      = help: write "postgres://user@host/database", "etcd://host", or "redis://host" for best effort
    "#);
    insta::assert_snapshot!(mistakes("[bus]\n[locks]\nengine = \"etcd://k\"\nhome = \"one\"\n"), @r#"
    error: with an engine every hub gives locks: `home` has no meaning then
     --> /srv/shop/remuda.toml:4:8
      |
    4 | home = "one"
      |        ^^^^^
    "#);
    insta::assert_snapshot!(mistakes("[bus]\n[locks]\nengine = \"postgres://me:hunter2@db/x?sslmode=require\"\n"), @r#"
    error: the hub does not speak TLS to engines, and `sslmode` demands it: put a tunnel between and write sslmode=disable
     --> /srv/shop/remuda.toml:3:10
      |
    3 | engine = "postgres://me:*******@db/x?sslmode=require"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(mistakes("[bus]\nengine = \"postgres://me@db\"\n[store]\nengine = \"etcd://k\"\n"), @r#"
    error: this server cannot carry the bus: it keeps locks only
     --> /srv/shop/remuda.toml:2:10
      |
    2 | engine = "postgres://**@db"
      |          ^^^^^^^^^^^^^^^^^^
      |
      = help: write "embedded", "redis://host:6379" or "nats://host:4222"

    error: this server cannot be the store: it keeps locks only
     --> /srv/shop/remuda.toml:4:10
      |
    4 | engine = "etcd://k"
      |          ^^^^^^^^^^
      |
      = help: write "embedded" or "redis://host:6379"
    "#);
    insta::assert_snapshot!(mistakes("[locks]\nhome = \"one\"\n"), @"
    error: [locks] says how the hub keeps locks, and there is none
     --> /srv/shop/remuda.toml:1:1
      |
    1 | [locks]
      | ^^^^^^^
      |
      = help: write [bus], [store] or [herd]: each makes a hub
    ");
    insta::assert_snapshot!(mistakes("[bus]\n[locks]\nhome = \"\"\n"), @r#"
    error: home is the name of a node
     --> /srv/shop/remuda.toml:3:8
      |
    3 | home = ""
      |        ^^
    "#);
}
