//! OpenSSL reads what is written here, and is treated like anybody else.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use remuda_trust::enrolment;
use remuda_trust::{Folder, Founding, rotate, system_clock};
use rustls_pki_types::UnixTime;

use crate::harness::WITHIN;

fn openssl(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new("openssl");
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.output().expect("openssl is installed: a peer that these tests need")
}

#[track_caller]
fn said(output: &Output) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

/// A herd of today: OpenSSL has the machine's clock.
fn founder() -> (tempfile::TempDir, Folder) {
    let disk = tempfile::tempdir().unwrap();
    let folder = Folder::in_state(disk.path());
    let founding =
        Founding { herd: "shop".parse().unwrap(), node: "alpha".parse().unwrap(), addresses: Vec::new() };
    remuda_trust::found(&folder, founding, now()).unwrap();
    (disk, folder)
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap())
}

#[test]
fn openssl_verifies_a_nodes_certificate_and_shows_what_it_says() {
    let (_disk, folder) = founder();
    let path = folder.path();
    let verified = said(&openssl(
        &["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "trusted.pem", "node.pem"],
        path,
    ));
    assert!(verified.contains("node.pem: OK"), "{verified}");
    let text = said(&openssl(&["x509", "-in", "node.pem", "-noout", "-text"], path));
    let id = folder.open().unwrap().node.id;
    for expected in [
        format!("URI:remuda://shop/{id}, URI:remuda-role:signer"),
        "Subject: CN = alpha".to_owned(),
        "TLS Web Server Authentication, TLS Web Client Authentication".to_owned(),
        "CA:FALSE".to_owned(),
        "NIST CURVE: P-256".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}: {text}");
    }
    let authority = said(&openssl(&["x509", "-in", "authority.pem", "-noout", "-text"], path));
    assert!(
        authority.contains("CA:TRUE, pathlen:1") && authority.contains("Certificate Sign"),
        "{authority}"
    );
    let shown = said(&openssl(&["x509", "-in", "trusted.pem", "-noout", "-fingerprint", "-sha256"], path));
    let ours = remuda_trust::fingerprint(&folder.open().unwrap().trust.authorities()[0]);
    assert!(shown.contains(&ours), "{shown} {ours}");
    let key = said(&openssl(&["pkey", "-in", "node.pem", "-noout", "-text"], path));
    assert!(key.contains("prime256v1"), "{key}");
}

#[test]
fn openssl_verifies_across_a_rotation_with_the_bridge_and_not_without() {
    let (_disk, folder) = founder();
    let path = folder.path();
    std::fs::copy(path.join("trusted.pem"), path.join("old.pem")).unwrap();
    rotate(&folder, now()).unwrap();
    let with = ["verify", "-x509_strict", "-CAfile", "old.pem", "-untrusted", "node.pem", "node.pem"];
    assert!(said(&openssl(&with, path)).contains("OK"));
    let without = openssl(&["verify", "-CAfile", "old.pem", "node.pem"], path);
    assert!(!without.status.success());
}

/// Runs `openssl s_client` against a signer that serves one connection.
fn client(folder: &Folder, arguments: &[&str], input: &[u8]) -> (String, Result<(), String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let endpoint = std::sync::Arc::new(folder.open().unwrap().endpoint(system_clock()).unwrap());
    let served_folder = folder.clone();
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        enrolment::serve(stream, &served_folder, &endpoint, WITHIN)
    });
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address, "-quiet", "-verify_quiet"]).args(arguments);
    command.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have been refused, and be gone, before it has read all.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let served = served.join().unwrap();
    (text, served.map(|_| ()).map_err(|error| error.to_string()))
}

#[test]
fn a_client_without_a_certificate_without_a_protocol_or_with_an_old_tls_is_refused() {
    let (_disk, folder) = founder();
    let alpn = ["-alpn", "remuda-join/1"];
    let (said, served) = client(&folder, &alpn, b"");
    assert!(said.contains("certificate required") && served.is_err(), "{said} {served:?}");
    let ours = ["-cert", "node.pem", "-key", "node.pem"];
    let (said, served) = client(&folder, &ours, b"");
    assert!(served.unwrap_err().contains("speaks no protocol"), "{said}");
    let (said, served) = client(&folder, &[&ours[..], &["-alpn", "h2"]].concat(), b"");
    assert!(served.unwrap_err().contains("speaks no protocol"), "{said}");
    let (said, served) = client(&folder, &[&ours[..], &alpn, &["-tls1_2"]].concat(), b"");
    assert!(said.contains("protocol version") && served.is_err(), "{said}");
}

#[test]
fn a_client_with_a_nodes_certificate_that_sends_garbage_is_cut_off() {
    let (_disk, folder) = founder();
    let arguments = ["-cert", "node.pem", "-key", "node.pem", "-alpn", "remuda-join/1"];
    let (said, served) = client(&folder, &arguments, b"GET / HTTP/1.1\r\n\r\n");
    assert!(served.unwrap_err().contains("announced a frame of"), "{said}");
    // A frame in order whose request is none is answered, and refused.
    let (said, served) = client(&folder, &arguments, &[0, 0, 0, 3, 1, 99, 99]);
    assert!(said.contains("what is asked") && served.is_ok(), "{said} {served:?}");
}

#[test]
fn a_stranger_with_an_authority_of_its_own_is_refused() {
    let (_disk, folder) = founder();
    let (stranger, _other) = founder();
    let pem = stranger.path().join("herd/node.pem").to_string_lossy().into_owned();
    let arguments = ["-cert", &pem, "-key", &pem, "-alpn", "remuda-join/1"];
    let (said, served) = client(&folder, &arguments, b"");
    assert!(served.is_err() && said.contains("unknown ca"), "{said} {served:?}");
}
