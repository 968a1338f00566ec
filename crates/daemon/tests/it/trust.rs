//! Who is let in, and what may be said.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::PathBuf;

use remuda_daemon::KeeperError;
use remuda_model::ExitStatus;
use remuda_sys::memfd;
use remuda_sys::process::peek_exit;
use remuda_sys::socket::{Arrival, Link};
use remuda_sys::spawn::{Credentials, SpawnPlan, spawn};
use remuda_sys::users::effective_user;

use crate::support::{EXECUTABLE, Kept, PATIENCE, visitor, wait_for};

#[test]
fn another_user_is_shown_the_door() {
    if effective_user() != 0 {
        return;
    }
    let mut kept = Kept::new("foreign");
    let file = memfd::with_content("secret", b"secret").unwrap();
    kept.keeper.keep([("state/0", file.as_fd())]).unwrap();
    let orphaned = kept.die();
    let script = format!(
        "import socket, sys\n\
         link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n\
         link.connect('\\0{}')\n\
         try:\n link.send(b'{{\"v\":1,\"say\":\"take\"}}'); answer = link.recv(9)\n\
         except (BrokenPipeError, ConnectionResetError): answer = b''\n\
         sys.exit(len(answer))",
        orphaned.name
    );
    let visit = |user: Option<Credentials>| {
        let mut plan =
            SpawnPlan::new(["/usr/bin/env", "python3", "-c", &script].map(OsString::from).to_vec());
        plan.trampoline = PathBuf::from(EXECUTABLE);
        plan.user = user;
        let child = spawn(&plan).unwrap();
        wait_for(child.pidfd.as_fd());
        peek_exit(&child.pidfd).unwrap().unwrap()
    };
    let nobody = Credentials { uid: 65534, gid: 65534, groups: Vec::new() };
    assert_eq!(visit(Some(nobody)), ExitStatus::Code(0), "no answer at all");
    assert_eq!(visit(None), ExitStatus::Code(9), "the same from ourselves is answered");
    assert_eq!(orphaned.find().look().unwrap().items, 1);
}

#[test]
fn a_visitor_that_talks_nonsense_is_shown_the_door_and_nobody_else() {
    let kept = Kept::new("nonsense");
    let orphaned = kept.die();
    let polite = visitor(&orphaned.name);
    let unasked = memfd::with_content("nonsense", b"").unwrap();
    for words in [
        &b"\xff\0nonsense"[..],
        b"{}",
        br#"{"v":2,"say":"take"}"#,
        br#"{"v":1,"say":"next"}"#,
        br#"{"v":1,"say":"taken"}"#,
        &[b'x'; 64 * 1024],
    ] {
        let rude = visitor(&orphaned.name);
        rude.send(words, &[unasked.as_fd(); 250], PATIENCE).unwrap();
        assert!(matches!(rude.receive(PATIENCE).unwrap(), Arrival::Closed));
    }
    polite.send(br#"{"v":1,"say":"look"}"#, &[], PATIENCE).unwrap();
    assert!(matches!(polite.receive(PATIENCE).unwrap(), Arrival::Message { .. }));
}

#[test]
fn nonsense_from_the_arbiter_is_refused_and_survived() {
    let mut kept = Kept::new("mad-arbiter");
    let link = Link::from_owned(kept.keeper.link().try_clone_to_owned().unwrap()).unwrap();
    let file = memfd::with_content("nonsense", b"").unwrap();
    for words in [
        &b"\xff\0nonsense"[..],
        br#"{"v":1,"say":{"number":0,"order":{"keep":["a","b"]}}}"#,
        br#"{"v":1,"say":{"number":0,"order":{"keep":["no name"]}}}"#,
    ] {
        link.send(words, &[file.as_fd()], PATIENCE).unwrap();
        wait_for(kept.keeper.link());
        assert!(matches!(kept.keeper.flush(), Err(KeeperError::Refused { .. })));
    }
    kept.keeper.keep([("state/0", file.as_fd())]).unwrap();
    kept.keeper.sync().unwrap();
    // A second end of our link is open: the keeper must see it close before it takes us for dead.
    drop(link);
    assert_eq!(kept.die().find().look().unwrap().items, 1);
}
