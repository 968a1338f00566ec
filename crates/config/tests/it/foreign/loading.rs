//! Foreign files all the way to a config.

use std::path::PathBuf;

use remuda_config::foreign::{ImportError, ImportOptions, load};
use remuda_model::Mode;

use super::{fixture, options, surroundings};

fn loaded(names: &[&str], instances: Option<u32>) -> remuda_config::Loaded {
    let paths: Vec<_> = names.iter().map(|name| fixture(name)).collect();
    let here = remuda_config::Surroundings { directory: std::env::current_dir().unwrap(), ..surroundings() };
    match load(&paths, &ImportOptions { instances, ..options() }, &here) {
        Ok((loaded, _)) => loaded,
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn four_instances_are_four_slots_on_one_port_each_with_a_listener() {
    let config = loaded(&["systemd/www@.socket", "systemd/www@.service"], Some(4)).config;
    let socket = config.sockets.values().next().unwrap();
    assert_eq!((socket.listen.to_string().as_str(), socket.mode), ("[::]:8080", Mode::PerWorker));
    assert!(socket.options.nonblocking);
    let service = config.services.values().next().unwrap();
    assert_eq!((service.workers, service.sockets.len()), (4, 1));
    assert_eq!(config.sockets.len() + config.services.len(), 2);
}

#[test]
fn every_whole_fixture_is_a_valid_config() {
    assert_eq!(loaded(&["circus/circus.ini"], None).config.services.len(), 3);
    assert_eq!(loaded(&["procfile/Procfile"], None).config.services.len(), 3);
    let shop = loaded(&["systemd/shop.socket", "systemd/migrate.service"], None);
    assert_eq!(shop.config.services.len(), 2);
    assert!(shop.sources.contains(&fixture("systemd/shop.service")), "{:?}", shop.sources);
}

#[test]
fn what_is_wrong_with_the_native_text_is_told_at_the_foreign_line() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("circus.ini");
    let text = "[socket:s]\nhost = no host\n[watcher:w]\ncmd = x\n";
    std::fs::write(&path, text).unwrap();
    let Err(ImportError::Invalid(report)) = load(&[path], &options(), &surroundings()) else {
        panic!("accepted")
    };
    let text = report.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text, @r#"
    error: "no host:8080" is not an address; write "127.0.0.1:8080", "[::]:80", "unix:/run/x.sock", "udp:0.0.0.0:53", "systemd:NAME" or "fd:3"
     --> FOLDER/circus.ini:2:1
      |
    2 | host = no host
      | ^^^^^^^^^^^^^^
    "#);
}
