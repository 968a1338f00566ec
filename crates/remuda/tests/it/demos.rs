//! The two demos in a browser: `examples/rtmonitor` and `examples/shortener`, alone and as a herd of three.
//!
//! Each runs with the example's own `remuda.toml`, but for its ports and the folder of its state. The programs that look
//! are `tests/peers/demos`.

mod rtmonitor;
mod shortener;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::peers::{dashboard_peers, repository};
use crate::harness::{Instance, Setup};
use crate::hub_herd::servers::Servers;

/// Everybody calls the next one.
const RING: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 0)];

fn folder(example: &str) -> PathBuf {
    repository().join("examples").join(example)
}

/// The example's config in two parts, what concerns the herd and all else, with a free port.
fn config(example: &str) -> (String, String) {
    let text = std::fs::read_to_string(folder(example).join("remuda.toml")).unwrap();
    let (herd, rest) = text.split_once("[socket.http]").unwrap();
    let listen = rest.lines().find(|line| line.starts_with("listen")).unwrap();
    (herd.to_owned(), format!("[socket.http]{}", rest.replacen(listen, "listen = \"127.0.0.1:0\"", 1)))
}

/// Puts what the config speaks of beside it.
fn furnish(setup: &Setup, example: &str) {
    for entry in std::fs::read_dir(folder(example)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "remuda.toml" {
            symlink(entry.path(), setup.dir().join(entry.file_name())).unwrap();
        }
    }
}

/// The example on one server, which is no member of a herd.
fn one(example: &str) -> Instance {
    let (herd, rest) = config(example);
    let herd: String = herd
        .lines()
        .map(|line| match line.split(' ').next().unwrap() {
            "name" | "peers" => "\n".to_owned(),
            "listen" => "listen = \"127.0.0.1:0\"\n".to_owned(),
            "state" => "state = \"state\"\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    let setup = Setup::new(&format!("{herd}{rest}"));
    furnish(&setup, example);
    let instance = setup.up();
    instance.settled();
    instance
}

/// The example on three servers of a herd, `n0` to `n2`.
fn three(example: &str) -> Servers {
    let (herd, rest) = config(example);
    let keys = herd.lines().find(|line| line.starts_with("keys")).unwrap_or_default();
    let more = format!("{keys}\n{rest}");
    let servers =
        Servers::up_prepared(3, &RING, |_| more.clone(), |_, setup: &mut Setup| furnish(setup, example));
    servers.are_one(3);
    servers
}

fn url(instance: &Instance) -> String {
    format!("http://{}", instance.address("http"))
}

/// A program of `tests/peers/demos` with its arguments; `instance` lends it a folder.
fn program(instance: &Instance, name: &str, arguments: &[&str]) -> Command {
    let mut command = instance.marked("node");
    command.arg(repository().join("tests/peers/demos").join(name));
    command.arg(dashboard_peers()).arg(instance.dir().join("profile")).args(arguments);
    command.env("HOME", instance.dir());
    command
}

/// Runs a program to its end, which it comes to by itself; `deed` does what it asks for.
#[track_caller]
fn look(mut command: Command, mut deed: impl FnMut(&str)) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(wish) = line.strip_prefix("please ") {
            deed(wish);
            input.write_all(b"\n").unwrap();
        }
        said.push(line);
    }
    let output = child.wait_with_output().unwrap();
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{trouble}", said.join("\n"));
    assert!(said.last().is_some_and(|line| line.contains("complains of nothing")), "{said:?}");
}
