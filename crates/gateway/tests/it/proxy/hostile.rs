//! Servers that break the rules, and what a client sees of it.

use std::time::Duration;

use super::{Asked, Backend, Proxy, ok, spec};

/// What a client reads until the end, whatever the server answers with.
fn seen(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let backend = Backend::new(move |asked: &mut Asked, _| {
        asked.head();
        asked.say(&answer);
    });
    let proxy = Proxy::of(&backend);
    proxy.running.tell("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

fn status(seen: &str) -> &str {
    seen.get(9..12).unwrap_or("")
}

#[test]
fn a_body_that_breaks_off_cuts_the_clients_connection() {
    let text = seen("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    assert!(text.contains("Content-Length: 100\r\n") && text.ends_with("short"), "{text}");
    let text = seen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n");
    assert!(text.contains("5\r\nshort\r\n") && !text.contains("\r\n0\r\n"), "never a good end: {text}");
}

#[test]
fn broken_chunks_cut_the_clients_connection() {
    for chunks in ["5\r\nshort", "zz\r\nshort", "5\r\nshortX\r\n0\r\n\r\n", "5\nshort\r\n0\r\n\r\n", "-5\r\n"]
    {
        let text = seen(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
        assert!(!text.ends_with("0\r\n\r\n"), "{chunks:?}: {text}");
    }
}

#[test]
fn what_is_no_answer_is_a_502_that_says_so() {
    let garbage: [&[u8]; 9] = [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 099 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
    ];
    for answer in garbage {
        let text = seen(answer);
        assert_eq!(status(&text), "502", "{:?}: {text}", String::from_utf8_lossy(answer));
        assert!(text.contains("stage: first byte") && text.contains("X-Request-Id: "), "{text}");
    }
}

#[test]
fn a_head_of_200_kib_is_refused_and_one_of_40_kib_is_not() {
    let big = |size: usize| {
        let fields: String = (0..size / 4096).map(|n| format!("X-{n}: {}\r\n", "x".repeat(4080))).collect();
        seen(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok"))
    };
    assert_eq!(status(&big(200 << 10)), "502");
    assert!(big(40 << 10).ends_with("ok"));
}

#[test]
fn interim_heads_without_end_are_refused_and_a_few_are_not() {
    let text = seen("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(5) + &ok("fine"));
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("fine"), "{text}");
    assert_eq!(status(&seen("HTTP/1.1 102 Processing\r\n\r\n".repeat(50))), "502");
}

#[test]
fn who_never_answers_is_given_up_with_504() {
    let backend = Backend::new(|asked, _| {
        asked.head();
        asked.take(1);
    });
    let mut spec = spec(&[backend.address]);
    spec.first_byte = Duration::from_millis(200);
    let proxy = Proxy::new(spec);
    let answer = proxy.get("/");
    assert_eq!(answer.status(), 504);
    assert!(answer.text().contains("did not answer within 200ms (stage: first byte)"), "{}", answer.text());
    assert_eq!(proxy.end().0.events["upstream-late"], 1);
}

#[test]
fn who_falls_silent_in_the_middle_is_cut_and_events_are_not() {
    let serve = |kind: &'static str| {
        let backend = Backend::new(move |asked, _| {
            asked.head();
            asked.say(format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 8\r\n\r\npart"));
            // The silence that is tested: six times what is allowed.
            std::thread::sleep(Duration::from_millis(1200));
            asked.say("rest");
        });
        let mut spec = spec(&[backend.address]);
        spec.idle = Duration::from_millis(200);
        Proxy::new(spec).running.tell("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    };
    assert!(serve("text/plain").ends_with("\r\n\r\npart"));
    assert!(serve("text/event-stream").ends_with("\r\n\r\npartrest"));
}

#[test]
fn an_idle_connection_that_was_closed_costs_no_request() {
    let backend = Backend::new(|asked, _| {
        if asked.request().is_some() {
            asked.say(ok("once"));
        }
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    for _ in 0..20 {
        assert_eq!(client.get("/").text(), "once");
        let post = client.ask("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(post.text(), "once");
    }
}

#[test]
fn what_comes_behind_an_answer_is_nobodys() {
    let backend = Backend::new(|asked, number| {
        while asked.request().is_some() {
            asked.say(ok(&format!("connection {number}")) + &ok("stolen"));
        }
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    for number in 0..5 {
        assert_eq!(client.get("/").text(), format!("connection {number}"));
    }
}

#[test]
fn an_answer_before_the_body_is_whole_reaches_the_client() {
    let backend = Backend::new(|asked, _| {
        asked.head();
        asked.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
        asked.reset();
    });
    let proxy = Proxy::of(&backend);
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n");
    client.send(vec![b'x'; 4096]);
    let answer = client.answer();
    assert_eq!((answer.status(), answer.text()), (413, "no!"));
}

#[test]
fn nobody_there_is_a_502_that_names_the_stage() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Proxy::new(spec(&[address]));
    let answer = proxy.get("/");
    assert_eq!(answer.status(), 502);
    assert!(answer.text().contains("upstream:pool cannot be reached"), "{}", answer.text());
    assert!(!answer.text().contains(&address.port().to_string()), "addresses stay in the log");
}
