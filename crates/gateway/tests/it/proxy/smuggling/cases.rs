//! What is sent.

/// What the gateway may do with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Say no, and send nothing on.
    Refused,
    /// Send it on as one request.
    Passed,
}

/// One way to hide a request.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) expected: Expected,
}

/// The request that is hidden.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n";

/// A POST with these lines, and `body` behind its head.
fn post(lines: &str, body: &str) -> String {
    format!("POST /carrier HTTP/1.1\r\nHost: test\r\n{lines}\r\n{body}")
}

fn case(name: impl Into<String>, expected: Expected, text: impl Into<String>) -> Case {
    Case { name: name.into(), bytes: text.into().into_bytes(), expected }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = codings();
    cases.extend(lengths());
    cases.extend(chunks());
    cases.extend(heads());
    cases.extend(bodies());
    cases
}

/// Transfer-Encoding in disguise: with a length beside it, one side reads the one, the other the other.
fn codings() -> Vec<Case> {
    let body = format!("0\r\n\r\n{HIDDEN}");
    let length = format!("Content-Length: {}\r\n", body.len());
    let lines = [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\t\r\n",
        "Transfer-Encoding:\tchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: 'chunked'\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        "Transfer-Encoding: chun\0ked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: CHUNKED\r\n",
        "Transfer-Encoding:\r\n",
    ];
    let mut cases = Vec::new();
    for line in lines {
        for lines in [format!("{length}{line}"), format!("{line}{length}")] {
            cases.push(case(format!("length beside {line:?}"), Expected::Refused, post(&lines, &body)));
        }
    }
    // A name that is another: it means nothing to us, and must not to programs behind CGI's names.
    let hidden = format!("{length}Transfer_Encoding: chunked\r\n");
    cases.push(case("an underscore in the coding's name", Expected::Passed, post(&hidden, &body)));
    let old = format!("POST /carrier HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    cases.push(case("a coding in HTTP/1.0", Expected::Refused, old));
    cases
}

fn lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for value in ["+5", "-1", "0x5", "5,5", "5, 5", "5 ", "0 5", "5;", "5.0", "", "99999999999999999999", "५"]
    {
        let lines = format!("Content-Length: {value}\r\n");
        // White space around is not part of the value.
        let expected = if value == "5 " { Expected::Passed } else { Expected::Refused };
        let body = if value == "5 " { "hello" } else { HIDDEN };
        cases.push(case(format!("Content-Length {value:?}"), expected, post(&lines, body)));
    }
    for (one, two) in [("0", "5"), ("5", "0"), ("5", "5")] {
        let lines = format!("Content-Length: {one}\r\nContent-Length: {two}\r\n");
        cases.push(case(format!("two lengths {one} {two}"), Expected::Refused, post(&lines, HIDDEN)));
    }
    let spaced = format!("Content-Length : {}\r\n", HIDDEN.len());
    cases.push(case("a space before the length's colon", Expected::Refused, post(&spaced, HIDDEN)));
    cases
}

/// Chunks that end elsewhere for somebody else.
fn chunks() -> Vec<Case> {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let bodies = [
        ("a bare LF behind the size", format!("5\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a bare LF behind an extension", format!("5;x\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a bare CR in an extension", format!("5;x\r5\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a bare LF behind a chunk", format!("5\r\nhello\n0\r\n\r\n{HIDDEN}")),
        ("a size with a sign", format!("+5\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a size with 0x", format!("0x5\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a size that overflows", format!("10000000000000005\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a size with a space before it", format!(" 5\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a size with a space behind it", format!("5 \r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a chunk that is longer than its size", format!("3\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("no size", format!("\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("a trailer that is none", format!("0\r\nno trailer\r\n\r\n{HIDDEN}")),
        ("a bare LF at the end", format!("0\r\n\n{HIDDEN}")),
    ];
    let mut cases: Vec<_> = bodies
        .into_iter()
        .map(|(name, body)| {
            let text = post(chunked, &body);
            // By then the head has gone on: a program may see it, and nothing else.
            case(name, Expected::Passed, text)
        })
        .collect();
    let trailers = "0\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\nHost: evil\r\n\r\n";
    cases.push(case("trailers that would be framing", Expected::Passed, post(chunked, trailers)));
    cases
}

fn heads() -> Vec<Case> {
    let get = |lines: &str| format!("GET /carrier HTTP/1.1\r\n{lines}\r\n{HIDDEN}");
    let refused = [
        ("two hosts", get("Host: test\r\nHost: evil\r\n")),
        ("the same host twice", get("Host: test\r\nHost: test\r\n")),
        ("no host", get("")),
        ("a list of hosts", get("Host: test, evil\r\n")),
        ("a host with a path", get("Host: test/evil\r\n")),
        ("a host with a user", get("Host: user@test\r\n")),
        ("a line without a colon", get("Host: test\r\nX\r\n")),
        ("a NUL in a value", get("Host: test\r\nX: a\0b\r\n")),
        ("a bare CR in a value", get("Host: test\r\nX: a\rGET /smuggled HTTP/1.1\r\n")),
        ("a bare LF behind the request line", format!("GET /carrier HTTP/1.1\nHost: test\r\n\r\n{HIDDEN}")),
        ("a bare LF at the head's end", format!("GET /carrier HTTP/1.1\r\nHost: test\r\n\n{HIDDEN}")),
        ("a fold", get("Host: test\r\nX: a\r\n\tb\r\n")),
        ("a space in the target", format!("GET /carrier /x HTTP/1.1\r\nHost: test\r\n\r\n{HIDDEN}")),
        ("a tab behind the method", format!("GET\t/carrier HTTP/1.1\r\nHost: test\r\n\r\n{HIDDEN}")),
        ("HTTP/0.9", "GET /smuggled\r\n\r\n".to_owned()),
        ("HTTP/1.2", format!("GET /carrier HTTP/1.2\r\nHost: test\r\n\r\n{HIDDEN}")),
        ("a target of another scheme", format!("GET ftp://test/ HTTP/1.1\r\nHost: test\r\n\r\n{HIDDEN}")),
        ("an encoded NUL", format!("GET /a%00b HTTP/1.1\r\nHost: test\r\n\r\n{HIDDEN}")),
        ("a way above the root", format!("GET /../../smuggled HTTP/1.1\r\nHost: test\r\n\r\n{HIDDEN}")),
        ("too many fields", get(&format!("Host: test\r\n{}", "X: y\r\n".repeat(101)))),
        ("a head that is too large", get(&format!("Host: test\r\nX: {}\r\n", "y".repeat(40_000)))),
    ];
    refused.into_iter().map(|(name, text)| case(name, Expected::Refused, text)).collect()
}

/// Bodies where some programs expect none (CL.0, TE.0), and bodies that look like requests.
fn bodies() -> Vec<Case> {
    let mut cases = Vec::new();
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST"] {
        for path in ["/carrier", "/carrier/..%2f", "/carrier/x.css", "/carrier;b"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
            let text = format!("{head}Content-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len());
            cases.push(case(format!("{method} {path} with a length"), Expected::Passed, text));
            let text = format!(
                "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{HIDDEN}\r\n0\r\n\r\n",
                HIDDEN.len()
            );
            cases.push(case(format!("{method} {path} in chunks"), Expected::Passed, text));
        }
    }
    let expects = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", HIDDEN.len());
    cases.push(case("a body that is announced", Expected::Passed, post(&expects, HIDDEN)));
    for value in ["100-Continue, x", "y 100-continue", "\t200-continue"] {
        let lines = format!("Content-Length: {}\r\nExpect: {value}\r\n", HIDDEN.len());
        cases.push(case(format!("Expect {value:?}"), Expected::Refused, post(&lines, HIDDEN)));
    }
    let stripped = format!("Content-Length: {}\r\nConnection: Content-Length\r\n", HIDDEN.len());
    cases.push(case("Connection that lists the length", Expected::Passed, post(&stripped, HIDDEN)));
    let switched =
        format!("Content-Length: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", HIDDEN.len());
    cases.push(case("an upgrade with a body", Expected::Passed, post(&switched, HIDDEN)));
    cases
}
