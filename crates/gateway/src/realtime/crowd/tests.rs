//! Many clients: who hears, who is left out, and what each costs.

use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;
use remuda_model::Tick;
use remuda_wire::engineio::Packet;
use serde_json::{Value, json};

use super::super::session::Carrier;
use super::super::{Key, Owner, SocketId, SocketioOptions};
use super::Crowd;

fn crowd(options: SocketioOptions) -> Crowd {
    let mut next = 0;
    let names = move || {
        next += 1;
        next
    };
    Crowd::new(Rc::new(options), Owner(7), Box::new(names))
}

fn options() -> SocketioOptions {
    SocketioOptions { namespaces: vec!["/".into(), "/admin".into()], ..SocketioOptions::new("live") }
}

/// Opens a client on a WebSocket.
fn open(crowd: &mut Crowd) -> Key {
    let (key, sid) = crowd.open(Tick(0), Carrier::WebSocket, r#","address":"::1""#).unwrap();
    assert_eq!(crowd.find(&sid), Some(key));
    assert!(said(crowd, key)[0].starts_with("0{"));
    key
}

/// Opens one that has joined the main namespace; and its name there.
fn joined(crowd: &mut Crowd) -> (Key, String) {
    let key = open(crowd);
    hear(crowd, key, "0");
    let said = said(crowd, key);
    let answer: Value = serde_json::from_str(said[0].strip_prefix("40").unwrap()).unwrap();
    (key, answer["sid"].as_str().unwrap().to_owned())
}

fn hear(crowd: &mut Crowd, key: Key, text: &str) {
    crowd.hear(Tick(1), key, &Packet::Text(text));
}

/// What is on its way to a client, as text.
fn said(crowd: &mut Crowd, key: Key) -> Vec<String> {
    let mut said = Vec::new();
    while let Some(frame) = crowd.session(key).and_then(|session| session.take_frame()) {
        let mut text = Vec::new();
        frame.write_polling(&mut text);
        said.push(String::from_utf8(text).unwrap());
    }
    said
}

/// Letters to workers since the last time.
fn letters(crowd: &mut Crowd) -> Vec<(&'static str, Value)> {
    let letters = crowd.take_orders().letters;
    letters.into_iter().map(|(kind, letter)| (kind, serde_json::from_slice(&letter).unwrap())).collect()
}

fn tell(crowd: &mut Crowd, kind: &str, letter: &Value) {
    crowd.letter(Tick(2), kind, letter.to_string().as_bytes()).unwrap();
}

#[test]
fn workers_hear_who_comes_speaks_and_goes() {
    let mut crowd = crowd(options());
    let (key, sid) = joined(&mut crowd);
    hear(&mut crowd, key, r#"212["hello",{"a":1},[]]"#);
    hear(&mut crowd, key, "1");
    assert_eq!(
        letters(&mut crowd),
        [
            ("connect", json!({"sid": sid, "namespace": "/", "auth": null, "address": "::1"})),
            (
                "event",
                json!({"sid": sid, "namespace": "/", "event": "hello", "args": [{"a": 1}, []], "ack": 12})
            ),
            ("disconnect", json!({"sid": sid, "namespace": "/", "reason": "client namespace disconnect"})),
        ]
    );
    assert_eq!(crowd.len(), 1, "the connection stays");
}

#[test]
fn what_workers_emit_is_one_packet_for_all() {
    let mut crowd = crowd(options());
    let clients: Vec<_> = (0..3).map(|_| joined(&mut crowd)).collect();
    tell(&mut crowd, "join", &json!({"sid": [clients[0].1, clients[1].1], "room": "r"}));
    tell(&mut crowd, "emit", &json!({"event": "n\"", "args": [1, "2"], "room": "r", "except": clients[1].1}));
    tell(
        &mut crowd,
        "emit",
        &json!({"event": "x", "args": [{"_placeholder": true, "num": 0}], "attachments": ["AQI="]}),
    );
    assert_eq!(said(&mut crowd, clients[0].0)[0], r#"42["n\"",1,"2"]"#);
    assert_eq!(said(&mut crowd, clients[1].0), [r#"451-["x",{"_placeholder":true,"num":0}]"#, "bAQI="]);
    let ready = crowd.take_orders().ready;
    assert_eq!(ready.len(), 3, "each is told once");
    tell(&mut crowd, "emit", &json!({"event": "shared"}));
    let frames: Vec<_> =
        clients[..2].iter().map(|(key, _)| crowd.session(*key).unwrap().take_frame().unwrap()).collect();
    assert_eq!(frames[0].frame().as_ptr(), frames[1].frame().as_ptr(), "the same bytes");
}

#[test]
fn answers_are_matched_and_late_ones_told() {
    let mut crowd = crowd(options());
    let (one, two) = (joined(&mut crowd), joined(&mut crowd));
    letters(&mut crowd);
    tell(&mut crowd, "emit", &json!({"event": "q", "ack": "w", "timeout_ms": 100}));
    assert_eq!(said(&mut crowd, one.0), [r#"421["q"]"#]);
    hear(&mut crowd, one.0, r#"31["yes"]"#);
    hear(&mut crowd, one.0, r#"31["again"]"#);
    hear(&mut crowd, one.0, r#"399["of nothing"]"#);
    crowd.tick(Tick(101));
    assert_eq!(
        letters(&mut crowd),
        [("ack", json!({"sid": one.1, "namespace": "/", "ack": "w", "args": ["yes"]}))]
    );
    crowd.tick(Tick(102));
    assert_eq!(
        letters(&mut crowd),
        [("ack", json!({"sid": two.1, "namespace": "/", "ack": "w", "error": "timed out"}))]
    );
    assert_eq!(crowd.len(), 2, "nobody is let go for it");
}

#[test]
fn a_worker_lets_clients_in_or_not() {
    let mut crowd = crowd(options().admitted_by_worker());
    let keys: Vec<Key> = (0..3).map(|_| open(&mut crowd)).collect();
    let mut sids = Vec::new();
    for key in &keys {
        hear(&mut crowd, *key, r#"0{"token":1}"#);
        let letter = letters(&mut crowd).remove(0);
        assert_eq!((letter.0, &letter.1["auth"]), ("connect", &json!({"token": 1})));
        sids.push(letter.1["sid"].as_str().unwrap().to_owned());
    }
    tell(&mut crowd, "accept", &json!({"sid": sids[0], "room": "r"}));
    tell(&mut crowd, "refuse", &json!({"sid": sids[1], "message": "no", "data": [1]}));
    tell(&mut crowd, "accept", &json!({"sid": sids[1]}));
    tell(&mut crowd, "emit", &json!({"event": "e", "room": "r"}));
    assert_eq!(said(&mut crowd, keys[0]), [format!(r#"40{{"sid":"{}"}}"#, sids[0]), r#"42["e"]"#.into()]);
    assert_eq!(said(&mut crowd, keys[1]), [r#"44{"message":"no","data":[1]}"#]);
    let (gone, sid) = {
        let key = open(&mut crowd);
        hear(&mut crowd, key, "0");
        (key, letters(&mut crowd)[0].1["sid"].clone())
    };
    crowd.end(gone, super::Reason::TransportClose);
    tell(&mut crowd, "accept", &json!({"sid": sid}));
    assert_eq!(
        letters(&mut crowd),
        [("disconnect", json!({"sid": sid, "namespace": "/", "reason": "transport close"}))]
    );
    crowd.tick(Tick(5_001));
    assert_eq!(said(&mut crowd, keys[2]), [r#"44{"message":"nobody answered whether to let you in"}"#]);
}

#[test]
fn who_joins_nothing_or_does_not_answer_is_let_go() {
    let options = SocketioOptions { connect_within: Duration::from_secs(10), ..options() };
    let mut crowd = crowd(options);
    open(&mut crowd);
    let (key, _) = joined(&mut crowd);
    crowd.take_orders();
    assert_eq!(crowd.deadline(), Some(Tick(10_000)));
    crowd.tick(Tick(10_000));
    assert_eq!((crowd.len(), crowd.take_orders().gone.len()), (1, 1));
    crowd.tick(Tick(25_000));
    assert_eq!(said(&mut crowd, key), ["2"]);
    crowd.tick(Tick(45_000));
    assert_eq!((crowd.len(), crowd.counts().timed_out), (0, 2));
    assert_eq!(letters(&mut crowd)[0].1["reason"], "ping timeout");
}

#[test]
fn pings_keep_their_pace_however_long_their_answers_may_take() {
    let (ping_interval, ping_timeout) = (Duration::from_secs(1), Duration::from_secs(10));
    let mut crowd = crowd(SocketioOptions { ping_interval, ping_timeout, ..options() });
    let (key, _) = joined(&mut crowd);
    for second in 1..5 {
        let at = crowd.deadline().unwrap();
        assert!(at.0 <= second * 1_000 + second, "{at:?}");
        crowd.tick(Tick(second * 1_000 + second));
        assert_eq!(said(&mut crowd, key), ["2"]);
        crowd.hear(Tick(second * 1_000 + second), key, &Packet::Pong(""));
    }
    // One that is not answered is waited for until its own time is over.
    crowd.tick(Tick(5_005));
    assert_eq!(said(&mut crowd, key), ["2"]);
    for at in (6_005..15_005).step_by(1_000) {
        crowd.tick(Tick(at));
        assert_eq!((said(&mut crowd, key).len(), crowd.len()), (0, 1));
    }
    crowd.tick(Tick(15_005));
    assert_eq!(crowd.len(), 0);
}

#[test]
fn a_client_that_does_not_keep_up_is_let_go_and_others_are_not() {
    let mut crowd = crowd(SocketioOptions { queue_max: 1000, ..options() });
    let (slow, fast) = (joined(&mut crowd).0, joined(&mut crowd).0);
    for _ in 0..10 {
        tell(&mut crowd, "emit", &json!({"event": "e", "args": ["x".repeat(300)]}));
        said(&mut crowd, fast);
    }
    assert!(crowd.session(slow).is_none() && crowd.session(fast).is_some());
    assert_eq!(crowd.counts().too_slow, 1);
    let mut crowd = self::crowd(SocketioOptions { clients_max: 1, ..options() });
    open(&mut crowd);
    assert!(crowd.open(Tick(0), Carrier::Polling, "").is_none(), "there is room for one");
}

#[test]
fn letters_that_cannot_be_followed_are_counted_and_change_nothing() {
    let mut crowd = crowd(options());
    let (key, _) = joined(&mut crowd);
    for (kind, letter) in [
        ("emit", "not json"),
        ("emit", "{}"),
        ("emit", r#"{"event":"e","rom":"typo"}"#),
        ("emit", r#"{"event":"e","namespace":"/none"}"#),
        ("emit", r#"{"event":"e","attachments":["?"]}"#),
        ("join", r#"{"sid":7}"#),
        ("dance", "{}"),
    ] {
        assert!(crowd.letter(Tick(0), kind, letter.as_bytes()).is_err(), "{kind} {letter}");
    }
    assert_eq!((crowd.counts().bad_letters, said(&mut crowd, key)), (7, vec![]));
    let gone = SocketId(99).to_string();
    for kind in ["join", "leave", "close", "accept", "refuse"] {
        tell(&mut crowd, kind, &json!({"sid": gone}));
    }
}

#[test]
fn a_client_that_polls_fetches_its_good_bye() {
    let mut crowd = crowd(options());
    let (key, _) = crowd.open(Tick(0), Carrier::Polling, "").unwrap();
    hear(&mut crowd, key, "0");
    crowd.session(key).unwrap().take_body(1000);
    let sid = letters(&mut crowd)[0].1["sid"].clone();
    tell(&mut crowd, "close", &json!({"sid": sid, "whole": true}));
    assert_eq!(letters(&mut crowd)[0].1["reason"], "server namespace disconnect");
    let session = crowd.session(key).unwrap();
    session.poll();
    assert_eq!(session.take_body(1000), Some(b"41\x1e1".to_vec()));
    crowd.fetched(key);
    assert!(crowd.is_empty());
}

proptest! {
    #[test]
    fn whatever_clients_and_workers_say_nothing_breaks(
        acts in prop::collection::vec((0_usize..4, 0_usize..3, prop_oneof![
            r#"[0-6](1-)?(/admin,|/x,)?[0-9]?(\["e"\]|\{\}|\[\])?"#,
            ".{0,20}",
        ]), 0..60),
    ) {
        let mut crowd = crowd(SocketioOptions { queue_max: 500, ..options() });
        let mut keys: Vec<Key> = (0..3).map(|_| crowd.open(Tick(0), Carrier::WebSocket, "").unwrap().0).collect();
        for (now, (what, who, text)) in acts.into_iter().enumerate() {
            let now = Tick(now as u64 * 1000);
            match what {
                0 => drop(crowd.letter(now, "emit", br#"{"event":"e","ack":"a","args":[1]}"#)),
                1 => drop(crowd.letter(now, ["emit", "join", "close"][who], text.as_bytes())),
                2 => crowd.hear(now, keys[who], &Packet::Binary(text.as_bytes().into())),
                _ => crowd.hear(now, keys[who], &Packet::Text(&text)),
            }
            crowd.tick(now);
            let orders = crowd.take_orders();
            for (_, letter) in &orders.letters {
                prop_assert!(serde_json::from_slice::<Value>(letter).is_ok(), "letters are JSON");
            }
            for gone in orders.gone {
                let who = keys.iter().position(|key| *key == gone.client).unwrap();
                keys[who] = crowd.open(now, Carrier::WebSocket, "").unwrap().0;
            }
        }
        prop_assert_eq!(crowd.len(), 3);
        for key in keys {
            crowd.end(key, super::Reason::TransportClose);
        }
        prop_assert_eq!(crowd.sockets_and_rooms(), (0, 0));
    }
}
