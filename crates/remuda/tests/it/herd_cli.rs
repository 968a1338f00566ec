//! The herd from the command line: a node begins it, others come by what it prints, and one goes.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Said, Setup, process, run};

const HUB: &str = "[store]\n[hub]\nstate = \"state\"\n";

#[track_caller]
fn herd(setup: &Setup, arguments: &[&str]) -> Said {
    let all: Vec<&str> = std::iter::once("herd").chain(arguments.iter().copied()).collect();
    run::run(setup.command(&all))
}

/// Runs `remuda herd join -` with `token` as standard input.
#[track_caller]
fn join(setup: &Setup, token: &str, arguments: &[&str]) -> Said {
    let path = setup.write("token", token);
    let mut command = setup.command(&["herd", "join", "-"]);
    command.args(arguments).stdin(Stdio::from(File::open(path).unwrap()));
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// `remuda herd invite --listen`, which waits.
struct Waiting {
    child: Child,
    token: String,
    err: BufReader<ChildStderr>,
}

impl Waiting {
    fn start(setup: &Setup, arguments: &[&str]) -> Self {
        let mut command = setup.command(&["herd", "invite", "--listen", "127.0.0.1:0"]);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut token = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut token).unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, token, err }
    }

    /// Where it listens.
    fn address(&mut self) -> String {
        let mut line = String::new();
        while !line.contains("waiting on") {
            line.clear();
            assert_ne!(self.err.read_line(&mut line).unwrap(), 0, "it ended");
        }
        line.trim().trim_start_matches("(waiting on ").trim_end_matches(')').to_owned()
    }

    fn end(mut self) -> (i32, String) {
        let mut said = String::new();
        self.err.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap(), said)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        process::signal(self.child.id(), Signal::KILL);
        // It is ours and was killed, or has ended.
        let _ = self.child.wait();
    }
}

#[test]
fn a_herd_begins_grows_and_loses_a_node_without_a_running_hub() {
    let (alpha, beta) = (Setup::new(HUB), Setup::new(HUB));
    let none = herd(&alpha, &["status"]).exits(4);
    assert!(none.err.contains("belongs to no herd") && none.err.contains("remuda herd init"), "{none:?}");
    let begun: Value = herd(&alpha, &["init", "--name", "shop", "--node", "alpha", "--json"]).done().json();
    assert_eq!(
        (&begun["herd"], &begun["name"], &begun["signer"]),
        (&"shop".into(), &"alpha".into(), &true.into())
    );
    let again = herd(&alpha, &["init", "--name", "shop"]).exits(4);
    assert!(again.err.contains("nothing was overwritten"), "{again:?}");

    let waiting = Waiting::start(&alpha, &["--ttl", "2m"]);
    let token = waiting.token.clone();
    assert!(token.starts_with("remuda-herd-1.") && token.lines().count() == 1, "{token}");
    let joined = join(&beta, &token, &["--node", "beta", "--address", "127.0.0.1:7946"]).done();
    assert!(joined.out.contains("node beta of herd shop\n"), "{joined:?}");
    let (code, said) = waiting.end();
    assert!(code == 0 && said.contains("node beta joined from 127.0.0.1:"), "{said}");
    assert!(!said.contains(token.trim()), "the invitation is on standard output alone");

    let nodes = herd(&alpha, &["nodes", "--json"]).done().json_lines::<Value>();
    let names: Vec<&str> = nodes.iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["alpha", "beta"]);
    assert_eq!(nodes[1]["addresses"][0], "127.0.0.1:7946");
    assert!(herd(&beta, &["nodes"]).done().out.contains("signer"));
    let status: Value = herd(&beta, &["status", "--json"]).done().json();
    assert_eq!(status["authorities"], begun["authorities"]);

    let unable = herd(&beta, &["remove", "alpha"]).exits(4);
    assert!(unable.err.contains("no key of the herd's authority"), "{unable:?}");
    assert!(herd(&alpha, &["remove", "gamma"]).exits(4).err.contains("there is no node"));
    assert!(herd(&alpha, &["remove", "alpha"]).exits(4).err.contains("does not remove itself"));
    let removed: Value = herd(&alpha, &["remove", "beta", "--json"]).done().json();
    assert_eq!(removed["removed"], nodes[1]["node"]);
    assert!(herd(&alpha, &["nodes"]).done().out.contains("removed"));
    assert_eq!(status["is_removed"], false);
    // As it hears from the others.
    let removals = |setup: &Setup| setup.dir().join("state/herd/removals");
    std::fs::copy(removals(&alpha), removals(&beta)).unwrap();
    let told = herd(&beta, &["status"]).exits(1);
    assert!(told.out.contains("of herd shop, removed from it\n"), "{told:?}");
    assert!(told.err.contains("was removed from the herd") && told.err.contains("herd join"), "{told:?}");
    assert_eq!(herd(&beta, &["status", "--json"]).exits(1).json::<Value>()["is_removed"], true);
    assert!(herd(&beta, &["nodes"]).done().out.contains("this node, removed"));
}

#[test]
fn what_is_wrong_with_an_invitation_is_said_and_told_by_the_exit_code() {
    let (alpha, beta) = (Setup::new(HUB), Setup::new(HUB));
    herd(&alpha, &["init", "--name", "shop", "--node", "alpha"]).done();
    assert!(herd(&alpha, &["invite"]).exits(2).err.contains("--address"));
    assert!(herd(&alpha, &["invite", "--ttl", "8d"]).exits(2).err.contains("7 days"));
    assert!(herd(&alpha, &["invite", "--address", "nowhere"]).exits(2).err.contains("HOST:PORT"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let invited = herd(&alpha, &["invite", "--address", &free]).done();
    assert!(invited.err.contains("for one node, until"), "{invited:?}");
    let nobody = join(&beta, &invited.out, &["--node", "beta"]);
    assert!(nobody.code == 1 && nobody.err.contains(&free) && nobody.err.contains("--listen"), "{nobody:?}");
    let half = &invited.out[..invited.out.len() / 2];
    let damaged = join(&beta, half, &["--node", "beta"]);
    assert!(damaged.code == 2 && damaged.err.contains("copied whole"), "{damaged:?}");
    assert!(join(&beta, "hello", &["--node", "beta"]).err.contains("this is no invitation"));
    let homeless = Setup::new("[service.web]\ncommand = \"sleep 1000\"\n");
    assert!(herd(&homeless, &["status"]).exits(2).err.contains("has no hub"));
}

#[test]
fn a_signer_renews_itself_and_others_and_rotates_the_authority() {
    let (alpha, beta) = (Setup::new(HUB), Setup::new(HUB));
    herd(&alpha, &["init", "--name", "shop", "--node", "alpha"]).done();
    let waiting = Waiting::start(&alpha, &["--signer"]);
    join(&beta, &waiting.token, &["--node", "beta", "--signer"]).done();
    assert_eq!(waiting.end().0, 0);
    let status = |setup: &Setup| herd(setup, &["status", "--json"]).done().json::<Value>();
    let before = status(&alpha);
    let renewed: Value = herd(&alpha, &["renew", "--json"]).done().json();
    assert_ne!(renewed["certificate"]["serial"], before["certificate"]["serial"]);
    assert_eq!(renewed["node"], before["node"]);

    let rotated = herd(&alpha, &["rotate"]).done();
    assert!(rotated.err.contains("renew --from"), "{rotated:?}");
    assert_eq!(status(&alpha)["authorities"].as_array().unwrap().len(), 2);
    assert!(herd(&alpha, &["rotate"]).exits(4).err.contains("--finish"));
    let mut waiting = Waiting::start(&alpha, &[]);
    let heard = waiting.address();
    herd(&beta, &["renew", "--from", &heard]).done();
    assert_eq!(status(&beta)["authorities"], status(&alpha)["authorities"]);
    herd(&beta, &["rotate", "--finish"]).done();
    assert_eq!(status(&beta)["authorities"].as_array().unwrap().len(), 1);
    let warned = herd(&alpha, &["remove", "beta"]).done();
    assert!(warned.err.contains("it was a signer"), "{warned:?}");
    // As it hears from the others. Its key is not overwritten by another one's.
    let file = |setup: &Setup, name: &str| setup.dir().join("state/herd").join(name);
    std::fs::copy(file(&alpha, "removals"), file(&beta, "removals")).unwrap();
    let told = herd(&beta, &["status"]).exits(1);
    assert!(told.err.contains("was removed") && told.err.contains("move the authority's key, "), "{told:?}");
    let token = Waiting::start(&alpha, &[]).token.clone();
    let refused = join(&beta, &token, &["--node", "beta"]);
    assert!(refused.code == 4 && refused.err.contains("authority.pem is there already"), "{refused:?}");
    std::fs::rename(file(&beta, "authority.pem"), beta.dir().join("kept.pem")).unwrap();
    let waiting = Waiting::start(&alpha, &[]);
    join(&beta, &waiting.token, &["--node", "beta"]).done();
    assert_eq!(waiting.end().0, 0);
    assert_eq!(status(&beta)["is_removed"], false);
}
