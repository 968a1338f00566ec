//! Two servers with one number: a state folder was copied.

use std::process::Command;

use rustix::process::Signal;

use super::servers::{Servers, herd_address, join, view};
use crate::harness::{Instance, Setup, run, until};

/// What `peers` says of it; empty while it knows nothing.
fn trouble(server: &Instance) -> String {
    view(server).trouble
}

#[test]
fn of_two_servers_with_one_number_each_says_so_and_one_gives_up() {
    let mut servers = Servers::up(2, &[(1, 0)], "");
    servers.are_one(2);
    servers.all[1].signal(Signal::TERM);
    servers.all[1].wait_end();
    let copy = Setup::new(&format!(
        "[herd]\nlisten = [\"127.0.0.1:0\"]\nheartbeat = \"200ms\"\npeers = [\"{}\"]\n[hub]\nstate = \"state\"\n",
        herd_address(&servers.all[0])
    ));
    let mut command = Command::new("cp");
    command.arg("-a").arg(servers.all[1].dir().join("state")).arg(copy.dir());
    run::run(command).done();
    servers.all[1].begin_again();
    let both = [servers.all.pop().unwrap(), copy.up()];
    for server in &both {
        server.wait_line("two servers use number");
        let said = server.remuda(&["peers"]).exits(1);
        assert!(said.err.contains("two servers use number") && said.err.contains("join"), "{said:?}");
    }
    let has_given_up = |server: &Instance| trouble(server).contains("takes no part any more");
    until("one of them to give up", || both.iter().any(has_given_up));
    let (loser, winner) = if has_given_up(&both[0]) { (0, 1) } else { (1, 0) };
    let life = view(&both[winner]).epoch;
    until("the other one to have the number", || {
        let seen = view(&servers.all[0]);
        seen.members.iter().any(|member| member.epoch == life && member.state == "here")
            && seen.links.len() == 1
    });
    assert!(view(&both[loser]).links.is_empty() && !has_given_up(&both[winner]));
    // It joins anew, where it is.
    std::fs::remove_dir_all(both[loser].dir().join("state/herd")).unwrap();
    join(&servers.all[0], &both[loser], 9);
    until("three servers", || {
        let here = |server: &&Instance| {
            view(server).members.iter().filter(|member| member.state == "here").count() == 3
        };
        servers.all.iter().chain(&both).all(|server| here(&server))
    });
    assert_eq!(view(&both[winner]).epoch, life, "nobody outbids it any more");
    both[loser].remuda(&["peers"]).done();
    servers.end();
    both.into_iter().for_each(Instance::end);
}
