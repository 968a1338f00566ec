//! Connections that say nothing, many of them, and a member that comes meanwhile.

use std::io::{ErrorKind, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::servers::{Servers, herd_address, view};
use crate::harness::until;

const COUNT: usize = 600;

/// Keeps so many connections open until it is to stop; whichever is closed is made anew.
fn crowd(address: SocketAddr, is_over: &AtomicBool, closed: &AtomicU64) {
    let mut all: Vec<Option<TcpStream>> = (0..COUNT).map(|_| None).collect();
    while !is_over.load(Ordering::Relaxed) {
        for place in &mut all {
            let is_there = place.as_mut().is_some_and(|stream| {
                matches!(stream.read(&mut [0; 64]), Err(error) if error.kind() == ErrorKind::WouldBlock)
            });
            if is_there {
                continue;
            }
            closed.fetch_add(u64::from(place.is_some()), Ordering::Relaxed);
            *place = TcpStream::connect(address).ok();
            if let Some(stream) = place {
                stream.set_nonblocking(true).unwrap();
            }
        }
    }
}

#[test]
fn a_member_links_while_six_hundred_strangers_say_nothing() {
    let servers = Servers::up(2, &[(1, 0)], "");
    servers.are_one(2);
    let (is_over, closed) = (AtomicBool::new(false), AtomicU64::new(0));
    let address = herd_address(&servers.all[0]);
    std::thread::scope(|scope| {
        scope.spawn(|| crowd(address, &is_over, &closed));
        until("places to be taken away", || closed.load(Ordering::Relaxed) > COUNT as u64);
        let life = view(&servers.all[1]).epoch;
        servers.all[1].kill(servers.all[1].pids("hub")[0]);
        until("its next life to be linked", || {
            let seen = view(&servers.all[0]);
            let is_new = |link: &remuda_model::hub::HerdLink| {
                seen.members.iter().any(|member| member.node == link.node && member.epoch > life)
            };
            seen.links.iter().any(is_new)
        });
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(view(&servers.all[0]).counters.refused_total > 0);
    servers.are_one(2);
    servers.end();
}
