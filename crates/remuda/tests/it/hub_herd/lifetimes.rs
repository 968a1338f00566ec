//! Shared keys that end: on all servers alike, and nothing that was written later ends with them.

use remuda_toolkit::client::{Store, Value};

use super::keys::{SHARED, are_equal, ask};
use super::servers::{Servers, hub, view};
use crate::harness::until;

/// What happens to one key while the servers `0` and `1` can not hear `2` and `3`: who does what, `K` being the key.
type Story = (&'static str, &'static [(usize, &'static str)]);

/// All have `SADD K 1`. An end is over when the next command runs.
const STORIES: [Story; 6] = [
    ("written", &[(2, "PEXPIRE K 50"), (2, "SADD K 3")]),
    ("unaware", &[(2, "PEXPIRE K 50"), (0, "SADD K 4")]),
    ("both", &[(2, "PEXPIRE K 50"), (2, "SADD K 3"), (0, "SADD K 4")]),
    ("deleted", &[(0, "EXPIRE K 1000"), (2, "DEL K"), (2, "SADD K 7")]),
    ("longer", &[(2, "PEXPIRE K 50"), (0, "EXPIRE K 1000"), (0, "SADD K 2")]),
    ("persisted", &[(0, "EXPIRE K 1000"), (2, "PEXPIRE K 50"), (0, "PERSIST K"), (0, "SADD K 2")]),
];

fn stores(servers: &Servers) -> Vec<Store> {
    servers.all.iter().map(|server| hub(server).store()).collect()
}

/// Members of a key and when it ends, if it does.
fn seen(store: &mut Store, key: &str) -> (Vec<String>, Option<i64>) {
    let (Value::Set(members) | Value::Array(members)) = ask(store, &format!("SMEMBERS {key}")) else {
        panic!("no set")
    };
    let text = |member: &Value| match member {
        Value::Bulk(member) => String::from_utf8_lossy(member).into_owned(),
        other => format!("{other:?}"),
    };
    let mut members: Vec<String> = members.iter().map(text).collect();
    members.sort();
    let Value::Integer(end) = ask(store, &format!("PEXPIRETIME {key}")) else { panic!("no end") };
    (members, (end > 0).then_some(end))
}

#[test]
fn what_ended_on_one_side_of_a_cut_ends_alike_everywhere_and_takes_nothing_later_with_it() {
    let servers = Servers::up(4, &[(0, 1), (1, 2), (2, 3)], SHARED);
    servers.are_one(4);
    let mut stores = stores(&servers);
    for (name, _) in STORIES {
        ask(&mut stores[0], &format!("SADD s:{name} 1"));
    }
    are_equal(&servers);
    servers.wires[1].2.cut();
    until("the link to be lost", || view(&servers.all[1]).links.len() == 1);
    for (name, story) in STORIES {
        let key = format!("s:{name}");
        for (at, command) in story {
            let has_said = matches!(ask(&mut stores[*at], &command.replace('K', &key)), Value::Integer(1));
            assert!(has_said || command.starts_with("DEL"), "{name}: {command}");
            if command.starts_with("PEXPIRE") {
                until("the end", || ask(&mut stores[*at], &format!("EXISTS {key}")) == Value::Integer(0));
            }
        }
    }
    servers.mend_all(2);
    are_equal(&servers);
    let expected: [(&[&str], bool); 6] = [
        (&["3"], false),
        (&["4"], false),
        (&["3", "4"], false),
        (&["7"], false),
        (&["1", "2"], true),
        (&["1", "2"], false),
    ];
    for ((name, _), (members, has_end)) in STORIES.iter().zip(expected) {
        for (at, store) in stores.iter_mut().enumerate() {
            let (found, end) = seen(store, &format!("s:{name}"));
            assert_eq!(
                (found, end.is_some()),
                (members.iter().map(ToString::to_string).collect(), has_end),
                "{name} on {at}"
            );
        }
    }
    servers.end();
}

#[test]
fn a_key_ends_on_one_date_on_every_server_however_its_end_was_said() {
    let servers = Servers::up(2, &[(0, 1)], SHARED);
    servers.are_one(2);
    let mut stores = stores(&servers);
    for number in 0..50 {
        let store = &mut stores[number % 2];
        ask(store, &format!("SET s:set{number} v EX 1000"));
        ask(store, &format!("SADD s:expire{number} v"));
        ask(store, &format!("EXPIRE s:expire{number} 1000"));
        ask(store, &format!("SET from{number} v PX 900000"));
        ask(store, &format!("RENAME from{number} s:renamed{number}"));
    }
    let all = are_equal(&servers);
    assert_eq!(all.iter().filter(|line| !line.contains("Integer(-1)")).count(), 150, "{all:?}");
    servers.end();
}
