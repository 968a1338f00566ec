//! `remuda lock` and `remuda locks`.

use std::process::Stdio;

use remuda_model::view::ServicePhase;
use rustix::process::Signal;
use serde_json::Value;

use super::{HUB, acquire, until_waiting};
use crate::harness::{Instance, PATIENCE, process, until};
use crate::hub_durability::{Wire, hub, kill_hub};

#[test]
fn a_command_runs_with_its_fence_and_its_own_exit_code() {
    let instance = Instance::up(HUB);
    let said =
        instance.remuda(&["lock", "job", "--", "sh", "-c", "echo $REMUDA_LOCK_NAME $REMUDA_FENCE; exit 7"]);
    let said = said.exits(7);
    let (name, fence) = said.out.trim().split_once(' ').unwrap();
    assert!(name == "job" && fence.parse::<u64>().unwrap() > 0, "{said:?}");
    assert_eq!(instance.remuda(&["locks"]).done().out, "", "it is given back");
    instance.remuda(&["lock", "job", "--", "true"]).done();
    assert!(
        instance.remuda(&["lock", "job", "--", "/no/such/program"]).exits(127).err.contains("cannot run")
    );
    let killed = instance.remuda(&["lock", "job", "--json", "--", "sh", "-c", "kill -9 $$"]).exits(137);
    let lines: Vec<Value> = killed.json_lines();
    assert!(lines[0]["event"] == "acquired" && lines[1]["exit"] == 137, "{lines:?}");
    assert!(instance.remuda(&["lock", "job", "--ttl", "1ms", "--", "true"]).exits(4).err.contains("ttl"));
    instance.end();
}

#[test]
fn who_does_not_wait_is_told_no_and_who_waits_gets_it() {
    let instance = Instance::up(HUB);
    let mut wire = Wire::new(&instance);
    let held = acquire(&mut wire, "job 60000 OWNER somebody");
    let no = instance.remuda(&["lock", "job", "--wait", "0s", "--", "true"]).exits(1);
    assert!(no.err.contains("another has the lock"), "{no:?}");
    instance.remuda(&["lock", "job", "--wait", "100ms", "--", "true"]).exits(1);
    assert!(instance.remuda(&["locks"]).done().out.contains("somebody"));
    let listed: Value = instance.remuda(&["locks", "--json"]).done().json();
    assert!(listed["lock"] == "job" && listed["fence"] == held && listed["session"] == false, "{listed}");
    let mut waits = instance.command(&["lock", "job", "--", "true"]).spawn().unwrap();
    until_waiting(&instance, "job", 1);
    assert_eq!(wire.ask(&format!("LOCK.RELEASE job {held}")), ":1");
    assert!(process::wait_end(waits.id(), PATIENCE) && waits.wait().unwrap().success());
    instance.end();
}

#[test]
fn signals_go_on_to_the_command_and_end_a_wait() {
    let instance = Instance::up(HUB);
    let script = "trap 'exit 9' USR1; touch ready; while :; do sleep 0.02; done";
    let mut command = instance.command(&["lock", "job", "--", "sh", "-c", script]);
    let mut holder = command.current_dir(instance.dir()).spawn().unwrap();
    until("the command", || instance.dir().join("ready").exists());
    let mut waits = instance.command(&["lock", "job", "--", "true"]).spawn().unwrap();
    until_waiting(&instance, "job", 1);
    process::signal(waits.id(), Signal::TERM);
    assert!(process::wait_end(waits.id(), PATIENCE));
    assert_eq!(waits.wait().unwrap().code(), Some(128 + 15));
    until_waiting(&instance, "job", 0);
    process::signal(holder.id(), Signal::USR1);
    assert!(process::wait_end(holder.id(), PATIENCE));
    assert_eq!(holder.wait().unwrap().code(), Some(9));
    instance.end();
}

#[test]
fn a_lock_is_held_over_crashes_and_reloads_of_the_hub() {
    let instance = Instance::up(HUB);
    let script = "touch ready; while [ ! -e end ]; do sleep 0.02; done";
    let mut command = instance.command(&["lock", "job", "--ttl", "10s", "--", "sh", "-c", script]);
    let mut holder = command.current_dir(instance.dir()).spawn().unwrap();
    until("the command", || instance.dir().join("ready").exists());
    kill_hub(&instance);
    instance.remuda(&["reload", "hub"]).done();
    instance.remuda(&["lock", "job", "--wait", "0s", "--", "true"]).exits(1);
    std::fs::write(instance.dir().join("end"), "").unwrap();
    assert!(process::wait_end(holder.id(), PATIENCE) && holder.wait().unwrap().success());
    instance.remuda(&["lock", "job", "--wait", "0s", "--", "true"]).done();
    instance.end();
}

#[test]
fn a_lock_that_is_lost_ends_the_command_and_the_exit_code_says_so() {
    let instance = Instance::up(HUB);
    let script = "trap 'touch told; exit 0' TERM; touch ready; while :; do sleep 0.02; done";
    let mut command = instance.command(&["lock", "job", "--ttl", "1s", "--json", "--", "sh", "-c", script]);
    command.current_dir(instance.dir()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let holder = command.spawn().unwrap();
    until("the command", || instance.dir().join("ready").exists());
    let number = hub(&instance);
    process::signal(number, Signal::STOP);
    assert!(process::wait_end(holder.id(), PATIENCE));
    process::signal(number, Signal::CONT);
    let output = holder.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(124), "{out} {err}");
    assert!(instance.dir().join("told").exists() && err.contains("is lost"), "{err}");
    assert!(out.lines().last().unwrap().contains("\"lost\""), "{out}");
    instance.wait_phase("hub", ServicePhase::Running);
    instance.end();
}

#[test]
fn a_service_runs_under_a_lock_with_what_its_rules_allow() {
    let program = env!("CARGO_BIN_EXE_remuda");
    let run = "\"lock\", \"job\", \"--\", \"sh\", \"-c\", \"echo fence $$REMUDA_FENCE; exec sleep 1000\"";
    let service = format!("[service.web]\ncommand = [\"{program}\", {run}]\n");
    let rules = "[access.web]\nkeys = [\"job\"]\n";
    let instance = Instance::up(&format!("{HUB}{service}{rules}"));
    instance.wait_line("fence ");
    instance.remuda(&["lock", "job", "--wait", "0s", "--", "true"]).exits(1);
    instance.remuda(&["stop", "web"]).done();
    instance.remuda(&["lock", "job", "--wait", "0s", "--", "true"]).done();
    instance.end();
}
