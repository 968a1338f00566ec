//! Engines that die and come back, that say nothing, and that were never there.

use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::server::{Kind, PASSWORD, Server};
use super::{config, for_each_engine, up};
use crate::harness::{Instance, until};
use crate::hub_durability::Wire;
use crate::hub_locks::{acquire, fence};

for_each_engine! {
    an_engine_that_is_killed_and_comes_back_has_its_locks_still
    who_waits_waits_on_while_the_engine_is_away
    an_engine_that_says_nothing_is_given_up_and_holds_up_nobody_else
}

fn an_engine_that_is_killed_and_comes_back_has_its_locks_still(kind: Kind) {
    let mut server = Server::start(kind);
    let (one, two) = (up(&server.url()), up(&server.url()));
    let (mut first, mut second) = (Wire::new(&one), Wire::new(&two));
    let held = acquire(&mut first, "a 60000");
    server.kill();
    for command in
        [format!("RENEW a {held} 60000"), "ACQUIRE b 60000".to_owned(), format!("RELEASE a {held}")]
    {
        let said = first.ask(&format!("LOCK.{command}"));
        assert!(said.starts_with("-LOCKSENGINE "), "{command}: {said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
    assert_eq!(first.ask("SET goes on"), "+OK", "who needs no lock does not care");
    server.again();
    if server.keeps() {
        until("the lease to be renewed", || first.ask(&format!("LOCK.RENEW a {held} 60000")) == ":1");
        until("the other hub to be back", || second.ask("LOCK.RENEW none 1 1000") == ":0");
        assert_eq!(second.ask("LOCK.ACQUIRE a 60000"), "$-1");
        assert_eq!(first.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    }
    until("the other hub to be back", || second.ask("LOCK.RENEW none 1 1000") == ":0");
    assert!(acquire(&mut second, "a 60000") > held, "fences grow, whatever the engine forgot");
    one.end();
    two.end();
}

fn who_waits_waits_on_while_the_engine_is_away(kind: Kind) {
    let mut server = Server::start(kind);
    let one = up(&server.url());
    server.kill();
    let (mut waits, mut in_vain) = (Wire::new(&one), Wire::new(&one));
    waits.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    let said = in_vain.ask("LOCK.ACQUIRE a 60000 WAIT 300");
    assert!(said.starts_with("-LOCKSENGINE "), "its time was over: {said}");
    server.again();
    assert!(fence(&waits.line()) > 0);
    one.end();
}

fn an_engine_that_says_nothing_is_given_up_and_holds_up_nobody_else(kind: Kind) {
    let server = Server::start(kind);
    let proxy = Proxy::to(server.port);
    let instance = up(&server.url_with(PASSWORD, proxy.port));
    let (mut holder, mut asks, mut other) =
        (Wire::new(&instance), Wire::new(&instance), Wire::new(&instance));
    let held = acquire(&mut holder, "a 60000");
    proxy.shut(true);
    holder.send(format!("LOCK.RENEW a {held} 60000\r\n").as_bytes());
    asks.send(b"LOCK.ACQUIRE b 60000\r\n");
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let asked = Instant::now();
        assert_eq!(other.ask("SET goes on"), "+OK");
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    for wire in [&mut holder, &mut asks] {
        let said = wire.line();
        assert!(said.starts_with("-LOCKSENGINE "), "{said}");
    }
    assert!(began.elapsed() >= Duration::from_secs(3), "an answer was waited for");
    proxy.shut(false);
    until("the lease to be renewed", || holder.ask(&format!("LOCK.RENEW a {held} 60000")) == ":1");
    instance.end();
}

#[test]
fn a_hub_whose_engine_was_never_there_serves_all_but_locks() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let instance = Instance::up(&config(&format!("postgres://me:{PASSWORD}@{nowhere}/db")));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET goes on"), "+OK");
    let said = wire.ask("LOCK.ACQUIRE a 1000");
    assert!(said.starts_with("-LOCKSENGINE ") && said.contains(&nowhere.to_string()), "{said}");
    let listed = instance.remuda(&["locks"]).done();
    assert!(listed.err.contains("the engine is away") && !listed.err.contains(PASSWORD), "{listed:?}");
    instance.end();
}
