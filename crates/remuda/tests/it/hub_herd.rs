//! Servers that are one herd: what one is told, each of them knows.

#![allow(
    clippy::print_stdout,
    reason = "a test says which network it has found, and what was missed when it fails"
)]

mod certificates;
mod check;
mod days;
mod doubles;
mod five;
mod ground;
mod keys;
mod ledger;
mod lifetimes;
mod rogues;
pub(crate) mod servers;
mod strangers;
mod traffic;
mod wire;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use remuda_toolkit::client::{Heard, Store, Subscription};

use crate::harness::{PATIENCE, Setup, until};
use servers::{Servers, herd_address, hub, join, view};

const RING: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 0)];

/// The next messages of a subscription, `count` of them, as text.
#[track_caller]
fn heard(subscription: &mut Subscription, count: usize) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut payloads = Vec::new();
    while payloads.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} were heard: {payloads:?}", payloads.len());
        if let Some(Heard::Message(message)) = subscription.next(Duration::from_secs(1)).unwrap() {
            payloads.push(String::from_utf8(message.payload).unwrap());
        }
    }
    payloads
}

fn numbers(from: usize, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{from} {number}")).collect()
}

/// Publishes numbers on every server at once; each is to be heard on each once and in its order.
#[track_caller]
fn everybody_hears_everybody_once(servers: &Servers, count: usize) {
    let mut listeners: Vec<Subscription> =
        servers.all.iter().map(|server| hub(server).subscribe([&b"news."[..]])).collect();
    for listener in &mut listeners {
        listener.connect().unwrap();
    }
    // What is wanted here is known everywhere as soon as a message of each comes through.
    for (from, server) in servers.all.iter().enumerate() {
        let mut store = hub(server).store();
        for listener in &mut listeners {
            until("a first message", || {
                store.publish(b"news.first", format!("first {from}").as_bytes()).unwrap();
                let own = format!("first {from}");
                matches!(listener.next(Duration::from_millis(100)).unwrap(), Some(Heard::Message(message)) if message.payload == own.as_bytes())
            });
        }
    }
    std::thread::scope(|scope| {
        for (from, server) in servers.all.iter().enumerate() {
            let mut store = hub(server).store();
            scope.spawn(move || {
                for number in 0..count {
                    store.publish(b"news.rain", format!("{from} {number}").as_bytes()).unwrap();
                }
                store.publish(b"news.end", format!("end {from}").as_bytes()).unwrap();
            });
        }
    });
    for listener in &mut listeners {
        let mut streams = vec![Vec::new(); servers.all.len()];
        let mut ends = 0;
        while ends < servers.all.len() {
            let text = heard(listener, 1).remove(0);
            let (first, second) = text.split_once(' ').unwrap();
            match first {
                "first" => {}
                "end" => ends += 1,
                from => streams[from.parse::<usize>().unwrap()].push(format!("{from} {second}")),
            }
        }
        for (from, stream) in streams.into_iter().enumerate() {
            assert_eq!(stream, numbers(from, count));
        }
    }
}

#[test]
fn what_is_published_on_any_server_of_a_ring_is_heard_on_each_once_and_in_order() {
    let servers = Servers::up(3, &RING, "");
    servers.are_one(3);
    everybody_hears_everybody_once(&servers, 500);
    let view = view(&servers.all[0]);
    assert_eq!((view.herd.as_str(), view.name.as_str(), view.links.len()), ("shop", "n0", 2), "{view:?}");
    assert_eq!((view.counters.lost_total, view.counters.dropped_total), (0, 0), "{view:?}");
    let figures = servers.all[0].remuda(&["metrics"]).done().out;
    for figure in
        ["remuda_hub_herd_member 1", "remuda_hub_herd_links 2", "remuda_hub_herd_nodes{state=\"here\"} 3"]
    {
        assert!(figures.contains(figure), "{figure}: {figures}");
    }
    let table = servers.all[1].remuda(&["peers"]).done().out;
    assert!(table.contains("n0") && table.contains("n2") && table.contains(" up "), "{table}");
    servers.end();
}

#[test]
fn servers_that_all_call_each_other_keep_one_link_each_and_hear_nothing_twice() {
    let calls: Vec<(usize, usize)> =
        (0..4).flat_map(|from| (0..4).filter(move |to| *to != from).map(move |to| (from, to))).collect();
    let servers = Servers::up(4, &calls, "");
    servers.are_one(4);
    everybody_hears_everybody_once(&servers, 200);
    until("one link with each", || servers.all.iter().all(|server| view(server).links.len() == 3));
    servers.end();
}

/// A client of `from` whom one of `to` hears: the first message has come.
fn overhears(servers: &Servers, from: usize, to: usize) -> (Store, Subscription) {
    let mut listener = hub(&servers.all[to]).subscribe([&b"news."[..]]);
    listener.connect().unwrap();
    let mut store = hub(&servers.all[from]).store();
    until("a first message", || {
        store.publish(b"news.rain", b"first").unwrap();
        matches!(listener.next(Duration::from_millis(100)).unwrap(), Some(Heard::Message(_)))
    });
    (store, listener)
}

#[test]
fn a_wire_that_is_cut_is_no_gap_once_it_is_mended() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    let (mut store, mut listener) = overhears(&servers, 0, 1);
    servers.wires[0].2.cut();
    until("the link to be lost", || view(&servers.all[0]).links.is_empty());
    for number in 0..100 {
        store.publish(b"news.rain", format!("0 {number}").as_bytes()).unwrap();
    }
    servers.mend_all(1);
    let mut payloads = heard(&mut listener, 100);
    while payloads.iter().any(|payload| payload == "first") {
        payloads.retain(|payload| payload != "first");
        let more = 100 - payloads.len();
        payloads.extend(heard(&mut listener, more));
    }
    assert_eq!(payloads, numbers(0, 100));
    assert_eq!(view(&servers.all[1]).counters.lost_total, 0);
    servers.end();
}

#[test]
fn a_server_that_dies_and_comes_back_is_heard_again() {
    let servers = Servers::up(3, &RING, "");
    servers.are_one(3);
    let pid = servers.all[1].pids("hub")[0];
    crate::harness::process::signal(pid, rustix::process::Signal::KILL);
    until("another hub", || servers.all[1].pids("hub").first().is_some_and(|other| *other != pid));
    servers.all[1].settled();
    servers.are_one(3);
    assert!(view(&servers.all[1]).epoch > 1);
    everybody_hears_everybody_once(&servers, 100);
    servers.end();
}

#[test]
fn a_reload_of_one_hub_costs_no_message_and_none_comes_twice() {
    let servers = Servers::up(3, &RING, "");
    servers.are_one(3);
    let mut listener = hub(&servers.all[2]).subscribe([&b"news."[..]]);
    let mut other = hub(&servers.all[1]).subscribe([&b"news."[..]]);
    let mut stores: Vec<_> = servers.all.iter().map(|server| hub(server).store()).collect();
    for listener in [&mut listener, &mut other] {
        listener.connect().unwrap();
        for store in &mut stores {
            until("a first message", || {
                store.publish(b"news.rain", b"first").unwrap();
                matches!(listener.next(Duration::from_millis(100)).unwrap(), Some(Heard::Message(_)))
            });
        }
    }
    let mut reload = servers.all[1].command(&["reload", "hub"]).spawn().unwrap();
    for number in 0..3_000 {
        for (from, store) in stores.iter_mut().enumerate().take(2) {
            store.publish(b"news.rain", format!("{from} {number}").as_bytes()).unwrap();
        }
        // A pace at which the reload falls into the middle of it.
        std::thread::sleep(Duration::from_micros(500));
    }
    assert!(reload.wait().unwrap().success());
    assert!(view(&servers.all[1]).epoch > 1, "another hub serves");
    for store in stores.iter_mut().take(2) {
        store.publish(b"news.rain", b"end").unwrap();
    }
    for listener in [&mut listener, &mut other] {
        let (mut streams, mut ends) = (vec![Vec::new(); 2], 0);
        while ends < 2 {
            let text = heard(listener, 1).remove(0);
            match text.as_str() {
                "first" => {}
                "end" => ends += 1,
                text if text.starts_with('0') => streams[0].push(text.to_owned()),
                text => streams[1].push(text.to_owned()),
            }
        }
        for (from, stream) in streams.into_iter().enumerate() {
            assert_eq!(stream, numbers(from, 3_000));
        }
    }
    servers.end();
}

#[test]
fn a_reload_of_a_hub_whose_link_is_slow_costs_no_message() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    let (mut store, mut listener) = overhears(&servers, 0, 1);
    servers.wires[0].2.slow_down();
    for number in 0..400 {
        store.publish(b"news.rain", format!("{number} {}", "-".repeat(900)).as_bytes()).unwrap();
    }
    assert!(servers.all[0].command(&["reload", "hub"]).status().unwrap().success());
    hub(&servers.all[0]).store().publish(b"news.rain", b"end").unwrap();
    let mut numbers = Vec::new();
    loop {
        let text = heard(&mut listener, 1).remove(0);
        match text.split_once(' ') {
            Some((number, _)) => numbers.push(number.parse::<usize>().unwrap()),
            None if text == "end" => break,
            None => assert_eq!(text, "first"),
        }
    }
    assert_eq!(numbers, (0..400).collect::<Vec<_>>());
    servers.end();
}

#[test]
fn a_stranger_gets_nothing_and_garbage_harms_nobody() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    let mut stranger = TcpStream::connect(herd_address(&servers.all[0])).unwrap();
    stranger.set_read_timeout(Some(PATIENCE)).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = stranger.read_to_end(&mut answer);
    assert!(answer.len() <= 16, "an alert of TLS and no more: {answer:?}");
    let setup = Setup::new("[herd]\n[hub]\nstate = \"state\"\n");
    let outsider = setup.up();
    outsider.settled();
    outsider.wait_line("no member of a herd yet");
    let said = outsider.remuda(&["peers"]).exits(4);
    assert!(said.err.contains("takes no part"), "{said:?}");
    outsider.end();
    servers.are_one(2);
    servers.end();
}

#[test]
fn a_server_that_was_removed_is_alone_at_once() {
    let servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    servers.all[0].remuda(&["herd", "remove", "n1"]).done();
    until("the link to end", || {
        view(&servers.all[0]).links.is_empty() && view(&servers.all[1]).links.is_empty()
    });
    let members = view(&servers.all[0]).members;
    assert_eq!(members.len(), 1, "{members:?}");
    until("the removed one to know", || servers.all[1].remuda(&["herd", "status"]).code == 1);
    assert!(servers.all[1].remuda(&["herd", "status"]).err.contains("was removed from the herd"));
    servers.all[0].remuda(&["herd", "status"]).done();
    servers.end();
}

#[test]
fn some_topics_stay_where_they_are_published() {
    let servers = Servers::up(2, &[(0, 1)], "local_topics = [\"tmp.\"]");
    servers.are_one(2);
    let mut listener = hub(&servers.all[1]).subscribe([&b""[..]]);
    listener.connect().unwrap();
    let mut store = hub(&servers.all[0]).store();
    until("a first message", || {
        store.publish(b"news", b"first").unwrap();
        matches!(listener.next(Duration::from_millis(100)).unwrap(), Some(Heard::Message(_)))
    });
    store.publish(b"tmp.a", b"here").unwrap();
    store.publish(b"news", b"last").unwrap();
    loop {
        let text = heard(&mut listener, 1).remove(0);
        assert_ne!(text, "here");
        if text == "last" {
            break;
        }
    }
    servers.end();
}

#[test]
fn a_server_that_is_stopped_takes_leave() {
    let mut servers = Servers::up(2, &[(0, 1)], "");
    servers.are_one(2);
    servers.all.remove(1).end();
    until("the other one to know", || {
        view(&servers.all[0]).members.iter().any(|member| member.state == "left")
    });
    servers.end();
}

#[test]
fn servers_that_may_find_each_other_do() {
    let servers = Servers::up(3, &[(1, 0), (2, 0)], "discover = true");
    servers.are_one(3);
    until("links with all", || servers.all.iter().all(|server| view(server).links.len() == 2));
    everybody_hears_everybody_once(&servers, 100);
    servers.end();
}

#[test]
fn a_server_whose_folder_is_an_older_copy_begins_a_life_above_all_that_are_known() {
    let servers = Servers::up(2, &[(0, 1)], "keys = [\"s:\"]");
    servers.are_one(2);
    for _life in 0..3 {
        servers.all[1].remuda(&["reload", "hub"]).done();
        servers.are_one(2);
    }
    let before = view(&servers.all[1]).epoch;
    std::fs::write(servers.all[1].dir().join("state/herd/epoch"), "1\n").unwrap();
    let pid = servers.all[1].pids("hub")[0];
    crate::harness::process::signal(pid, rustix::process::Signal::KILL);
    until("another hub", || servers.all[1].pids("hub").first().is_some_and(|other| *other != pid));
    servers.all[1].settled();
    until("a life above the others", || view(&servers.all[1]).epoch > before);
    servers.are_one(2);
    hub(&servers.all[1]).store().set(b"s:a", b"1").unwrap();
    until("its change", || hub(&servers.all[0]).store().get(b"s:a").unwrap().is_some());
    servers.end();
}

#[test]
fn a_running_hub_takes_part_as_soon_as_its_server_is_a_member() {
    let mut servers = Servers::up(1, &[], "");
    let at = herd_address(&servers.all[0]);
    let setup = Setup::new(&format!(
        "[herd]\nlisten = [\"127.0.0.1:0\"]\npeers = [\"{at}\"]\n[hub]\nstate = \"state\"\n"
    ));
    let other = setup.up();
    other.settled();
    other.wait_line("no member of a herd yet");
    join(&servers.all[0], &other, 1);
    servers.all.push(other);
    until("it to be there", || servers.all[1].remuda(&["peers"]).code == 0);
    servers.are_one(2);
    servers.end();
}
