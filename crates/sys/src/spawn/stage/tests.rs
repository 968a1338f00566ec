//! The numbers of stages.

use super::{ALL, Stage, is_permanent};

#[test]
fn every_stage_has_its_own_number_and_finds_back() {
    for stage in ALL {
        assert_eq!(Stage::from_number(stage.number()), Some(stage));
    }
    assert_eq!(Stage::Program.exit_code(), 214);
    assert_eq!(Stage::from_number(15), None);
}

#[test]
fn what_heals_by_itself_is_not_permanent() {
    assert!(is_permanent(Stage::Program, libc::ENOENT));
    assert!(is_permanent(Stage::User, libc::EPERM));
    assert!(!is_permanent(Stage::Program, libc::ETXTBSY));
    assert!(!is_permanent(Stage::Descriptors, libc::EMFILE));
    assert!(!is_permanent(Stage::Cgroup, libc::ENODEV));
}
