//! How often `/proc` is gone through.

use std::cell::Cell;
use std::process::{Child, Command};

use super::{Leader, by_descent};
use crate::process::{all, start_time};

/// Programs that wait, each at the head of a session of its own.
fn sleepers(count: usize) -> Vec<Child> {
    (0..count)
        .map(|_| Command::new("setsid").args(["sleep", "600"]).spawn().expect("setsid is part of util-linux"))
        .collect()
}

fn leaders<'text>(children: &[Child]) -> Vec<Leader<'text>> {
    let leader = |child: &Child| {
        let start_time = start_time(child.id()).expect("it is not reaped");
        Leader { pid: child.id(), start_time, marker: Some("REMUDA_WORKER=nobody has this") }
    };
    children.iter().map(leader).collect()
}

/// Kills the trees of `leaders`: how many passes that took, and how many processes were found alive.
fn passes(leaders: &[Leader<'_>]) -> (usize, usize) {
    let passes = Cell::new(0);
    let killed = by_descent(leaders, || {
        passes.set(passes.get() + 1);
        all()
    });
    (passes.get(), killed.len())
}

#[test]
fn twenty_living_trees_take_as_few_passes_as_one() {
    let mut children = sleepers(20);
    assert_eq!(passes(&leaders(&children)), (2, 20));
    for child in &mut children {
        let status = child.wait().expect("a child of ours");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGKILL));
    }
}

#[test]
fn twenty_dead_leaders_who_left_nobody_behind_take_one_pass() {
    let mut children = sleepers(20);
    let leaders = leaders(&children);
    children.iter_mut().for_each(|child| child.kill().expect("a child of ours"));
    for child in &children {
        // Not reaped: a leader's number has to stay its own.
        let id = libc::id_t::from(child.id());
        let options = libc::WEXITED | libc::WNOWAIT;
        // SAFETY: a null pointer says that nobody wants to know how it ended.
        let waited = unsafe { libc::waitid(libc::P_PID, id, std::ptr::null_mut(), options) };
        assert_eq!(waited, 0);
    }
    assert_eq!(passes(&leaders), (1, 0));
    children.iter_mut().for_each(|child| drop(child.wait()));
}

#[test]
fn nobody_to_kill_takes_no_pass() {
    assert_eq!(passes(&[]), (0, 0));
}
