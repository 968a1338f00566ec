//! Messages that wait for an engine that is away, and a hub that follows meanwhile.

use super::{Server, config};
use crate::harness::program::Program;
use crate::harness::server::Kind;
use crate::harness::{Instance, Setup};

/// The variables that programs find have the token of a service.
const WEB: &str = "[service.web]\ncommand = \"sleep 1000\"\n";

/// Messages wait for an engine that is not there, until a reload names `engine`.
#[track_caller]
fn gets_what_waits(engine: &str) {
    let mut nobody = Server::start(Kind::Redis, &[]);
    let url = nobody.url("");
    nobody.kill();
    // It is not ready for a while, and serves all the same.
    let instance: Instance = Setup::new(&format!("{}{WEB}", config(&url, "embedded"))).up();
    instance.wait_line("serves without it");
    let mut program = Program::start(&instance, "engines_held.py", &[]);
    program.hears("held");
    instance.configure(&format!("{}{WEB}", config(engine, "embedded")));
    instance.remuda(&["apply"]).done();
    program.hears("heard");
    program.ends_well();
    instance.end();
}

#[test]
fn another_engine_gets_what_waited_for_one_that_was_away() {
    let redis = Server::start(Kind::Redis, &[]);
    gets_what_waits(&redis.url(""));
}

#[test]
fn what_waited_for_an_engine_is_heard_when_the_hub_carries_the_bus_itself() {
    gets_what_waits("embedded");
}
