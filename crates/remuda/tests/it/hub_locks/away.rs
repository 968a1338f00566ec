//! `remuda lock` while the hub is away.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{HUB, acquire, until_waiting};
use crate::harness::{Instance, PATIENCE, process, until};
use crate::hub_durability::{Wire, hub};

#[test]
fn who_waits_is_told_that_the_hub_goes_and_that_it_is_back() {
    let instance = Instance::up(HUB);
    let held = acquire(&mut Wire::new(&instance), "job 60000");
    let mut command = instance.command(&["lock", "job", "--ttl", "1s", "--", "echo", "had it"]);
    let mut waits = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until_waiting(&instance, "job", 1);
    let mut said = BufReader::new(waits.stderr.take().unwrap()).lines();
    instance.remuda(&["stop", "hub"]).done();
    let line = said.next().unwrap().unwrap();
    assert_eq!(line, "remuda: the hub is away; the lock \"job\" is waited for all the same");
    instance.remuda(&["start", "hub"]).done();
    let line = said.next().unwrap().unwrap();
    assert_eq!(line, "remuda: the hub is back; the lock \"job\" is waited for");
    assert_eq!(Wire::new(&instance).ask(&format!("LOCK.RELEASE job {held}")), ":1");
    assert!(process::wait_end(waits.id(), PATIENCE) && waits.wait().unwrap().success());
    assert!(said.next().is_none(), "one line each");
    instance.end();
}

#[test]
fn a_wait_without_a_hub_ends_with_the_time_that_was_asked_for_and_what_helps() {
    let instance = Instance::up(HUB);
    acquire(&mut Wire::new(&instance), "job 60000");
    let mut command = instance.command(&["lock", "job", "--wait", "4s", "--", "true"]);
    let begun = Instant::now();
    let waits = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until_waiting(&instance, "job", 1);
    instance.remuda(&["stop", "hub"]).done();
    assert!(process::wait_end(waits.id(), PATIENCE));
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(4) && took < Duration::from_millis(5900), "{took:?}");
    let output = waits.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let end = said.lines().skip(1).collect::<Vec<_>>().join("\n");
    assert!(end.contains("cannot get the lock \"job\" within 4s: the hub"), "{said}");
    assert!(end.contains("`remuda start hub`") && !said.contains("333"), "{said}");
    instance.end();
}

#[test]
fn a_command_that_ends_while_the_hub_is_away_is_not_waited_behind() {
    let instance = Instance::up(HUB);
    // A hub that is stopped, and one that hangs: for that nobody can know before it is asked.
    for (name, most) in [("stopped", Duration::from_millis(900)), ("hanging", Duration::from_millis(1700))] {
        let script =
            format!("touch ready.{name}; while [ ! -e end.{name} ]; do sleep 0.01; done; touch ended.{name}");
        let mut command = instance.command(&["lock", name, "--ttl", "20s", "--", "sh", "-c", &script]);
        let mut holder = command.current_dir(instance.dir()).spawn().unwrap();
        until("the command", || instance.dir().join(format!("ready.{name}")).exists());
        let number = hub(&instance);
        if name == "hanging" {
            process::signal(number, Signal::STOP);
        } else {
            instance.remuda(&["stop", "hub"]).done();
        }
        std::fs::write(instance.dir().join(format!("end.{name}")), "").unwrap();
        until("its end", || instance.dir().join(format!("ended.{name}")).exists());
        let ended = Instant::now();
        assert!(process::wait_end(holder.id(), PATIENCE) && holder.wait().unwrap().success());
        assert!(ended.elapsed() < most, "{name}: {:?}", ended.elapsed());
        if name == "hanging" {
            process::signal(number, Signal::CONT);
        } else {
            instance.remuda(&["start", "hub"]).done();
        }
    }
    instance.end();
}

#[test]
fn nobody_waits_for_longer_than_a_day() {
    let instance = Instance::up(HUB);
    let no = instance.remuda(&["lock", "job", "--wait", "25h", "--", "true"]).exits(4);
    assert!(no.err.contains("1d1h") && no.err.contains("24h at most"), "{no:?}");
    instance.remuda(&["lock", "job", "--wait", "24h", "--", "true"]).done();
    instance.end();
}
