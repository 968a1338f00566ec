//! A disk without room: writes are refused, reads go on, and all is well again when room comes back.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::{Wire, hub};
use crate::harness::{Instance, PATIENCE, Setup, is_root, run, until};

/// An instance whose state lies on a disk of one megabyte, in a mount namespace of its own; none where that takes rights
/// we lack.
fn with_small_disk(fsync: &str) -> Option<Instance> {
    if !is_root() {
        return None;
    }
    let config = format!("[bus]\n[store]\nfsync = \"{fsync}\"\n[hub]\nstate = \"disk/state\"\n");
    let mut setup = Setup::new(&config);
    std::fs::create_dir(setup.dir().join("disk")).unwrap();
    let mount = "mount -t tmpfs -o size=1m none disk && exec \"$0\" \"$@\"";
    setup.wrapper = ["unshare", "--mount", "sh", "-c", mount].map(str::to_owned).to_vec();
    let instance = setup.up();
    instance.settled();
    Some(instance)
}

/// A file on that disk, as seen from here.
fn on_disk(instance: &Instance, name: &str) -> PathBuf {
    format!("/proc/{}/root{}/disk/{name}", hub(instance), instance.dir().display()).into()
}

fn fill(instance: &Instance) {
    let mut command = Command::new("dd");
    command.arg("if=/dev/zero").arg(format!("of={}", on_disk(instance, "ballast").display())).arg("bs=4k");
    assert_ne!(run::run(command).code, 0, "there is an end to the disk");
}

/// Writes until that is refused; what was acknowledged.
fn until_refused(wire: &mut Wire) -> (usize, String) {
    let deadline = Instant::now() + PATIENCE;
    let mut done = 0;
    loop {
        let said = wire.ask(&format!("SET key:{done} {}", "x".repeat(500)));
        if said != "+OK" {
            return (done, said);
        }
        done += 1;
        assert!(Instant::now() < deadline, "{done} writes, and none is refused");
    }
}

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_is_left_when_room_comes_back() {
    let Some(instance) = with_small_disk("1s") else { return };
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("SET here 1"), "+OK");
    fill(&instance);
    let (done, said) = until_refused(&mut wire);
    assert!(said.starts_with("-MISCONF") && said.contains("no space left"), "{said}");
    instance.wait_line("writes are refused from now on");
    assert_eq!(wire.text("GET here").as_deref(), Some("1"));
    let said = wire.ask("HSET hash a b");
    assert!(said.starts_with("-MISCONF"), "{said}");
    assert_eq!(wire.ask("MULTI"), "+OK");
    assert_eq!(wire.ask("SET half 1"), "+QUEUED");
    assert_eq!(wire.ask("GET here"), "+QUEUED");
    let said = wire.ask("EXEC");
    assert!(said.starts_with("-EXECABORT") && said.contains("MISCONF"), "{said}");
    let said = wire.ask("EVAL \"redis.call('SET', 'half', 1) return 1\" 0");
    assert!(said.contains("MISCONF"), "{said}");
    assert_eq!(wire.ask("EXISTS half"), ":0");
    assert_eq!(wire.ask("PUBLISH news 1"), ":0", "the bus does not care");
    // A new hub would begin without what only this one has.
    let before = hub(&instance);
    let said = instance.remuda(&["reload", "hub"]);
    assert_ne!(said.code, 0, "{said:?}");
    assert_eq!(hub(&instance), before);
    assert_eq!(wire.text("GET here").as_deref(), Some("1"));
    std::fs::remove_file(on_disk(&instance, "ballast")).unwrap();
    until("writes to be taken again", || wire.ask("SET again 1") == "+OK");
    instance.wait_line("the disk takes changes again");
    super::kill_hub(&instance);
    let mut wire = Wire::new(&instance);
    assert_eq!(
        wire.ask(&format!("EXISTS key:{}", done - 1)),
        ":1",
        "what was acknowledged came to the disk after all"
    );
    instance.end();
}

#[test]
fn a_full_disk_acknowledges_nothing_it_has_not_and_readers_do_not_wait_for_it() {
    let Some(instance) = with_small_disk("always") else { return };
    let (mut writer, mut reader) = (Wire::new(&instance), Wire::new(&instance));
    assert_eq!(writer.ask("SET here 1"), "+OK");
    assert_eq!(writer.ask("SET soon 1 PX 300"), "+OK");
    fill(&instance);
    let deadline = Instant::now() + PATIENCE;
    let mut sent = 0;
    while !reader.info("persistence").contains("aof_last_write_status:err") {
        writer.put(&[b"SET", b"big", &[b'x'; 3000]]);
        sent += 1;
        assert!(Instant::now() < deadline, "{sent} writes, and the disk is not full");
    }
    let said = reader.ask("SET small 1");
    assert!(said.starts_with("-MISCONF"), "{said}");
    // A key that ends meanwhile is found by a reader, who is not made to wait for the disk to note it.
    while reader.ask("EXISTS soon") == ":1" {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(reader.text("GET here").as_deref(), Some("1"));
    std::fs::remove_file(on_disk(&instance, "ballast")).unwrap();
    for number in 0..sent {
        // Those that came after the disk was found full were refused at once, and in their order.
        let said = writer.line();
        assert!(said == "+OK" || (number > 0 && said.starts_with("-MISCONF")), "{number}: {said}");
    }
    instance.end();
}
