//! Engines that take little, or answer late: whoever needs them waits, for a time that is written down.

use super::strange::{MEMORY_MAX_KIB, Stranger, Talk, memory_kib, wait_told};
use super::{Server, bus, config, program, store};
use crate::harness::Instance;
use crate::harness::server::Kind;

fn step(instance: &Instance, step: &str, url: &str) {
    let variables = [
        ("STORE", store(instance)),
        ("BUS", bus(instance)),
        ("ENGINE", url.to_owned()),
        ("STEP", step.to_owned()),
    ];
    program(instance, "engines_slow.py", &variables);
}

#[test]
fn an_engine_that_answers_late_holds_up_who_asked_it_and_nobody_else() {
    let redis = Server::start(Kind::Redis, &[]);
    let url = redis.url("");
    let instance = Instance::up(&config(&url, &url));
    step(&instance, "late", &url);
    instance.end();
}

#[test]
fn an_engine_that_takes_nothing_costs_messages_and_no_memory_and_is_given_up() {
    let stranger = Stranger::start(Talk::once("%1\r\n+server\r\n+redis\r\n+OK\r\n"));
    let url = format!("redis://{}", stranger.address);
    let text = config(&url, "embedded").replace("[bus]", "[bus]\nheartbeat = \"5s\"");
    let instance = Instance::up(&text);
    step(&instance, "stuck", &url);
    instance.wait_line("takes less than is published: messages are dropped");
    assert!(memory_kib(&instance) < MEMORY_MAX_KIB, "{} KiB", memory_kib(&instance));
    instance.wait_line("it has gone silent");
    wait_told(&instance, "bus_engine_losses", "1");
    instance.end();
}
