//! Heads of HTTP/2 as everybody else sees them.

use super::*;

fn parts(request: http::request::Builder) -> Parts {
    request.body(()).unwrap().into_parts().0
}

fn get(uri: &str) -> http::request::Builder {
    http::Request::builder().method("GET").uri(uri)
}

#[test]
fn a_head_of_http2_reads_like_one_of_http1() {
    let head = request(&parts(get("https://a.test/x%41/../y?q=1").header("x-one", "1")), 100).unwrap();
    assert_eq!((head.path(), head.query(), head.host()), (&b"/y"[..], Some(&b"q=1"[..]), &b"a.test"[..]));
    assert_eq!(head.fields().get_str("X-One"), Some("1"));
    assert_eq!(head.version(), Version::Http2);
}

#[test]
fn two_hosts_none_and_too_many_fields_are_refused() {
    let other = request(&parts(get("https://a.test/").header("host", "b.test")), 100);
    assert_eq!(other.unwrap_err(), HeadFault::SeveralHosts);
    assert!(request(&parts(get("https://a.test/").header("host", "A.test")), 100).is_ok());
    assert_eq!(request(&parts(get("/")), 100).unwrap_err(), HeadFault::MissingHost);
    let many = get("https://a.test/").header("a", "1").header("b", "2");
    assert_eq!(request(&parts(many), 1).unwrap_err(), HeadFault::TooManyFields);
    assert!(request(&parts(get("https://a.test/../x")), 100).is_err());
}

#[test]
fn a_cookie_in_pieces_is_one_field() {
    let crumbs = get("https://a.test/").header("cookie", "a=1").header("cookie", "b=2");
    let head = request(&parts(crumbs), 100).unwrap();
    let cookies: Vec<_> = head.fields().get_all("cookie").collect();
    assert_eq!(cookies, [b"a=1; b=2"]);
}

#[test]
fn a_websocket_looks_as_it_does_in_http1() {
    let mut parts = parts(http::Request::builder().method("CONNECT").uri("https://a.test/chat"));
    parts.extensions.insert(h2::ext::Protocol::from_static("websocket"));
    let head = request(&parts, 100).unwrap();
    assert_eq!((head.upgrade(), head.method()), (Some(&b"websocket"[..]), &Method::Get));
    assert_eq!((head.path(), head.host()), (&b"/chat"[..], &b"a.test"[..]));
}

#[test]
fn what_is_of_a_connection_is_not_said_in_http2() {
    let mut head = ResponseHead::new(200);
    for name in ["Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "X-Kept"] {
        head.fields.append(name, "x");
    }
    let names: Vec<_> = response(&head).headers().keys().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["x-kept"]);
}
