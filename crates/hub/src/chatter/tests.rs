//! A flood of lines is cut.

use std::time::Duration;

use remuda_model::Tick;

use super::{Chatter, LINES_MAX};

#[test]
fn a_flood_is_cut_and_its_size_told_afterwards() {
    let mut chatter = Chatter::default();
    let now = Tick::default();
    let said = (0..1_000).filter(|_| chatter.admit(now).is_some()).count();
    assert_eq!(said as u64, LINES_MAX);
    let later = now + Duration::from_secs(1);
    assert_eq!(chatter.admit(later), Some(1_000 - LINES_MAX));
    assert_eq!(chatter.admit(later), Some(0));
}
