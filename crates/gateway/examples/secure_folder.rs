//! One gateway that serves a folder over TLS on the socket named `https` it is passed, without an arbiter: for
//! measurements. Its arguments: the folder, a certificate, its key.

use std::time::Duration;

use remuda_gateway::Folder;
use remuda_gateway::process::{self, Process};
use remuda_gateway::server::{Http2Limits, Limits};
use remuda_gateway::tls::TlsSettings;
use remuda_model::gateway::{CertificateSpec, FilesSpec, TlsSpec};
use remuda_model::hub::Secret;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("name {what}"));
    let root = next("a folder")?.into();
    let certificate = next("a certificate")?.into();
    let key = next("its key")?.into();
    let tls = TlsSettings {
        spec: TlsSpec { sockets: vec!["https".parse()?], ..TlsSpec::default() },
        certificates: vec![CertificateSpec { certificate, key, hosts: vec![] }],
        acme: None,
        secret: Secret::new(remuda_sys::random::bytes()?),
        handshake: Duration::from_secs(10),
        trusted_proxies: vec![],
    };
    let http2 = Http2Limits { without_tls: true, ..Http2Limits::default() };
    let process =
        Process { limits: Limits { http2, ..Limits::default() }, tls: Some(tls), ..Process::default() };
    Ok(process::run(process, move |_| Ok(Folder::open(FilesSpec::new(root))?))?)
}
