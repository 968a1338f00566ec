//! Notifications of a Redis, and what is heard of them on the bus.

use remuda_bus::{BusOptions, Encoding, Filter, MemberId, Membership, Overflow, QueueLimits, Role};

use super::*;

/// What somebody who subscribed to `prefix` gets of a notification.
fn heard(prefix: &'static [u8], topic: &[u8]) -> String {
    let mut bus = Bus::new(BusOptions::default());
    let id = MemberId(7);
    let membership = Membership {
        encoding: Encoding::Zmtp,
        origin: Origin(7),
        hears_itself: true,
        sees_store_events: true,
        role: Role::Subscriber,
        queue: QueueLimits::new(Overflow::DropNewest),
    };
    bus.join(id, membership).unwrap();
    bus.subscribe(id, Filter::Prefix(prefix.into())).unwrap();
    tell(topic, b"set", &mut bus, Events::Names);
    let bytes: Vec<u8> = bus.slices(id).flatten().copied().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_key_that_looks_like_one_of_another_database_is_told_as_what_it_is() {
    assert!(heard(b"store.0:7:x", b"__keyspace@0__:7:x").contains("store.0:7:x"));
    assert_eq!(heard(b"store.7:", b"__keyspace@0__:7:x"), "", "database 7 has no such key");
    assert!(heard(b"store.7:", b"__keyspace@7__:x").contains("store.7:x"));
    assert!(heard(b"store.plain", b"__keyspace@0__:plain").contains("store.plain"));
}

#[test]
fn what_tells_of_no_database_is_told_to_nobody_who_asks_for_keys() {
    for topic in
        [&b"__keyspace@x__:k"[..], b"__keyspace@__:k", b"__keyspace@99999999999__:k", b"__keyevent@0__:set"]
    {
        assert_eq!(heard(b"store.", topic), "");
    }
}
