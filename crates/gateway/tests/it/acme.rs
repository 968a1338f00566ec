//! Certificates from an authority: Debian's `pebble`, which looks at what it is told, on loopback.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use remuda_gateway::acme::Pace;
use remuda_model::gateway::{AcmeChallenge, AcmeSpec};

use super::peers;
use super::secure::{Authority, Dialer, SecureServer, limits, settings};
use super::waiting::until;

/// The authority, and a name server for it that knows one address.
struct Pebble {
    child: Child,
    port: u16,
    authority: Authority,
    names: std::net::SocketAddr,
}

impl Pebble {
    /// One that looks at hosts on these ports.
    fn new(http: u16, https: u16) -> Self {
        let authority = Authority::new();
        authority.put("pebble", &["localhost"], (-1, 300));
        let folder = authority.folder.path();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, management) = (free(), free());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": folder.join("pebble.pem"), "privateKey": folder.join("pebble.key"),
            "httpPort": http, "tlsPort": https,
            "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        let names = answer_names();
        peers::venv();
        let child = Command::new("pebble")
            .args(["-dnsserver", &names.to_string(), "-config"])
            .arg(folder.join("config.json"))
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pebble = Self { child, port, authority, names };
        until("pebble to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        pebble
    }

    fn spec(&self, state: &Path, challenges: &[AcmeChallenge]) -> AcmeSpec {
        AcmeSpec {
            directory: format!("https://localhost:{}/dir", self.port),
            contacts: vec!["ops@a.test".to_owned()],
            terms_agreed: true,
            hosts: vec!["a.test".to_owned()],
            challenges: challenges.to_vec(),
            profile: None,
            external_account: None,
            authorities: Some(self.authority.root()),
            state_dir: state.to_owned(),
        }
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
        // Wakes the name server for the last time.
        let _gone = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(&[], self.names));
    }
}

/// Every name is 127.0.0.1, and has nothing else.
fn answer_names() -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((len @ 1.., from)) = socket.recv_from(&mut buffer) {
            let question = &buffer[..len];
            let Some(end) = question.get(12..).and_then(|name| name.iter().position(|byte| *byte == 0))
            else {
                continue;
            };
            let end = 12 + end + 5;
            let Some(asked) = question.get(12..end) else { continue };
            let is_address = asked.ends_with(&[0, 1, 0, 1]);
            let mut answer =
                [&question[..2], &[0x84, 0, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0], asked].concat();
            if is_address {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
            }
            let _gone = socket.send_to(&answer, from);
        }
    });
    address
}

fn pace() -> Pace {
    Pace {
        look: Duration::from_millis(100),
        retry: Duration::from_secs(3600),
        order: Duration::from_secs(20),
        ..Pace::default()
    }
}

fn server(spec: AcmeSpec) -> SecureServer {
    SecureServer::with(
        limits(),
        |_, _| {
            let mut settings = settings(vec![]);
            settings.acme = Some(spec);
            settings.spec.redirect = true;
            settings
        },
        pace(),
    )
}

/// Who the certificate is from, without asking whether it is to be trusted.
fn issuer(path: &Path) -> String {
    use rustls_pki_types::pem::PemObject as _;
    use x509_parser::prelude::FromDer as _;
    let der = rustls_pki_types::CertificateDer::from_pem_file(path).unwrap();
    let (_, certificate) = x509_parser::prelude::X509Certificate::from_der(&der).unwrap();
    certificate.issuer().to_string()
}

fn state() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let certificate = state.join("certificates/a.test.pem");
    (folder, state, certificate)
}

/// A worker that answers, while another orders: pebble looks at the first alone.
fn issued(way: AcmeChallenge) {
    let (_folder, state, certificate) = state();
    let idle = |port: u16| {
        // The ports have to be known before pebble is, and pebble before the spec: the first worker has one without pebble.
        let spec = AcmeSpec {
            directory: format!("https://localhost:{port}/dir"),
            contacts: vec![],
            terms_agreed: false,
            hosts: vec!["a.test".to_owned()],
            challenges: vec![],
            profile: None,
            external_account: None,
            authorities: None,
            state_dir: state.clone(),
        };
        server(spec)
    };
    let answering = idle(1);
    let pebble = Pebble::new(answering.http.port(), answering.https.port());
    let ordering = server(pebble.spec(&state, &[way]));
    let figures = ordering.until(|figures| figures.events.contains_key("acme-issued"));
    assert_eq!(figures.events.get("acme-failed"), None);
    assert!(issuer(&certificate).contains("Pebble"));
    // Both workers use it, and it is nobody else's to read.
    for worker in [&answering, &ordering] {
        let figures = worker.until(|figures| figures.certificates[0].hosts == "a.test");
        assert!(figures.certificates[0].not_after.is_some());
        let refused =
            Dialer::new(pebble.authority.roots()).dial(worker.https, "a.test").map(drop).unwrap_err();
        assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    }
    assert_eq!(fs::metadata(&certificate).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    for part in ["challenges", "handshakes"] {
        assert_eq!(fs::read_dir(state.join(part)).unwrap().count(), 0);
    }
    if way == AcmeChallenge::TlsAlpn01 {
        assert!(answering.figures().events["acme-challenge-answered"] >= 1);
    }
}

#[test]
fn a_certificate_is_ordered_by_one_worker_and_proven_by_another_over_http() {
    issued(AcmeChallenge::Http01);
}

#[test]
fn a_certificate_is_ordered_by_one_worker_and_proven_by_another_in_a_handshake() {
    issued(AcmeChallenge::TlsAlpn01);
}

#[test]
fn a_certificate_past_two_thirds_of_its_life_is_renewed_and_one_that_is_not_is_left() {
    let (_folder, state, certificate) = state();
    fs::create_dir_all(certificate.parent().unwrap()).unwrap();
    let old = Authority::new();
    let put = |days| {
        let (pem, key) = old.issue(&["a.test"], "old", days);
        fs::write(&certificate, pem + &key).unwrap();
    };
    put((-10, 90));
    let seen = |server: &SecureServer| {
        server.until(|figures| figures.certificates[0].not_after.is_some());
        Dialer::new(old.roots()).dial(server.https, "a.test").unwrap().offered()
    };
    let answering = server(AcmeSpec { terms_agreed: false, ..Pebble::new(1, 1).spec(&state, &[]) });
    let pebble = Pebble::new(answering.http.port(), answering.https.port());
    let ordering = server(pebble.spec(&state, &[AcmeChallenge::Http01]));
    assert_eq!(seen(&ordering), "CN=old");
    assert!(!state.join("hosts/a.test.json").exists() || !issuer(&certificate).contains("Pebble"));
    drop(ordering);
    put((-70, 30));
    let ordering = server(pebble.spec(&state, &[AcmeChallenge::Http01]));
    assert_eq!(seen(&ordering), "CN=old");
    ordering.until(|figures| figures.events.contains_key("acme-issued"));
    assert!(issuer(&certificate).contains("Pebble"));
    ordering.until(|figures| figures.events.contains_key("certificate-renewed"));
}

#[test]
fn an_order_that_fails_is_noted_across_restarts_and_what_works_stays_in_use() {
    let (_folder, state, certificate) = state();
    fs::create_dir_all(certificate.parent().unwrap()).unwrap();
    let old = Authority::new();
    let (pem, key) = old.issue(&["a.test"], "old", (-70, 30));
    fs::write(&certificate, pem + &key).unwrap();
    // Nobody answers on these ports.
    let pebble = Pebble::new(1, 1);
    let spec = pebble.spec(&state, &[AcmeChallenge::Http01, AcmeChallenge::TlsAlpn01]);
    let first = server(spec.clone());
    first.until(|figures| figures.events.get("acme-failed") == Some(&1));
    let note = || fs::read_to_string(state.join("hosts/a.test.json")).unwrap_or_default();
    until("the failure to be noted", || note().contains("\"failures\": 1"));
    assert!(note().contains("could not see by http-01 that the host is ours"), "{}", note());
    drop(first);
    let second = server(spec);
    let dialer = Dialer::new(old.roots());
    for _ in 0..10 {
        assert_eq!(dialer.dial(second.https, "a.test").unwrap().offered(), "CN=old");
        // An order would begin at once and fail within milliseconds: half a second goes by without one.
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(second.end().events.get("acme-failed"), None);
}

#[test]
fn without_a_certificate_a_handshake_ends_with_an_alert() {
    let (_folder, state, _) = state();
    let pebble = Pebble::new(1, 1);
    let server = server(AcmeSpec { terms_agreed: false, ..pebble.spec(&state, &[]) });
    let refused = Dialer::new(pebble.authority.roots()).dial(server.https, "a.test").map(drop).unwrap_err();
    assert!(refused.to_string().contains("alert"), "{refused}");
    assert_eq!(server.end().events["tls-no-certificate"], 1);
}
