//! One client: its carriers, its beats, and what is due to it.

use std::time::Duration;

use proptest::prelude::*;
use remuda_model::Tick;
use remuda_wire::engineio::Packet;

use super::super::{Outgoing, SocketioOptions};
use super::{Beat, Carrier, Heard, Polled, Probed, Queued, Session};

fn options() -> SocketioOptions {
    SocketioOptions {
        ping_interval: Duration::from_millis(100),
        ping_timeout: Duration::from_millis(50),
        ..SocketioOptions::new("live")
    }
}

fn polling() -> Session {
    Session::new(Carrier::Polling, Tick(0), &options())
}

fn text(text: &str) -> [Outgoing; 1] {
    [Outgoing::new(&Packet::Text(text))]
}

fn body(session: &mut Session) -> Option<String> {
    session.take_body(1000).map(|body| String::from_utf8(body).unwrap())
}

#[test]
fn packets_wait_for_a_get_and_go_together() {
    let mut session = polling();
    assert_eq!(session.send(&text("a"), false, 1000), Queued::Waits);
    assert_eq!(
        session.send(&[Outgoing::new(&Packet::Binary((&[1][..]).into()))], false, 1000),
        Queued::Waits
    );
    assert_eq!(session.poll(), Polled::Waits);
    assert_eq!(body(&mut session).as_deref(), Some("4a\u{1e}bAQ=="));
    assert_eq!(body(&mut session), None);
}

#[test]
fn a_body_holds_no_more_than_it_may_but_one_packet_always_fits() {
    let mut session = polling();
    for size in [600, 300, 300] {
        session.send(&text(&"x".repeat(size)), false, 10_000);
    }
    let mut sizes = Vec::new();
    while let Some(body) = session.take_body(500) {
        sizes.push(body.len());
    }
    assert_eq!(sizes, [601, 301, 301]);
}

#[test]
fn a_second_get_or_post_is_one_too_many() {
    let mut session = polling();
    assert_eq!((session.poll(), session.poll()), (Polled::Waits, Polled::Twice));
    assert_eq!((session.post(), session.post()), (Polled::Waits, Polled::Twice));
    session.poll_over();
    session.post_over();
    assert_eq!((session.poll(), session.post()), (Polled::Waits, Polled::Waits));
}

#[test]
fn a_session_changes_over_once_and_lets_its_get_go() {
    let mut session = polling();
    assert_eq!(session.poll(), Polled::Waits);
    assert!(session.probe() && !session.probe(), "one try at a time");
    assert_eq!(session.probed(&Packet::Ping("probe")), Probed::Answer);
    assert_eq!(body(&mut session).as_deref(), Some("6"), "the GET ends");
    session.poll_over();
    session.send(&text("a"), false, 1000);
    assert_eq!(session.take_frame(), None, "not before the client says so");
    assert_eq!(session.probed(&Packet::Upgrade), Probed::Upgraded);
    assert_eq!(session.take_frame(), Some(text("a")[0].clone()));
    assert_eq!((session.poll(), session.post()), (Polled::Elsewhere, Polled::Elsewhere));
    assert!(!session.probe());
    session.probe_over();
    assert_eq!(session.carrier(), Carrier::WebSocket, "the try that worked is no try any more");
}

#[test]
fn a_try_that_fails_changes_nothing() {
    let mut session = polling();
    assert!(session.probe());
    assert_eq!(session.probed(&Packet::Text("x")), Probed::Fail);
    session.probe_over();
    assert_eq!(session.carrier(), Carrier::Polling);
    assert!(session.probe());
}

#[test]
fn a_client_that_answers_pings_stays_and_one_that_does_not_goes() {
    let (options, mut session) = (options(), polling());
    assert_eq!(session.beat(Tick(99), &options), Beat::Early);
    assert_eq!(session.beat(Tick(100), &options), Beat::Ping);
    assert_eq!(body(&mut session).as_deref(), Some("2"));
    assert_eq!(session.hear(Tick(120), &Packet::Pong(""), &options), Heard::Nothing);
    assert_eq!(session.beat(Tick(150), &options), Beat::Early, "the answer came");
    assert_eq!(session.deadline(), Tick(220));
    assert_eq!(session.beat(Tick(220), &options), Beat::Ping);
    assert_eq!(session.beat(Tick(269), &options), Beat::Early);
    assert_eq!(session.beat(Tick(270), &options), Beat::TimedOut);
    assert_eq!(session.hear(Tick(271), &Packet::Pong(""), &options), Heard::Nothing);
}

#[test]
fn pongs_nobody_asked_for_do_not_put_off_the_ping() {
    let (options, mut session) = (options(), polling());
    assert_eq!(session.hear(Tick(90), &Packet::Pong(""), &options), Heard::Nothing);
    assert_eq!(session.beat(Tick(100), &options), Beat::Ping);
}

#[test]
fn a_client_says_only_what_clients_say() {
    let (options, mut session) = (options(), polling());
    for packet in [Packet::Open(""), Packet::Ping(""), Packet::Upgrade, Packet::Noop] {
        assert_eq!(session.hear(Tick(0), &packet, &options), Heard::Violation, "{packet:?}");
    }
    assert_eq!(session.hear(Tick(0), &Packet::Close, &options), Heard::Close);
}

#[test]
fn volatile_packets_do_not_wait() {
    let mut session = polling();
    assert_eq!(session.send(&text("a"), true, 1000), Queued::Dropped, "no GET is there");
    session.poll();
    assert_eq!(session.send(&text("a"), true, 1000), Queued::Waits);
    let mut session = Session::new(Carrier::WebSocket, Tick(0), &options());
    assert_eq!(session.send(&text("a"), true, 1000), Queued::Waits);
    assert_eq!(session.send(&text("b"), true, 1000), Queued::Dropped, "something waits already");
}

proptest! {
    #[test]
    fn a_queue_keeps_its_limit_and_its_order(sizes in prop::collection::vec(1_usize..400, 1..40), max in 100_usize..1000) {
        let mut session = polling();
        let (mut sent, mut waiting) = (Vec::new(), 0);
        for (index, size) in sizes.iter().enumerate() {
            let packet = text(&format!("{index:04}{}", "x".repeat(*size)));
            let len = packet[0].size();
            match session.send(&packet, false, max) {
                Queued::Waits => {
                    waiting += len;
                    sent.push(index);
                }
                Queued::Overflow => prop_assert!(waiting + len > max),
                Queued::Dropped => prop_assert!(false, "it is not volatile"),
            }
            prop_assert!(waiting <= max || sent.len() == 1, "what comes to an empty queue is taken");
        }
        let mut got = Vec::new();
        while let Some(body) = session.take_body(700) {
            for packet in body.split(|byte| *byte == 0x1e) {
                got.push(str::from_utf8(&packet[1..5]).unwrap().parse::<usize>().unwrap());
            }
        }
        prop_assert_eq!(got, sent);
    }
}
