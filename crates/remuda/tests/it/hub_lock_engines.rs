//! Locks that a real PostgreSQL, etcd or Redis keeps for several hubs.
//!
//! Each test runs once for each engine: see [`for_each_engine`].

mod away;
mod contenders;
mod leases;
mod proxy;
mod refused;
mod server;
mod service;

use remuda_model::hub::HubMetrics;

use crate::harness::Instance;
use crate::hub_durability::Wire;
use server::{Kind, Server};

/// Makes a test for each engine of a function that takes a kind.
macro_rules! for_each_engine {
    ($($name:ident)+) => { $(
        mod $name {
            use super::super::server::Kind;
            #[test]
            fn with_postgres() {
                super::$name(Kind::Postgres);
            }
            #[test]
            fn with_etcd() {
                super::$name(Kind::Etcd);
            }
            #[test]
            fn with_redis() {
                super::$name(Kind::Redis);
            }
        }
    )+ };
}
use for_each_engine;

/// A hub whose locks are kept at `url`.
fn config(url: &str) -> String {
    format!("[bus]\n[store]\ndurable = false\n[locks]\nengine = \"{url}\"\n[hub]\nstate = \"state\"\n")
}

/// One whose hub has reached its engine.
fn up(url: &str) -> Instance {
    let instance = Instance::up(&config(url));
    until_reached(&instance);
    instance
}

fn until_reached(instance: &Instance) {
    let mut wire = Wire::new(instance);
    crate::harness::until("the engine to be reached", || wire.ask("LOCK.RENEW none 1 1000") == ":0");
}

/// Waits until so many wait for locks at this hub.
fn until_waiting(instance: &Instance, count: u64) {
    let mut wire = Wire::new(instance);
    crate::harness::until("somebody who waits for a lock", || {
        let figures: HubMetrics = serde_json::from_str(&wire.text("HUB.METRICS").unwrap()).unwrap();
        figures.locks.waiting == count
    });
}

/// A server, and two instances that share it.
fn pair(kind: Kind) -> (Server, Instance, Instance) {
    let server = Server::start(kind);
    let (one, two) = (up(&server.url()), up(&server.url()));
    (server, one, two)
}
