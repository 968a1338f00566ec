//! A server whose clock is an hour ahead.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use remuda_toolkit::client::{Hub, Value};

use super::super::five::{COUNT, Five};
use super::super::keys::are_equal;
use super::super::servers::view;
use super::super::traffic::Traffic;
use crate::harness::peers::hub_programs;
use crate::harness::{Setup, run, until};

const WRONG: usize = 4;
const HOUR: Duration = Duration::from_secs(3600);
/// What a program looks for in `/etc` to find users, groups and libraries.
const ETC: [&str; 5] = ["passwd", "group", "nsswitch.conf", "ld.so.cache", "localtime"];

/// Gives a server a wall clock of its own, which is off by the seconds in the file `offset`: a library that every program
/// in its mount namespace is given first.
fn with_own_clock(setup: &mut Setup) {
    let (offset, library, etc) = (offset(setup.dir()), setup.dir().join("clock.so"), setup.dir().join("etc"));
    std::fs::write(&offset, "0").unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1"]).arg(format!("-DOFFSET_FILE=\"{}\"", offset.display()));
    compiler.arg("-o").arg(&library).arg(hub_programs().join("wall_clock.c"));
    run::run(compiler).done();
    std::fs::create_dir(&etc).unwrap();
    for name in ETC {
        // One that is not there is not needed.
        let _ = std::fs::copy(Path::new("/etc").join(name), etc.join(name));
    }
    std::fs::write(etc.join("ld.so.preload"), format!("{}\n", library.display())).unwrap();
    let mount = "mount --bind etc /etc && exec \"$0\" \"$@\"";
    setup.wrapper.extend(["unshare", "--mount", "sh", "-c", mount].map(str::to_owned));
}

fn offset(folder: &Path) -> PathBuf {
    folder.join("offset")
}

/// Sets a server's clock so far ahead of the right time.
fn set_clock(five: &Five, server: usize, ahead: Duration) {
    let file = offset(five.servers.all[server].dir());
    let next = file.with_extension("next");
    std::fs::write(&next, ahead.as_secs().to_string()).unwrap();
    std::fs::rename(next, file).unwrap();
}

/// How far a server's clock is ahead.
fn ahead(hub: &Hub) -> Duration {
    let Value::Array(time) = hub.store().command(&[b"TIME"]).unwrap() else { panic!("no time") };
    let Value::Bulk(seconds) = &time[0] else { panic!("no seconds") };
    let seconds: u64 = String::from_utf8_lossy(seconds).parse().unwrap();
    let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Duration::from_secs(seconds).saturating_sub(here)
}

#[test]
fn a_server_whose_clock_is_an_hour_ahead_is_heard_an_hour_late_and_all_are_equal_then() {
    if !Five::is_spread_out() {
        println!(
            "a clock of its own takes the rights of root, which are not to be had here: nothing was tested"
        );
        return;
    }
    let five = Five::up_with("", |_, setup| with_own_clock(setup));
    let hubs = five.hubs();
    set_clock(&five, WRONG, HOUR);
    until("its clock to be wrong", || ahead(&hubs[WRONG]) > HOUR / 2);
    let traffic = Traffic::begin(&hubs);
    traffic.goes_on();
    until("the others to notice", || {
        let waiting = |server| view(&five.servers.all[server]).keys.map_or(0, |keys| keys.quarantined_total);
        (0..WRONG).all(|server| waiting(server) > 0)
    });
    // Messages have no time: everybody hears everybody.
    five.is_whole();
    let mut ledger = traffic.end(|| five.counted_as_lost());
    // The others are equal, and have nothing of the one from the future.
    let own = std::mem::take(&mut ledger.entries[WRONG]);
    for hub in &hubs[..WRONG] {
        until("the others to be equal", || ledger.fits(&mut hub.store()));
    }
    // Said by one that has no link with it.
    let checked = five.servers.all[2].remuda(&["herd", "check"]).exits(1);
    assert!(checked.out.lines().count() > 0, "{checked:?}");
    assert!(checked.out.lines().all(|line| line.starts_with("node n4 ")), "{checked:?}");
    // Its clock is set right: nothing gets worse by that.
    set_clock(&five, WRONG, Duration::ZERO);
    until("its clock to be right", || ahead(&hubs[WRONG]) < HOUR / 2);
    hubs[WRONG].store().set(b"s:later", b"1").unwrap();
    // An hour later.
    for server in 0..COUNT {
        set_clock(&five, server, HOUR + Duration::from_secs(60));
    }
    are_equal(&five.servers);
    ledger.entries[WRONG] = own;
    for entry in &mut ledger.entries[WRONG] {
        entry.from += HOUR;
        entry.to += HOUR;
    }
    for hub in &hubs {
        ledger.check(&mut hub.store());
        assert!(hub.store().get(b"s:later").unwrap().is_some());
    }
    five.servers.end();
}
