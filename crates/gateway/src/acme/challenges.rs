//! Answers for authorities that look whether a host is ours.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER_PERMISSIVE;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use remuda_model::gateway::AcmeSpec;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::folder::Folder;

#[cfg(test)]
mod tests;

/// Where authorities ask (RFC 8555 8.3).
const PREFIX: &[u8] = b"/.well-known/acme-challenge/";
/// Longest token: they have some 43 bytes.
const TOKEN_BYTES_MAX: usize = 128;

/// What workers answer with, whoever of them ordered.
#[derive(Debug)]
pub struct Challenges {
    folder: Folder,
    hosts: Vec<String>,
}

impl Challenges {
    /// Of the hosts and the folder in `spec`.
    #[must_use]
    pub fn new(spec: &AcmeSpec) -> Self {
        Self { folder: Folder::new(&spec.state_dir), hosts: spec.hosts.clone() }
    }

    /// What `token` is answered with; `None`: nobody has ordered with it.
    pub async fn answer(&self, token: &str) -> Option<Vec<u8>> {
        read(self.folder.challenge(token)).await.ok()
    }

    /// The certificate that shows that `host` is ours (RFC 8737); `None`: nobody has ordered for it.
    pub async fn certificate(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        if !self.hosts.iter().any(|known| known == host) {
            return None;
        }
        let digest = HEXLOWER_PERMISSIVE.decode(&read(self.folder.handshake(host)).await.ok()?).ok()?;
        if digest.len() != 32 {
            return None;
        }
        self_signed(host, &digest)
            .map_err(|error| log::warn!("answer the challenge for {host}: {error}"))
            .ok()
    }
}

fn self_signed(host: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut wanted = CertificateParams::new(vec![host.to_owned()])?;
    wanted.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = wanted.self_signed(&key)?;
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = rustls::crypto::ring::sign::any_supported_type(&der)
        .map_err(|_unknown| rcgen::Error::UnsupportedSignatureAlgorithm)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing)))
}

async fn read(path: PathBuf) -> io::Result<Vec<u8>> {
    tokio::task::spawn_blocking(move || std::fs::read(path)).await.map_err(io::Error::other)?
}

/// The token in the path of an authority's request; `None` for any other path.
#[must_use]
pub fn token(path: &[u8]) -> Option<&str> {
    let token = path.strip_prefix(PREFIX)?;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_one = (1..=TOKEN_BYTES_MAX).contains(&token.len()) && token.iter().all(is_token);
    is_one.then(|| str::from_utf8(token).ok())?
}
