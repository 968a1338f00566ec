//! What a worker finds open: its three standard descriptors, its sockets, and nothing else.

use std::collections::BTreeMap;

use crate::harness::{Instance, Setup, process};

/// A table of variables: what `expected` names must be there with its value.
#[track_caller]
fn assert_has(environment: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(environment.get(*name).map(String::as_str), Some(*value), "{name} in {environment:#?}");
    }
}

#[track_caller]
fn only_worker(instance: &Instance, service: &str) -> u32 {
    let pids = instance.pids(service);
    assert_eq!(pids.len(), 1, "{pids:?}");
    pids[0]
}

const TWO_SOCKETS: &str = r#"
    [socket.web]
    listen = "127.0.0.1:0"
    [socket.admin-1]
    listen = "unix:@DIR@/admin.sock"
    [socket.unused]
    listen = "127.0.0.1:0"
"#;

#[test]
fn a_worker_has_its_standard_descriptors_its_sockets_and_nothing_else() {
    let mut setup = Setup::new(&format!(
        r#"{TWO_SOCKETS}
        [service.web]
        command = "sleep 600"
        sockets = ["admin-1", "web"]
        workers = 3
        [service.none]
        command = "sleep 600"
        stdin = "hold"
        "#
    ));
    // A descriptor that leaks into the arbiter leaks no further.
    setup.wrapper = ["sh", "-c", "exec 9</dev/null; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    assert!(process::descriptors(instance.pid()).contains_key(&9));
    let pids = instance.pids("web");
    assert_eq!(pids.len(), 3);
    let mut listeners = Vec::new();
    for pid in &pids {
        let found = process::descriptors(*pid);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4], "{found:?}");
        assert_eq!(found[&0], "/dev/null");
        assert!(found[&1].starts_with("pipe:") && found[&2].starts_with("pipe:"), "{found:?}");
        assert_ne!(found[&1], found[&2], "stdout and stderr are told apart");
        assert!(found[&3].starts_with("socket:") && found[&4].starts_with("socket:"), "{found:?}");
        listeners.push((found[&3].clone(), found[&4].clone()));
    }
    listeners.dedup();
    assert_eq!(listeners.len(), 1, "all workers share the same two listeners");
    let unix = std::fs::read_to_string("/proc/net/unix").unwrap();
    let line = unix.lines().find(|line| line.ends_with("/admin.sock") && line.contains(instance.name()));
    let inode = listeners[0].0.trim_start_matches("socket:[").trim_end_matches(']');
    assert!(line.is_some_and(|line| line.contains(inode)), "the first one is the first of `sockets`");

    let found = process::descriptors(only_worker(&instance, "none"));
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0, 1, 2], "{found:?}");
    assert!(found[&0].starts_with("pipe:"), "stdin = \"hold\" is a pipe that does not end: {found:?}");
    instance.end();
}

#[test]
fn all_dialects_name_the_same_descriptors() {
    let instance = Instance::up(&format!(
        r#"{TWO_SOCKETS}
        [service.web]
        command = "sleep 600"
        sockets = ["web", "admin-1"]
        workers = 2
        "#
    ));
    let run = instance.runtime();
    for (slot, pid) in instance.pids("web").into_iter().enumerate() {
        let found = process::environment(pid);
        assert_has(
            &found,
            &[
                ("LISTEN_FDS", "2"),
                ("LISTEN_PID", &pid.to_string()),
                ("LISTEN_FDNAMES", "web:admin-1"),
                ("EINHORN_FD_COUNT", "2"),
                ("EINHORN_FD_0", "3"),
                ("EINHORN_FD_1", "4"),
                ("EINHORN_MASTER_PID", &instance.pid().to_string()),
                ("EINHORN_CHILD_INDEX", &slot.to_string()),
                ("REMUDA_SOCKET_WEB", "3"),
                ("REMUDA_SOCKET_ADMIN_1", "4"),
                ("REMUDA_SERVICE", "web"),
                ("REMUDA_SLOT", &slot.to_string()),
                ("REMUDA_GENERATION", "1"),
            ],
        );
        for socket in ["EINHORN_SOCK_PATH", "NOTIFY_SOCKET"] {
            let path = std::path::Path::new(&found[socket]);
            assert!(path.starts_with(&run) && path.exists(), "{socket} is {}", path.display());
        }
        assert!(!found.contains_key("REMUDA_SOCKET_UNUSED") && !found.contains_key("WATCHDOG_USEC"));
    }
    instance.end();
}

#[test]
fn a_command_line_that_names_descriptors_is_told_by_it_and_not_by_systemds_variables() {
    let instance = Instance::up(&format!(
        r#"{TWO_SOCKETS}
        [service.native]
        command = ["sh", "-c", "exec sleep 600", "$(socket.web)", "fd://$(fd.admin-1)", "$(address.web)", "$(port.web)"]
        sockets = ["web", "admin-1"]
        [service.circus]
        command = ["sh", "-c", "sleep 600; true", "$(circus.sockets.admin-1)", "((circus.sockets.web))", "$(circus.wid)"]
        sockets = ["web", "admin-1"]
        [service.honcho]
        command = ["sh", "-c", "sleep 600; true", "{{SOCKET:admin-1}}", "$(service).$(slot)"]
        sockets = ["web", "admin-1"]
        [service.honcho.env]
        ADMIN = "fd $(socket.admin-1)"
        "#
    ));
    let address = instance.address("web");
    let port = address.rsplit_once(':').unwrap().1;
    let native = process::environment(only_worker(&instance, "native"));
    assert!(!native.contains_key("LISTEN_FDS") && !native.contains_key("LISTEN_PID"), "{native:?}");
    assert_has(&native, &[("EINHORN_FD_0", "3"), ("REMUDA_SOCKET_ADMIN_1", "4")]);
    let circus = process::arguments(only_worker(&instance, "circus"));
    assert_eq!(circus[3..], ["4", "3", "1"]);
    let honcho = only_worker(&instance, "honcho");
    assert_eq!(process::arguments(honcho)[3..], ["4", "honcho.0"]);
    assert_has(&process::environment(honcho), &[("ADMIN", "fd 4")]);
    // The first one has become `sleep`; the config as it runs shows what its words were made of.
    let config = instance.remuda(&["check", "--json"]).done();
    assert!(config.out.contains("$(port.web)"), "{}", config.out);
    assert!(port.parse::<u16>().unwrap() > 0);
    instance.end();
}

#[test]
fn a_listener_on_descriptor_0_comes_on_top_of_the_sockets() {
    let instance = Instance::up(&format!(
        r#"{TWO_SOCKETS}
        [service.web]
        command = "sleep 600"
        sockets = ["admin-1"]
        stdin = "socket:web"
        "#
    ));
    let found = process::descriptors(only_worker(&instance, "web"));
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3], "{found:?}");
    assert!(found[&0].starts_with("socket:") && found[&3].starts_with("socket:"), "{found:?}");
    assert_ne!(found[&0], found[&3]);
    instance.end();
}

#[test]
fn a_readiness_descriptor_is_where_the_config_says() {
    let instance = Instance::up(&format!(
        r#"{TWO_SOCKETS}
        [service.web]
        command = ["sh", "-c", "echo >&7; exec sleep 600"]
        sockets = ["web"]
        ready = "fd:7"
        "#
    ));
    let found = process::descriptors(only_worker(&instance, "web"));
    assert!(found[&3].starts_with("socket:") && found[&7].starts_with("pipe:"), "{found:?}");
    assert_has(&process::environment(only_worker(&instance, "web")), &[("LISTEN_FDS", "1")]);
    instance.end();
}
