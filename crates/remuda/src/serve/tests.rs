//! The config that is made, read as any other.

use clap::Parser as _;

use super::{config, instance_name, placed, quoted};
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
fn workers_are_woken_with_the_request_where_the_kernel_can_tell() {
    for (line, is_tcp) in [
        ("serve .", true),
        ("serve . --listen localhost:0", true),
        ("serve . --listen unix:web.sock", false),
        ("serve . --listen fd:3", false),
    ] {
        let text = made(line);
        assert_eq!(text.contains("defer_accept = \"1s\""), is_tcp, "{line}: {text}");
    }
}

#[test]
fn a_unix_socket_is_where_its_path_leads_from_here() {
    let here = std::env::current_dir().unwrap();
    assert_eq!(placed("unix:a/web.sock").unwrap(), format!("unix:{}/a/web.sock", here.display()));
    for listen in ["unix:/run/web.sock", "unix:@web", "127.0.0.1:80", "fd:3"] {
        assert_eq!(placed(listen).unwrap(), listen);
    }
}

#[test]
fn instances_are_named_by_their_address() {
    assert_eq!(instance_name("127.0.0.1:8080"), "serve-8080");
    assert_eq!(instance_name("unix:/run/web.sock"), "serve-runwebsock");
    assert_ne!(instance_name("unix:/run/one/web.sock"), instance_name("unix:/run/two/web.sock"));
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
