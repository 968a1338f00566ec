//! A bell that is rung and heard.

use super::EventFd;

#[test]
fn rings_that_were_not_heard_are_one() {
    let bell = EventFd::new().expect("an eventfd");
    assert!(!bell.clear());
    bell.ring();
    bell.ring();
    assert!(bell.clear());
    assert!(!bell.clear());
}
