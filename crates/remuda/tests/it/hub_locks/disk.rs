//! The disk under the locks: full, and harmed.

use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::{HUB, acquire};
use crate::harness::{Instance, Setup, is_root, run, until};
use crate::hub_durability::{Wire, hub, kill_hub};

/// A file on the small disk, as seen from here.
fn on_disk(instance: &Instance, name: &str) -> PathBuf {
    format!("/proc/{}/root{}/disk/{name}", hub(instance), instance.dir().display()).into()
}

#[test]
fn a_full_disk_refuses_locks_keeps_those_that_are_held_and_is_left_when_room_comes_back() {
    if !is_root() {
        return;
    }
    let mut setup = Setup::new(&HUB.replace("\"state\"", "\"disk/state\""));
    std::fs::create_dir(setup.dir().join("disk")).unwrap();
    let mount = "mount -t tmpfs -o size=1m none disk && exec \"$0\" \"$@\"";
    setup.wrapper = ["unshare", "--mount", "sh", "-c", mount].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    let mut wire = Wire::new(&instance);
    let held = acquire(&mut wire, "held 60000");
    let mut command = Command::new("dd");
    command.arg("if=/dev/zero").arg(format!("of={}", on_disk(&instance, "ballast").display())).arg("bs=4k");
    assert_ne!(run::run(command).code, 0, "there is an end to the disk");
    // The file has some room in its last page. Names are long, so it ends soon; who asked last waits for the disk.
    let name = "n".repeat(400);
    let mut asks: Vec<Wire> = Vec::new();
    let refused = (0..64).find_map(|number| {
        let mut asks_now = Wire::new(&instance);
        asks_now.send(format!("LOCK.ACQUIRE {name}{number} 60000\r\n").as_bytes());
        asks.push(asks_now);
        let mut looks = Wire::new(&instance);
        until("the disk to take it or not", || {
            let said = looks.ask("LOCK.ACQUIRE other 99");
            said.starts_with("-ERR") || said.starts_with("-LOCKSDISK")
        });
        let said = looks.ask(&format!("LOCK.RELEASE {name}x 1"));
        said.starts_with("-LOCKSDISK").then_some(said)
    });
    let refused = refused.expect("the disk is full");
    assert!(refused.contains("no space left"), "{refused}");
    assert_eq!(wire.ask(&format!("LOCK.RENEW held {held} 60000")), ":1", "a holder goes on");
    assert_eq!(wire.ask("SET goes on"), "+OK");
    assert!(wire.ask("LOCK.ACQUIRE small 60000").starts_with("-LOCKSDISK"));
    std::fs::remove_file(on_disk(&instance, "ballast")).unwrap();
    until("locks to be given again", || wire.ask("LOCK.ACQUIRE again 60000").starts_with(':'));
    for waits in &mut asks {
        // It waited for the disk; or came when that was found full, and was refused at once.
        let said = waits.line();
        assert!(said.starts_with(':') || said.starts_with("-LOCKSDISK"), "{said}");
    }
    kill_hub(&instance);
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("LOCK.ACQUIRE again 60000"), "$-1", "what was said came to the disk");
    assert_eq!(wire.ask(&format!("LOCK.RENEW held {held} 60000")), ":1");
    instance.end();
}

#[test]
fn a_harmed_journal_is_named_and_fences_grow_all_the_same() {
    let mut instance = Instance::up(HUB);
    let mut wire = Wire::new(&instance);
    let mut last = 0;
    for number in 0..20 {
        last = acquire(&mut wire, &format!("lock-{number} 60000"));
    }
    drop(wire);
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let folder = instance.dir().join("state/locks");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let log =
        files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("log.")).max().unwrap();
    let mut bytes = std::fs::read(&log).unwrap();
    let place = bytes.windows(7).position(|window| window == b"lock-10").unwrap();
    bytes[place] ^= 0x40;
    std::fs::write(&log, &bytes).unwrap();
    instance.anew();
    instance.settled();
    let mut wire = Wire::new(&instance);
    assert!(acquire(&mut wire, "lock-10 60000") > last, "what is not read is free");
    for number in [0, 19] {
        assert_eq!(wire.ask(&format!("LOCK.ACQUIRE lock-{number} 60000")), "$-1", "{number}");
    }
    instance.wait_line("the journal of the locks is damaged");
    instance.end();
}
