//! An arbiter is never held up by its keeper.

use std::os::fd::AsFd;

use remuda_daemon::KeeperError;
use remuda_model::Signal;
use remuda_sys::memfd;
use remuda_sys::process::send_signal;

use crate::support::Kept;

fn names(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("socket/{number}/0"))
}

#[test]
fn orders_wait_for_a_keeper_that_does_not_listen_and_too_many_are_refused() {
    let mut kept = Kept::new("overflow");
    send_signal(&kept.process.0, Signal::from_number(19).unwrap()).unwrap();
    let file = memfd::with_content("overflow", b"").unwrap();
    kept.keeper.keep(names(900).map(|name| (name, file.as_fd()))).unwrap();
    assert!(kept.keeper.wants_flush(), "the kernel lets no user have so many under way");
    kept.keeper.forget(names(7500)).unwrap();
    assert!(kept.keeper.wants_flush());
    let refused = kept.keeper.forget(names(8000));
    assert!(matches!(refused, Err(KeeperError::Overflow { waiting, .. }) if waiting <= 8192), "{refused:?}");
    assert!(matches!(kept.keeper.sync(), Err(KeeperError::Late { .. })));
    send_signal(&kept.process.0, Signal::from_number(18).unwrap()).unwrap();
    kept.keeper.sync().unwrap();
    assert!(!kept.keeper.wants_flush());
    assert_eq!(kept.die().find().look().unwrap().items, 0, "all 900 came and were forgotten");
}

#[test]
fn what_is_no_name_is_refused_whole() {
    let mut kept = Kept::new("names");
    let file = memfd::with_content("names", b"").unwrap();
    for name in ["", "a b", "a\"b", "a\\b", "\u{e9}", &"x".repeat(129)] {
        let refused = kept.keeper.keep([("state/0", file.as_fd()), (name, file.as_fd())]);
        assert!(matches!(refused, Err(KeeperError::Name(refused)) if refused == name));
    }
    assert_eq!(kept.die().find().look().unwrap().items, 0);
}

#[test]
fn a_batch_with_the_longest_names_fits_a_message() {
    let mut kept = Kept::new("long-names");
    let file = memfd::with_content("long-names", b"").unwrap();
    let names = (0..400).map(|number| format!("{number:0>128}"));
    kept.keeper.keep(names.map(|name| (name, file.as_fd()))).unwrap();
    let orphaned = kept.die();
    assert_eq!(orphaned.find().take().unwrap().descriptors.len(), 400);
}
