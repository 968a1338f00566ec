//! The hub beside Redis itself: the same random commands, the same answers.

use super::{HUB, program, url};
use crate::harness::server::{Kind, Server};
use crate::harness::{Instance, run};

/// Commands of each family in each protocol.
const COMMANDS: &str = "2000";

#[track_caller]
fn compare(families: &[&str]) {
    let instance = Instance::up(HUB);
    let redis = Server::start(Kind::Redis, &[]);
    let mut command = program(&instance, "differential.py");
    command.args([&url(&instance, "web"), &redis.url(""), "remuda", COMMANDS]).args(families);
    let said = run::run(command).done();
    assert_eq!(said.out.matches(" compared").count(), families.len(), "{said:?}");
    instance.end();
}

#[test]
fn keys_and_strings_answer_as_redis_does() {
    compare(&["strings", "keys", "bits"]);
}

#[test]
fn collections_answer_as_redis_does() {
    compare(&["lists", "hashes", "sets", "sorted_sets"]);
}

#[test]
fn streams_answer_as_redis_does() {
    compare(&["streams"]);
}

#[test]
fn transactions_and_what_concerns_connections_answer_as_redis_does() {
    compare(&["transactions", "connection"]);
}
