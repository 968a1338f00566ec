//! Entering a network.

use std::path::Path;

use remuda_sys::namespace::enter_network;

#[test]
fn what_is_no_network_namespace_is_refused_by_its_name() {
    for path in ["/proc/thread-self/ns/uts", "/proc/self/status", "/run/no-such-namespace"] {
        let said = enter_network(Path::new(path)).unwrap_err().to_string();
        assert!(said.starts_with(&format!("enter the network namespace {path}: ")), "{said}");
    }
}
