//! Ends of processes, ours and others'.

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::time::Duration;

use remuda_model::{ExitStatus, Signal};
use remuda_sys::event::Interest;
use remuda_sys::process::{
    command_line, foreign_exit, peek_exit, pidfd_open, reap, reap_strangers, send_signal, signal_group,
    start_time, take_descriptor, tree, usage,
};
use remuda_sys::spawn::SpawnPlan;
use remuda_sys::{memfd, pipe};

use crate::support::{Child, is_ours, orphanage, plan, read_all, wait_for};

#[test]
fn an_exit_can_be_looked_at_before_it_is_reaped() {
    let child = Child::start(&plan(&["/bin/sh", "-c", "exit 7"]));
    assert_eq!(child.wait(), ExitStatus::Code(7));
    assert_eq!(peek_exit(&child.0.pidfd), Ok(Some(ExitStatus::Code(7))));
    let exit = reap(&child.0.pidfd).unwrap().unwrap();
    assert_eq!((exit.pid, exit.status), (child.0.pid, ExitStatus::Code(7)));
    assert!(exit.peak_rss > 0);
    assert_eq!(reap(&child.0.pidfd).unwrap_err().errno, libc::ECHILD);
    assert_eq!(send_signal(&child.0.pidfd, Signal::TERM).unwrap_err().errno, libc::ESRCH);
}

#[test]
fn a_running_child_has_no_exit_and_a_killed_one_its_signal() {
    let child = Child::running(&plan(&["/bin/sleep", "60"]));
    assert_eq!(peek_exit(&child.0.pidfd), Ok(None));
    assert_eq!(foreign_exit(&child.0.pidfd), Ok(None));
    send_signal(&child.0.pidfd, Signal::TERM).unwrap();
    assert_eq!(child.wait(), ExitStatus::Signal { signal: Signal::TERM, core: false });
}

#[test]
fn a_group_gets_a_signal_but_never_ours() {
    let child = Child::running(&plan(&["/bin/sleep", "60"]));
    signal_group(child.0.pid, Signal::KILL).unwrap();
    assert!(matches!(child.wait(), ExitStatus::Signal { .. }));
    for group in [0, 1, u32::MAX] {
        assert_eq!(signal_group(group, Signal::KILL).unwrap_err().errno, libc::EINVAL);
    }
}

#[test]
fn the_end_of_a_process_that_is_not_our_child_is_seen() {
    let output = pipe::plain().unwrap();
    let script = "/bin/sleep 60 & echo $!; read line; kill $!; wait $!; read line";
    let input = pipe::plain().unwrap();
    let plan = SpawnPlan {
        stdin: Some(input.reader.as_fd()),
        stdout: Some(output.writer.as_fd()),
        ..plan(&["/bin/sh", "-c", script])
    };
    // The shell reads its lines blocking.
    rustix::fs::fcntl_setfl(&input.reader, rustix::fs::OFlags::empty()).unwrap();
    let _shell = Child::running(&plan);
    wait_for(output.reader.as_fd(), Interest::Read);
    let mut line = String::new();
    BufReader::new(std::fs::File::from(output.reader)).read_line(&mut line).unwrap();
    let pidfd = pidfd_open(line.trim().parse().unwrap()).unwrap();
    assert_eq!(peek_exit(&pidfd).unwrap_err().errno, libc::ECHILD);
    assert_eq!(foreign_exit(&pidfd), Ok(None));
    rustix::io::write(&input.writer, b"\n").unwrap();
    wait_for(pidfd.as_fd(), Interest::Read);
    let exit = foreign_exit(&pidfd).unwrap().unwrap();
    let killed = ExitStatus::Signal { signal: Signal::TERM, core: false };
    assert!([killed, ExitStatus::Unknown].contains(&exit), "{exit}");
}

#[test]
fn strangers_are_reaped_even_behind_our_own_zombies() {
    let _orphanage = orphanage();
    let ours: Vec<Child> = (0..3).map(|_| Child::start(&plan(&["/bin/true"]))).collect();
    for child in &ours {
        assert_eq!(child.wait(), ExitStatus::Code(0));
    }
    let output = pipe::plain().unwrap();
    let script = "for i in 1 2; do (exec /bin/sleep 0.2) & echo $!; done";
    let parent =
        Child::start(&SpawnPlan { stdout: Some(output.writer.as_fd()), ..plan(&["/bin/sh", "-c", script]) });
    assert_eq!(parent.wait(), ExitStatus::Code(0));
    drop(output.writer);
    let orphans: Vec<u32> =
        read_all(output.reader.as_fd()).lines().map(|line| line.parse().unwrap()).collect();
    // The pipe ends when the last orphan does, which is a moment before it can be reaped.
    for orphan in &orphans {
        wait_for(pidfd_open(*orphan).unwrap().as_fd(), Interest::Read);
    }
    let reaped: Vec<u32> = reap_strangers(is_ours).unwrap().iter().map(|exit| exit.pid).collect();
    assert!(
        orphans.len() == 2 && orphans.iter().all(|orphan| reaped.contains(orphan)),
        "{orphans:?} {reaped:?}"
    );
    for child in &ours {
        assert_eq!(peek_exit(&child.0.pidfd), Ok(Some(ExitStatus::Code(0))), "ours are left to us");
    }
}

#[test]
fn a_process_is_described() {
    let output = pipe::plain().unwrap();
    let script = "/bin/sleep 60 & echo; wait";
    let child = Child::running(&SpawnPlan {
        stdout: Some(output.writer.as_fd()),
        ..plan(&["/bin/sh", "-c", script])
    });
    wait_for(output.reader.as_fd(), Interest::Read);
    let below = tree(child.0.pid);
    assert_eq!(below.len(), 1);
    assert!(start_time(below[0]).unwrap() >= start_time(child.0.pid).unwrap());
    assert_eq!(command_line(child.0.pid).unwrap(), format!("/bin/sh -c {script}"));
    let cost = usage(child.0.pid).unwrap();
    assert!(cost.rss > 0 && cost.cpu < Duration::from_secs(5));
    assert_eq!((cost.threads, cost.descriptors), (1, Some(3)));
    // The shell's child outlives it otherwise.
    signal_group(child.0.pid, Signal::KILL).unwrap();
    assert_eq!(usage(u32::MAX).unwrap_err().errno, libc::ESRCH);
}

#[test]
fn a_descriptor_is_taken_out_of_another_process() {
    let secret = memfd::sealed("state", b"kept").unwrap();
    let child = Child::running(&SpawnPlan { passed: vec![secret.as_fd()], ..plan(&["/bin/sleep", "60"]) });
    drop(secret);
    let taken = take_descriptor(&child.0.pidfd, 3).unwrap();
    assert_eq!(memfd::content(&taken, 10).unwrap(), b"kept");
    assert_eq!(memfd::content(&taken, 3).unwrap_err().errno, libc::EFBIG);
    assert!(rustix::io::write(&taken, b"x").is_err(), "sealed");
}
