//! Whatever comes over a connection: nothing panics, nothing grows, nobody gets in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, TestCaseError, any};
use proptest::test_runner::TestRunner;
use proptest::{collection, prop_assert};
use remuda_trust::enrolment;
use remuda_trust::session::{HANDSHAKE_BYTES_MAX, Hello, SessionOptions};
use remuda_trust::{Endpoint, Removals, Session, Token};

use crate::harness::{Node, Pair};

fn accepting(endpoint: &Arc<Endpoint>, hello: &Hello) -> Session {
    Session::accept(Arc::clone(endpoint), hello.clone(), SessionOptions::default(), Duration::ZERO)
}

#[test]
fn bytes_before_the_handshake_are_refused_within_a_limit() {
    let alpha = Node::founder("shop", "alpha");
    let (endpoint, hello) = (alpha.endpoint(0), alpha.hello());
    for garbage in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"*1\r\n$4\r\nPING\r\n", &[0xff; 64], &[0x16; 64]] {
        let mut session = accepting(&endpoint, &hello);
        assert!(session.feed(garbage).is_err(), "{garbage:?}");
        assert_eq!(session.next_event(), Ok(None));
    }
    // A first message in records of one byte each, which never ends.
    let mut session = accepting(&endpoint, &hello);
    let mut sent = 0;
    let mut record = vec![0x16, 3, 1, 0, 4, 1, 0, 0xff, 0xff];
    while session.feed(&record).is_ok() {
        sent += record.len();
        record = vec![0x16, 3, 1, 0, 1, 0];
        assert!(sent <= HANDSHAKE_BYTES_MAX + 100, "{sent} bytes");
    }
}

#[test]
fn a_connection_that_says_nothing_is_given_up() {
    let alpha = Node::founder("shop", "alpha");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    let within = Duration::from_millis(50);
    let error = enrolment::serve(stream, &alpha.folder, &alpha.endpoint(0), within).unwrap_err();
    assert!(error.to_string().contains("took longer"), "{error}");
    drop(silent);
}

#[test]
fn a_connection_that_says_a_byte_at_a_time_is_given_up() {
    let alpha = Node::founder("shop", "alpha");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut slow = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    let (folder, endpoint) = (alpha.folder.clone(), alpha.endpoint(0));
    let within = Duration::from_millis(200);
    let served = std::thread::spawn(move || enrolment::serve(stream, &folder, &endpoint, within));
    // The beginning of a record that would be long, in as many pieces as the other side bears.
    slow.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let mut byte = [0; 1];
    for next in [0x16, 3, 1, 0x3f, 0xff].into_iter().chain(std::iter::repeat(1)) {
        // A read that times out paces the writes; an end is the end.
        let gone = matches!(slow.read(&mut byte), Ok(0));
        if gone || slow.write_all(&[next]).is_err() || served.is_finished() {
            break;
        }
    }
    assert!(served.join().unwrap().is_err());
}

/// Tries a property on so many cases, all with what its test made before.
#[track_caller]
fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    TestRunner::new(config).run(strategy, property).unwrap();
}

#[test]
fn bytes_of_any_kind_let_nobody_in() {
    let alpha = Node::founder("shop", "alpha");
    let (endpoint, hello) = (alpha.endpoint(0), alpha.hello());
    check(128, &(collection::vec(any::<u8>(), 0..2000), 1_usize..500), |(bytes, piece)| {
        let options = SessionOptions::default();
        let connecting = Session::connect(&endpoint, None, Some(hello.clone()), options, Duration::ZERO);
        for mut session in [accepting(&endpoint, &hello), connecting.unwrap()] {
            for chunk in bytes.chunks(piece) {
                if session.feed(chunk).is_err() {
                    break;
                }
                prop_assert!(matches!(session.next_event(), Ok(None)));
            }
            prop_assert!(session.peer().is_none());
        }
        Ok(())
    });
}

#[test]
fn a_bit_that_is_turned_on_the_way_never_comes_out_as_a_frame() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    check(128, &(0_usize..16_000, 0_u8..8), |(at, bit)| {
        let mut pair = Pair::of(&beta, &alpha, 0);
        let (mut seen, mut sent) = (0, 0_u8);
        for _ in 0..8 {
            let mut there = pair.client.written();
            if let Some(byte) = at.checked_sub(seen).and_then(|at| there.get_mut(at)) {
                *byte ^= 1 << bit;
            }
            seen += there.len();
            pair.server.take(&there, 1000);
            let back = pair.server.written();
            pair.client.take(&back, 1000);
            // It fails before the peer is known and once the session has ended.
            if pair.client.session.send(1, &[sent; 3000]).is_ok() {
                sent += 1;
            }
        }
        let frames = pair.server.frames();
        prop_assert!(frames.len() <= usize::from(sent));
        for (number, (kind, frame)) in (0_u8..).zip(frames) {
            prop_assert!(kind == 1 && frame == [number; 3000]);
        }
        Ok(())
    });
}

#[test]
fn what_is_no_token_or_half_of_one_is_refused() {
    let alpha = Node::founder("shop", "alpha");
    let good = alpha.invite("127.0.0.1:1".parse().unwrap(), 1, false);
    assert_eq!(good.parse::<Token>().unwrap().to_string(), good);
    check(256, &(any::<String>(), 0_usize..2000, 0_usize..2000), |(text, cut, turn)| {
        prop_assert!(text.parse::<Token>().is_err());
        let long = format!("remuda-herd-1.{text}");
        prop_assert!(long.parse::<Token>().is_err());
        let half = &good[..cut.min(good.len() - 1)];
        prop_assert!(half.parse::<Token>().is_err());
        let mut bytes = good.clone().into_bytes();
        let index = turn % bytes.len();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        prop_assert!(String::from_utf8(bytes).unwrap().parse::<Token>().is_err());
        Ok(())
    });
}

#[test]
fn removals_of_any_bytes_are_read_or_refused() {
    check(256, &collection::vec(any::<u8>(), 0..500), |bytes| {
        if let Ok(read) = Removals::decode(&bytes) {
            prop_assert!(read.len() <= bytes.len() / 26);
        }
        Ok(())
    });
}
