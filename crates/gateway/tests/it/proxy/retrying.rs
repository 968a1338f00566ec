//! Which requests are sent again, and which never.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use remuda_model::gateway::{Buffering, HealthSpec};

use super::{Backend, Proxy, ok, spec};
use crate::waiting::until;

/// A server that reads a request and ends the connection, and how many it read.
fn failing() -> (Backend, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let backend = Backend::new(move |asked, _| {
        if asked.request().is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    (backend, count)
}

#[test]
fn what_can_be_sent_twice_is_answered_by_another_server() {
    let ((bad, count), good) = (failing(), Backend::answering(ok("good")));
    let proxy = Proxy::new(spec(&[bad.address, good.address]));
    let mut client = proxy.connect();
    for _ in 0..20 {
        assert_eq!(client.get("/").text(), "good");
        let put = "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(client.ask(put).text(), "good");
        let post = "POST / HTTP/1.1\r\nHost: test\r\nIdempotency-Key: 7\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(client.ask(post).text(), "good");
    }
    let (_, figures) = proxy.end();
    let tried = u64::try_from(count.load(Ordering::SeqCst)).unwrap();
    assert!(tried >= 1 && figures.retries == tried, "{tried} {figures:?}");
    assert!(figures.ejected >= 1 && tried <= 10, "who fails gets no more: {figures:?}");
}

#[test]
fn what_cannot_is_sent_once() {
    let ((bad, count), good) = (failing(), Backend::answering(ok("good")));
    let mut spec = spec(&[bad.address, good.address]);
    spec.ejection.failures = 0;
    let proxy = Proxy::new(spec);
    let mut failed = 0;
    for _ in 0..30 {
        let mut client = proxy.connect();
        let answer = client.ask("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi");
        failed += usize::from(answer.status() == 502);
    }
    assert!(failed > 0);
    assert_eq!(count.load(Ordering::SeqCst), failed);
    assert_eq!(proxy.end().1.retries, 0);
}

#[test]
fn a_body_that_is_gone_is_not_sent_again_and_one_that_is_kept_is() {
    for (buffering, expected) in [(Buffering::Off, 502), (Buffering::On, 200)] {
        let ((bad, _), good) = (failing(), Backend::answering(ok("good")));
        let mut spec = spec(&[bad.address, good.address]);
        spec.buffer_request = buffering;
        spec.ejection.failures = 0;
        let proxy = Proxy::new(spec);
        let mut client = proxy.connect();
        let put = "PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi";
        let worst = (0..20).map(|_| client.ask(put).status()).max().unwrap();
        assert_eq!(worst, expected, "{buffering:?}");
    }
}

#[test]
fn a_server_that_cannot_be_reached_costs_no_request_of_any_kind() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let good = Backend::answering(ok("good"));
    let proxy = Proxy::new(spec(&[nobody, good.address]));
    for _ in 0..20 {
        let answer = proxy.connect().ask("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(answer.text(), "good");
    }
    assert!(proxy.end().1.retries >= 1);
}

#[test]
fn who_fails_its_probes_gets_no_requests() {
    let ill = Backend::new(|asked, _| {
        while let Some((head, _)) = asked.request() {
            let is_probe = head.starts_with("GET /up ");
            asked.say(if is_probe {
                "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nill".to_owned()
            } else {
                ok("ill")
            });
        }
    });
    let well = Backend::answering(ok("well"));
    let mut spec = spec(&[ill.address, well.address]);
    spec.health = Some(HealthSpec {
        path: "/up".to_owned(),
        host: None,
        every: Duration::from_millis(20),
        timeout: Duration::from_secs(1),
        rise: 2,
        fall: 3,
        statuses: (200, 399),
    });
    let proxy = Proxy::new(spec);
    let mut client = proxy.connect();
    // As soon as three probes failed, and then for good.
    until("the ill one to be left alone", || (0..12).all(|_| client.get("/").text() == "well"));
    for _ in 0..50 {
        assert_eq!(client.get("/").text(), "well");
    }
}
