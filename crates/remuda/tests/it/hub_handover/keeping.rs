//! A store that is kept in another way from a reload on.

use crate::harness::Instance;
use crate::hub_durability::{Wire, kill_hub};

fn config(store: &str, folder: &str) -> String {
    format!("[bus]\n[store]\n{store}\n[hub]\nstate = \"{folder}\"\n")
}

const ON: &str = "fsync = \"always\"";
const OFF: &str = "durable = false";

fn switch(instance: &Instance, config: &str) {
    instance.configure(config);
    instance.remuda(&["apply"]).done();
    instance.settled();
}

#[test]
fn what_was_in_memory_alone_is_on_disk_once_it_is_to_be() {
    let instance = Instance::up(&config(OFF, "state"));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("MSET before 1 n 100"), "+OK");
    switch(&instance, &config(ON, "state"));
    assert_eq!(wire.ask("INCR n"), ":101");
    kill_hub(&instance);
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.text("GET before").as_deref(), Some("1"));
    assert_eq!(wire.ask("INCR n"), ":102");
    instance.end();
}

#[test]
fn what_was_on_disk_is_there_when_it_is_to_be_no_more_and_nothing_old_comes_back() {
    let instance = Instance::up(&config(ON, "state"));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("MSET stays 1 goes 1"), "+OK");
    switch(&instance, &config(OFF, "state"));
    assert_eq!(wire.ask("EXISTS stays goes"), ":2");
    assert_eq!(wire.ask("DEL goes"), ":1");
    assert_eq!(wire.ask("SET new 1"), "+OK");
    switch(&instance, &config(ON, "state"));
    assert_eq!(wire.ask("EXISTS goes"), ":0");
    assert_eq!(wire.ask("EXISTS stays new"), ":2");
    kill_hub(&instance);
    assert_eq!(Wire::new(&instance).ask("EXISTS goes"), ":0");
    assert_eq!(Wire::new(&instance).ask("EXISTS stays new"), ":2");
    instance.end();
}

#[test]
fn an_empty_store_is_handed_over_as_what_it_is() {
    let instance = Instance::up(&config(ON, "state"));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET key 1"), "+OK");
    switch(&instance, &config(OFF, "state"));
    assert_eq!(wire.ask("FLUSHALL"), "+OK");
    switch(&instance, &config(ON, "state"));
    assert_eq!(wire.ask("DBSIZE"), ":0");
    instance.end();
}

#[test]
fn another_state_folder_gets_all_there_is() {
    let instance = Instance::up(&config(ON, "state"));
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET key 1"), "+OK");
    switch(&instance, &config(ON, "elsewhere"));
    assert_eq!(Wire::new(&instance).ask("EXISTS key"), ":1");
    kill_hub(&instance);
    assert_eq!(Wire::new(&instance).ask("EXISTS key"), ":1");
    instance.end();
}
