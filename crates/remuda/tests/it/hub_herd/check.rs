//! `remuda herd check`: all servers of the herd, whether there is a link with them or not.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::servers::{Servers, hub, view};
use crate::harness::until;

const SHARED: &str = "keys = [\"s:\"]\ncompare_every = \"1m\"";
const RING: [(usize, usize); 5] = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)];

/// What a check on a server says, and how it ends.
fn checked(servers: &Servers, server: usize) -> (i32, Json) {
    let said = servers.all[server].remuda(&["herd", "check", "--json"]);
    (said.code, said.json())
}

fn names(list: &Json) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn a_check_compares_with_servers_that_no_link_leads_to_and_names_those_that_no_way_leads_to() {
    let servers = Servers::up(5, &RING, SHARED);
    servers.are_one(5);
    for number in 0..300 {
        hub(&servers.all[number % 5]).store().set(format!("s:{number}").as_bytes(), b"1").unwrap();
    }
    let has_all = |server: usize| view(&servers.all[server]).keys.is_some_and(|keys| keys.keys == 300);
    until("all to have all", || (0..5).all(has_all));
    for server in 0..5 {
        let (code, said) = checked(&servers, server);
        assert_eq!((code, said["peers"].as_u64()), (0, Some(4)), "{said}");
    }
    let asked: u64 = servers.all.iter().map(|server| view(server).counters.relayed_total).sum();
    assert!(asked > 0, "those two links away were asked through others");

    // The herd falls into 0, 1 and 2, 3, 4.
    for link in [1, 4] {
        servers.wires[link].2.cut();
    }
    let is_alone = |server: usize, with: usize| {
        view(&servers.all[server]).members.iter().filter(|member| member.state == "here").count() == with
    };
    until("both sides to know", || {
        is_alone(0, 2) && is_alone(1, 2) && (2..5).all(|server| is_alone(server, 3))
    });
    hub(&servers.all[0]).store().set(b"s:left", b"1").unwrap();
    let (code, said) = checked(&servers, 2);
    assert_eq!(
        (code, said["peers"].as_u64(), said["differing_keys"].as_u64()),
        (1, Some(2), Some(0)),
        "{said}"
    );
    assert_eq!(names(&said["unreached"]), BTreeSet::from(["n0", "n1"]), "{said}");
    let said = servers.all[2].remuda(&["herd", "check"]).exits(1);
    assert!(said.err.contains("node n0 was not compared with: it is "), "{said:?}");

    for server in 0..5 {
        servers.mend_all(server);
    }
    until("all to be equal", || checked(&servers, 2).0 == 0);
    assert!(hub(&servers.all[3]).store().get(b"s:left").unwrap().is_some());
    servers.end();
}

#[test]
fn a_server_that_is_lost_while_it_is_asked_is_named_and_one_that_left_is_not_missed() {
    let mut servers = Servers::up(3, &[(0, 1), (1, 2)], SHARED);
    servers.are_one(3);
    servers.wires[1].2.silence();
    hub(&servers.all[2]).store().set(b"s:far", b"1").unwrap();
    let (code, said) = checked(&servers, 0);
    assert_eq!(
        (code, names(&said["unreached"])),
        (1, BTreeSet::from(["n2"])),
        "no answer is no agreement: {said}"
    );
    let said = servers.all[0].remuda(&["herd", "check"]).exits(1);
    assert!(said.err.contains("compared with 1 server)"), "{said:?}");
    servers.mend_all(2);
    until("all to be equal", || checked(&servers, 0).0 == 0);
    servers.all.remove(2).end();
    until("it to be known to have left", || {
        view(&servers.all[0]).members.iter().any(|member| member.state == "left")
    });
    let (code, said) = checked(&servers, 0);
    assert_eq!((code, names(&said["unreached"])), (0, BTreeSet::from(["n2"])), "{said}");
    servers.end();
}
