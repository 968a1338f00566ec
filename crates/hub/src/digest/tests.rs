//! What single connections send, and what comes of it.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use remuda_bus::{Encoding, Filter, FilterKind, MemberId, Membership, Origin, Overflow, QueueLimits, Role};
use remuda_model::Tick;
use remuda_model::hub::ReplaySpec;
use remuda_wire::resp::CommandParser;

use super::*;
use crate::core::tests::{core_of, spec};
use crate::limits;
use crate::stream::{Remote, Stream};
use crate::table::Key;

/// Everything on a disk that has each write before it is answered, with a ring for all topics.
fn core(folder: &Path) -> Core {
    let mut spec = spec(folder);
    spec.bus.replay = vec![ReplaySpec { prefix: String::new(), messages: 100, bytes: 100_000 }];
    core_of(folder, spec)
}

fn client(core: &Core, number: u64) -> Connection {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let key = Key::from_number(number);
    let session = Session::new(key, Some(core.users.trusted()), key.origin(), Tick::default());
    let mut parser = CommandParser::new(limits::resp());
    parser.set_authenticated(true);
    let remote = Remote::Local { pid: 0, uid: 0 };
    let protocol = Protocol::Redis(Box::new(session), parser);
    Connection::new(key, Stream::unix(ours).unwrap(), remote, 0, protocol, Tick::default())
}

fn send(connection: &mut Connection, core: &mut Core, text: &str) {
    connection.input.extend_from_slice(text.as_bytes());
    connection.digest(core);
}

/// What waits on the bus for it.
fn queued(core: &Core, connection: &Connection) -> String {
    let bytes: Vec<u8> = core.bus.slices(connection.key.member()).flatten().copied().collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn who_subscribes_hears_the_replies_before_it_first_though_the_disk_has_them_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    let mut one = client(&core, 1 << 32);
    send(&mut one, &mut core, "SET k v\r\nSUBSCRIBE ch\r\nPING\r\n");
    assert!(one.outbox.is_held() && !one.is_behind());
    assert_eq!(core.bus.publish_one(Origin(9), b"ch", b"early").unwrap(), 0);
    one.outbox.release(u64::MAX);
    assert!(one.is_behind(), "now it is its turn");
    one.digest(&mut core);
    assert_eq!(core.bus.publish_one(Origin(9), b"ch", b"late").unwrap(), 1);
    let expected = "+OK\r\n*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n*3\r\n$7\r\nmessage\r\n";
    assert!(queued(&core, &one).starts_with(expected), "{}", queued(&core, &one));
    assert_eq!(one.outbox.ready(), b"*2\r\n$4\r\npong\r\n$0\r\n\r\n");
}

#[test]
fn a_transaction_that_subscribes_waits_for_the_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    let mut one = client(&core, 1 << 32);
    send(&mut one, &mut core, "SET k v\r\nMULTI\r\nSUBSCRIBE ch\r\nEXEC\r\n");
    assert_eq!(core.bus.listeners(FilterKind::Channel, b"ch"), 0);
    one.outbox.release(u64::MAX);
    one.digest(&mut core);
    assert!(queued(&core, &one).starts_with("+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n*3\r\n"));
}

#[test]
fn each_subscription_of_a_transaction_begins_where_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    core.bus.publish_one(Origin(9), b"ca.1", b"first").unwrap();
    core.bus.publish_one(Origin(9), b"cb.1", b"second").unwrap();
    let mut one = client(&core, 1 << 32);
    send(
        &mut one,
        &mut core,
        "HELLO 3\r\nMULTI\r\nBUS.SUBSCRIBE ca. AFTER 0\r\nBUS.SUBSCRIBE cb. AFTER 0\r\nEXEC\r\n",
    );
    let heard = queued(&core, &one);
    assert!(heard.contains("first") && heard.contains("second"), "{heard}");
}

#[test]
fn a_subscription_that_is_refused_has_one_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    let mut one = client(&core, 1 << 32);
    let long = "x".repeat(10_000);
    send(&mut one, &mut core, &format!("BUS.SUBSCRIBE {long}\r\n"));
    let said = String::from_utf8(one.outbox.ready().to_vec()).unwrap();
    assert!(said.starts_with("-ERR ") && said.matches("\r\n").count() == 1, "{said}");
}

#[test]
fn nothing_is_carried_out_for_who_is_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    let mut one = client(&core, 1 << 32);
    one.closing = true;
    send(&mut one, &mut core, "SET k v\r\n");
    assert_eq!(core.store.len(0).0, 0);
}

#[test]
fn slow_readers_hold_up_those_who_publish_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    let queue =
        QueueLimits { bytes_max: 1000, overflow: Overflow::DropOldest, patience: Duration::from_secs(1) };
    let membership = Membership {
        encoding: Encoding::Resp2,
        origin: Origin(5),
        hears_itself: true,
        sees_store_events: true,
        role: Role::Subscriber,
        queue,
    };
    core.bus.join(MemberId(5), membership).unwrap();
    core.bus.subscribe(MemberId(5), Filter::Channel("ch".into())).unwrap();
    let (mut publisher, mut reader, mut writer) =
        (client(&core, 1 << 32), client(&core, 2 << 32), client(&core, 3 << 32));
    send(&mut publisher, &mut core, &format!("PUBLISH ch {}\r\n", "m".repeat(700)));
    send(&mut reader, &mut core, "GET k\r\n");
    send(&mut writer, &mut core, "SET k 1\r\n");
    assert!(core.bus.is_congested());
    assert!(publisher.has_to_wait(&mut core));
    assert!(!reader.has_to_wait(&mut core));
    assert!(!writer.has_to_wait(&mut core), "nobody hears of what it writes");
    core.bus.subscribe(MemberId(5), Filter::Channel("store.k".into())).unwrap();
    send(&mut writer, &mut core, "SET k 2\r\n");
    assert!(writer.has_to_wait(&mut core), "now somebody does");
}
