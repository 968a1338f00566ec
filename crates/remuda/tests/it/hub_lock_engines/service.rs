//! A service that three servers of a herd have, and that runs on one of them.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::server::{Kind, Server};
use crate::harness::until;
use crate::hub_herd::servers::Servers;

/// Who runs, and who ran: each says its node, and is gone when its connection ends.
#[derive(Debug, Default)]
struct Runs {
    now: Vec<String>,
    before: Vec<String>,
    most: usize,
}

fn serve(stream: TcpStream, runs: &Mutex<Runs>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(node) = lines.next() else { return };
    {
        let mut runs = runs.lock().unwrap();
        runs.now.push(node.clone());
        runs.most = runs.most.max(runs.now.len());
    }
    lines.for_each(drop);
    let mut runs = runs.lock().unwrap();
    runs.now.retain(|other| *other != node);
    runs.before.push(node);
}

#[test]
fn a_service_of_three_servers_runs_on_one_and_another_takes_over_when_that_one_dies() {
    let server = Server::start(Kind::Postgres);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let runs = Arc::new(Mutex::new(Runs::default()));
    let theirs = Arc::clone(&runs);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let theirs = Arc::clone(&theirs);
            std::thread::spawn(move || serve(stream, &theirs));
        }
    });
    let remuda = env!("CARGO_BIN_EXE_remuda");
    let url = server.url();
    let mut servers = Servers::up_each(3, &[(0, 1), (1, 2), (2, 0)], |number| {
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo n{number} >&3; exec sleep 1000");
        format!(
            "[locks]\nengine = \"{url}\"\n[service.only]\ncommand = [\"{remuda}\", \"lock\", \"only\", \"--ttl\", \
             \"2s\", \"--\", \"bash\", \"-c\", {script:?}]\n"
        )
    });
    let running = || runs.lock().unwrap().now.clone();
    let mut nodes: Vec<String> = (0..3).map(|number| format!("n{number}")).collect();
    for round in 1..=2 {
        until("one to run", || running().len() == 1);
        let holder = running()[0].clone();
        // All of that server is killed: arbiter, hub, `remuda lock` and what it runs.
        let place = nodes.iter().position(|node| *node == holder).unwrap();
        nodes.remove(place);
        drop(servers.all.remove(place));
        until("another to take over", || {
            let now = running();
            now.len() == 1 && now[0] != holder
        });
        assert_eq!(runs.lock().unwrap().before.len(), round);
    }
    assert_eq!(runs.lock().unwrap().most, 1, "never two at once: {runs:?}");
    servers.end();
}
