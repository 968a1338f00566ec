//! Workers that call one another, over ZeroMQ and over Redis.

use remuda_model::hub::{Secret, token};

use super::{HUB, program};
use crate::harness::{Instance, run};

#[track_caller]
fn check(names: &[&str]) {
    let instance = Instance::up(HUB);
    let mut command = program(&instance, "zeromq_services.py");
    command.args(names);
    run::run(command).done();
    instance.end();
}

#[test]
fn workers_and_callers_of_both_protocols_find_each_other() {
    check(&["zeromq_worker_redis_caller", "redis_worker_zeromq_caller"]);
}

#[test]
fn failures_of_calls_name_their_reason() {
    check(&["failures_are_told", "timeouts_are_kept"]);
}

#[test]
fn calls_of_a_worker_that_is_killed_fail_at_once() {
    check(&["dead_worker_fails_at_once"]);
}

#[test]
fn live_workers_share_the_calls_evenly() {
    check(&["calls_are_shared_evenly"]);
}

#[test]
fn a_worker_gets_no_more_calls_than_it_has_room_for() {
    check(&["capacity_is_kept"]);
}

#[test]
fn signed_requests_are_taken_once_in_time_and_unaltered() {
    let services = "[service.web]\ncommand = \"sleep 1000\"\n[service.job]\ncommand = \"sleep 1000\"\n";
    let access = "[access.job]\ntopics = [\"job\"]\nkeys = [\"job:\"]\n";
    let instance = Instance::up(&format!("{HUB}{services}{access}"));
    let secret = std::fs::read_to_string(instance.dir().join("state/hub.secret")).unwrap();
    let secret: Secret = secret.trim_end().parse().unwrap();
    let mut command = program(&instance, "zeromq_services.py");
    command.arg("signatures").env("TOKEN_WEB", token(&secret, "web")).env("TOKEN_JOB", token(&secret, "job"));
    run::run(command).done();
    instance.end();
}

#[test]
fn locks_are_asked_for_by_requests() {
    check(&["locks_are_asked_for_by_requests"]);
}
