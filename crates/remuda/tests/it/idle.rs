//! An arbiter with nothing to do does nothing.

use crate::harness::{Instance, process};

#[test]
fn an_arbiter_of_fifty_workers_sleeps_when_nothing_happens() {
    let instance = Instance::up(
        "[service.web]\ncommand = \"sleep 1000\"\nworkers = 50\nbackoff = { healthy_after = \"100ms\" }\n",
    );
    assert_eq!(instance.service("web").workers_ready, 50);
    process::falls_asleep(instance.pid());
    instance.end();
}
