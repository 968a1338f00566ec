//! Sockets that a parent really passed on.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use crate::support::{Outcome, Running, subject};

/// Runs the subject with `first` as descriptor 3 and `second` as 4, under these names, as a service manager would.
fn passed(names: &str, first: impl Into<OwnedFd>, second: impl Into<OwnedFd>, wanted: &str) -> Outcome {
    let script = "export LISTEN_PID=$$; exec \"$0\" adopt \"$1\" 3<&0 4<&1 0</dev/null 1>&2";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_toolkit-subject"), wanted]);
    command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", names).env_remove("LISTEN_PIDFDID");
    command.stdin(Stdio::from(first.into())).stdout(Stdio::from(second.into()));
    Running::start(&mut command).end()
}

fn tcp() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn sockets_are_adopted_by_name_and_made_nonblocking() {
    let (web, time) = (tcp(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let (web_at, time_at) = (web.local_addr().unwrap(), time.local_addr().unwrap());
    let outcome = passed("web:time", web, time, "web=tcp,time=udp");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.text.contains("names: time web"), "{outcome:?}");
    assert!(outcome.text.contains(&format!("web: Ok({web_at}) nonblocking true")), "{outcome:?}");
    assert!(outcome.text.contains(&format!("time: Ok({time_at})")), "{outcome:?}");
}

#[test]
fn another_kind_than_expected_is_an_error_that_names_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let time = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = time.local_addr().unwrap();
    let outcome = passed("admin:time", UnixListener::bind(&path).unwrap(), time, "admin=tcp,time=tcp");
    let admin = format!(
        "admin: error: adopt a TCP listener named \"admin\": it is a Unix stream socket at unix:{}",
        path.display()
    );
    assert!(outcome.text.contains(&admin), "{outcome:?}");
    let time = format!("time: error: adopt a TCP listener named \"time\": it is a UDP socket at udp:{at}");
    assert!(outcome.text.contains(&time), "{outcome:?}");
}

#[test]
fn several_of_one_name_are_adopted_together_and_refused_as_one() {
    let outcome = passed("web:web", tcp(), tcp(), "web=streams");
    assert!(outcome.text.contains("web: 2 listeners"), "{outcome:?}");
    let outcome = passed("web:web", tcp(), tcp(), "web=tcp");
    assert!(outcome.text.contains("named \"web\": 2 descriptors have that name"), "{outcome:?}");
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
    let outcome = passed("web:time", tcp(), UdpSocket::bind("127.0.0.1:0").unwrap(), "wob=tcp");
    let line = "wob: error: adopt a TCP listener named \"wob\": neither LISTEN_FDNAMES nor REMUDA_SOCKET_WOB names it; \
                there is time, web";
    assert!(outcome.text.contains(line), "{outcome:?}");
}

#[test]
fn a_socket_is_adopted_by_its_own_variable_and_only_once() {
    let web = tcp();
    let at = web.local_addr().unwrap();
    let mut command = subject();
    command.args(["adopt", "my-web=tcp,my-web=tcp"]).env("REMUDA_SOCKET_MY_WEB", "0");
    let outcome = Running::start(command.stdin(Stdio::from(OwnedFd::from(web)))).end();
    assert!(outcome.text.contains(&format!("my-web: Ok({at})")), "{outcome:?}");
    assert!(outcome.text.contains("my-web: error: ") && outcome.text.contains("nothing was passed to us"));
}

#[test]
fn a_variable_that_names_no_open_descriptor_is_an_error() {
    for (value, reason) in [
        ("77", "descriptor 77 was announced but is not open"),
        ("x", "REMUDA_SOCKET_WEB=\"x\""),
        ("0", "not a socket"),
    ] {
        let outcome =
            Running::start(subject().args(["adopt", "web=tcp"]).env("REMUDA_SOCKET_WEB", value)).end();
        assert!(outcome.text.contains(reason), "{outcome:?}");
    }
}

#[test]
fn what_was_passed_to_another_process_is_not_adopted() {
    let mut command = subject();
    command.args(["adopt", "web=tcp"]).env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "web");
    let outcome = Running::start(command.env("LISTEN_PID", std::process::id().to_string())).end();
    assert!(outcome.text.contains("nothing was passed to us"), "{outcome:?}");
}
