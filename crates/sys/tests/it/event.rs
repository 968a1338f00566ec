//! The poller, signals and clocks.

use std::os::fd::AsFd;
use std::time::Duration;

use remuda_model::Signal;
use remuda_sys::clock::{WallEvent, WallTimer, boottime, monotonic, realtime};
use remuda_sys::event::{Changed, FileWatch, Interest, Poller, Signals, Token, wait_readable};
use remuda_sys::limits::{is_resource, raise_nofile};
use remuda_sys::pipe;

use crate::support::{PATIENCE, wait_for};

#[test]
fn the_poller_tells_what_is_ready_under_its_token() {
    let mut poller = Poller::new().unwrap();
    let pipe = pipe::log().unwrap();
    poller.add(&pipe.reader, Token(7), Interest::Read).unwrap();
    poller.add(&pipe.writer, Token(u64::MAX), Interest::Write).unwrap();
    let ready: Vec<_> = poller.wait(Some(PATIENCE)).unwrap().collect();
    assert_eq!(
        ready.iter().map(|ready| (ready.token, ready.writable)).collect::<Vec<_>>(),
        [(Token(u64::MAX), true)]
    );

    poller.modify(&pipe.writer, Token(8), Interest::Nothing).unwrap();
    assert_eq!(poller.wait(Some(Duration::ZERO)).unwrap().count(), 0);
    rustix::io::write(&pipe.writer, b"x").unwrap();
    wait_for(poller.as_fd(), Interest::Read);
    let ready: Vec<_> = poller.wait(None).unwrap().collect();
    assert!(ready.len() == 1 && ready[0].token == Token(7) && ready[0].readable && !ready[0].hangup);

    poller.remove(&pipe.writer).unwrap();
    drop(pipe.writer);
    assert!(poller.wait(None).unwrap().all(|ready| ready.readable && ready.hangup));
    poller.remove(&pipe.reader).unwrap();
    assert!(poller.remove(&pipe.reader).is_err());
}

#[test]
fn more_events_than_the_buffer_holds_come_in_turns() {
    let mut poller = Poller::new().unwrap();
    let pipes: Vec<_> = (0..300).map(|_| pipe::plain().unwrap()).collect();
    for (pipe, token) in pipes.iter().zip(0..) {
        poller.add(&pipe.writer, Token(token), Interest::Write).unwrap();
    }
    let mut seen: Vec<Token> = poller.wait(Some(PATIENCE)).unwrap().map(|ready| ready.token).collect();
    assert_eq!(seen.len(), 256);
    seen.extend(poller.wait(Some(PATIENCE)).unwrap().map(|ready| ready.token));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 300, "nobody starves");
}

#[test]
#[expect(unsafe_code, reason = "no safe call sends a signal to one thread")]
fn signals_are_read_and_do_not_kill() {
    let signals = Signals::new().unwrap();
    assert_eq!(signals.take(), Ok(None));
    // SAFETY: sends a signal to this thread, which blocks it; the harness's other threads do not.
    let sent = unsafe { libc::raise(libc::SIGTERM) };
    assert_eq!(sent, 0);
    wait_for(signals.as_fd(), Interest::Read);
    let received = signals.take().unwrap().unwrap();
    assert_eq!((received.signal, received.sender), (Signal::TERM, std::process::id()));
    assert_eq!(signals.take(), Ok(None));
}

#[test]
#[expect(unsafe_code, reason = "no safe call sends a signal to one thread")]
fn a_chosen_signal_is_read_and_the_others_stay_as_they_are() {
    let signals = Signals::only(&[Signal::HUP]).unwrap();
    let blocked = || std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(blocked().contains("SigBlk:\t0000000000000001"), "{}", blocked());
    // SAFETY: sends a signal to this thread, which blocks it.
    let sent = unsafe { libc::raise(libc::SIGHUP) };
    assert_eq!(sent, 0);
    assert_eq!(wait_readable([&signals], Some(PATIENCE)), Ok([true]));
    assert_eq!(signals.take().unwrap().map(|received| received.signal), Some(Signal::HUP));
    assert_eq!(wait_readable([&signals], Some(Duration::ZERO)), Ok([false]));
}

#[test]
fn a_wait_says_which_descriptor_is_readable_or_hung_up() {
    let (quiet, spoken, ended) = (pipe::plain().unwrap(), pipe::plain().unwrap(), pipe::plain().unwrap());
    rustix::io::write(&spoken.writer, b"x").unwrap();
    drop(ended.writer);
    let waited = wait_readable([&quiet.reader, &spoken.reader, &ended.reader], None);
    assert_eq!(waited, Ok([false, true, true]));
}

#[test]
fn a_wall_timer_fires_at_its_time_and_can_be_stopped() {
    let timer = WallTimer::new().unwrap();
    assert_eq!(timer.take(), Ok(WallEvent::Quiet));
    timer.set(Some(realtime() + Duration::from_millis(20))).unwrap();
    wait_for(timer.as_fd(), Interest::Read);
    assert_eq!(timer.take(), Ok(WallEvent::Fired));
    timer.set(Some(Duration::ZERO)).unwrap();
    wait_for(timer.as_fd(), Interest::Read);
    timer.set(None).unwrap();
    assert_eq!(timer.take(), Ok(WallEvent::Quiet));
}

#[test]
fn clocks_go_forward() {
    let (boot, mono) = (boottime(), monotonic());
    assert!(boottime() >= boot && monotonic() >= mono);
    assert!(boot.0 > 0 && realtime() > Duration::from_secs(1_600_000_000));
}

#[test]
fn the_descriptor_limit_is_raised_to_the_hard_one() {
    let (soft, hard) = raise_nofile();
    assert_eq!(soft, hard);
    assert!(is_resource("nofile") && is_resource("RLIMIT_CORE") && !is_resource("bananas"));
}

#[test]
fn a_file_is_told_of_when_it_loses_a_name_or_is_renamed_and_its_folder_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [file, link, other] = ["file", "link", "other"].map(|name| folder.path().join(name));
    std::fs::write(&file, "").unwrap();
    std::fs::hard_link(&file, &link).unwrap();
    let watch = FileWatch::new().unwrap();
    let id = watch.watch(&file).unwrap();
    assert_eq!(watch.watch(&link).unwrap(), id, "it is the same file");
    assert!(watch.watch(&other).is_err());

    std::fs::write(&other, "").unwrap();
    std::fs::remove_file(&other).unwrap();
    assert_eq!(watch.changed(), Changed::default());
    let told = || {
        wait_for(watch.as_fd(), Interest::Read);
        let changed = watch.changed();
        assert!(!changed.lost);
        changed.files.into_iter().collect::<Vec<_>>()
    };
    std::fs::remove_file(&file).unwrap();
    assert_eq!(told(), [id]);
    std::fs::rename(&link, &other).unwrap();
    assert_eq!(told(), [id]);
    std::fs::write(&file, "").unwrap();
    std::fs::rename(&file, &other).unwrap();
    assert_eq!(told(), [id], "replaced by another");
    watch.unwatch(id);
    assert!(watch.watch(&other).is_ok_and(|fresh| fresh != id));
}
