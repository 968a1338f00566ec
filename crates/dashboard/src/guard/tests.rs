//! Whose requests are ours.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::{HEADER, is_our_host, is_our_page};

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn addresses_localhost_and_names_of_the_config_are_ours_and_no_others() {
    let own = ["dash.example.com".to_owned()];
    for host in [
        "127.0.0.1:7900",
        "127.0.0.1",
        "[::1]:80",
        "[::1]",
        "localhost:7900",
        "LOCALHOST",
        "dash.example.com",
    ] {
        assert!(is_our_host(&headers(&[("host", host)]), &own), "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:7900", "", "dash.example.com.x"]
    {
        assert!(!is_our_host(&headers(&[("host", host)]), &own), "{host}");
    }
    assert!(!is_our_host(&headers(&[]), &own));
    assert!(!is_our_host(&headers(&[("host", "localhost"), ("host", "localhost")]), &own));
}

#[test]
fn what_changes_something_has_our_header_and_no_foreign_origin() {
    let host = ("host", "127.0.0.1:7900");
    assert!(is_our_page(&headers(&[host, (HEADER, "1")])));
    assert!(is_our_page(&headers(&[host, (HEADER, "1"), ("origin", "http://127.0.0.1:7900")])));
    assert!(!is_our_page(&headers(&[host])));
    assert!(!is_our_page(&headers(&[host, ("origin", "http://127.0.0.1:7900")])));
    for origin in ["http://127.0.0.1:7901", "http://evil.example", "null", ""] {
        assert!(!is_our_page(&headers(&[host, (HEADER, "1"), ("origin", origin)])), "{origin}");
    }
}
