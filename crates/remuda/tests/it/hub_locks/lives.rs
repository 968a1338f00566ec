//! Locks outlive the hub that gave them.

use super::{HUB, acquire, fence, until_waiting};
use crate::harness::Instance;
use crate::hub_durability::{Wire, kill_hub};

#[test]
fn what_was_held_is_held_after_a_crash_and_fences_go_on() {
    let instance = Instance::up(HUB);
    let mut wire = Wire::new(&instance);
    let held = acquire(&mut wire, "held 60000");
    let free = acquire(&mut wire, "free 60000");
    assert_eq!(wire.ask(&format!("LOCK.RELEASE free {free}")), ":1");
    let short = acquire(&mut wire, "short 500 SESSION");
    kill_hub(&instance);
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("LOCK.ACQUIRE held 60000"), "$-1");
    assert_eq!(wire.ask(&format!("LOCK.RENEW held {held} 60000")), ":1", "its holder goes on");
    assert!(acquire(&mut wire, "free 60000") > short);
    let next = acquire(&mut wire, "short 60000 WAIT 60000");
    assert!(next > short, "it ended its whole ttl after the start");
    instance.end();
}

#[test]
fn fences_grow_when_the_disk_is_of_an_earlier_day() {
    let instance = Instance::up(HUB);
    let earlier = acquire(&mut Wire::new(&instance), "a 60000");
    instance.remuda(&["stop", "hub"]).done();
    let folder = instance.dir().join("state/locks");
    assert!(folder.is_dir());
    std::fs::remove_dir_all(&folder).unwrap();
    instance.remuda(&["start", "hub"]).done();
    assert!(acquire(&mut Wire::new(&instance), "a 60000") > earlier);
    instance.end();
}

#[test]
fn a_reload_keeps_holders_sessions_and_the_order_of_those_who_wait() {
    let instance = Instance::up(HUB);
    let mut holder = Wire::new(&instance);
    let lease = acquire(&mut holder, "a 60000");
    let session = acquire(&mut holder, "s 60000 SESSION");
    let mut waiters: Vec<Wire> = (1..=3).map(|_| Wire::new(&instance)).collect();
    // The last to connect is the first to come.
    for (count, wire) in (1..).zip(waiters.iter_mut().rev()) {
        wire.send(b"LOCK.ACQUIRE a 60000 WAIT 60000\r\n");
        until_waiting(&instance, "a", count);
    }
    let mut next = Wire::new(&instance);
    next.send(b"LOCK.ACQUIRE s 60000 WAIT 60000\r\n");
    until_waiting(&instance, "s", 1);
    for _ in 0..2 {
        instance.remuda(&["reload", "hub"]).done();
        until_waiting(&instance, "a", 3);
    }
    assert_eq!(holder.ask(&format!("LOCK.RENEW s {session} 60000")), ":1");
    assert_eq!(holder.ask(&format!("LOCK.RELEASE a {lease}")), ":1");
    let mut last = lease;
    for wire in waiters.iter_mut().rev() {
        let mine = fence(&wire.line());
        assert!(mine > last);
        assert_eq!(wire.ask(&format!("LOCK.RELEASE a {mine}")), ":1");
        last = mine;
    }
    drop(holder);
    assert!(fence(&next.line()) > session, "its connection ended");
    instance.end();
}

#[test]
fn another_state_folder_gets_the_locks() {
    let instance = Instance::up(HUB);
    let held = acquire(&mut Wire::new(&instance), "a 60000");
    instance.configure(&HUB.replace("\"state\"", "\"elsewhere\""));
    instance.remuda(&["apply"]).done();
    instance.settled();
    kill_hub(&instance);
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("LOCK.ACQUIRE a 60000"), "$-1");
    assert_eq!(wire.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    instance.end();
}
