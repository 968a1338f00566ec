//! What clients ask, and what they hear.

use std::time::Duration;

use super::{HUB, acquire, fence, until_waiting};
use crate::harness::Instance;
use crate::harness::program::service_token;
use crate::hub_durability::Wire;

#[test]
fn a_lock_is_had_by_one_renewed_given_back_and_handed_to_the_next() {
    let instance = Instance::up(HUB);
    let (mut one, mut two) = (Wire::new(&instance), Wire::new(&instance));
    let first = acquire(&mut one, "door 60000 OWNER me");
    assert!(first < 1 << 53, "numbers of JSON and JavaScript hold it: {first}");
    assert_eq!(two.ask("LOCK.ACQUIRE door 60000"), "$-1");
    assert_eq!(two.ask("LOCK.ACQUIRE door 60000 WAIT 50"), "$-1", "its time was over");
    assert_eq!(two.ask(&format!("LOCK.RENEW door {} 60000", first + 1)), ":0");
    assert_eq!(one.ask(&format!("LOCK.RENEW door {first} 90000")), ":1");
    two.send(b"LOCK.ACQUIRE door 60000 WAIT 60000\r\nPING\r\n");
    until_waiting(&instance, "door", 1);
    assert_eq!(one.ask(&format!("LOCK.RELEASE door {first}")), ":1");
    assert!(fence(&two.line()) > first);
    assert_eq!(two.line(), "+PONG", "what was sent behind it comes behind it");
    assert_eq!(one.ask(&format!("LOCK.RELEASE door {first}")), ":0", "it is another's now");
    assert_eq!(one.ask("LOCK.LIST"), "*1");
    instance.end();
}

#[test]
fn a_lease_ends_and_a_session_ends_with_its_connection() {
    let instance = Instance::up(HUB);
    let (mut one, mut two) = (Wire::new(&instance), Wire::new(&instance));
    let lease = acquire(&mut one, "lease 300");
    let session = acquire(&mut one, "session 60000 SESSION");
    two.send(b"LOCK.ACQUIRE session 60000 WAIT 60000\r\n");
    until_waiting(&instance, "session", 1);
    drop(one);
    assert!(fence(&two.line()) > session);
    assert!(acquire(&mut two, "lease 60000 WAIT 60000") > lease, "it ended by itself");
    instance.end();
}

#[test]
fn who_waits_and_is_gone_gets_nothing_and_keeps_nobody() {
    let instance = Instance::up(HUB);
    let (mut one, mut two, mut three) = (Wire::new(&instance), Wire::new(&instance), Wire::new(&instance));
    let held = acquire(&mut one, "a 60000");
    two.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    until_waiting(&instance, "a", 1);
    three.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    until_waiting(&instance, "a", 2);
    drop(two);
    until_waiting(&instance, "a", 1);
    assert_eq!(one.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    assert!(fence(&three.line()) > held);
    instance.end();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let instance = Instance::up(HUB);
    let mut wire = Wire::new(&instance);
    for (words, why) in [
        ("a 99", "the ttl of a lock is 100 to"),
        ("a x", "whole number"),
        ("a 1000 WAIT", "syntax error"),
        ("a 1000 WAIT 86400001", "the wait for a lock"),
        ("a 1000 NOW 1", "syntax error"),
    ] {
        let said = wire.ask(&format!("LOCK.ACQUIRE {words}"));
        assert!(said.starts_with("-ERR") && said.contains(why), "{words}: {said}");
    }
    assert_eq!(wire.ask("MULTI"), "+OK");
    assert_eq!(wire.ask("LOCK.ACQUIRE a 1000"), "+QUEUED");
    assert_eq!(wire.ask("EXEC"), "*1");
    assert!(wire.line().contains("inside MULTI"));
    assert_eq!(wire.ask("LOCK.INFO a"), "$-1");
    assert_eq!(
        wire.ask("PUBLISH lock.a x").split(' ').next(),
        Some("-NOPERM"),
        "its topics are the hub's own"
    );
    instance.end();
}

#[test]
fn whoever_listens_hears_what_becomes_of_a_lock() {
    let instance = Instance::up(HUB);
    let (mut holder, mut listener) = (Wire::new(&instance), Wire::new(&instance));
    listener.send(b"PSUBSCRIBE lock.*\r\n");
    listener.expect("*3\r\n$10\r\npsubscribe\r\n$6\r\nlock.*\r\n:1\r\n");
    let held = acquire(&mut holder, "a 200 OWNER me");
    for event in ["acquired", "expired"] {
        listener.expect("*4\r\n$8\r\npmessage\r\n$6\r\nlock.*\r\n$6\r\nlock.a\r\n");
        listener.line();
        let told: serde_json::Value = serde_json::from_str(&listener.line()).unwrap();
        assert_eq!(told, serde_json::json!({"lock": "a", "event": event, "fence": held, "owner": "me"}));
    }
    instance.end();
}

#[test]
fn the_name_of_a_lock_counts_as_a_key() {
    let rules =
        "[service.web]\ncommand = \"sleep 1000\"\n[access.web]\nkeys = [\"web:\"]\nread_keys = [\"all:\"]\n";
    let instance = Instance::up(&format!("{HUB}{rules}"));
    let (mut trusted, mut web) = (Wire::new(&instance), Wire::new(&instance));
    acquire(&mut trusted, "all:a 60000");
    acquire(&mut trusted, "none:a 60000");
    assert_eq!(web.ask(&format!("AUTH web {}", service_token(&instance, "web"))), "+OK");
    acquire(&mut web, "web:a 60000");
    for command in ["ACQUIRE all:b 1000", "RENEW all:a 1 1000", "RELEASE all:a 1", "INFO none:a"] {
        assert!(web.ask(&format!("LOCK.{command}")).starts_with("-NOPERM"), "{command}");
    }
    assert_eq!(web.ask("LOCK.LIST"), "*2");
    let mut listener = Wire::new(&instance);
    assert_eq!(listener.ask(&format!("AUTH web {}", service_token(&instance, "web"))), "+OK");
    assert!(listener.ask("BUS.SUBSCRIBE lock.none:").starts_with("-NOPERM"));
    instance.end();
}

#[test]
fn a_hub_that_is_not_the_home_of_the_locks_refuses_them() {
    let node = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for (home, is_given) in [("elsewhere", false), (node.trim(), true)] {
        let instance = Instance::up(&format!("{HUB}[locks]\nhome = \"{home}\"\n"));
        let said = Wire::new(&instance).ask("LOCK.ACQUIRE a 1000");
        assert_eq!(said.starts_with(':'), is_given, "{said}");
        assert!(is_given || said.starts_with("-LOCKSELSEWHERE"), "{said}");
        instance.end();
    }
}

#[test]
fn a_client_that_waits_wakes_nobody() {
    let instance = Instance::up(HUB);
    let (mut one, mut two) = (Wire::new(&instance), Wire::new(&instance));
    acquire(&mut one, "a 60000");
    two.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
    two.stays_silent(Duration::from_millis(300));
    instance.end();
}
