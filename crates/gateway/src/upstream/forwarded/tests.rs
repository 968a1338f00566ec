//! Who a client is, by what trusted peers say of it.

use std::net::SocketAddr;

use proptest::prelude::*;
use remuda_wire::http::Fields;

use super::{Client, Forwarding, client_of, is_forwarded_field, write};

fn forwarding() -> Forwarding {
    Forwarding { trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()] }
}

fn fields(list: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in list {
        fields.append(name, value);
    }
    fields
}

fn written(address: &str, list: &[(&str, &str)], is_trusted: bool) -> String {
    let client = Client {
        address: address.parse().ok(),
        is_secure: false,
        host: b"shop.test",
        id: "0123456789abcdef",
        arrived_us: 1_790_000_000_000_000,
    };
    let mut out = Vec::new();
    write(&client, &fields(list), is_trusted, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_client_is_told_as_it_is() {
    assert_eq!(
        written("192.0.2.7:4711", &[("X-Forwarded-For", "6.6.6.6"), ("X-Request-Id", "mine")], false),
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop.test\r\n\
        Forwarded: for=192.0.2.7;proto=http;host=\"shop.test\"\r\nX-Request-Id: 0123456789abcdef\r\n\
        X-Request-Start: t=1790000000000000\r\n"
    );
    let six = written("[2001:db8::1]:80", &[], false);
    assert!(six.contains("X-Forwarded-For: 2001:db8::1\r\n"), "{six}");
    assert!(six.contains("Forwarded: for=\"[2001:db8::1]\";"), "{six}");
    let unix = written("-", &[], false);
    assert!(unix.contains("X-Forwarded-For: unknown\r\n"), "{unix}");
}

#[test]
fn what_a_trusted_peer_says_is_added_to() {
    let told = [
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-For", "10.0.0.3"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "www.test"),
        ("Forwarded", "for=192.0.2.1;proto=https"),
        ("X-Request-Id", "theirs"),
        ("X-Request-Start", "t=1"),
    ];
    let text = written("10.0.0.2:1", &told, true);
    for expected in [
        "X-Forwarded-For: 192.0.2.1, 10.0.0.3, 10.0.0.2\r\n",
        "X-Forwarded-Proto: https\r\n",
        "X-Forwarded-Host: www.test\r\n",
        "Forwarded: for=192.0.2.1;proto=https, for=10.0.0.2;proto=http;host=\"shop.test\"\r\n",
        "X-Request-Id: theirs\r\n",
        "X-Request-Start: t=1\r\n",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(
        written("10.0.0.2:1", &[("X-Request-Id", "a b")], true).contains("X-Request-Id: 0123456789abcdef")
    );
}

#[test]
fn names_that_programs_take_for_ours_are_known() {
    for name in
        ["X-Forwarded-For", "x_forwarded_for", "X-REAL_IP", "Forwarded", "x-request_id", "X-Forwarded_Proto"]
    {
        assert!(is_forwarded_field(name.as_bytes()), "{name}");
    }
    for name in ["X-Forwarded", "Host", "X-Requested-With", "traceparent"] {
        assert!(!is_forwarded_field(name.as_bytes()), "{name}");
    }
}

#[test]
fn the_client_is_the_last_one_nobody_vouches_for() {
    let of = |peer: &str, list: &[(&str, &str)]| {
        let peer: Option<SocketAddr> = peer.parse().ok();
        client_of(&forwarding(), peer, &fields(list)).map(|ip| ip.to_string())
    };
    let list = |list| [("X-Forwarded-For", list)];
    assert_eq!(of("192.0.2.7:1", &list("6.6.6.6")).unwrap(), "192.0.2.7");
    assert_eq!(of("10.0.0.1:1", &list("6.6.6.6, 192.0.2.9, 10.9.9.9")).unwrap(), "192.0.2.9");
    assert_eq!(of("10.0.0.1:1", &list("garbage, 10.9.9.9")).unwrap(), "10.9.9.9");
    assert_eq!(of("10.0.0.1:1", &list("[2001:db8::1]:443")).unwrap(), "2001:db8::1");
    assert_eq!(of("[::ffff:10.0.0.1]:1", &list("192.0.2.9:80")).unwrap(), "192.0.2.9");
    assert_eq!(of("10.0.0.1:1", &[]).unwrap(), "10.0.0.1");
    assert_eq!(of("-", &list("6.6.6.6")), None);
}

proptest! {
    #[test]
    fn whatever_is_told_no_line_is_added(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8),
        trusted in any::<bool>(),
    ) {
        let names = ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Request-Id", "X-Request-Start"];
        let mut fields = Fields::new();
        for (name, value) in names.iter().cycle().zip(&values) {
            fields.append(name, value);
        }
        let client = Client {
            address: "10.0.0.1:1".parse().ok(), is_secure: true, host: b"h", id: "i", arrived_us: 1,
        };
        let mut out = Vec::new();
        write(&client, &fields, trusted, &mut out);
        prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 6);
        let _any = client_of(&forwarding(), client.address, &fields);
    }
}
