//! Members with good papers that are no Remuda: a program that sends garbage after its handshake, and one that never
//! reads, while everybody else goes on.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::super::keys::are_equal;
use super::super::servers::{Servers, herd_address, hub, join, view};
use super::super::traffic::Traffic;
use crate::harness::peers::hub_programs;
use crate::harness::{Setup, process, run, until};

const RING: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 0)];
const SHARED: &str = "keys = [\"s:\"]\ncompare_every = \"1s\"";

/// The program, as a member of the herd.
fn rogue(servers: &Servers, setup: &Setup, manners: &str) -> Command {
    join(&servers.all[0], setup, 9);
    let mut command = setup.marked("python3");
    command.arg(hub_programs().join("herd_rogue.py")).arg(setup.dir().join("state/herd"));
    command.args([&herd_address(&servers.all[0]).to_string(), manners]);
    command
}

/// A program that is killed when the value goes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        process::signal(self.0.id(), Signal::KILL);
        // It is ours and was killed, or has ended.
        let _ = self.0.wait();
    }
}

#[track_caller]
fn all_is_well(servers: Servers, traffic: Traffic) {
    until("the rogue's links to be gone", || view(&servers.all[0]).links.len() == 2);
    servers.are_one(3);
    let lost = || servers.all.iter().map(|server| view(server).counters.lost_total).sum();
    let ledger = traffic.end(lost);
    are_equal(&servers);
    for server in &servers.all {
        ledger.check(&mut hub(server).store());
    }
    servers.end();
}

#[test]
fn a_member_of_another_make_that_sends_garbage_is_cut_off_each_time_and_costs_nobody_anything() {
    let servers = Servers::up(3, &RING, SHARED);
    servers.are_one(3);
    let hubs: Vec<_> = servers.all.iter().map(hub).collect();
    let traffic = Traffic::begin(&hubs);
    let setup = Setup::new("[herd]\n[hub]\nstate = \"state\"\n");
    let said = run::run(rogue(&servers, &setup, "garbage")).done();
    assert!(said.out.contains("cut off"), "{said:?}");
    all_is_well(servers, traffic);
}

#[test]
fn a_member_of_another_make_that_never_reads_is_given_up_and_costs_nobody_anything() {
    let servers = Servers::up(3, &RING, SHARED);
    servers.are_one(3);
    let hubs: Vec<_> = servers.all.iter().map(hub).collect();
    let traffic = Traffic::begin(&hubs);
    let setup = Setup::new("[herd]\n[hub]\nstate = \"state\"\n");
    let mut command = rogue(&servers, &setup, "silent");
    let mut running = Running(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    let has_link =
        || view(&servers.all[0]).links.iter().any(|link| link.name == "n9" || link.name.is_empty());
    until("a link with it", has_link);
    let payload = vec![b'x'; 64 * 1024];
    let mut store = hubs[0].store();
    until("it to be given up", || {
        store.publish(b"noise", &payload).unwrap();
        let view = view(&servers.all[0]);
        let waiting = view.links.iter().map(|link| link.waiting_bytes).max().unwrap_or_default();
        assert!(waiting <= 2 << 20, "{view:?}");
        !has_link()
    });
    all_is_well(servers, traffic);
}
