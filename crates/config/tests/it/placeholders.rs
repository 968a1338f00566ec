//! Placeholders, in every dialect.

use std::collections::BTreeMap;

use proptest::prelude::*;
use remuda_config::substitute::{SocketValue, SubstituteError, Values, check, escape, substitute};
use remuda_model::{ServiceName, SocketName};

fn values() -> Values {
    let web = SocketValue { descriptor: 3, address: "127.0.0.1:8080".into(), port: Some(8080) };
    let local = SocketValue { descriptor: 4, address: "unix:/run/a.sock".into(), port: None };
    let name = |text: &str| SocketName::new(text).expect("a name");
    Values {
        service: ServiceName::new("shop").expect("a name"),
        slot: 2,
        generation: 7,
        workers: 4,
        sockets: BTreeMap::from([(name("web"), web), (name("local"), local)]),
        environment: BTreeMap::from([("HOME".to_owned(), "/home/ann".to_owned())]),
    }
}

fn filled(text: &str) -> String {
    substitute(text, &values()).unwrap_or_else(|why| panic!("{text}: {why}"))
}

#[test]
fn every_dialect_names_the_descriptor_of_a_socket() {
    for text in [
        "$(socket.web)",
        "$(fd.web)",
        "$(circus.sockets.web)",
        "((circus.sockets.web))",
        "${circus.sockets.web}",
        "{SOCKET:web}",
    ] {
        assert_eq!(filled(&format!("fd://{text}/")), "fd://3/");
    }
}

#[test]
fn every_other_placeholder_has_its_value() {
    assert_eq!(filled("$(address.web) $(port.web)"), "127.0.0.1:8080 8080");
    assert_eq!(filled("$(slot) $(slot+5000) $(circus.wid)"), "2 5002 3");
    assert_eq!(filled("$(service) $(generation) $(workers) $(circus.numprocesses)"), "shop 7 4 4");
    assert_eq!(filled("$(env.HOME):$(circus.env.HOME):((circus.env.HOME))"), "/home/ann:/home/ann:/home/ann");
}

#[test]
fn what_is_escaped_or_no_placeholder_stays() {
    assert_eq!(filled("$$(slot) $HOME $ (a) {b} ${c} $5"), "$(slot) $HOME $ (a) {b} ${c} $5");
    assert_eq!(
        filled("$${circus.wid} $$((circus.wid)) $${SOCKET:web}"),
        "${circus.wid} ((circus.wid)) {SOCKET:web}"
    );
}

#[test]
fn what_has_no_value_is_an_error_that_says_where() {
    let why = |text: &str| substitute(text, &values()).expect_err("no value");
    assert!(matches!(why("ab $(date)"), SubstituteError::Unknown { range, .. } if range == (3..10)));
    assert!(matches!(why("$(slto)"), SubstituteError::Unknown { nearest: Some(name), .. } if name == "slot"));
    assert!(matches!(why("$(slot"), SubstituteError::Unclosed { .. }));
    assert!(
        matches!(why("$(socket.wb)"), SubstituteError::Socket { nearest: Some(name), .. } if name == "web")
    );
    assert!(matches!(why("$(port.local)"), SubstituteError::Port { .. }));
    assert!(matches!(why("$(env.NOPE)"), SubstituteError::Variable { .. }));
}

#[test]
fn a_check_knows_the_sockets_but_not_the_variables() {
    let web = [SocketName::new("web").expect("a name")];
    assert_eq!(check("$(socket.web) $(env.ANY) $(port.web)", &web), Ok(()));
    assert!(check("$(socket.local)", &web).is_err());
}

proptest! {
    #[test]
    fn an_escaped_text_comes_out_as_it_was(text in r"([$(){}a.]|\$\(|\(\(circus\.|\$\{circus\.|\{SOCKET:){0,12}") {
        prop_assert_eq!(filled(&escape(&text)), text);
    }

    #[test]
    fn no_text_is_too_strange(text in r"(\PC|[$(){}]|circus\.|SOCKET:|slot\+){0,20}") {
        let _ = substitute(&text, &values());
        let _ = check(&text, &[]);
    }
}
