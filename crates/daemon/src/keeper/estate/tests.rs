//! What fits, and what does not.

use std::os::fd::OwnedFd;

use remuda_sys::memfd;

use super::{Estate, RESERVED};

fn files(count: usize) -> Vec<OwnedFd> {
    (0..count).map(|_| memfd::with_content("estate", b"").expect("a memory file")).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn no_more_is_held_than_there_will_be_descriptors_for() {
    let room = u64::try_from(RESERVED + 4).expect("a small number");
    let mut estate = Estate::new(room).expect("an estate");
    assert_eq!(estate.keep(names(&["log/1/stdout", "pid/1"]), files(2)), Ok(()));
    let refused = estate.keep(names(&["log/2/stdout"]), files(1));
    assert!(refused.is_err_and(|why| why.contains('4')), "its spill would take the fifth");
    assert_eq!(estate.keep(names(&["pid/2"]), files(1)), Ok(()));
    assert_eq!(estate.keep(names(&["log/1/stdout"]), files(1)), Ok(()), "in place of another");
    assert!(estate.keep(names(&["pid/3"]), files(1)).is_err());
    estate.forget(&names(&["log/1/stdout"]));
    assert_eq!(estate.keep(names(&["pid/3", "pid/4"]), files(2)), Ok(()));
    assert_eq!(estate.entries().count(), 4);
}

#[test]
fn names_and_descriptors_have_to_match() {
    let mut estate = Estate::new(1024).expect("an estate");
    assert!(estate.keep(names(&["pid/1", "pid/2"]), files(1)).is_err());
    assert!(estate.keep(names(&["pid 1"]), files(1)).is_err());
    assert_eq!(estate.entries().count(), 0);
}
