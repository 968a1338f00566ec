//! Loads between two measurements.

use std::time::Duration;

use remuda_model::{Tick, WorkerId};

use super::{LoadMeter, some_share};

#[test]
fn the_share_of_a_core_is_what_was_used_between_two_measurements() {
    let mut meter = LoadMeter::default();
    let worker = WorkerId(1);
    assert_eq!(meter.permille(worker, Tick(1000), Duration::from_secs(50)), None);
    assert_eq!(meter.permille(worker, Tick(2000), Duration::from_millis(50_250)), Some(250));
    assert_eq!(meter.permille(worker, Tick(3000), Duration::from_millis(53_250)), Some(3000));
    assert_eq!(meter.permille(worker, Tick(4000), Duration::ZERO), Some(0));
    assert_eq!(meter.permille(worker, Tick(4000), Duration::ZERO), None);
}

#[test]
fn pressure_is_the_share_of_the_last_ten_seconds_in_which_some_task_waited() {
    let text =
        "some avg10=61.25 avg60=1.00 avg300=0.00 total=12\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n";
    assert_eq!(some_share(text), Some(61.25));
    assert_eq!(some_share("full avg10=99.00"), None);
    assert_eq!(some_share(""), None);
}
