//! Reloads of a hub whose bus, or store too, is elsewhere, while everybody works.

use super::{Server, config, strange};
use crate::harness::Instance;
use crate::harness::program::Program;
use crate::harness::server::Kind;
use crate::hub_durability::Wire;
use crate::hub_handover::failing::knock;

const RELOADS: usize = 4;
/// The variables that programs find have the token of a service.
const WEB: &str = "[service.web]\ncommand = \"sleep 1000\"\n";

fn works_through_reloads(kind: Kind, holds: bool) {
    let server = Server::start(kind, &[]);
    let url = server.url("");
    let text = config(&url, if holds { &url } else { "embedded" });
    let instance = Instance::up(&format!("{text}{WEB}"));
    let words = if holds { &[url.as_str()][..] } else { &[] };
    let mut load = Program::start(&instance, "engines_load.py", words);
    load.hears("ready");
    for _ in 0..RELOADS {
        load.hears("progress");
        let before = instance.pids("hub");
        instance.remuda(&["reload", "hub"]).done();
        assert_ne!(instance.pids("hub"), before);
    }
    load.hears("progress");
    load.tell("stop");
    load.hears("counted");
    load.ends_well();
    instance.end();
}

#[test]
fn reloads_lose_nothing_of_a_hub_whose_bus_a_redis_carries() {
    works_through_reloads(Kind::Redis, false);
}

#[test]
fn reloads_lose_nothing_of_a_hub_whose_bus_a_nats_carries() {
    works_through_reloads(Kind::Nats, false);
}

#[test]
fn reloads_lose_nothing_of_a_hub_whose_store_a_redis_holds() {
    works_through_reloads(Kind::Redis, true);
}

#[test]
fn who_waits_at_an_engine_waits_on_when_a_successor_fails_and_gets_what_comes_once() {
    let redis = Server::start(Kind::Redis, &[]);
    let instance = Instance::up(&config("embedded", &redis.url("")));
    let (mut first, mut second) = (Wire::new(&instance), Wire::new(&instance));
    first.send(b"BLPOP first 0\r\nECHO behind\r\nLLEN first\r\n");
    second.send(b"HELLO 3\r\n");
    while second.line() != "modules" {}
    second.expect("*0\r\n");
    second.send(b"GET none\r\nBLMOVE second kept LEFT LEFT 0\r\n");
    second.expect("_\r\n");
    redis.wait_blocked(2);
    let successor = knock(&instance);
    rustix::io::write(&successor, b"hand over\n").unwrap();
    drop(successor);
    instance.wait_line("this one goes on");
    assert!(redis.ask("INFO commandstats").contains("client|unblock:calls="), "their waits were ended");
    redis.wait_blocked(2);
    instance.remuda(&["reload", "hub"]).done();
    redis.wait_blocked(2);
    assert_eq!(redis.ask("RPUSH first a b"), ":2\r\n");
    first.expect("*2\r\n$5\r\nfirst\r\n$1\r\na\r\n$6\r\nbehind\r\n:1\r\n");
    assert_eq!(redis.ask("RPUSH second c"), ":1\r\n");
    second.expect("$1\r\nc\r\n");
    assert_eq!(redis.ask("LRANGE kept 0 -1"), "*1\r\n$1\r\nc\r\n");
    instance.end();
}

#[test]
fn half_an_answer_that_an_engine_owes_ends_the_connection_and_nothing_else_is_put_behind_it() {
    // A successor greets on lines of its own, and gets through; the rest of this answer never comes.
    let half = "*2\r\n$3\r\none\r\n$9\r\nha";
    let engine = strange::engine(half);
    let instance = Instance::up(&config("embedded", &format!("redis://{}", engine.address)));
    strange::wait_told(&instance, "store_engine_state", "up");
    let (mut cut, mut whole) = (Wire::new(&instance), Wire::new(&instance));
    cut.send(b"SET k 1\r\nPING behind\r\n");
    cut.expect(half);
    whole.send(b"GET unanswered\r\nPING behind\r\n");
    instance.remuda(&["reload", "hub"]).done();
    cut.expect_end();
    assert!(whole.line().starts_with("-ERR the hub was replaced meanwhile"));
    whole.expect("$6\r\nbehind\r\n");
    instance.end();
}
