//! Answers of a store's engine while they pass: in one piece for whoever hears messages too, and never left standing.

use super::strange::{Stranger, Talk, wait_told};
use super::{Server, config};
use crate::harness::Instance;
use crate::harness::server::Kind;
use crate::hub_redis::protocol::{local, remote};

/// A client's signs of life would hide that nobody thought of it.
const QUIET: &str = "[bus]\nheartbeat = \"10m\"";

/// A store that greets well, answers `GET one` by half, and gives the rest with the answer to `GET two`.
fn halting() -> Talk {
    Talk::with(|heard| {
        let heard = String::from_utf8_lossy(heard);
        let mut said = "%1\r\n+server\r\n+redis\r\n".repeat(heard.matches("HELLO").count());
        said.push_str(&"+OK\r\n".repeat(heard.matches("SETNAME").count()));
        if heard.contains("one\r\n") {
            said.push_str("$10\r\n01234");
        }
        if heard.contains("two\r\n") {
            said.push_str("56789\r\n$3\r\ntwo\r\n");
        }
        said.into_bytes()
    })
}

#[test]
fn a_message_never_stands_within_an_answer_that_comes_in_pieces() {
    let engine = Stranger::start(halting());
    let instance = Instance::up(&config("embedded", &format!("redis://{}", engine.address)));
    wait_told(&instance, "store_engine_state", "up");
    let (mut client, mut other) = (local(&instance), local(&instance));
    client.say(b"HELLO 3\r\n");
    client.hear_until("modules\r\n*0\r\n");
    client.ask("SUBSCRIBE news\r\n", ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    client.ask("GET one\r\n", "$10\r\n01234");
    other.ask("PUBLISH news first\r\n", ":1\r\n");
    other.ask("PUBLISH news second\r\n", ":1\r\n");
    client.ask("GET two\r\n", "56789\r\n$3\r\ntwo\r\n");
    for text in ["first", "second"] {
        let length = text.len();
        client.hear(&format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n${length}\r\n{text}\r\n"));
    }
    instance.end();
}

#[test]
fn a_long_answer_reaches_a_client_that_reads_now_and_then() {
    let redis = Server::start(Kind::Redis, &[]);
    let text = config("embedded", &redis.url(""))
        .replace("[bus]", QUIET)
        .replace("[store]", "[store]\nauth = \"none\"");
    let instance = Instance::up(&text);
    // Whose socket takes megabytes at once, which Unix sockets do not.
    let (mut client, mut other) = (remote(&instance), local(&instance));
    let length: usize = 64 << 20;
    assert_eq!(redis.ask(&format!("SETRANGE long {} x", length - 1)), format!(":{length}\r\n"));
    client.say(b"GET long\r\n");
    client.hear(&format!("${length}\r\n"));
    let mut left = length + 2;
    while left > 0 {
        // Until the hub has as much as it takes of what nobody reads.
        for _ in 0..50 {
            other.ask("PING\r\n", "+PONG\r\n");
        }
        let more = left.min(8 << 20);
        assert_eq!(client.read(more), more);
        left -= more;
    }
    client.ask("PING\r\n", "+PONG\r\n");
    instance.end();
}

#[test]
fn a_client_is_in_the_database_it_selected_however_it_did() {
    let redis = Server::start(Kind::Redis, &[]);
    let instance = Instance::up(&config("embedded", &redis.url("")));
    let mut client = local(&instance);
    client.ask("CLIENT REPLY SKIP\r\nSELECT 5\r\nSET before 1\r\n", "+OK\r\n");
    client.ask("MULTI\r\nSELECT 6\r\n", "+OK\r\n-ERR SELECT is not available inside MULTI");
    client.hear_until("before\r\n");
    client.say(b"DISCARD\r\n");
    client.hear("+OK\r\n");
    instance.remuda(&["reload", "hub"]).done();
    client.ask("SET behind 1\r\n", "+OK\r\n");
    assert!(redis.ask("INFO keyspace").contains("db5:keys=2,"), "{}", redis.ask("INFO keyspace"));
    instance.end();
}
