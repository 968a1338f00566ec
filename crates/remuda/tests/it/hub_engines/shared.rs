//! Engines that are there: nobody notices that they are elsewhere.

use super::{Server, bus, config, program, store};
use crate::harness::server::Kind;
use crate::harness::{Instance, Setup, run};

/// Two hubs on the engine at `url`; the program finds it as `outside`.
fn two_hubs(url: &str, outside: &str) {
    let (a, b) = (Instance::up(&config(url, "embedded")), Instance::up(&config(url, "embedded")));
    let variables = [
        ("BUS_A", bus(&a)),
        ("STORE_A", store(&a)),
        ("BUS_B", bus(&b)),
        ("STORE_B", store(&b)),
        ("ENGINE", outside.to_owned()),
    ];
    program(&a, "engines_bus.py", &variables);
    a.end();
    b.end();
}

#[test]
fn two_hubs_share_a_bus_by_a_redis() {
    let redis = Server::start(Kind::Redis, &[]);
    two_hubs(&redis.url(""), &redis.url(""));
}

#[test]
fn two_hubs_share_a_bus_by_a_nats_that_wants_a_password() {
    let nats = Server::start(Kind::Nats, &["--user", "al@ice", "--pass", "s3cret"]);
    two_hubs(&nats.url("al%40ice:s3cret@"), &nats.url("al%40ice:s3cret@"));
}

#[test]
fn a_nats_with_a_token_lets_the_hub_in_by_it() {
    let nats = Server::start(Kind::Nats, &["--auth", "t0ken"]);
    let instance = Instance::up(&config(&nats.url("t0ken@"), "embedded"));
    assert!(!format!("{:?}", instance.transcript.locked().lines).contains("away"));
    instance.end();
}

#[test]
fn a_redis_that_wants_a_password_holds_the_store() {
    let redis = Server::start(Kind::Redis, &["--requirepass", "s3cret"]);
    let url = redis.url(":s3cret@");
    let instance = Instance::up(&config("embedded", &url));
    let variables = [("STORE", store(&instance)), ("BUS", bus(&instance)), ("ENGINE", url)];
    program(&instance, "engines_store.py", &variables);
    let shown = instance.remuda(&["check"]).done();
    assert!(!format!("{shown:?} {:?}", instance.transcript.locked().lines).contains("s3cret"));
    instance.end();
}

#[test]
fn a_url_that_cannot_be_used_is_told_where_it_stands_and_without_its_password() {
    let urls = ["rediss://:s3cret@127.0.0.1:1", "redis://:s3cret@", "kafka://me:s3cret@k"];
    for url in urls {
        let setup = Setup::new(&config(url, "embedded"));
        for command in ["check", "up"] {
            let said = run::run(setup.command(&[command]));
            assert_eq!(said.code, 2, "{said:?}");
            assert!(said.err.contains("remuda.toml:5:10"), "{said:?}");
            assert!(!format!("{said:?}").contains("s3cret"), "{said:?}");
        }
    }
}
