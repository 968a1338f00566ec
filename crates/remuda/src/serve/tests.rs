//! The config that is made, read as any other.

use clap::Parser as _;

use super::{config, instance_name, quoted};
use crate::arguments::{Arguments, Command};
use crate::config_file::{self, Adjustments};

fn made(line: &str) -> String {
    let arguments = Arguments::parse_from(format!("remuda {line}").split(' '));
    let Command::Serve(serve) = arguments.command else { panic!("{line} is not serve") };
    config(&serve, &arguments.global)
}

#[test]
fn the_config_that_is_made_is_one() {
    let text = made("serve . --listen 127.0.0.1:0 --workers 3 --list --fallback /index.html");
    let folder = tempfile::tempdir().unwrap();
    let read =
        config_file::load_made(&text, &folder.path().join("remuda.toml"), &Adjustments::default()).unwrap();
    let service = read.loaded.config.services.values().next().unwrap();
    assert_eq!((service.name.as_str(), service.workers), ("files", 3));
}

#[test]
fn several_workers_have_a_queue_each_where_the_kernel_spreads_connections() {
    for (line, mode) in [
        ("serve . --workers 2", "per-worker"),
        ("serve . --workers 2 --listen localhost:0", "per-worker"),
        ("serve . --workers 1", "shared"),
        ("serve . --workers 2 --listen unix:web.sock", "shared"),
        ("serve . --workers 2 --listen fd:3", "shared"),
    ] {
        let text = made(line);
        assert!(text.contains(&format!("mode = \"{mode}\"")), "{line}: {text}");
    }
}

#[test]
fn instances_are_named_by_their_address() {
    assert_eq!(instance_name("127.0.0.1:8080"), "serve-8080");
    assert_eq!(instance_name("unix:/run/web.sock"), "serve-websock");
    assert_eq!(quoted("a\"\\$\n"), "\"a\\\"\\\\$$\\u000A\"");
}

#[test]
fn a_port_alone_is_one_of_this_machine() {
    for (written, expected) in [
        ("8081", "127.0.0.1:8081"),
        (":8081", "127.0.0.1:8081"),
        ("0.0.0.0:8081", "0.0.0.0:8081"),
        ("[::]:8081", "[::]:8081"),
        ("localhost:0", "localhost:0"),
        ("unix:web.sock", "unix:web.sock"),
    ] {
        let text = made(&format!("serve . --listen {written}"));
        assert!(text.contains(&format!("listen = \"{expected}\"")), "{text}");
    }
}
