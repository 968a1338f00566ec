//! Environments, whole and broken.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::{Bus, Environment, EnvironmentError, Seat};

const WHOLE: [(&str, &str); 6] = [
    ("REMUDA_SERVICE", "shop"),
    ("REMUDA_SLOT", "3"),
    ("REMUDA_GENERATION", "18446744073709551615"),
    ("REMUDA_BUS_SUB", "ipc:///run/hub/sub"),
    ("REMUDA_BUS_PUSH", "ipc:///run/hub/push"),
    ("REDIS_URL", "redis://127.0.0.1:6379"),
];

fn read(variables: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
    Environment::from_variables(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    })
}

#[test]
fn everything_a_worker_is_told_is_read() {
    let environment = read(&WHOLE).unwrap();
    let seat = Seat { service: "shop".into(), slot: 3, generation: u64::MAX };
    assert_eq!(environment.seat, Some(seat));
    let bus = Bus { subscribe: "ipc:///run/hub/sub".into(), push: "ipc:///run/hub/push".into() };
    assert_eq!(environment.bus, Some(bus));
    assert_eq!(environment.redis_url.as_deref(), Some("redis://127.0.0.1:6379"));
}

#[test]
fn outside_remuda_and_without_a_hub_there_is_nothing_and_no_error() {
    assert_eq!(read(&[]), Ok(Environment::default()));
    assert_eq!(read(&[("REDIS_URL", ""), ("REMUDA_SERVICE", "")]), Ok(Environment::default()));
}

#[test]
fn half_a_seat_and_half_a_bus_are_errors_that_name_both_halves() {
    let message = read(&[("REMUDA_SLOT", "1")]).unwrap_err().to_string();
    assert!(message.contains("REMUDA_SLOT is set but REMUDA_SERVICE is not"), "{message}");
    let message = read(&[("REMUDA_BUS_SUB", "tcp://127.0.0.1:1")]).unwrap_err().to_string();
    assert!(message.contains("REMUDA_BUS_SUB is set but REMUDA_BUS_PUSH is not"), "{message}");
}

#[test]
fn a_slot_that_is_no_number_and_bytes_that_are_no_text_are_errors() {
    for slot in ["-1", "one", "4294967296", " 1"] {
        let mut variables = WHOLE;
        variables[1].1 = slot;
        let error = read(&variables).unwrap_err();
        assert_eq!(error, EnvironmentError::Number { variable: "REMUDA_SLOT", value: slot.into() });
    }
    let bytes = OsString::from_vec(vec![b'r', 0xff]);
    let error = Environment::from_variables(|name| (name == "REDIS_URL").then(|| bytes.clone())).unwrap_err();
    assert_eq!(error, EnvironmentError::Text { variable: "REDIS_URL", value: bytes.clone() });
}
