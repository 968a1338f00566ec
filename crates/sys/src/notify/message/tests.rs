//! Datagrams of several fields, and bytes by chance.

use std::time::Duration;

use proptest::prelude::*;

use super::{NotifyField, parse};

#[test]
fn a_datagram_of_several_lines_is_read_in_order() {
    assert_eq!(
        parse(b"RELOADING=1\nMONOTONIC_USEC=1500000\nSTATUS=half = done\nX_OTHER=1\nWATCHDOG=trigger\n"),
        [
            NotifyField::Reloading,
            NotifyField::Monotonic(Duration::from_millis(1500)),
            NotifyField::Status("half = done".into()),
            NotifyField::WatchdogTrigger,
        ]
    );
}

#[test]
fn values_out_of_range_are_left_out() {
    assert_eq!(parse(b"READY=0\nMAINPID=0\nMAINPID=-4\nWATCHDOG_USEC=soon\nFDNAME=a:b\nREADY"), []);
}

proptest! {
    #[test]
    fn noise_never_panics_and_never_says_more_than_its_lines(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let lines = bytes.split(|byte| *byte == b'\n').count();
        prop_assert!(parse(&bytes).len() <= lines);
    }

    #[test]
    fn every_status_comes_through(text in "[^\n]{0,100}") {
        prop_assert_eq!(parse(format!("STATUS={text}").as_bytes()), [NotifyField::Status(text)]);
    }

    #[test]
    fn every_count_comes_through(count in any::<u64>()) {
        prop_assert_eq!(parse(format!("X_REMUDA_REQUESTS={count}").as_bytes()), [NotifyField::Requests(count)]);
    }
}
