//! Servers that do one thing at a time, and what is kept from them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use remuda_model::gateway::Buffering;

use super::{Backend, Proxy, ok, spec};
use crate::support::PATIENCE;
use crate::waiting::until;

/// A server that takes its time with each request, and the most it ever had at once.
fn one_at_a_time(takes: Duration) -> (Backend, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let backend = Backend::new(move |asked, _| {
        while asked.request().is_some() {
            let busy = now.fetch_add(1, Ordering::SeqCst) + 1;
            seen.fetch_max(busy, Ordering::SeqCst);
            std::thread::sleep(takes);
            now.fetch_sub(1, Ordering::SeqCst);
            asked.say(ok("done"));
        }
    });
    (backend, most)
}

#[test]
fn a_worker_that_does_one_thing_at_a_time_never_gets_two() {
    let workers = [one_at_a_time(Duration::from_millis(10)), one_at_a_time(Duration::from_millis(10))];
    let mut spec = spec(&[workers[0].0.address, workers[1].0.address]);
    spec.concurrency = Some(1);
    let proxy = Proxy::new(spec);
    let mut clients: Vec<_> = (0..20).map(|_| proxy.connect()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.answer().text(), "done");
    }
    for (_, most) in &workers {
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }
    let (_, figures) = proxy.end();
    assert!(figures.queued >= 10, "{figures:?}");
    assert_eq!((figures.waiting, figures.in_flight), (0, vec![0, 0]));
}

#[test]
fn a_queue_that_is_full_or_too_slow_refuses_with_503() {
    let (backend, most) = one_at_a_time(Duration::from_millis(900));
    let mut spec = spec(&[backend.address]);
    spec.concurrency = Some(1);
    spec.queue_max = 1;
    spec.queue_wait = Duration::from_millis(200);
    let proxy = Proxy::new(spec);
    let mut clients: Vec<_> = (0..3).map(|_| proxy.connect()).collect();
    clients[0].send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    until("the first to be served", || most.load(Ordering::SeqCst) == 1);
    // One of them gets the only place to wait at, whichever comes first.
    for client in &mut clients[1..] {
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    let mut refused = [clients[1].answer(), clients[2].answer()];
    refused.sort_by_key(|answer| answer.text().contains("nobody was free in time"));
    let [full, late] = refused;
    assert_eq!((full.status(), full.field("retry-after")), (503, Some("1")));
    assert!(full.text().contains("too many requests wait for it already (stage: queue)"), "{}", full.text());
    assert_eq!(late.status(), 503);
    assert!(late.text().contains("nobody was free in time"), "{}", late.text());
    assert_eq!(clients[0].answer().text(), "done");
    let (figures, _) = proxy.end();
    assert_eq!((figures.events["upstream-queue-full"], figures.events["upstream-queue-late"]), (1, 1));
}

#[test]
fn who_goes_away_while_waiting_leaves_the_queue() {
    let (backend, _) = one_at_a_time(Duration::from_millis(100));
    let mut spec = spec(&[backend.address]);
    spec.concurrency = Some(1);
    let proxy = Proxy::new(spec);
    let mut first = proxy.connect();
    first.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    for _ in 0..10 {
        let mut gone = proxy.connect();
        gone.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    }
    assert_eq!(first.answer().text(), "done");
    assert_eq!(proxy.get("/").text(), "done");
    assert_eq!(proxy.end().1.in_flight, [0]);
}

#[test]
fn a_slow_client_holds_up_nobody_but_itself() {
    let (tell, told) = mpsc::channel();
    let backend = Backend::new(move |asked, _| {
        while let Some((head, body)) = asked.request() {
            tell.send(head).unwrap();
            asked.say(ok(&format!("{} bytes", body.len())));
        }
    });
    let mut spec = spec(&[backend.address]);
    spec.concurrency = Some(1);
    let proxy = Proxy::new(spec);
    let mut slow = proxy.connect();
    slow.send("POST /slow HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nslow\r\n");
    for _ in 0..5 {
        assert_eq!(proxy.get("/fast").text(), "0 bytes");
        assert!(told.recv_timeout(PATIENCE).unwrap().starts_with("GET /fast "));
    }
    slow.send("2\r\n!!\r\n0\r\n\r\n");
    assert_eq!(slow.answer().text(), "6 bytes");
    let head = told.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /slow ") && head.contains("\r\nContent-Length: 6\r\n"), "{head}");
}

#[test]
fn a_body_that_is_kept_in_a_file_arrives_as_it_was() {
    let backend = Backend::new(|asked, _| {
        while let Some((_, body)) = asked.request() {
            asked.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
            asked.say(body);
        }
    });
    let mut spec = spec(&[backend.address]);
    spec.buffer_request = Buffering::On;
    spec.buffer_memory = 1000;
    let proxy = Proxy::new(spec);
    let mut client = proxy.connect();
    for len in [0, 1, 999, 1000, 1001, 66_000, 2_000_000] {
        let body: Vec<u8> = (0..len).map(|at| u8::try_from((at / 251 + at) % 256).unwrap()).collect();
        client.send(format!("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: {len}\r\n\r\n"));
        client.send(&body);
        assert!(client.answer().body == body, "{len}");
    }
}
