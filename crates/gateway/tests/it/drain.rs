//! The end of a server: what runs comes to its end, and nothing new begins.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use remuda_gateway::server::Limits;
use remuda_sys::socket;
use remuda_toolkit::adopt::StreamListener;

use super::support::{Client, Everything, Running};

#[test]
fn requests_that_run_are_answered_and_told_that_the_connection_ends() {
    let mut running = Running::new(Limits::default());
    let mut busy = running.connect();
    busy.send("GET /wait/300 HTTP/1.1\r\nHost: test\r\n\r\n");
    let mut known = running.connect();
    assert_eq!(known.get("/bytes/2").status(), 200);
    running.quit();
    // A request on a connection that is there is served, and closes it.
    let answer = known.get("/bytes/2");
    assert_eq!((answer.status(), answer.field("connection")), (200, Some("close")));
    let answer = busy.answer();
    assert_eq!((answer.text(), answer.field("connection")), ("waited", Some("close")));
    drop((busy, known));
    let figures = running.end();
    assert_eq!((figures.open, figures.events.get("cut-at-end")), (0, None));
}

#[test]
fn an_idle_connection_stays_for_a_moment_and_then_ends() {
    let mut running = Running::new(Limits { idle_grace: Duration::from_secs(1), ..Limits::default() });
    let mut idle = running.connect();
    assert_eq!(idle.get("/bytes/2").status(), 200);
    let start = Instant::now();
    running.quit();
    assert!(idle.is_closed());
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(running.end().events["idle-closed"], 1);
}

#[test]
fn what_does_not_end_in_time_is_cut() {
    let running = Running::new(Limits::default());
    let mut client = running.connect();
    client.send("GET /never/ HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(running.connect().get("/bytes/2").status(), 200);
    let figures = running.end();
    assert_eq!(figures.events["cut-at-end"], 1);
    assert!(client.is_closed());
}

#[test]
fn listeners_that_are_shut_down_hold_nobody_up_and_are_heard_again() {
    let folder = tempfile::tempdir().unwrap();
    let unix = UnixListener::bind(folder.path().join("socket")).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let others =
        vec![StreamListener::Unix(unix.try_clone().unwrap()), StreamListener::Tcp(tcp.try_clone().unwrap())];
    let running = Running::on(others, Limits::default(), |_| Everything::default());
    assert_eq!(running.connect().get("/bytes/2").status(), 200);
    let of_arbiter = |descriptor: OwnedFd| socket::Listener::inspect(descriptor).unwrap();
    let tcp = of_arbiter(tcp.into());
    socket::stop_listening(&of_arbiter(unix.into())).unwrap();
    socket::stop_listening(&tcp).unwrap();
    assert_eq!(running.connect().get("/bytes/2").status(), 200);

    // It has another port then, as it never had one of its own.
    socket::listen_again(&tcp, 16).unwrap();
    let address = tcp.internet().unwrap();
    for _ in 0..3 {
        let mut client = Client::on(TcpStream::connect(address).unwrap());
        assert_eq!(client.get("/bytes/2").status(), 200);
    }
    assert_eq!(running.end().open, 0);
}
