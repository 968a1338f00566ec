//! Certificates that change while they are in use.

use std::fs;

use super::secure::{Authority, Dialer, SecureServer, settings};

const YEAR: (i64, i64) = (-1, 364);

fn offered(dialer: &Dialer, server: &SecureServer) -> String {
    dialer.dial(server.https, "a.test").unwrap().offered()
}

#[test]
fn a_renewed_certificate_is_offered_and_connections_stay() {
    let authority = Authority::new();
    let spec = authority.put("a", &["a.test"], YEAR);
    let server = SecureServer::new(settings(vec![spec.clone()]));
    let dialer = Dialer::new(authority.roots()).without_memory();
    let mut before = dialer.dial(server.https, "a.test").unwrap();
    assert_eq!(before.offered(), "CN=a");
    let old = server.until(|_| true).certificates[0].not_after;
    let (certificate, key) = authority.issue(&["a.test"], "renewed", (-1, 300));
    fs::write(&spec.certificate, certificate).unwrap();
    fs::write(&spec.key, key).unwrap();
    let figures = server.until(|figures| figures.events.get("certificate-renewed") == Some(&1));
    assert_eq!(offered(&dialer, &server), "CN=renewed");
    let answer = before.ask("GET /bytes/1 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").unwrap();
    assert!(answer.ends_with("\r\n\r\nx"));
    // Taken before or after it was noted.
    assert!(figures.certificates[0].not_after <= old);
    let figures = server.until(|figures| figures.certificates[0].not_after < old);
    assert_eq!((figures.certificates[0].hosts.as_str(), &figures.certificates[0].problem), ("a.test", &None));
}

#[test]
fn what_is_half_written_or_does_not_fit_leaves_the_one_before_in_use() {
    let authority = Authority::new();
    let spec = authority.put("a", &["a.test"], YEAR);
    let server = SecureServer::new(settings(vec![spec.clone()]));
    // It has to have begun with the first one.
    server.until(|figures| !figures.certificates.is_empty());
    let dialer = Dialer::new(authority.roots()).without_memory();
    let refused =
        |times: u64| server.until(|figures| figures.events.get("certificate-refused") == Some(&times));
    let problem = |of: &str| {
        server.until(|figures| {
            figures.certificates[0].problem.as_ref().is_some_and(|problem| problem.contains(of))
        });
        assert_eq!(offered(&dialer, &server), "CN=a");
    };
    // It has read them: what comes now is a change.
    server.until(|_| true);
    let (certificate, key) = authority.issue(&["a.test"], "new", YEAR);
    // The certificate is there and the key is not yet.
    fs::write(&spec.certificate, &certificate).unwrap();
    refused(1);
    problem("is not that of");
    // Half of a file.
    fs::write(&spec.certificate, &certificate[..certificate.len() / 2]).unwrap();
    refused(2);
    problem("the line \"-----END CERTIFICATE-----\" is missing; is it still being written?");
    // None at all.
    fs::remove_file(&spec.certificate).unwrap();
    refused(3);
    problem("a.pem");
    // One that has ended.
    let (ended, ended_key) = authority.issue(&["a.test"], "ended", (-10, -1));
    fs::write(&spec.certificate, ended).unwrap();
    fs::write(&spec.key, ended_key).unwrap();
    problem("does not hold now");
    // And one that is right.
    fs::write(&spec.certificate, certificate).unwrap();
    fs::write(&spec.key, key).unwrap();
    server.until(|figures| figures.events.get("certificate-renewed") == Some(&1));
    assert_eq!(offered(&dialer, &server), "CN=new");
}

#[test]
fn one_that_has_ended_is_offered_where_there_is_no_other() {
    let authority = Authority::new();
    let server = SecureServer::new(settings(vec![authority.put("a", &["a.test"], (-10, -1))]));
    let refused = Dialer::new(authority.roots()).dial(server.https, "a.test").map(drop).unwrap_err();
    assert!(refused.to_string().contains("xpired"), "{refused}");
}
