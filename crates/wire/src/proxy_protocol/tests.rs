//! Both versions of the header, whole, in parts and broken.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::tlv::crc32c;
use super::{ProxyFault, ProxyHeader, V2_SIGNATURE, missing, parse, write_v1, write_v2, write_v2_local};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn v2(command: u8, family: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = V2_SIGNATURE.to_vec();
    bytes.extend([command, family]);
    bytes.extend(u16::try_from(contents.len()).unwrap().to_be_bytes());
    bytes.extend(contents);
    bytes
}

#[test]
fn the_standards_examples_are_read() {
    let line = b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n";
    let (header, len) = parse(line).unwrap().unwrap();
    assert_eq!(header.addresses, Some((address("192.168.0.1:56324"), address("192.168.0.11:443"))));
    assert_eq!(&line[len..], b"GET / HTTP/1.1\r\n");
    let longest = b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    assert_eq!(parse(longest).unwrap().unwrap(), (ProxyHeader::default(), 107));
    assert_eq!(parse(b"PROXY UNKNOWN\r\n").unwrap().unwrap(), (ProxyHeader::default(), 15));
}

#[test]
fn lines_that_are_none_are_refused() {
    for line in [
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
        "PROXY TCP4 1.2.3.4\r1.2.3.4 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY \r\n",
    ] {
        assert_eq!(parse(line.as_bytes()), Err(ProxyFault::Line), "{line:?}");
    }
    let long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 100]].concat();
    assert_eq!(parse(&long), Err(ProxyFault::Line));
    assert_eq!(parse(b"GET / HTTP/1.1\r\n"), Err(ProxyFault::Signature));
    assert_eq!(parse(b"PROX1"), Err(ProxyFault::Signature));
}

#[test]
fn what_version_2_tells_beside_addresses_is_read() {
    let mut contents = vec![10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 187];
    contents.extend([1, 0, 2, b'h', b'2', 4, 0, 1, 0, 2, 0, 4, b't', b'e', b's', b't']);
    contents.extend([0x20, 0, 5, 1, 0, 0, 0, 0, 5, 0, 2, b'i', b'd']);
    let (header, len) = parse(&v2(0x21, 0x11, &contents)).unwrap().unwrap();
    assert_eq!(len, 16 + contents.len());
    assert_eq!(header.addresses, Some((address("10.0.0.1:80"), address("10.0.0.2:443"))));
    let details = header.details;
    assert_eq!(details.protocol.unwrap(), b"h2");
    assert_eq!(details.authority.unwrap(), b"test");
    assert_eq!(details.unique_id.unwrap(), b"id");
    assert!(details.is_secure);
}

#[test]
fn a_checksum_is_checked() {
    // The check value of CRC-32C.
    assert_eq!(crc32c(b"123456789".iter().copied()), 0xe306_9283);
    let contents = [&[10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 1, 187][..], &[3, 0, 4, 0, 0, 0, 0]].concat();
    let mut bytes = v2(0x21, 0x11, &contents);
    let sum = crc32c(bytes.iter().copied()).to_be_bytes();
    assert_eq!(parse(&bytes), Err(ProxyFault::Checksum));
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&sum);
    assert!(parse(&bytes).unwrap().is_some());
    bytes[16] ^= 1;
    assert_eq!(parse(&bytes), Err(ProxyFault::Checksum));
}

#[test]
fn who_speaks_for_itself_names_nobody() {
    let mut out = Vec::new();
    write_v2_local(&mut out);
    assert_eq!(parse(&out).unwrap().unwrap(), (ProxyHeader::default(), 16));
    assert_eq!(parse(&v2(0x20, 0x11, &[7; 30])).unwrap().unwrap(), (ProxyHeader::default(), 46));
    assert_eq!(parse(&v2(0x21, 0x00, &[7; 30])).unwrap().unwrap(), (ProxyHeader::default(), 46));
    assert_eq!(parse(&v2(0x21, 0x31, &[7; 216])).unwrap().unwrap(), (ProxyHeader::default(), 232));
}

#[test]
fn headers_of_version_2_that_cannot_be_are_refused() {
    assert_eq!(parse(&v2(0x11, 0x11, &[0; 12])), Err(ProxyFault::Command));
    assert_eq!(parse(&v2(0x22, 0x11, &[0; 12])), Err(ProxyFault::Command));
    assert_eq!(parse(&v2(0x21, 0x41, &[0; 12])), Err(ProxyFault::Command));
    assert_eq!(parse(&v2(0x21, 0x11, &[0; 11])), Err(ProxyFault::Length));
    assert_eq!(parse(&v2(0x21, 0x11, &[0; 13])), Err(ProxyFault::Length));
    assert_eq!(parse(&v2(0x21, 0x11, &[0; 4097])), Err(ProxyFault::Length));
    assert_eq!(parse(&v2(0x21, 0x11, &[0; 4097])[..16]), Err(ProxyFault::Length), "before it is waited for");
}

fn addresses() -> impl Strategy<Value = SocketAddr> {
    let four = (any::<[u8; 4]>(), any::<u16>()).prop_map(SocketAddr::from);
    let six = (any::<[u16; 8]>(), any::<u16>()).prop_map(SocketAddr::from);
    prop_oneof![four, six]
}

/// Reads as a careful reader does: never more than is surely missing.
fn read_carefully(bytes: &[u8]) -> Result<(ProxyHeader, usize), ProxyFault> {
    let mut have = 0;
    loop {
        if let Some(found) = parse(&bytes[..have])? {
            return Ok(found);
        }
        let more = missing(&bytes[..have]);
        assert!(more > 0);
        have += more;
        assert!(have <= bytes.len(), "read into what is not the header's");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_nothing_behind_it(source in addresses(), destination in addresses()) {
        let mut out = Vec::new();
        write_v2(source, destination, &mut out);
        let (header, len) = parse(&out).unwrap().unwrap();
        prop_assert_eq!(len, out.len());
        prop_assert_eq!(read_carefully(&out).unwrap(), (header.clone(), len));
        let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let (one, two) = header.addresses.unwrap();
        prop_assert_eq!((canonical(one), canonical(two)), (canonical(source), canonical(destination)));

        let mut line = Vec::new();
        write_v1(Some((source, destination)), &mut line);
        prop_assert!(line.len() <= 107);
        let (header, len) = read_carefully(&line).unwrap();
        prop_assert_eq!(len, line.len());
        let same = source.is_ipv4() == destination.is_ipv4();
        prop_assert_eq!(header.addresses, same.then_some((source, destination)));
    }

    #[test]
    fn a_beginning_of_a_header_waits_for_the_rest(source in addresses(), destination in addresses(), cut in 0..60_usize) {
        for version in [1, 2] {
            let mut out = Vec::new();
            if version == 1 { write_v1(Some((source, destination)), &mut out) } else { write_v2(source, destination, &mut out) }
            if cut < out.len() {
                prop_assert_eq!(parse(&out[..cut]), Ok(None));
            }
        }
    }

    #[test]
    fn whatever_comes_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300), command in any::<u8>(), family in any::<u8>()) {
        let _any = parse(&bytes);
        let _some = missing(&bytes);
        let _known = parse(&v2(command, family, &bytes));
        let _proxied = parse(&v2(0x21, 0x11, &bytes));
        let line = [b"PROXY TCP4 ".as_slice(), &bytes].concat();
        let _line = parse(&line);
    }
}
