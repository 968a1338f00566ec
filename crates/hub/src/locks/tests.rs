//! Who gives locks at all, and what the disk has of them.

use std::time::{Duration, Instant};

use remuda_model::Tick;
use remuda_model::hub::{Engine, HubSpec, LocksSpec};
use remuda_store::{Asker, LockAsk, Moment};

use super::{Locking, News};
use crate::core::Core;
use crate::core::tests::{core_of, spec};

fn ask(name: &[u8]) -> LockAsk<'_> {
    let who = Asker { client: 1, ticket: 0 };
    let (ttl, wait) = (Duration::from_secs(10), Duration::ZERO);
    LockAsk { who, name, ttl, wait, owner: b"", is_session: false }
}

fn refusal(change: impl FnOnce(&mut HubSpec)) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec(folder.path());
    change(&mut spec);
    core_of(folder.path(), spec).locks.refusal.clone()
}

fn home(name: &str) -> LocksSpec {
    LocksSpec { home: Some(name.to_owned()), ..LocksSpec::default() }
}

fn engine() -> Engine {
    "redis://127.0.0.1:1".parse().unwrap()
}

#[test]
fn of_several_hubs_one_gives_locks_and_without_its_name_none() {
    assert_eq!(refusal(|_| {}), None);
    assert!(refusal(|spec| spec.bus.engine = engine()).unwrap().starts_with("LOCKSELSEWHERE"));
    assert!(refusal(|spec| spec.store.engine = engine()).unwrap().starts_with("LOCKSELSEWHERE"));
    let with_home =
        |name: &'static str| refusal(move |spec| (spec.store.engine, spec.locks) = (engine(), home(name)));
    assert_eq!(with_home("node"), None);
    assert!(with_home("another").unwrap().contains("'another'"));
}

/// What is told next, once the disk has what it needs.
fn told(core: &mut Core) -> News {
    let end = Instant::now() + Duration::from_secs(30);
    core.locks.keep();
    loop {
        if let Some(news) = core.locks.next_news(core.moment.tick) {
            return news;
        }
        assert!(Instant::now() < end, "the disk takes its time");
        std::thread::yield_now();
    }
}

#[test]
fn nothing_is_told_before_the_disk_has_it_and_renewals_need_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core_of(folder.path(), spec(folder.path()));
    let now = core.moment.tick;
    assert!(!folder.path().join("locks").exists(), "no lock, no file");
    core.locks.acquire(now, &ask(b"a")).unwrap();
    assert_eq!(core.locks.next_news(now), None, "the disk was not even given it");
    let News::Granted { fence, .. } = told(&mut core) else { panic!("it is granted first") };
    assert!(matches!(told(&mut core), News::Happened { .. }));
    core.locks.renew(now, ask(b"a").who, b"a", fence, Duration::from_secs(10)).unwrap();
    assert!(matches!(core.locks.next_news(now), Some(News::Done { is_done: true, .. })));
    assert!(core.locks.is_quiet());
}

#[test]
fn who_is_told_after_its_lease_ended_is_told_no() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core_of(folder.path(), spec(folder.path()));
    let now = core.moment.tick;
    core.locks.acquire(now, &ask(b"a")).unwrap();
    core.moment.tick = now + Duration::from_secs(10);
    assert!(matches!(told(&mut core), News::Denied { .. }));
}

#[test]
fn what_is_held_is_read_again_with_its_whole_ttl() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core_of(folder.path(), spec(folder.path()));
    core.locks.acquire(core.moment.tick, &ask(b"a")).unwrap();
    let News::Granted { fence, .. } = told(&mut core) else { panic!("it is granted") };
    core.locks.finish();
    let later = Moment { tick: Tick(1_000_000_000_000), wall_ms: 0 };
    let mut locks = Locking::new(&core.settings, later);
    locks.recover(later.tick).unwrap();
    let held = locks.look().unwrap().get(b"a").unwrap();
    assert_eq!((held.fence, held.until), (fence, later.tick + Duration::from_secs(10)));
    assert_eq!(locks.machine.last_fence(), fence, "the disk knows it, whatever the clock says");
}

/// A folder with a journal of three acquisitions and one release; its only log, and the largest fence.
fn journal() -> (tempfile::TempDir, std::path::PathBuf, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut core = core_of(folder.path(), spec(folder.path()));
    let now = core.moment.tick;
    let mut last = 0;
    for name in [b"a", b"b", b"c"] {
        core.locks.acquire(now, &ask(name)).unwrap();
        let News::Granted { fence, .. } = told(&mut core) else { panic!("it is granted") };
        assert!(matches!(told(&mut core), News::Happened { .. }));
        last = fence;
    }
    core.locks.release(now, ask(b"c").who, b"c", last).unwrap();
    while !matches!(told(&mut core), News::Done { .. }) {}
    core.locks.finish();
    let logs = std::fs::read_dir(folder.path().join("locks")).unwrap().map(|entry| entry.unwrap().path());
    let is_log = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("log.");
    let log = logs.filter(is_log).max().unwrap();
    (folder, log, last)
}

/// What a hub of another day makes of the journal: the names that are held, or nothing where it refuses it.
fn held_after(folder: &std::path::Path, bytes: &[u8], log: &std::path::Path) -> Option<Vec<Vec<u8>>> {
    std::fs::write(log, bytes).unwrap();
    let core = core_of(folder, spec(folder));
    let later = Moment { tick: Tick(1_000_000), wall_ms: 0 };
    let mut locks = Locking::new(&core.settings, later);
    let read = locks.recover(later.tick);
    let held = locks.look().unwrap().view().map(|(name, _)| name.to_vec()).collect();
    locks.finish();
    read.is_ok().then_some(held)
}

#[test]
fn a_journal_that_is_cut_anywhere_gives_what_was_before_the_cut_and_nothing_else() {
    let (folder, log, _) = journal();
    let whole = std::fs::read(&log).unwrap();
    let mut most = 0;
    for length in 0..=whole.len() {
        let Some(held) = held_after(folder.path(), &whole[..length], &log) else { continue };
        // The names in the order in which they were acquired; at the end `c` was given back.
        assert!(
            [b"a", b"b", b"c"].iter().map(|name| name.to_vec()).take(held.len()).eq(held.iter().cloned()),
            "{length}"
        );
        most = most.max(held.len());
    }
    assert_eq!(most, 3);
    let end = held_after(folder.path(), &whole, &log).unwrap();
    assert_eq!(end, [b"a".to_vec(), b"b".to_vec()]);
}

#[test]
fn a_flipped_byte_anywhere_invents_no_lock() {
    let (folder, log, _) = journal();
    let whole = std::fs::read(&log).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x20;
        let Some(held) = held_after(folder.path(), &bytes, &log) else { continue };
        assert!(
            held.iter().all(|name| [b"a", b"b", b"c"].iter().any(|known| name == known)),
            "{place}: {held:?}"
        );
    }
}
