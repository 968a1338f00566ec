//! Realtime endpoints with a hub that is there, away and there again, and clients of every kind of patience.

mod hub;
mod site;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use remuda_gateway::realtime::SocketioOptions;
use serde_json::json;

use crate::support::PATIENCE;
use crate::waiting::until;
use hub::Hub;
use site::{Gateway, Setup, WebSocket};

fn emit(letter: &serde_json::Value) -> String {
    letter.to_string()
}

#[test]
fn an_emit_reaches_every_client_and_their_events_reach_workers() {
    let hub = Hub::new();
    let gateway = Gateway::new(&hub, Setup::new("emit"));
    let mut clients: Vec<(WebSocket, String)> = (0..20).map(|_| gateway.joined()).collect();
    hub.publish_to(1, "live.emit", &emit(&json!({"event": "news", "args": [1, {"a": "\u{1f40e}"}]})));
    for (client, _) in &mut clients {
        assert_eq!(client.text(), "42[\"news\",1,{\"a\":\"\u{1f40e}\"}]");
    }
    clients[3].0.say(r#"427["said",[true]]"#);
    let event = hub.next("live.event");
    assert_eq!(
        event,
        json!({"sid": clients[3].1, "namespace": "/", "event": "said", "args": [[true]], "ack": 7})
    );
    hub.publish("live.reply", &emit(&json!({"sid": clients[3].1, "ack": 7, "args": ["heard"]})));
    assert_eq!(clients[3].0.text(), r#"437["heard"]"#);
    let (gone, sid) = clients.remove(0);
    drop(gone);
    let farewell = hub.next("live.disconnect");
    assert_eq!(farewell, json!({"sid": sid, "namespace": "/", "reason": "transport close"}));
}

#[test]
fn clients_stay_while_the_hub_is_away() {
    let hub = Hub::new();
    let gateway = Gateway::new(&hub, Setup::new("away"));
    let (mut client, sid) = gateway.joined();
    let mut chatter = gateway.websocket("/ws");
    assert_eq!(hub.next("live.connect")["sid"], json!(sid));
    hub.publish_to(1, "live.emit", &emit(&json!({"event": "before"})));
    assert_eq!(client.text(), r#"42["before"]"#);
    hub.go();
    until("the hub to be missed", || gateway.figures()["hub"]["connected"] == json!(false));
    client.say(r#"42["meanwhile"]"#);
    let (mut newcomer, _) = gateway.joined();
    hub.come_back();
    assert_eq!(hub.next("live.event")["event"], json!("meanwhile"), "it waited for the hub");
    hub.publish_to(1, "live.emit", &emit(&json!({"event": "after"})));
    hub.publish_to(1, "chat", "here too");
    assert_eq!(client.text(), r#"42["after"]"#);
    assert_eq!(newcomer.text(), r#"42["after"]"#);
    assert_eq!(chatter.text(), "here too");
}

#[test]
fn a_client_that_never_reads_is_closed_and_holds_nobody_up() {
    let hub = Hub::new();
    let options = SocketioOptions { queue_max: 256 << 10, ..SocketioOptions::new("live") };
    let gateway = Gateway::new(&hub, Setup { options, ..Setup::new("slow") });
    let (mut slow, sid) = gateway.joined();
    let (mut fast, _) = gateway.joined();
    let letter = emit(&json!({"event": "much", "args": ["x".repeat(60_000)]}));
    hub.publish_to(1, "live.emit", &letter);
    let mut count = 1;
    // The kernel holds some megabytes for it before the gateway has to.
    while gateway.figures()["socketio"][0]["too_slow"] == json!(0) {
        for _ in 0..20 {
            hub.publish("live.emit", &letter);
            count += 1;
            assert!(fast.text().starts_with(r#"42["much""#));
        }
        assert!(count < 5_000, "it never ends");
    }
    assert_eq!(fast.text().len(), r#"42["much",""]"#.len() + 60_000, "the first one was not lost either");
    let gone = hub.next("live.disconnect");
    assert_eq!((&gone["sid"], &gone["reason"]), (&json!(sid), &json!("too slow")));
    // It finds whole frames, the close frame, or a broken connection, but nothing else.
    while slow.text().starts_with(r#"42["much""#) {}
}

#[test]
fn requests_of_a_session_find_it_in_another_gateway() {
    let hub = Hub::new();
    let one = Gateway::new(&hub, Setup::new("pass"));
    let two = Gateway::new(&hub, Setup { owner: 2, ..Setup::new("pass") });
    let opened = ask(&mut connect(&one), "GET", "", "");
    let sid = opened.split('"').nth(3).unwrap().to_owned();
    let path = format!("&sid={sid}");
    let mut connection = connect(&two);
    // All on one connection: it was passed on once, and stays where it was passed to.
    assert_eq!(ask(&mut connection, "POST", &path, "40"), "ok");
    assert!(ask(&mut connection, "GET", &path, "").starts_with("40{"));
    assert_eq!(ask(&mut connection, "POST", &path, r#"42["hello"]"#), "ok");
    assert_eq!(hub.next("live.event")["event"], json!("hello"));
    let large = format!(r#"42["large","{}"]"#, "x".repeat(500_000));
    assert_eq!(ask(&mut connect(&two), "POST", &path, &large), "ok");
    assert_eq!(hub.next("live.event")["event"], json!("large"));
    let mut upgraded = two.websocket(&format!("/socket.io/?EIO=4&transport=websocket{path}"));
    upgraded.say("2probe");
    assert_eq!(upgraded.text(), "3probe");
    upgraded.say("5");
    upgraded.say(r#"42["over the new way"]"#);
    assert_eq!(hub.next("live.event")["event"], json!("over the new way"));
    drop(one);
    assert!(ask(&mut connect(&two), "GET", &path, "").contains("Session ID unknown"));
}

#[test]
fn a_gateway_that_ends_tells_its_clients() {
    let hub = Hub::new();
    let mut gateway = Gateway::new(&hub, Setup::new("end"));
    let mut clients: Vec<(WebSocket, String)> = (0..10).map(|_| gateway.joined()).collect();
    let mut plain = gateway.websocket("/ws");
    gateway.quit();
    for (client, _) in &mut clients {
        assert_eq!((client.text(), client.text()), ("1".into(), "closed 1001".into()));
    }
    assert_eq!(plain.text(), "closed 1001");
    for (_, sid) in &clients {
        let gone = hub.next("live.disconnect");
        assert_eq!((&gone["sid"], &gone["reason"]), (&json!(sid), &json!("server shutting down")));
    }
}

fn connect(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(gateway.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A request of a session by polling; the body of its answer.
fn ask(stream: &mut TcpStream, method: &str, rest: &str, body: &str) -> String {
    write!(
        stream,
        "{method} /socket.io/?EIO=4&transport=polling{rest} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut came = Vec::new();
    while !came.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        came.push(byte[0]);
    }
    let head = String::from_utf8(came).unwrap().to_ascii_lowercase();
    let len = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; len];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
