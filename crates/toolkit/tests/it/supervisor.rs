//! What a daemon tells its supervisor.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use remuda_model::Signal;

use crate::support::{PATIENCE, Running, Supervisor, subject};

#[test]
fn ready_comes_when_all_loops_are_started_and_watchdog_pings_follow() {
    let supervisor = Supervisor::new();
    let running = Running::start(
        subject().arg("calm").env("NOTIFY_SOCKET", &supervisor.path).env("WATCHDOG_USEC", "100000"),
    );
    supervisor.hear_until("READY=1");
    for _ in 0..3 {
        supervisor.hear_until("WATCHDOG=1");
    }
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    supervisor.hear_until("STOPPING=1");
}

#[test]
fn a_hung_loop_starves_the_watchdog() {
    let supervisor = Supervisor::new();
    let mut running = Running::start(
        subject().arg("hangs").env("NOTIFY_SOCKET", &supervisor.path).env("WATCHDOG_USEC", "100000"),
    );
    supervisor.hear_until("READY=1");
    supervisor.hear_until("WATCHDOG=1");
    running.signal(Signal::HUP);
    let line = running.wait_line("gave no sign of life");
    assert!(line.contains("ERROR subject: loop \"serve\"") && line.contains("one every 1.0s"), "{line}");
    // What was sent before that line waits in the socket; after it there is silence.
    supervisor.hear_for(Duration::from_millis(50));
    let later = supervisor.hear_for(Duration::from_millis(500));
    assert_eq!(later, Vec::<String>::new());
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_watchdog_meant_for_another_process_gets_no_pings() {
    let supervisor = Supervisor::new();
    let command = &mut subject();
    let running = Running::start(
        command
            .arg("calm")
            .env("NOTIFY_SOCKET", &supervisor.path)
            .env("WATCHDOG_USEC", "10000")
            .env("WATCHDOG_PID", std::process::id().to_string()),
    );
    assert_eq!(supervisor.hear(), "READY=1");
    assert_eq!(supervisor.hear_for(Duration::from_millis(200)), Vec::<String>::new());
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn ready_by_hand_is_said_by_the_loop_and_a_status_cannot_forge_a_message() {
    let supervisor = Supervisor::new();
    let running = Running::start(subject().arg("by-hand").env("NOTIFY_SOCKET", &supervisor.path));
    assert_eq!(supervisor.hear(), "STATUS=warming up READY=1");
    assert_eq!(supervisor.hear(), "READY=1");
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn an_abstract_notify_socket_is_spoken_to_as_well() {
    let name = format!("remuda-toolkit-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let running = Running::start(subject().arg("calm").env("NOTIFY_SOCKET", format!("@{name}")));
    let mut buffer = [0; 100];
    assert_eq!(socket.recv(&mut buffer).unwrap(), b"READY=1".len());
    assert!(buffer.starts_with(b"READY=1"));
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn variables_that_make_no_sense_stop_the_start_and_are_named() {
    for (variable, value) in
        [("NOTIFY_SOCKET", "vsock:2:1234"), ("WATCHDOG_USEC", "soon"), ("WATCHDOG_USEC", "0")]
    {
        let outcome = Running::start(subject().arg("calm").env(variable, value)).end();
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.text.contains(&format!("{variable}={value:?}")), "{outcome:?}");
    }
}

#[test]
fn ready_is_said_again_to_a_supervisor_whose_queue_is_full() {
    let supervisor = Supervisor::new();
    let crowd = UnixDatagram::unbound().unwrap();
    crowd.set_nonblocking(true).unwrap();
    let fill = || crowd.send_to(b"X_CROWD=1", &supervisor.path).map_err(|error| error.kind());
    let refused = std::iter::repeat_with(fill).take(100_000).find_map(Result::err);
    assert_eq!(refused, Some(std::io::ErrorKind::WouldBlock));
    let mut running = Running::start(subject().arg("calm").env("NOTIFY_SOCKET", &supervisor.path));
    let line = running.wait_line("trying again");
    assert!(line.contains("READY=1") && line.contains("EAGAIN"), "{line}");
    supervisor.hear_until("READY=1");
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_supervisor_that_is_gone_does_not_stop_the_daemon() {
    let mut running = Running::start(subject().arg("calm").env("NOTIFY_SOCKET", "/nonexistent/notify"));
    running.wait_line("ENOENT");
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}
