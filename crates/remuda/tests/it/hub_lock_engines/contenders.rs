//! Six who want one lock by way of two hubs, stopped for longer than their leases last, over crashes of hubs and of the
//! engine: a register that refuses old fences takes no write that comes late, no two have the same fence, and it goes on.

use std::sync::atomic::{AtomicBool, Ordering};

use super::server::{Kind, Server};
use super::{for_each_engine, up};
use crate::harness::until;
use crate::hub_durability::kill_hub;
use crate::hub_locks::contenders::{STEP, contend, open_register};

for_each_engine! {
    no_write_of_an_older_fence_is_taken_whatever_stops_or_dies
}

fn no_write_of_an_older_fence_is_taken_whatever_stops_or_dies(kind: Kind) {
    let mut server = Server::start(kind);
    let instances = [up(&server.url()), up(&server.url())];
    let (register, port) = open_register();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let contenders: Vec<_> = (1..=6_u64)
            .map(|seed| {
                let (instance, is_over) = (&instances[usize::try_from(seed % 2).unwrap()], &is_over);
                scope.spawn(move || contend(instance, port, seed, is_over))
            })
            .collect();
        let goes_on = || {
            let before = register.lock().unwrap().taken.len();
            until("more writes", || {
                register.lock().unwrap().taken.len() >= before + STEP
                    || contenders.iter().any(|contender| contender.is_finished())
            });
        };
        goes_on();
        kill_hub(&instances[0]);
        goes_on();
        server.kill();
        server.again();
        goes_on();
        instances[1].remuda(&["reload", "hub"]).done();
        goes_on();
        is_over.store(true, Ordering::Relaxed);
    });
    let register = register.lock().unwrap();
    assert!(register.taken.is_sorted(), "{:?}", register.taken);
    let holders = register.whose.len();
    assert!(holders >= 8, "several had it in turn: {holders}, refused: {}", register.refused);
    drop(register);
    for instance in instances {
        instance.end();
    }
}
