//! The password of an engine is the hub's to know, and nobody else's.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Server, config};
use crate::harness::Instance;
use crate::harness::server::Kind;
use crate::hub_redis::protocol::local;

/// Files below `folder` that have `text` in them and that others may read.
fn readable(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Ok(known) = path.symlink_metadata() else { continue };
        if known.is_dir() {
            readable(&path, text, found);
        } else if known.is_file() && known.permissions().mode() & 0o077 != 0 {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
}

#[test]
fn a_password_of_an_engine_is_told_nowhere() {
    let redis = Server::start(Kind::Redis, &["--requirepass", "s3cret"]);
    let url = redis.url(":s3cret@");
    let instance = Instance::up(&config(&url, &url));
    instance.settled();
    instance.configure(&config(&url.replace("s3cret", "s3cret2"), &url));
    let mut said = String::new();
    let commands: [&[&str]; 5] = [&["check"], &["status"], &["status", "--json"], &["metrics"], &["logs"]];
    for command in commands {
        said.push_str(&format!("{command:?} {:?}\n", instance.remuda(command)));
    }
    assert!(said.contains("bus.engine"), "the plan says what differs: {said}");
    assert!(said.contains("remuda_hub_engine_up"), "{said}");
    // The next generation cannot get in: that is said, and not with what; and this one goes on.
    let before = instance.pids("hub");
    let applied = instance.remuda(&["apply"]);
    assert_ne!(applied.code, 0, "{applied:?}");
    assert!(format!("{applied:?}").contains("WRONGPASS"), "{applied:?}");
    assert_eq!(instance.pids("hub"), before);
    local(&instance).ask("PUBLISH a b\r\nGET k\r\n", ":0\r\n$-1\r\n");
    said.push_str(&format!("{applied:?}"));
    for pid in instance.pids("hub") {
        for file in ["cmdline", "environ"] {
            said.push_str(&String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/{file}")).unwrap()));
        }
    }
    said.push_str(&format!("{:?}", instance.transcript.locked().lines));
    assert!(!said.contains("s3cret"), "{said}");
    let mut found = Vec::new();
    readable(&instance.runtime(), "s3cret", &mut found);
    assert_eq!(found, Vec::<String>::new());
    instance.end();
}
