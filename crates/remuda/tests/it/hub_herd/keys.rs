//! Shared keys: what one server is told, every server knows, whatever happened meanwhile.

use std::time::{Duration, Instant};

use remuda_toolkit::client::{Heard, Store, Value};
use rustix::process::Signal;

use super::RING;
use super::servers::{Servers, hub, view};
use crate::harness::{Instance, PATIENCE, is_root, process, run, until};
use crate::hub_durability;

pub(super) const SHARED: &str = "keys = [\"s:\"]\ncompare_every = \"1s\"";

/// A command, its words between blanks.
pub(super) fn ask(store: &mut Store, line: &str) -> Value {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    store.command(&words).unwrap()
}

/// Everything shared that a server has, and when it ends, as text.
pub(super) fn content(instance: &Instance) -> Vec<String> {
    let mut store = hub(instance).store();
    let Value::Array(keys) = ask(&mut store, "KEYS s:*") else { panic!("no keys") };
    let mut all = Vec::new();
    for key in keys {
        let Value::Bulk(key) = key else { panic!("no key") };
        let key = String::from_utf8(key).unwrap();
        let Value::Simple(kind) = ask(&mut store, &format!("TYPE {key}")) else { panic!("no type") };
        let value = match kind.as_slice() {
            b"string" => format!("{:?}", ask(&mut store, &format!("GET {key}"))),
            b"list" => format!("{:?}", ask(&mut store, &format!("LRANGE {key} 0 -1"))),
            b"hash" => sorted(ask(&mut store, &format!("HVALS {key}"))),
            b"set" => sorted(ask(&mut store, &format!("SMEMBERS {key}"))),
            b"zset" => format!("{:?}", ask(&mut store, &format!("ZRANGE {key} 0 -1 WITHSCORES"))),
            kind => format!("{kind:?}"),
        };
        let ends = ask(&mut store, &format!("PEXPIRETIME {key}"));
        all.push(format!("{key} {value} {ends:?}"));
    }
    all.sort();
    all
}

fn sorted(members: Value) -> String {
    let (Value::Set(members) | Value::Array(members)) = members else { return format!("{members:?}") };
    let mut members: Vec<String> = members.iter().map(|member| format!("{member:?}")).collect();
    members.sort();
    members.join(" ")
}

/// Waits until all servers have the same, and has the servers say so themselves.
#[track_caller]
pub(super) fn are_equal(servers: &Servers) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let all: Vec<Vec<String>> = servers.all.iter().map(content).collect();
        if all.iter().all(|other| *other == all[0]) {
            break;
        }
        for (number, other) in all.iter().enumerate() {
            let more: Vec<&String> = other.iter().filter(|line| !all[0].contains(line)).collect();
            let less: Vec<&String> = all[0].iter().filter(|line| !other.contains(line)).collect();
            let is_same = more.is_empty() && less.is_empty();
            assert!(is_same || Instant::now() < deadline, "server {number} has {more:?} and lacks {less:?}");
        }
    }
    for server in &servers.all {
        until("the servers to find no difference", || server.remuda(&["herd", "check"]).code == 0);
    }
    content(&servers.all[0])
}

#[test]
fn keys_of_every_type_are_the_same_on_every_server_and_so_is_their_end() {
    let servers = Servers::up(3, &RING, SHARED);
    servers.are_one(3);
    let mut stores: Vec<Store> = servers.all.iter().map(|server| hub(server).store()).collect();
    ask(&mut stores[0], "SET s:text hello");
    ask(&mut stores[0], "SET local mine");
    ask(&mut stores[1], "RPUSH s:list a b c");
    ask(&mut stores[1], "HSET s:hash a 1 b 2");
    ask(&mut stores[2], "SADD s:set x y");
    ask(&mut stores[2], "ZADD s:scores 1.5 x 2 y");
    assert_eq!(are_equal(&servers).len(), 5);
    for store in &mut stores {
        ask(store, "INCR s:count");
        ask(store, "SADD s:set z");
    }
    ask(&mut stores[0], "DEL s:list");
    ask(&mut stores[1], "SREM s:set x");
    ask(&mut stores[2], "EVAL return(redis.call('SET','s:script','1')) 0");
    let all = are_equal(&servers);
    assert!(all.iter().any(|line| line.starts_with("s:count") && line.contains("51")), "3 on all: {all:?}");
    assert!(!all.iter().any(|line| line.starts_with("s:list")), "{all:?}");
    assert_eq!(ask(&mut stores[1], "GET local"), Value::Null);
    ask(&mut stores[0], "PEXPIRE s:text 300");
    until("its end on every server", || {
        stores.iter_mut().all(|store| ask(store, "EXISTS s:text") == Value::Integer(0))
    });
    ask(&mut stores[1], "FLUSHDB");
    until("nothing to be left", || servers.all.iter().all(|server| content(server).is_empty()));
    are_equal(&servers);
    assert_eq!(ask(&mut stores[0], "GET local"), Value::Bulk(b"mine".to_vec()));
    servers.end();
}

#[test]
fn a_change_is_told_on_every_server_with_the_one_it_was_made_on() {
    let servers = Servers::up(2, &[(0, 1)], SHARED);
    servers.are_one(2);
    let mut listener = hub(&servers.all[1]).subscribe([&b"store.s:"[..]]);
    listener.connect().unwrap();
    hub(&servers.all[0]).store().set(b"s:a", b"1").unwrap();
    let heard = loop {
        if let Some(Heard::Message(message)) = listener.next(Duration::from_secs(10)).unwrap() {
            break String::from_utf8(message.payload).unwrap();
        }
    };
    let origin = format!("\"origin\":\"{}\"", view(&servers.all[0]).node);
    assert!(heard.contains("\"key\":\"s:a\"") && heard.contains(&origin), "{heard}");
    servers.end();
}

#[test]
fn what_was_changed_on_both_sides_of_a_cut_is_one_again_after_it() {
    let servers = Servers::up(3, &[(0, 1), (1, 2)], SHARED);
    servers.are_one(3);
    let mut stores: Vec<Store> = servers.all.iter().map(|server| hub(server).store()).collect();
    for number in 0..50 {
        ask(&mut stores[0], &format!("SET s:{number} before"));
    }
    are_equal(&servers);
    servers.wires[0].2.cut();
    until("the link to be lost", || view(&servers.all[0]).links.is_empty());
    for number in 0..20 {
        ask(&mut stores[0], &format!("SET s:{number} left"));
        ask(&mut stores[2], &format!("DEL s:{}", number + 10));
        ask(&mut stores[1], &format!("SADD s:set {number}"));
    }
    servers.mend_all(1);
    let all = are_equal(&servers);
    assert!(all.iter().any(|line| line.starts_with("s:set")), "{all:?}");
    assert!(!all.iter().any(|line| line.starts_with("s:25 ")), "a deletion is not undone: {all:?}");
    servers.end();
}

#[test]
fn a_server_that_dies_has_what_it_had_and_what_came_meanwhile() {
    let servers = Servers::up(3, &RING, SHARED);
    servers.are_one(3);
    let mut stores: Vec<Store> = servers.all.iter().map(|server| hub(server).store()).collect();
    for number in 0..200 {
        ask(&mut stores[number % 3], &format!("SET s:{number} {number}"));
    }
    ask(&mut stores[1], "DEL s:7");
    are_equal(&servers);
    // What is noted of keys is in the journal that was written anew as well.
    ask(&mut stores[1], "BGREWRITEAOF");
    ask(&mut stores[1], "SET s:9 later");
    are_equal(&servers);
    let pid = servers.all[1].pids("hub")[0];
    process::signal(pid, Signal::KILL);
    for number in 100..250 {
        ask(&mut stores[0], &format!("SET s:{number} again"));
    }
    ask(&mut stores[2], "DEL s:8");
    until("another hub", || servers.all[1].pids("hub").first().is_some_and(|other| *other != pid));
    servers.all[1].settled();
    until("its link", || !view(&servers.all[1]).links.is_empty());
    let all = are_equal(&servers);
    assert_eq!(all.len(), 248);
    let keys = view(&servers.all[1]).keys.unwrap();
    assert_eq!((keys.keys, keys.made_total, keys.concurrent_overwrites_total), (248, 0, 0), "{keys:?}");
    let reloaded = servers.all[2].remuda(&["reload", "hub"]).done();
    assert_eq!(reloaded.code, 0);
    ask(&mut hub(&servers.all[2]).store(), "SET s:last 1");
    until("links", || view(&servers.all[2]).links.len() == 2);
    assert_eq!(are_equal(&servers).len(), 249);
    servers.end();
}

#[test]
fn shared_keys_without_a_disk_survive_a_reload_and_come_from_the_others_after_a_crash() {
    let servers = Servers::up(2, &[(0, 1)], &format!("{SHARED}\n[store]\ndurable = false"));
    servers.are_one(2);
    let mut stores: Vec<Store> = servers.all.iter().map(|server| hub(server).store()).collect();
    for number in 0..20 {
        ask(&mut stores[number % 2], &format!("SET s:{number} {number}"));
    }
    assert_eq!(are_equal(&servers).len(), 20);
    servers.all[0].remuda(&["reload", "hub"]).done();
    until("a link", || !view(&servers.all[0]).links.is_empty());
    assert_eq!(are_equal(&servers).len(), 20);
    let keys = view(&servers.all[0]).keys.unwrap();
    assert_eq!((keys.made_total, keys.repaired_total), (0, 0), "it knew what it had: {keys:?}");
    let pid = servers.all[0].pids("hub")[0];
    process::signal(pid, Signal::KILL);
    until("another hub", || servers.all[0].pids("hub").first().is_some_and(|other| *other != pid));
    servers.all[0].settled();
    until("a link", || !view(&servers.all[0]).links.is_empty());
    assert_eq!(are_equal(&servers).len(), 20);
    servers.end();
}

#[test]
fn a_change_that_the_disk_has_not_is_on_no_other_server_until_it_has() {
    if !is_root() {
        return;
    }
    let mount = "mkdir -p state/store && mount -t tmpfs -o size=1m none state/store && exec \"$0\" \"$@\"";
    let small = |server| if server == 0 { vec!["unshare", "--mount", "sh", "-c", mount] } else { Vec::new() };
    let more = |_| format!("{SHARED}\n[store]\nfsync = \"always\"");
    let wrapper = |server| small(server).into_iter().map(str::to_owned).collect();
    let servers = Servers::up_with(2, &[(0, 1)], more, wrapper);
    servers.are_one(2);
    let mut stores: Vec<Store> = servers.all.iter().map(|server| hub(server).store()).collect();
    ask(&mut stores[0], "SET s:before 1");
    assert_eq!(are_equal(&servers).len(), 1);
    let (full, pid) = (&servers.all[0], servers.all[0].pids("hub")[0]);
    let ballast = format!("/proc/{pid}/root{}/state/store/ballast", full.dir().display());
    let mut fill = std::process::Command::new("dd");
    fill.args(["if=/dev/zero", &format!("of={ballast}"), "bs=4k"]);
    assert_ne!(run::run(fill).code, 0, "there is an end to the disk");
    let mut writer = hub_durability::Wire::new(full);
    // It does not fit into what is left of the journal's last page.
    writer.send(format!("SET s:held {}\r\n", "x".repeat(5_000)).as_bytes());
    let mut reader = hub_durability::Wire::new(full);
    until("a full disk", || reader.info("persistence").contains("aof_last_write_status:err"));
    // What a server tells comes in its order: this would come behind the change.
    let mut listener = hub(&servers.all[1]).subscribe([&b"news."[..]]);
    listener.connect().unwrap();
    until("a message", || {
        stores[0].publish(b"news.rain", b"").unwrap();
        matches!(listener.next(Duration::from_millis(100)).unwrap(), Some(Heard::Message(_)))
    });
    assert_eq!(ask(&mut stores[1], "EXISTS s:held"), Value::Integer(0));
    std::fs::remove_file(ballast).unwrap();
    writer.expect("+OK\r\n");
    until("the change", || ask(&mut stores[1], "STRLEN s:held") == Value::Integer(5_000));
    are_equal(&servers);
    servers.end();
}
