//! Certificates that come to their end: renewed by the hubs themselves, and what becomes of a server that was away.
//!
//! They are made by the herd's own authority, and last some seconds instead of 90 days.

use std::time::Duration;

use remuda_trust::{Folder, Identity, Subject, UnixTime};
use serde_json::Value as Json;

use super::keys::are_equal;
use super::servers::{Servers, hub, join, view};
use crate::harness::{Instance, until};

const SHARED: &str = "keys = [\"s:\"]\ncompare_every = \"1s\"";

fn folder(server: &Instance) -> Folder {
    Folder::in_state(&server.dir().join("state"))
}

/// Gives a server a certificate that ends in so many seconds, signed by the key of `signer`.
fn give_short(signer: &Instance, server: &Instance, seconds: u64) -> UnixTime {
    let authority = folder(signer).authority().unwrap().unwrap();
    let node = folder(server).open().unwrap().node;
    let subject = Subject { identity: Identity::Node(node), life: Duration::from_secs(seconds) };
    let credentials = authority.make(&subject, UnixTime::now()).unwrap();
    let ends = credentials.certified().not_after;
    let folder = folder(server);
    let held = folder.hold().unwrap();
    folder.keep_credentials(&credentials, &held).unwrap();
    ends
}

fn status(server: &Instance) -> (i32, Json) {
    let said = server.remuda(&["herd", "status", "--json"]);
    (said.code, said.json())
}

#[test]
fn servers_renew_their_certificates_by_themselves_before_the_end_and_links_stay() {
    // Server 1 is no signer, and asks server 0.
    let servers = Servers::up(2, &[(0, 1)], SHARED);
    servers.are_one(2);
    let before: Vec<Json> = servers.all.iter().map(|server| status(server).1).collect();
    let ends = [0, 1].map(|server| give_short(&servers.all[0], &servers.all[server], 12));
    for (server, before) in servers.all.iter().zip(&before) {
        server.wait_line("the certificate of this node was renewed");
        let (code, after) = status(server);
        assert_eq!((code, &after["node"]), (0, &before["node"]), "it is the same node: {after}");
        assert_ne!(after["certificate"]["serial"], before["certificate"]["serial"], "{after}");
    }
    let has_ended = || ends.iter().all(|end| end.as_secs() < UnixTime::now().as_secs());
    let renewed = UnixTime::now();
    assert!(ends.iter().all(|end| renewed.as_secs() <= end.as_secs()), "before the end");
    hub(&servers.all[0]).store().set(b"s:a", b"1").unwrap();
    until("the short certificates to have ended", || {
        assert!(!view(&servers.all[0]).members.iter().any(|member| member.state == "lost"));
        has_ended()
    });
    // A server that is told of a change of the folder judges links that are there anew.
    for server in &servers.all {
        server.remuda(&["herd", "renew"]).done();
    }
    servers.are_one(2);
    are_equal(&servers);
    servers.end();
}

#[test]
fn a_server_that_was_away_beyond_its_certificate_says_so_and_joins_anew_where_it_is() {
    let mut servers = Servers::up(2, &[(0, 1)], SHARED);
    servers.are_one(2);
    hub(&servers.all[1]).store().set(b"s:a", b"1").unwrap();
    until("it on the other one", || hub(&servers.all[0]).store().get(b"s:a").unwrap().is_some());
    servers.all[1].signal(rustix::process::Signal::TERM);
    servers.all[1].wait_end();
    let ends = give_short(&servers.all[0], &servers.all[1], 1);
    until("its end", || ends.as_secs() < UnixTime::now().as_secs());
    hub(&servers.all[0]).store().set(b"s:b", b"1").unwrap();
    servers.all[1].begin_again();
    let (first, second) = (&servers.all[0], &servers.all[1]);
    second.wait_line("this node's certificate has expired");
    second.settled();
    assert_eq!(status(second).0, 1);
    let said = second.remuda(&["herd", "renew"]).exits(4);
    assert!(said.err.contains("has expired") && said.err.contains("remuda herd join"), "{said:?}");
    first.remuda(&["herd", "remove", "n1"]).done();
    join(first, second, 1);
    servers.mend_all(1);
    servers.are_one(2);
    let all = are_equal(&servers);
    assert_eq!(all.len(), 2, "what it was told is not lost: {all:?}");
    servers.end();
}

#[test]
fn a_server_that_was_removed_is_turned_away_without_ado_and_joins_anew_where_it_is() {
    let servers = Servers::up(2, &[(0, 1)], SHARED);
    servers.are_one(2);
    let (first, second) = (&servers.all[0], &servers.all[1]);
    let before = status(second).1["node"].clone();
    hub(second).store().set(b"s:a", b"1").unwrap();
    until("it on the other one", || hub(first).store().get(b"s:a").unwrap().is_some());
    first.remuda(&["herd", "remove", "n1"]).done();
    until("the removed one to know", || status(second).0 == 1);
    let told = second.remuda(&["herd", "status"]).exits(1);
    assert!(told.err.contains("`remuda herd join -` here") && !told.err.contains("authority"), "{told:?}");

    // It is called all the same: whoever calls it has it among its peers.
    let attempts = || view(first).calls[0].attempts_total;
    let so_far = attempts();
    until("it to be called some times", || attempts() >= so_far + 4);
    let said = first.remuda(&["peers"]).exits(1);
    assert!(
        said.err.contains("is called in vain: the peer is refused: it was removed from the herd"),
        "{said:?}"
    );
    let complaints = |server: &Instance| {
        let transcript = server.transcript.locked();
        transcript.lines.iter().filter(|line| line.text.contains("no link")).count()
    };
    second.wait_line("no link: the peer refuses: this node was removed from the herd");
    assert_eq!(complaints(second), 1, "once, however often it is called");

    join(first, second, 1);
    servers.mend_all(1);
    servers.are_one(2);
    let (code, after) = status(second);
    assert!(code == 0 && after["node"] != before && after["is_removed"] == false, "{after}");
    assert_eq!(are_equal(&servers).len(), 1, "what it had is there");
    servers.end();
}
