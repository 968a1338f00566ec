//! A server whose disk is full.

use std::path::PathBuf;
use std::process::Command;

use super::super::five::Five;
use super::super::traffic::Traffic;
use super::all_is_well;
use crate::harness::{run, until};

const SMALL: usize = 2;

#[test]
fn a_server_whose_disk_is_full_refuses_and_is_like_the_others_when_there_is_room_again() {
    if !Five::is_spread_out() {
        println!("a small disk takes the rights of root, which are not to be had here: nothing was tested");
        return;
    }
    let five = Five::up_with("", |number, setup| {
        if number == SMALL {
            std::fs::create_dir(setup.dir().join("state")).unwrap();
            let mount = "mount -t tmpfs -o size=8m,mode=0700 none state && exec \"$0\" \"$@\"";
            setup.wrapper.extend(["unshare", "--mount", "sh", "-c", mount].map(str::to_owned));
        }
    });
    let traffic = Traffic::begin(&five.hubs());
    let small = &five.servers.all[SMALL];
    let ballast: PathBuf =
        format!("/proc/{}/root{}/state/ballast", small.pids("hub")[0], small.dir().display()).into();
    let mut command = Command::new("dd");
    command.arg("if=/dev/zero").arg(format!("of={}", ballast.display())).arg("bs=4k");
    assert_ne!(run::run(command).code, 0, "there is an end to the disk");
    let mut store = five.hubs()[SMALL].store();
    until("writes to be refused", || store.set(b"own", &[b'x'; 512]).is_err());
    traffic.goes_on();
    assert!(store.get(b"s:count").unwrap().is_some(), "what it has it tells");
    std::fs::remove_file(ballast).unwrap();
    until("writes to be taken", || store.set(b"own", b"").is_ok());
    all_is_well(&five, traffic);
    five.servers.end();
}
