//! Handshakes, and what follows from them for requests.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use remuda_gateway::acme::Pace;
use remuda_gateway::tls::{Tls, TlsError};
use remuda_model::gateway::{ClientCertificateSpec, TlsVersion};

use super::secure::{Authority, Dialer, SecureServer, limits, settings};
use super::support::PATIENCE;

const YEAR: (i64, i64) = (-1, 364);

#[test]
fn both_versions_of_tls_and_of_http_are_spoken() {
    let authority = Authority::new();
    let server = SecureServer::new(settings(vec![authority.put("a", &["a.test"], YEAR)]));
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let dialer = Dialer::versions(authority.roots(), &[version]);
        let answer = dialer.ask(server.https, "a.test", "/bytes/100000").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with(&"x".repeat(100_000)));
        for (wanted, got) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
            let secure = dialer.clone().alpn(wanted).dial(server.https, "a.test").unwrap();
            assert_eq!(secure.protocol(), Some(got.as_bytes()));
        }
    }
    let mut old = settings(vec![authority.put("a", &["a.test"], YEAR)]);
    old.spec.min_version = TlsVersion::V13;
    old.spec.http2 = false;
    let server = SecureServer::new(old);
    let dialer = Dialer::versions(authority.roots(), &[&rustls::version::TLS12]);
    assert!(dialer.ask(server.https, "a.test", "/").is_err());
    let secure =
        Dialer::new(authority.roots()).alpn(&["h2", "http/1.1"]).dial(server.https, "a.test").unwrap();
    assert_eq!(secure.protocol(), Some(&b"http/1.1"[..]));
}

#[test]
fn each_name_gets_its_certificate_and_others_the_first() {
    let authority = Authority::new();
    let names = [("first", "first.test"), ("wild", "*.wild.test"), ("exact", "exact.wild.test")];
    let specs = names.map(|(name, host)| authority.put(name, &[host], YEAR));
    let server = SecureServer::new(settings(specs.to_vec()));
    let dialer = Dialer::new(authority.roots()).without_memory();
    for (host, name) in names.map(|(name, host)| (host.replace('*', "some"), name)) {
        assert_eq!(dialer.dial(server.https, &host).unwrap().offered(), format!("CN={name}"));
    }
    // The client knows that it is the wrong one.
    assert!(dialer.dial(server.https, "nowhere.test").is_err());
    server.until(|figures| figures.events.get("tls-handshake-failed") == Some(&1));
}

#[test]
fn a_session_goes_on_at_another_worker() {
    let authority = Authority::new();
    let spec = authority.put("a", &["a.test"], YEAR);
    let (one, two) =
        (SecureServer::new(settings(vec![spec.clone()])), SecureServer::new(settings(vec![spec.clone()])));
    let mut other = settings(vec![spec]);
    other.secret = remuda_model::hub::Secret::new([8; 32]);
    let stranger = SecureServer::new(other);
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let dialer = Dialer::versions(authority.roots(), &[version]);
        let mut dial = |server: &SecureServer| {
            let mut secure = dialer.dial(server.https, "a.test").unwrap();
            let resumed = secure.is_resumed();
            let answer = secure.ask("GET /bytes/1 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
            assert!(answer.unwrap().ends_with("\r\n\r\nx"));
            resumed
        };
        assert_eq!([&one, &two, &one].map(&mut dial), [false, true, true]);
        assert!(!dial(&stranger));
    }
}

#[test]
fn a_client_shows_who_it_is_and_nobody_else_can_say_so() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let mut settings = settings(vec![authority.put("a", &["a.test", "open.test"], YEAR)]);
    settings.spec.client = Some(ClientCertificateSpec {
        authorities: clients.root(),
        required: true,
        hosts: vec!["a.test".parse().unwrap()],
    });
    let server = SecureServer::new(settings);
    let ada = Dialer::with_certificate(authority.roots(), &clients.issue(&[], "ada", YEAR));
    let answer = ada.ask(server.https, "a.test", "/fields/").unwrap();
    assert!(answer.contains("\nX-Client-Cert-Subject: CN=ada\n"), "{answer}");
    assert!(answer.contains("\nClient-Cert: :MII"), "{answer}");
    // Who has none, or one of somebody else, does not get in.
    let nobody = Dialer::new(authority.roots());
    assert!(nobody.ask(server.https, "a.test", "/fields/").is_err());
    let stranger = Dialer::with_certificate(authority.roots(), &authority.issue(&[], "ada", YEAR));
    assert!(stranger.ask(server.https, "a.test", "/fields/").is_err());
    // A host for all has to be asked for on a connection of its own.
    let said = "X-Client-Cert-Subject: CN=ada\r\nclient-cert: :MII=:\r\nConnection: close\r\n\r\n";
    let mut open = nobody.dial(server.https, "open.test").unwrap();
    let answer = open.ask(&format!("GET /fields/ HTTP/1.1\r\nHost: open.test\r\n{said}")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("ada") && !answer.contains("MII"));
    let mut open = nobody.dial(server.https, "open.test").unwrap();
    let answer = open.ask(&format!("GET /fields/ HTTP/1.1\r\nHost: A.test:443\r\n{said}")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 Misdirected Request\r\n"), "{answer}");
    assert!(server.end().events["tls-handshake-failed"] >= 2);
}

#[test]
fn who_comes_without_tls_is_sent_to_it_and_told_to_stay() {
    let authority = Authority::new();
    let mut settings = settings(vec![authority.put("a", &["a.test"], YEAR)]);
    settings.spec.redirect = true;
    settings.spec.hsts = Some(31_536_000);
    let server = SecureServer::new(settings);
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(server.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        all
    };
    let answer = ask("POST /x?y=%20 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a.test/x?y=%20\r\n"));
    assert!(!answer.contains("Strict-Transport-Security"));
    let answer = ask("GET / HTTP/1.1\r\nHost: a.test:8080\r\nConnection: close\r\n\r\n");
    assert!(answer.contains(&format!("Location: https://a.test:{}/\r\n", server.https.port())), "{answer}");
    let answer = Dialer::new(authority.roots()).ask(server.https, "a.test", "/bytes/1").unwrap();
    assert!(answer.contains("Strict-Transport-Security: max-age=31536000\r\n"), "{answer}");
}

#[test]
fn a_handshake_that_stalls_is_cut_and_others_are_not_held_up() {
    let authority = Authority::new();
    let mut settings = settings(vec![authority.put("a", &["a.test"], YEAR)]);
    settings.handshake = Duration::from_millis(300);
    let server = SecureServer::with(limits(), |_, _| settings, Pace::default());
    let begun = Instant::now();
    let mut stalled: Vec<_> = (0..20)
        .map(|at| {
            let mut stream = TcpStream::connect(server.https).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            // Nothing at all, or the beginning of a hello.
            std::io::Write::write_all(&mut stream, &[0x16, 3, 1, 2, 0, 1][..at % 6]).unwrap();
            stream
        })
        .collect();
    assert!(Dialer::new(authority.roots()).ask(server.https, "a.test", "/bytes/1").is_ok());
    for stream in &mut stalled {
        let mut rest = Vec::new();
        let _reset = stream.read_to_end(&mut rest);
    }
    assert!(begun.elapsed() >= Duration::from_millis(250));
    let figures = server.until(|figures| figures.open == 0);
    assert_eq!(figures.events["tls-handshake-late"], 20);
}

#[test]
fn what_is_no_tls_ends_at_once() {
    let authority = Authority::new();
    let server = SecureServer::new(settings(vec![authority.put("a", &["a.test"], YEAR)]));
    let mut stream = TcpStream::connect(server.https).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    let mut rest = Vec::new();
    let _reset = stream.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP/"));
    server.until(|figures| figures.open == 0 && figures.events["tls-handshake-failed"] == 1);
}

#[test]
fn a_gateway_does_not_begin_with_a_certificate_that_is_none() {
    let authority = Authority::new();
    let spec = authority.put("a", &["a.test"], YEAR);
    let open = |spec| Tls::open(settings(vec![spec])).map(drop);
    assert!(open(spec.clone()).is_ok());
    let (_, other_key) = authority.issue(&["a.test"], "a", YEAR);
    std::fs::write(&spec.key, other_key).unwrap();
    let error = open(spec.clone()).unwrap_err();
    assert!(matches!(error, TlsError::Certificate(_)) && error.to_string().contains("is not that of"));
    std::fs::write(&spec.certificate, "nothing").unwrap();
    assert!(open(spec).unwrap_err().to_string().contains("there is no certificate in it"));
    assert!(open(authority.spec("missing")).is_err());
    let mut clients = settings(vec![]);
    clients.spec.client =
        Some(ClientCertificateSpec { authorities: "/nowhere".into(), required: true, hosts: vec![] });
    assert!(matches!(Tls::open(clients).map(drop), Err(TlsError::Authorities(_))));
}
