//! Heads of responses, as servers behind us send them.

use proptest::prelude::{any, prop, proptest};
use remuda_wire::http::{Framing, HeadFault, Method, ResponseHead, ResponseParser, Version};

fn read(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, HeadFault> {
    let mut head = ResponseHead::default();
    let len = ResponseParser::default().parse(bytes, &mut head)?;
    Ok(len.map(|len| (head, len)))
}

fn framing(method: &Method, text: &str) -> Result<Framing, HeadFault> {
    read(text.as_bytes()).unwrap().unwrap().0.framing(method)
}

#[test]
fn a_head_is_read_and_written() {
    let text = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX:\r\n\r\n";
    let (head, len) = read(format!("{text}body").as_bytes()).unwrap().unwrap();
    assert_eq!((head.status, head.version, len), (404, Version::Http11, text.len()));
    assert!(head.keeps_alive() && !head.is_interim());
    let mut written = Vec::new();
    head.write(&mut written);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX: \r\n"
    );
    let mut unknown = Vec::new();
    ResponseHead::new(299).write(&mut unknown);
    assert_eq!(unknown, b"HTTP/1.1 299 \r\n");
    assert!(read(b"HTTP/1.1 103 Early Hints\r\n\r\n").unwrap().unwrap().0.is_interim());
    assert_eq!(read(b"HTTP/1.0 200\r\n\r\n").unwrap().unwrap().0.status, 200);
}

#[test]
fn the_end_of_a_body_follows_from_request_and_head() {
    let get = Method::Get;
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
    assert_eq!(framing(&get, length), Ok(Framing::Length(7)));
    assert_eq!(framing(&Method::Head, length), Ok(Framing::Empty));
    assert_eq!(framing(&Method::Connect, length), Ok(Framing::Empty));
    assert_eq!(framing(&get, "HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n"), Ok(Framing::Empty));
    assert_eq!(framing(&get, "HTTP/1.1 204 x\r\n\r\n"), Ok(Framing::Empty));
    assert_eq!(framing(&get, "HTTP/1.1 101 x\r\n\r\n"), Ok(Framing::Empty));
    assert_eq!(framing(&get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Ok(Framing::Chunked));
    assert_eq!(framing(&get, "HTTP/1.0 200 OK\r\n\r\n"), Ok(Framing::UntilClose));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(framing(&Method::Get, both), Err(HeadFault::LengthAndCoding));
    assert_eq!(framing(&Method::Head, both), Err(HeadFault::LengthAndCoding));
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n";
    assert_eq!(framing(&Method::Get, two), Err(HeadFault::Length));
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(framing(&Method::Get, old), Err(HeadFault::CodingInOldVersion));
    for text in [
        "HTTP/1.1 200 OK\nX: y\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/3 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "<html>",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn fields_about_the_connection_are_not_sent_on() {
    let text = "HTTP/1.1 200 OK\r\nConnection: X-Hop, close, Content-Length\r\nKeep-Alive: 5\r\nx-hop: 1\r\n\
        Content-Length: 3\r\nUpgrade: h2c\r\nProxy: evil\r\nTE: gzip, trailers\r\nTrailer: X\r\nAge: 1\r\n\r\n";
    let (mut head, _) = read(text.as_bytes()).unwrap().unwrap();
    head.fields.strip_hop_by_hop();
    let left: Vec<_> =
        head.fields.iter().map(|(name, _)| String::from_utf8(name.to_vec()).unwrap()).collect();
    assert_eq!(left, ["Content-Length", "Trailer", "Age", "TE"]);
    assert_eq!(head.fields.get("te"), Some(&b"trailers"[..]));
}

proptest! {
    #[test]
    fn noise_is_endured(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..40) {
        for prefix in [&b""[..], b"HTTP/1.1 200 OK\r\n"] {
            let bytes = [prefix, &bytes].concat();
            let whole = read(&bytes).map(|head| head.map(|(_, len)| len));
            let (mut parser, mut head) = (ResponseParser::default(), ResponseHead::default());
            let mut found = Ok(None);
            for end in (0..bytes.len()).step_by(piece).chain([bytes.len()]) {
                found = parser.parse(&bytes[..end], &mut head);
                if found != Ok(None) {
                    break;
                }
            }
            assert_eq!(whole, found);
        }
    }
}
