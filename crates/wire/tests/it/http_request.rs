//! Heads of requests: what is read, what is refused, and that pieces make no difference.

use proptest::prelude::{Strategy, any, prop, proptest};
use remuda_wire::http::{Framing, Head, HeadFault, HeadLimits, Method, PathFault, RequestParser, Version};

/// The head at the front of `bytes`, and how long it is.
fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, HeadFault> {
    let mut head = Head::new();
    let len = RequestParser::default().parse(bytes, &mut head)?;
    Ok(len.map(|len| (head, len)))
}

fn head(text: &str) -> Head {
    let (head, len) = read(text.as_bytes()).unwrap().unwrap();
    assert_eq!(len, text.len());
    head
}

fn fault(text: impl AsRef<[u8]>) -> HeadFault {
    match read(text.as_ref()) {
        Err(fault) => fault,
        Ok(head) => panic!("{:?} was read as {head:?}", String::from_utf8_lossy(text.as_ref())),
    }
}

/// A GET of HTTP/1.1 with a host and `fields`, each with its CRLF.
fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// As `read`, byte by byte.
fn read_slowly(bytes: &[u8]) -> Result<Option<(Head, usize)>, HeadFault> {
    let (mut parser, mut head) = (RequestParser::default(), Head::new());
    for end in 0..=bytes.len() {
        if let Some(len) = parser.parse(&bytes[..end], &mut head)? {
            return Ok(Some((head, len)));
        }
    }
    Ok(None)
}

/// What two readers of the same bytes must agree on.
fn told(read: Result<Option<(Head, usize)>, HeadFault>) -> Result<Option<String>, HeadFault> {
    read.map(|read| {
        read.map(|(head, len)| {
            let mut written = Vec::new();
            head.write(head.target(), &mut written);
            let path = String::from_utf8_lossy(head.path()).into_owned();
            format!("{} {path} {:?} {len}", String::from_utf8_lossy(&written), head.framing())
        })
    })
}

#[test]
fn a_head_is_read_with_all_its_parts() {
    let head = head(
        "POST /a%20b/../c?x=1&y HTTP/1.1\r\nhost: Example.org:80\r\nContent-Length:  5 \r\nExpect: 100-continue\r\nX: \r\n\r\n",
    );
    assert_eq!(*head.method(), Method::Post);
    assert_eq!(head.version(), Version::Http11);
    assert_eq!(head.target(), b"/a%20b/../c?x=1&y");
    assert_eq!(
        (head.path(), head.raw_path(), head.query()),
        (&b"/c"[..], &b"/a%20b/../c"[..], Some(&b"x=1&y"[..]))
    );
    assert_eq!(head.host(), b"Example.org:80");
    assert_eq!(head.framing(), Framing::Length(5));
    assert!(head.expects_continue() && head.keeps_alive());
    assert_eq!(head.fields().get("X"), Some(&b""[..]));
    assert_eq!(head.fields().len(), 4);
}

#[test]
fn the_forms_of_a_target_are_those_of_their_methods() {
    let form = |line: &str| {
        let text = format!("{line} HTTP/1.1\r\nHost: other\r\n\r\n");
        let head = head(&text);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(head.origin_form()), text(head.path()), text(head.host()))
    };
    let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(form("GET /x?y"), owned("/x?y", "/x", "other"));
    assert_eq!(form("GET http://me:81/x?y"), owned("/x?y", "/x", "me:81"));
    assert_eq!(form("GET HTTPS://[::1]"), owned("/", "/", "[::1]"));
    assert_eq!(form("GET http://me?q"), owned("/", "/", "me"));
    assert_eq!(form("OPTIONS *"), owned("*", "*", "other"));
    assert_eq!(form("OPTIONS http://me"), owned("*", "*", "me"));
    assert_eq!(form("CONNECT me:443"), owned("me:443", "", "me:443"));
    assert_eq!(form("PURGE /x"), owned("/x", "/x", "other"));
}

#[test]
fn targets_of_another_form_are_refused() {
    for line in [
        "GET *",
        "GET me:443",
        "GET x",
        "GET ftp://me/",
        "GET http://",
        "GET http:///x",
        "GET http://user@me/",
        "GET http://me:http/",
        "GET http://me:123456/",
        "GET http://[::1/",
        "GET http://[nonsense]/",
        "GET /x#y",
        "CONNECT /x",
        "CONNECT me",
        "CONNECT http://me:1/",
    ] {
        let fault = fault(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(matches!(fault, HeadFault::Target(_)), "{line}: {fault:?}");
        assert_eq!(fault.status(), 400);
    }
}

#[test]
fn what_others_would_read_differently_is_refused() {
    let body = |fields: &str| fault(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    // A length and a coding, in any disguise.
    assert_eq!(body("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), HeadFault::LengthAndCoding);
    assert_eq!(body("Transfer-Encoding: chunked\t\r\nContent-Length: 5\r\n"), HeadFault::LengthAndCoding);
    assert_eq!(body("content-length: 0\r\ntransfer-encoding: Chunked\r\n"), HeadFault::LengthAndCoding);
    // Codings that are not exactly `chunked`.
    for coding in
        ["identity", "chunked, identity", "xchunked", "chunked;x", "chunked, chunked", "\"chunked\"", ","]
    {
        assert_eq!(body(&format!("Transfer-Encoding: {coding}\r\n")), HeadFault::Coding, "{coding}");
    }
    assert_eq!(body("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), HeadFault::Coding);
    assert_eq!(body("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), HeadFault::Coding);
    assert_eq!(body("Transfer-Encoding:\r\n"), HeadFault::Coding);
    assert_eq!(body("Transfer-Encoding: gzip, chunked\r\n"), HeadFault::UnknownCoding);
    assert_eq!(HeadFault::UnknownCoding.status(), 501);
    assert_eq!(fault("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), HeadFault::CodingInOldVersion);
    // Lengths that are no numbers, or two.
    for length in ["+2", "-1", "0x2", "2 2", "2, 2", "", "2;", "9223372036854775808", "99999999999999999999"]
    {
        assert_eq!(body(&format!("Content-Length: {length}\r\n")), HeadFault::Length, "{length:?}");
    }
    assert_eq!(body("Content-Length: 2\r\nContent-Length: 3\r\n"), HeadFault::Length);
    assert_eq!(body("Content-Length: 2\r\nContent-Length: 2\r\n"), HeadFault::Length);
    // Hosts.
    assert_eq!(fault("GET / HTTP/1.1\r\n\r\n"), HeadFault::MissingHost);
    assert_eq!(fault(get("Host: b\r\n")), HeadFault::SeveralHosts);
    assert_eq!(fault(get("hOST: a\r\n")), HeadFault::SeveralHosts);
    for host in ["", "a b", "a/b", "user@a", "a:b", "a,b:", "a?", "[::1", "a\u{e4}"] {
        let fault = fault(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(fault, HeadFault::Host, "{host:?}");
    }
    assert_eq!(body("Content-Length: 1\r\nExpect: 200-ok\r\n"), HeadFault::Expectation);
}

#[test]
fn lines_that_do_not_end_or_begin_as_they_should_are_refused() {
    for text in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        assert_eq!(fault(text), HeadFault::BareLineFeed, "{text:?}");
    }
    let malformed = [
        // Obsolete folding, white space before the colon and before the name.
        get("X: a\r\n b\r\n"),
        get("X: a\r\n\tb\r\n"),
        get("Transfer-Encoding : chunked\r\n"),
        get("X\t: a\r\n"),
        get(" X: a\r\n"),
        // Control characters, a name that is none, a line without a colon.
        get("X: a\0b\r\n"),
        get("X: a\rb\r\n"),
        get("X: a\x0bb\r\n"),
        get("X\0: a\r\n"),
        get(": a\r\n"),
        get("(X): a\r\n"),
        get("X\r\n"),
        // Request lines.
        "GET /\r\n\r\n".to_owned(),
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n".to_owned(),
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}".to_owned(),
        "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
    ];
    for text in malformed {
        let fault = fault(&text);
        assert!(matches!(fault, HeadFault::Malformed(_)), "{text:?}: {fault:?}");
    }
    for version in ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/1.1\t"] {
        let fault = fault(format!("GET / {version}\r\nHost: a\r\n\r\n"));
        assert!(matches!(fault, HeadFault::Version | HeadFault::Malformed(_)), "{version}: {fault:?}");
    }
    assert_eq!(fault("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status(), 505);
}

#[test]
fn an_empty_line_before_a_request_is_passed_over() {
    let text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET";
    let (head, len) = read(text.as_bytes()).unwrap().unwrap();
    assert_eq!((head.path(), len), (&b"/"[..], text.len() - 3));
}

#[test]
fn every_limit_is_kept_at_its_byte() {
    let limits = HeadLimits { head_max: 120, line_max: 40, fields_max: 3 };
    let try_it = |text: &str| RequestParser::new(limits.clone()).parse(text.as_bytes(), &mut Head::new());
    let line = |len: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(len - 16));
    assert!(try_it(&line(40)).unwrap().is_some());
    assert_eq!(try_it(&line(41)), Err(HeadFault::LineTooLong));
    assert_eq!(try_it(&line(2000)[..1000]), Err(HeadFault::LineTooLong));
    assert_eq!(HeadFault::LineTooLong.status(), 414);
    let total = |len: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(len - 32));
    assert!(try_it(&total(120)).unwrap().is_some());
    assert_eq!(try_it(&total(121)), Err(HeadFault::HeadTooLarge));
    assert_eq!(try_it(&total(2000)[..121]), Err(HeadFault::HeadTooLarge));
    assert!(try_it(&get("A: 1\r\nB: 2\r\n")).unwrap().is_some());
    assert_eq!(try_it(&get("A: 1\r\nB: 2\r\nC: 3\r\n")), Err(HeadFault::TooManyFields));
    assert_eq!((HeadFault::HeadTooLarge.status(), HeadFault::TooManyFields.status()), (431, 431));
}

#[test]
fn paths_that_cannot_be_looked_up_are_refused() {
    for (path, expected) in [
        ("/%00", PathFault::Nul),
        ("/a\\b", PathFault::Backslash),
        ("/a%5cb", PathFault::Backslash),
        ("/%", PathFault::Percent),
        ("/%2", PathFault::Percent),
        ("/%zz", PathFault::Percent),
        ("/..", PathFault::AboveRoot),
        ("/a/%2e%2E/../b", PathFault::AboveRoot),
    ] {
        let text = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(fault(text), HeadFault::Path(expected), "{path}");
    }
}

#[test]
fn connections_are_kept_as_the_version_says() {
    let keeps = |version: &str, connection: &str| {
        head(&format!("GET / HTTP/{version}\r\nHost: a\r\nConnection: {connection}\r\n\r\n")).keeps_alive()
    };
    assert!(keeps("1.1", "x") && keeps("1.0", "Keep-Alive") && keeps("1.1", "keep-alive"));
    assert!(!keeps("1.1", "x, Close") && !keeps("1.0", "x") && !keeps("1.0", "keep-alive, close"));
}

#[test]
fn an_upgrade_is_one_only_where_it_can_be() {
    let asked = |line: &str, fields: &str| {
        let head = head(&format!("{line}\r\nHost: a\r\nUpgrade: websocket\r\n{fields}\r\n"));
        head.upgrade().map(<[u8]>::to_vec)
    };
    let (new, old) = ("GET / HTTP/1.1", "GET / HTTP/1.0");
    assert_eq!(asked(new, "Connection: keep-alive, Upgrade\r\n"), Some(b"websocket".to_vec()));
    assert_eq!(asked(new, ""), None);
    assert_eq!(asked(old, "Connection: upgrade\r\n"), None);
    assert_eq!(asked(new, "Connection: upgrade\r\nContent-Length: 3\r\n"), None);
}

#[test]
fn a_head_of_http2_keeps_the_same_rules() {
    let compose = |target: &[u8], authority: Option<&[u8]>, fields: &[(&'static str, &'static [u8])]| {
        Head::compose(Version::Http2, Method::Get, target, authority, fields.iter().copied())
    };
    let head = compose(b"/a%2e?q", Some(b"me"), &[("accept", b"x")]).unwrap();
    assert_eq!((head.path(), head.host(), head.query()), (&b"/a."[..], &b"me"[..], Some(&b"q"[..])));
    assert_eq!(compose(b"/", Some(b"a@b"), &[]).unwrap_err(), HeadFault::Host);
    assert_eq!(compose(b"/", None, &[("host", b"a"), ("host", b"a")]).unwrap_err(), HeadFault::SeveralHosts);
    assert!(compose(b"/ x", Some(b"a"), &[]).is_err());
    assert!(compose(b"", Some(b"a"), &[]).is_err());
}

#[test]
fn a_head_that_is_used_again_has_nothing_of_the_last_one() {
    let (mut parser, mut head) = (RequestParser::default(), Head::new());
    let first = "POST /%61 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
    parser.parse(first.as_bytes(), &mut head).unwrap().unwrap();
    assert_eq!((head.path(), head.keeps_alive()), (&b"/a"[..], false));
    parser.parse(get("").as_bytes(), &mut head).unwrap().unwrap();
    assert_eq!((head.path(), head.framing(), head.keeps_alive()), (&b"/"[..], Framing::Empty, true));
    assert_eq!(head.fields().len(), 1);
}

/// Something that looks like a request, with chances for faults.
fn almost_a_request() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a/../b?c HTTP/1.1\r\n",
        "GET http://h/x HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.0\r\n",
        "GET /%2f%41 HTTP/1.1\n",
        "\r\nHEAD / HTTP/1.1\r\n",
    ]);
    let field = prop::sample::select(vec![
        "Host: a\r\n",
        "Host: b\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close, x\r\n",
        "X: y\n",
        " folded\r\n",
        "Expect: 100-continue\r\n",
    ]);
    let noise = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (line, prop::collection::vec(field, 0..5), noise).prop_map(|(line, fields, noise)| {
        let mut bytes = format!("{line}{}\r\nrest", fields.concat()).into_bytes();
        for (place, byte) in noise {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn pieces_make_no_difference(bytes in almost_a_request()) {
        assert_eq!(told(read(&bytes)), told(read_slowly(&bytes)));
    }

    #[test]
    fn noise_is_endured(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        assert_eq!(told(read(&bytes)), told(read_slowly(&bytes)));
    }

    #[test]
    fn what_is_written_is_read_as_it_was(
        path in "/[a-z/%20.]{0,20}",
        fields in prop::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,12}", "[!-~]([ -~\t]{0,30}[!-~])?"), 0..12),
    ) {
        let mut text = format!("PATCH {path} HTTP/1.1\r\nhost: a\r\n");
        for (name, value) in &fields {
            text.push_str(&format!("x-{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        if let Some((head, _)) = read(text.as_bytes()).ok().flatten() {
            let mut written = Vec::new();
            head.write(head.target(), &mut written);
            assert_eq!(String::from_utf8(written).unwrap(), text);
        } else {
            assert!(path.contains('%') || path.contains(".."));
        }
    }
}
