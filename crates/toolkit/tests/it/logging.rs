//! Lines that go onwards.

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use remuda_model::Signal;

use crate::support::{PATIENCE, Running, subject};

#[test]
fn lines_reach_a_syslog_server_with_daemon_and_loop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let server = UnixDatagram::bind(&path).unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let running = Running::start(subject().arg("syslog").arg(&path));
    let mut buffer = [0; 1000];
    let length = server.recv(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
    assert!(text.starts_with("<30>1 20") && text.contains(" subject "), "{text}");
    assert!(text.ends_with(" serve - serves"), "{text}");
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_sink_that_does_not_read_holds_up_no_loop_and_is_told_what_it_missed() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut running = Running::start(subject().arg("flood").stdout(Stdio::from(writer)));
    // All is said on stderr though nobody reads the sink, whose pipe holds 64 KiB of half a megabyte.
    running.wait_line("line 1999 ");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(running.end().code, Some(0));
    assert!(text.contains("WARN  subject/logging: ") && text.contains(" lines were lost here"), "{text}");
    assert!(text.contains("line 1999 "), "the newest is kept");
}
