//! Locks in a herd: kept by the one hub that the config names, and refused where it names none.

use crate::harness::until;
use crate::hub_durability::{Wire, kill_hub};
use crate::hub_herd::servers::{Servers, hub};
use crate::hub_locks::{acquire, fence};

const RING: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 0)];

#[test]
fn a_herd_whose_config_names_no_keeper_has_no_locks_and_says_what_to_write() {
    let servers = Servers::up(2, &[(0, 1)], "");
    for server in &servers.all {
        let mut wire = Wire::new(server);
        for command in ["ACQUIRE a 1000", "RENEW a 1 1000", "RELEASE a 1", "INFO a", "LIST"] {
            let said = wire.ask(&format!("LOCK.{command}"));
            assert!(said.starts_with("-LOCKSELSEWHERE "), "{command}: {said}");
            assert!(said.contains("home = ") && said.contains("engine = "), "{said}");
        }
        let said = server.remuda(&["lock", "a", "--wait", "0s", "--", "true"]);
        assert!(said.code != 0 && said.err.contains("in a herd"), "{said:?}");
    }
    servers.end();
}

#[test]
fn one_server_of_three_keeps_the_locks_and_the_others_name_it_while_it_is_away_too() {
    let mut servers = Servers::up(3, &RING, "[locks]\nhome = \"n1\"");
    servers.are_one(3);
    let elsewhere = |server: usize, servers: &Servers| {
        let said = Wire::new(&servers.all[server]).ask("LOCK.ACQUIRE a 1000");
        assert!(said.starts_with("-LOCKSELSEWHERE ") && said.contains("'n1'"), "{said}");
    };
    elsewhere(0, &servers);
    elsewhere(2, &servers);
    let mut wire = Wire::new(&servers.all[1]);
    let held = acquire(&mut wire, "a 60000");
    // Clients of the other servers' machines come to it by its own address.
    let mut store = hub(&servers.all[1]).store();
    let ask = remuda_toolkit::client::LockAsk::default();
    assert_eq!(store.acquire(b"a", &ask).unwrap(), None);
    kill_hub(&servers.all[1]);
    until("it to be in its herd again", || {
        !Wire::new(&servers.all[1]).ask("LOCK.ACQUIRE a 60000").starts_with("-LOCKSELSEWHERE")
    });
    let mut wire = Wire::new(&servers.all[1]);
    assert_eq!(wire.ask(&format!("LOCK.RENEW a {held} 60000")), ":1");
    assert_eq!(wire.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    assert!(fence(&wire.ask("LOCK.ACQUIRE a 60000")) > held);
    drop(wire);
    // Nobody takes its place.
    drop(servers.all.remove(1));
    elsewhere(0, &servers);
    elsewhere(1, &servers);
    servers.end();
}
