//! Records that tell of something that is not there any more.

use std::process::{Child, Stdio};

use remuda_model::view::ServicePhase;
use serde_json::Value;

use crate::harness::{Instance, http, process};

use super::HELLO;

/// Changes every object in the record.
fn edit_record(instance: &Instance, change: &impl Fn(&mut serde_json::Map<String, Value>)) {
    fn visit(value: &mut Value, change: &impl Fn(&mut serde_json::Map<String, Value>)) {
        match value {
            Value::Object(fields) => {
                change(fields);
                fields.values_mut().for_each(|value| visit(value, change));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| visit(value, change)),
            _ => {}
        }
    }
    let path = instance.runtime().join("record");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        visit(&mut value, change);
        format!("{value}\n")
    });
    let changed: String = lines.collect();
    assert_ne!(changed, text, "there was something to change");
    std::fs::write(path, changed).unwrap();
}

/// Leaves the workers without arbiter and keeper.
fn abandon(instance: &mut Instance) {
    let keeper = instance.keeper();
    instance.kill_arbiter();
    instance.kill(keeper);
}

fn sleeper(instance: &Instance) -> Child {
    instance.marked("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_record_of_another_boot_is_ignored_whoever_has_its_pids() {
    let mut instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    abandon(&mut instance);
    edit_record(&instance, &|fields| {
        if let Some(boot) = fields.get_mut("boot") {
            *boot = "00000000-0000-4000-8000-000000000000".into();
        }
    });
    instance.anew();
    instance.wait_phase("web", ServicePhase::Running);
    assert!(instance.pids("web").iter().all(|pid| !pids.contains(pid)));
    http::get(&instance.address("web"), "/").unwrap();
    pids.iter().for_each(|pid| instance.kill(*pid));
    instance.end();
}

#[test]
fn processes_that_have_the_pids_of_workers_by_now_are_neither_adopted_nor_touched() {
    let mut instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    abandon(&mut instance);
    pids.iter().for_each(|pid| instance.kill(*pid));
    let mut others: Vec<Child> = pids.iter().map(|_| sleeper(&instance)).collect();
    let numbers: Vec<u32> = others.iter().map(Child::id).collect();
    edit_record(&instance, &|fields| {
        let place = fields.get("pid").and_then(Value::as_u64);
        let place = place.and_then(|pid| pids.iter().position(|known| u64::from(*known) == pid));
        if let Some(place) = place {
            fields.insert("pid".into(), numbers[place].into());
        }
    });
    instance.anew();
    instance.wait_phase("web", ServicePhase::Running);
    assert!(instance.pids("web").iter().all(|pid| !numbers.contains(pid)));
    for other in &mut others {
        assert!(other.try_wait().unwrap().is_none(), "{} was ended", other.id());
        other.kill().unwrap();
        other.wait().unwrap();
    }
    instance.end();
}

#[test]
fn one_worker_whose_pid_is_another_process_by_now_is_replaced_and_the_others_are_adopted() {
    let mut instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    abandon(&mut instance);
    instance.kill(pids[1]);
    let mut other = sleeper(&instance);
    edit_record(&instance, &|fields| {
        if fields.get("pid").and_then(Value::as_u64) == Some(pids[1].into()) {
            fields.insert("pid".into(), other.id().into());
        }
    });
    instance.again();
    instance.wait_status("three workers", |view| view.services[0].workers_ready == 3);
    let now = instance.pids("web");
    assert_eq!((now[0], now[2]), (pids[0], pids[2]));
    assert_ne!(now[1], other.id());
    assert!(other.try_wait().unwrap().is_none(), "it was ended");
    other.kill().unwrap();
    other.wait().unwrap();
    instance.end();
}

#[test]
fn a_record_that_is_cut_off_in_its_last_line_is_read_to_the_line_before() {
    let mut instance = Instance::up(HELLO);
    let pids = instance.pids("web");
    abandon(&mut instance);
    let path = instance.runtime().join("record");
    let mut text = std::fs::read(&path).unwrap();
    text.extend_from_slice(b"{\"Step\":{\"at\":");
    std::fs::write(&path, text).unwrap();
    instance.again();
    assert_eq!(instance.pids("web"), pids);
    instance.end();
}

#[test]
fn a_damaged_record_is_refused_and_the_workers_go_on() {
    let mut instance = Instance::up(HELLO);
    let (pids, address) = (instance.pids("web"), instance.address("web"));
    instance.kill_arbiter();
    let path = instance.runtime().join("record");
    let whole = std::fs::read_to_string(&path).unwrap();
    // In place: it is the file that the keeper holds.
    let damaged = format!("{whole}{{\"Riddle\":1}}\n");
    std::fs::write(&path, damaged).unwrap();
    instance.begin_again();
    assert_eq!(instance.wait_end(), 1);
    let said = instance.transcript.locked().other.join("\n");
    assert!(said.contains("3 workers") && said.contains("Riddle") && said.contains("they go on"), "{said}");
    assert!(pids.iter().all(|pid| process::is_alive(*pid)));
    http::get(&address, "/").unwrap();
    std::fs::write(&path, whole).unwrap();
    instance.again();
    assert_eq!(instance.pids("web"), pids);
    instance.end();
}
