//! Addresses are of one form.

use super::Address;

#[test]
fn an_address_is_a_host_and_a_port() {
    for good in ["10.0.0.1:7946", "[2001:db8::1]:1", "node-1.example.org:65535", "localhost:80"] {
        assert_eq!(good.parse::<Address>().unwrap().as_str(), good);
    }
    for bad in [
        "",
        ":1",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:-1",
        "2001:db8::1:80",
        "[::1]",
        "a b:1",
        "[x]:1",
    ] {
        assert!(bad.parse::<Address>().is_err(), "{bad}");
    }
    assert!(format!("{}:1", "a".repeat(300)).parse::<Address>().is_err());
}
