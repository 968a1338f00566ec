//! Programs that people run, as workers: each serves on several, survives a reload, and stops within its grace.

use crate::harness::Instance;

#[test]
fn a_notify_worker_smoke() {
    let instance = Instance::up(
        r#"
        [socket.web]
        listen = "127.0.0.1:0"
        [service.web]
        command = "python3 @WORKERS@/notify_worker.py"
        sockets = ["web"]
        workers = 2
        ready = "notify"
        "#,
    );
    crate::harness::load::distinct_pids(&instance.address("web"), 2);
    instance.end();
}
