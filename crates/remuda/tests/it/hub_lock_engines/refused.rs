//! What does not let us in, what is none, and what is said of it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::server::{Kind, PASSWORD, Server};
use super::{config, up};
use crate::harness::{Instance, until};
use crate::hub_durability::{Wire, hub};
use crate::hub_locks::acquire;

/// Why the engine is away, in the hub's words.
fn trouble(instance: &Instance, part: &str) -> String {
    let mut wire = Wire::new(instance);
    let mut said = String::new();
    until(&format!("it to say {part:?}"), || {
        said = wire.ask("LOCK.ACQUIRE a 1000");
        said.contains(part)
    });
    said
}

#[test]
fn a_wrong_password_is_refused_named_and_never_shown() {
    for kind in [Kind::Postgres, Kind::Redis] {
        let server = Server::start(kind);
        let instance = Instance::up(&config(&server.url_with("xyzzy-wrong", server.port)));
        let said = trouble(&instance, "it refuses us");
        assert!(!said.contains("xyzzy"), "{said}");
        let logs = instance.remuda(&["logs", "hub", "-n", "100"]).done().out;
        assert!(logs.contains("it refuses us") && !logs.contains("xyzzy"), "{logs}");
        let shown = instance.remuda(&["check", "--effective"]);
        assert!(!shown.out.contains("xyzzy"), "{shown:?}");
        instance.end();
    }
}

#[test]
fn a_reload_with_a_wrong_password_fails_and_the_hub_that_has_the_locks_goes_on() {
    let server = Server::start(Kind::Postgres);
    let instance = up(&server.url());
    let held = acquire(&mut Wire::new(&instance), "a 60000");
    let before = hub(&instance);
    instance.configure(&config(&server.url_with("xyzzy-wrong", server.port)));
    let said = instance.remuda(&["apply"]);
    assert_ne!(said.code, 0, "{said:?}");
    assert!(said.err.contains("it refuses us") && !said.err.contains("xyzzy"), "{said:?}");
    assert_eq!(hub(&instance), before);
    assert_eq!(Wire::new(&instance).ask(&format!("LOCK.RENEW a {held} 60000")), ":1");
    instance.end();
}

#[test]
fn an_etcd_with_accounts_lets_in_who_has_the_password() {
    let server = Server::start(Kind::Etcd);
    let etcd = |path: &str, body: &str| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let length = body.len();
        write!(stream, "POST /v3/{path} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 OK"), "{path}: {answer}");
    };
    etcd("auth/user/add", &format!("{{\"name\":\"root\",\"password\":\"{PASSWORD}\"}}"));
    etcd("auth/role/add", "{\"name\":\"root\"}");
    etcd("auth/user/grant", "{\"user\":\"root\",\"role\":\"root\"}");
    etcd("auth/enable", "{}");
    let url = |account: &str| server.url().replace("://", &format!("://{account}"));
    let instance = up(&url(&format!("root:{PASSWORD}@")));
    let mut wire = Wire::new(&instance);
    let held = acquire(&mut wire, "a 60000");
    assert_eq!(wire.ask(&format!("LOCK.RENEW a {held} 60000")), ":1");
    assert_eq!(wire.ask(&format!("LOCK.RELEASE a {held}")), ":1");
    instance.end();
    let instance = Instance::up(&config(&url("root:xyzzy-wrong@")));
    let said = trouble(&instance, "it refuses us");
    assert!(!said.contains("xyzzy"), "{said}");
    instance.end();
}

#[test]
fn what_is_no_engine_is_found_out_and_costs_nothing() {
    // It answers whatever it is asked with the same, which never ends.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked);
            while stream.write_all(&[b'R'; 4096]).is_ok() {}
        }
    });
    for (url, why) in [
        (format!("postgres://me@127.0.0.1:{port}/db"), "more than"),
        (format!("etcd://127.0.0.1:{port}"), "no HTTP"),
        (format!("redis://127.0.0.1:{port}"), "away"),
    ] {
        let instance = Instance::up(&config(&url));
        trouble(&instance, why);
        assert_eq!(Wire::new(&instance).ask("SET goes on"), "+OK");
        instance.end();
    }
}

#[test]
fn a_redis_is_labelled_best_effort_and_the_others_are_not() {
    for kind in [Kind::Redis, Kind::Postgres] {
        let server = Server::start(kind);
        let instance = up(&server.url());
        acquire(&mut Wire::new(&instance), "a 60000 OWNER me");
        let said = instance.remuda(&["locks"]).done();
        assert!(said.out.contains("me"), "{said:?}");
        assert_eq!(said.err.contains("best effort"), kind == Kind::Redis, "{said:?}");
        let listed: serde_json::Value = instance.remuda(&["locks", "--json"]).done().json();
        assert_eq!(listed["exact"], kind != Kind::Redis, "{listed}");
        let checked = instance.remuda(&["check"]);
        assert_eq!(
            checked.err.contains("best effort") || checked.out.contains("best effort"),
            kind == Kind::Redis
        );
        instance.end();
    }
}
