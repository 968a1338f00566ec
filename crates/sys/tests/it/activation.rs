//! Announcements of a service manager, true and untrue. The round trip with real descriptors is in `program`.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;

use remuda_sys::socket::{Activation, AdoptError};
use remuda_sys::spawn::{EnvironmentValue, SpawnPlan};

use crate::support::{plan, run};

fn environment(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn an_announcement_for_another_process_is_none() {
    for entries in [
        vec![],
        vec![("LISTEN_PID", "1"), ("LISTEN_FDS", "1")],
        vec![("LISTEN_FDS", "1")],
        vec![("LISTEN_PID", "abc"), ("LISTEN_FDS", "1")],
        vec![("LISTEN_PID", "42"), ("LISTEN_FDS", "1"), ("LISTEN_PIDFDID", "1")],
    ] {
        let activation = Activation::from_env(&environment(&entries), 42).unwrap();
        assert_eq!(activation.names().count(), 0, "{entries:?}");
    }
}

#[test]
fn a_malformed_announcement_is_refused() {
    for count in ["0", "-1", "many", "99999"] {
        let error = Activation::from_env(&environment(&[("LISTEN_PID", "42"), ("LISTEN_FDS", count)]), 42);
        assert!(matches!(error, Err(AdoptError::Number { .. })), "{count}");
    }
    let entries = [("LISTEN_PID", "42"), ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a:b:")];
    let error = Activation::from_env(&environment(&entries), 42).unwrap_err();
    assert_eq!(error, AdoptError::Names { names: 3, descriptors: 2 });
}

#[test]
fn names_that_were_not_passed_are_answered_with_those_that_were() {
    let mut activation = Activation::default();
    let error = activation.adopt(&"systemd:web".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("no service manager passed any"), "{error}");
    assert!(matches!(activation.adopt(&"fd:987654".parse().unwrap()), Err(AdoptError::NotOpen(987_654))));
    assert!(matches!(activation.adopt(&"127.0.0.1:1".parse().unwrap()), Err(AdoptError::NotAdopted(_))));
}

#[test]
fn a_descriptor_that_somebody_here_owns_cannot_be_adopted() {
    let own = File::open("/dev/null").unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&own);
    let mut activation = Activation::default();
    let error = activation.adopt(&format!("fd:{number}").parse().unwrap()).unwrap_err();
    assert_eq!(error, AdoptError::Taken(number));
    assert!(own.metadata().is_ok(), "still open");
}

#[test]
fn what_is_no_socket_is_refused_by_name() {
    let null = File::open("/dev/null").unwrap();
    let text = |value: &str| EnvironmentValue::Text(value.into());
    let environment = vec![
        ("LISTEN_PID".into(), EnvironmentValue::Pid),
        ("LISTEN_FDS".into(), text("1")),
        ("LISTEN_FDNAMES".into(), text("odd")),
    ];
    let program = [env!("CARGO_BIN_EXE_sys-trampoline")];
    let (output, _) = run(SpawnPlan { environment, passed: vec![null.as_fd()], ..plan(&program) });
    assert_eq!(output, "descriptor 3 (odd) cannot be used: it is not a socket\n");
}
