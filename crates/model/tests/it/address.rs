//! Addresses: every form reads back, and what is no address says why.

use std::path::Path;

use proptest::prelude::*;
use remuda_model::{Address, AddressError};

#[test]
fn every_form_is_understood_and_shown_in_its_shortest_way() {
    let shown = |text: &str| text.parse::<Address>().map(|address| address.to_string());
    for (written, expected) in [
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("tcp:127.0.0.1:0", "127.0.0.1:0"),
        ("tcp://[::1]:80", "[::1]:80"),
        ("8080", "[::]:8080"),
        (":8080", "[::]:8080"),
        ("*:8080", "[::]:8080"),
        ("localhost:8080", "localhost:8080"),
        ("udp:127.0.0.1:53", "udp:127.0.0.1:53"),
        ("/run/a.sock", "unix:/run/a.sock"),
        ("unix:a.sock", "unix:a.sock"),
        ("//run//a.sock", "unix:/run//a.sock"),
        ("unix:///run/a.sock", "unix:/run/a.sock"),
        ("unix-dgram:/run/a", "unix-dgram:/run/a"),
        ("unix-seqpacket:/run/a", "unix-seqpacket:/run/a"),
        ("unix:@shop", "unix:@shop"),
        ("@shop", "unix:@shop"),
        ("systemd:web", "systemd:web"),
        ("fd:3", "fd:3"),
        ("fd://3", "fd:3"),
    ] {
        assert_eq!(shown(written).as_deref(), Ok(expected), "{written}");
    }
}

#[test]
fn what_is_no_address_says_what_is_wrong() {
    let refused = |text: &str| text.parse::<Address>().unwrap_err();
    assert_eq!(refused("1.2.3.4:99999"), AddressError::Port("1.2.3.4:99999".into()));
    assert_eq!(refused("localhost:http"), AddressError::Port("localhost:http".into()));
    assert_eq!(refused("unix:"), AddressError::Missing("unix:".into()));
    assert_eq!(refused("//"), AddressError::Missing("//".into()));
    assert_eq!(refused("unix:@"), AddressError::Missing("unix:@".into()));
    assert_eq!(refused("fd:three"), AddressError::Form("fd:three".into()));
    assert_eq!(refused("udp:localhost:53"), AddressError::Form("udp:localhost:53".into()));
    assert_eq!(refused(""), AddressError::Form(String::new()));
    assert_eq!(refused("http://x:80/"), AddressError::Form("http://x:80/".into()));
}

#[test]
fn only_paths_are_made_absolute() {
    let below = |text: &str| text.parse::<Address>().unwrap().below(Path::new("/srv/shop")).to_string();
    assert_eq!(below("unix:run/a.sock"), "unix:/srv/shop/run/a.sock");
    assert_eq!(below("unix:/run/a.sock"), "unix:/run/a.sock");
    assert_eq!(below("unix:@a"), "unix:@a");
}

proptest! {
    #[test]
    fn whatever_is_understood_reads_back_the_same(text in "[a-z0-9:./@\\[\\]*-]{0,30}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
