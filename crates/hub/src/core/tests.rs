//! What follows from commands, without connections.

use std::path::Path;

use remuda_bus::{Encoding, MemberId, Membership, Origin, Role};
use remuda_model::hub::{
    BusAuth, BusSpec, Engine, Events, Fsync, FullPolicy, HubSpec, LocksSpec, ScriptSpec, SlowPolicy,
    StoreAuth, StoreSpec,
};
use remuda_store::{Mode, Outcome};

use std::time::Duration;

use super::broadcast::Pair;
use super::*;
use crate::journal::Journal;
use crate::limits;
use crate::reply::Reply;

/// A hub that has each write on disk before it answers.
pub(crate) fn spec(folder: &Path) -> HubSpec {
    let bus = BusSpec {
        listen: Vec::new(),
        pub_listen: None,
        pull_listen: None,
        auth: BusAuth::None,
        curve_keys: None,
        queue: 1 << 20,
        slow: SlowPolicy::DropOldest,
        patience: Duration::from_millis(100),
        message_max: 1 << 20,
        peers_max: 100,
        heartbeat: Duration::from_secs(30),
        replay: Vec::new(),
        engine: Engine::Embedded,
    };
    let store = StoreSpec {
        listen: Vec::new(),
        auth: StoreAuth::Token,
        memory: 64 << 20,
        full: FullPolicy::Refuse,
        fsync: Fsync::Always,
        durable: true,
        databases: 16,
        clients_max: 100,
        script: ScriptSpec { time: Duration::from_secs(5), memory: 1 << 20 },
        events: Events::Names,
        engine: Engine::Embedded,
    };
    HubSpec {
        herd: None,
        bus,
        store,
        locks: LocksSpec::default(),
        state_dir: folder.to_owned(),
        users: Default::default(),
        limited_users: Default::default(),
        accesses: Default::default(),
    }
}

fn core(folder: &Path) -> Core {
    core_of(folder, spec(folder))
}

/// Everything but connections.
pub(crate) fn core_of(folder: &Path, spec: HubSpec) -> Core {
    let (journal, _) =
        Journal::open(&folder.join("store"), limits::journal(&spec)).unwrap().replay(&mut |_| {}).unwrap();
    let settings = HubSettings {
        instance: "test".to_owned(),
        node: "node".to_owned(),
        runtime_dir: folder.to_owned(),
        handover: folder.join("handover"),
        generation: 1,
        limited_uids: Default::default(),
        peer_uids: Default::default(),
        secret: "ab".repeat(32).parse().unwrap(),
        services: Default::default(),
        spec: spec.clone(),
    };
    let durability = Durability::new(Some(journal), limits::fsync(&spec));
    let scripts = Scripts::new(limits::scripts(&spec)).unwrap();
    let (store, bus) = (Store::new(limits::store(&spec, 1)), Bus::new(limits::bus(&spec, 1, 1)));
    let mechanisms = Mechanisms::new(&spec).unwrap();
    let engines = Engines::new(&spec, "run", 1, 1).unwrap();
    Core::new(Arc::new(settings), store, bus, durability, "run".to_owned(), 0, mechanisms, engines, scripts)
}

fn run(core: &mut Core, client: u64, command: &[&[u8]]) -> BytesMut {
    let mut bytes = BytesMut::new();
    let (moment, mode) = (core.moment, Mode::Normal);
    let mut reply = Reply(Writer::new(&mut bytes, Version::Resp2));
    match core.store.execute(moment, ClientId(client), 0, command, mode, &mut reply) {
        Outcome::Blocked => drop(core.waiting.insert(ClientId(client), Version::Resp2)),
        Outcome::Done { verbatim } => core.after_command(0, command, verbatim),
        Outcome::NotMine => panic!("the store knows {command:?}"),
    }
    bytes
}

#[test]
fn the_reply_of_who_fills_a_key_waits_for_the_disk_as_does_that_of_who_waited_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    run(&mut core, 1, &[b"BLPOP", b"queue", b"0"]);
    assert_eq!(core.durability.take_hold(), None);
    assert_eq!(&run(&mut core, 2, &[b"RPUSH", b"queue", b"a"])[..], b":1\r\n");
    let held = core.durability.take_hold().expect("the push waits for the disk");
    match core.letters.as_slice() {
        [Letter::Reply { position: Some(position), .. }] => {
            assert!(*position >= held, "{position} and {held}");
        }
        letters => panic!("{letters:?}"),
    }
    assert_eq!(core.durability.take_hold(), None, "what one has to wait for is not the next one's");
}

#[test]
fn keys_that_end_by_themselves_hold_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    run(&mut core, 1, &[b"SET", b"soon", b"1", b"PX", b"5"]);
    assert!(core.durability.take_hold().is_some());
    core.moment.tick = core.moment.tick + Duration::from_secs(1);
    core.moment.wall_ms += 1000;
    core.pass_time();
    assert_eq!(core.store.len(0).0, 0);
    assert_eq!(core.durability.take_hold(), None);
}

#[test]
fn a_group_is_refused_or_carried_out_as_a_whole_when_the_disk_fails_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core(folder.path());
    core.begin_group();
    let now = core.moment.tick;
    core.durability.miss("gone", now);
    assert_eq!(core.refuses_writes(), None, "what was begun is carried through");
    core.end_group();
    assert!(core.refuses_writes().is_some_and(|why| why.starts_with("MISCONF") && why.contains("gone")));
    core.begin_group();
    assert!(core.refuses_writes().is_some());
    core.end_group();
}

#[test]
fn work_that_the_bus_refuses_is_given_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec(folder.path());
    spec.bus.engine = "redis://127.0.0.1:1".parse().unwrap();
    let mut core = core_of(folder.path(), spec);
    let (worker, key) = (MemberId(7), Key::from_number(1 << 32));
    let membership = Membership {
        encoding: Encoding::Zmtp,
        origin: Origin(7),
        hears_itself: true,
        sees_store_events: false,
        role: Role::Consumer,
        queue: core.limits().zeromq,
    };
    core.bus.join(worker, membership).unwrap();
    let mut session = Session::new(key, None, Origin(8), core.moment.tick);
    let pair = Pair { is_shard: false, topic: b"job", payload: b"1" };
    let refused = core.publish(&mut session, pair).unwrap_err();
    assert!(refused.contains("is away"), "{refused}");
    assert_eq!(core.bus.slices(worker).count(), 0, "who tries again would have it done twice");
}
