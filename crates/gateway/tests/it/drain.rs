//! The end of a server: what runs comes to its end, and nothing new begins.

use std::time::{Duration, Instant};

use remuda_gateway::server::Limits;

use super::support::Running;

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
