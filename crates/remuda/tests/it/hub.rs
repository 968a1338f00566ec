//! What is known of the hub before it runs: `check`, refusals, and the worker's own command line.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Instance, Setup, process, run};

const HUB: &str = "[bus]\n[store]\n[hub]\nstate = \"state\"\n";

#[test]
fn check_shows_the_hub_with_all_defaults_and_warns_of_nothing() {
    let setup = Setup::new(&format!("{HUB}[service.web]\ncommand = \"sleep 1000\"\n"));
    let said = run::run(setup.command(&["check"])).done();
    for line in ["[bus]", "[store]", "[hub]", "slow = \"drop-oldest\"", "fsync = \"1s\"", "hub = true"] {
        assert!(said.out.lines().any(|known| known == line), "{line} in {}", said.out);
    }
    assert!(!said.err.contains("warning"), "{said:?}");
    assert!(!setup.dir().join("state").exists(), "a look makes nothing");
}

#[test]
fn a_hub_that_cannot_have_its_folder_keeps_the_instance_from_starting() {
    let setup = Setup::new(HUB);
    setup.write("state", "in the way");
    let said = run::run(setup.up_command()).exits(1);
    assert!(said.err.contains("the hub's folder") && said.err.contains("/state"), "{said:?}");
    std::fs::remove_file(setup.dir().join("state")).unwrap();
    let folder = setup.dir().join("state");
    std::fs::create_dir(&folder).unwrap();
    let secret = setup.write("state/hub.secret", &format!("{}\n", "ab".repeat(32)));
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).unwrap();
    let said = run::run(setup.up_command()).exits(1);
    assert!(said.err.contains("can be read by others") && !said.err.contains("abab"), "{said:?}");
    assert!(!setup.control().exists());
}

#[test]
fn the_built_in_worker_says_who_starts_it() {
    let setup = Setup::new(HUB);
    let mut command = setup.command(&["worker", "hub"]);
    command.stdin(std::process::Stdio::null());
    let said = run::run(command).exits(2);
    assert!(said.err.contains("settings") && said.err.contains("the arbiter starts it"), "{said:?}");
    let help = run::run(setup.command(&["--help"])).done();
    assert!(!help.out.contains("worker that is built in"), "{help:?}");
}

#[test]
fn the_hub_has_one_worker_whatever_the_options_say() {
    let setup = Setup::new(HUB);
    let said = run::run(setup.command(&["check", "--workers", "hub=2"])).exits(2);
    assert!(said.err.contains("the hub always has one worker"), "{said:?}");
}

#[test]
fn who_has_nothing_to_do_with_the_hub_is_told_nothing_and_waits_for_nothing() {
    let instance = Setup::new(&format!("{HUB}[service.plain]\ncommand = \"sleep 1000\"\nhub = false\n")).up();
    instance.wait_phase("plain", remuda_model::view::ServicePhase::Running);
    let environment = process::environment(instance.pids("plain")[0]);
    let told = environment.keys().find(|name| name.starts_with("REMUDA_BUS") || name.contains("REDIS"));
    assert_eq!(told, None);
    instance.end();
}

#[test]
fn a_hub_that_cannot_be_had_is_no_reason_to_give_up_the_config_in_force() {
    let instance = Instance::up("[service.plain]\ncommand = \"sleep 1000\"\nhub = false\n");
    instance.write("state", "in the way");
    instance.configure(&format!("{HUB}[service.plain]\ncommand = \"sleep 1000\"\nhub = false\n"));
    let said = instance.remuda(&["apply"]).exits(2);
    assert!(said.err.contains("the hub's folder"), "{said:?}");
    let view = instance.status();
    assert!(view.hub.is_none() && view.services.len() == 1 && view.sockets.is_empty(), "{view:?}");
    instance.end();
}
