//! Libraries that people use, doing what people do with them.

use super::cases;

#[test]
fn redis_py_finds_what_it_expects_in_both_protocols() {
    cases("redis_py.py");
}

#[test]
fn ioredis_and_node_redis_find_what_they_expect() {
    cases("redis_node.mjs");
}

#[test]
fn python_socketio_reaches_clients_of_another_process() {
    cases("socketio_python.py");
}

#[test]
fn socket_io_adapters_join_two_servers() {
    cases("socketio_node.mjs");
}

#[test]
fn both_layers_of_channels_redis_carry_messages() {
    cases("channels_layers.py");
}

#[test]
fn celery_works() {
    cases("celery_work.py");
}

#[test]
fn rq_works() {
    cases("rq_work.py");
}

#[test]
fn caches_and_sessions_of_django_and_flask_are_kept() {
    cases("web_caches.py");
}

#[test]
fn redlock_and_bullmq_run_their_scripts() {
    cases("locks_and_jobs.mjs");
}
