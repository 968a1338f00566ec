//! TLS for clients: which sockets, which certificates, and who issues them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HostPattern;
use crate::SocketName;

/// TLS for clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSpec {
    /// Sockets that speak it; each is among the sockets of some gateway service.
    pub sockets: Vec<SocketName>,
    /// The oldest version. Default 1.2.
    pub min_version: TlsVersion,
    /// Whether HTTP/2 is offered. Default true.
    pub http2: bool,
    /// Whether clients show a certificate. Default not.
    pub client: Option<ClientCertificateSpec>,
    /// Requests that come by `http` are sent to `https`, with 308; not those of ACME. Default false.
    pub redirect: bool,
    /// Seconds of `Strict-Transport-Security`; `None` is without. Default none.
    pub hsts: Option<u64>,
}

/// The oldest version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V12,
    /// 1.3.
    #[serde(rename = "1.3")]
    V13,
}

/// How clients show a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCertificateSpec {
    /// Authorities that sign them, PEM, absolute.
    pub authorities: PathBuf,
    /// Whether who shows none is refused. Default true.
    pub required: bool,
    /// Hosts it holds for; empty for all. A request for one of them on a connection that was made for another is
    /// refused, 421.
    pub hosts: Vec<HostPattern>,
}

/// A certificate from files; they are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSpec {
    /// The certificate and those between it and its authority, PEM, absolute.
    pub certificate: PathBuf,
    /// Its key, PEM, absolute.
    pub key: PathBuf,
    /// Hosts it is used for; empty for those that it names itself.
    pub hosts: Vec<HostPattern>,
}

/// Certificates by ACME (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcmeSpec {
    /// The authority's directory. Default Let's Encrypt's.
    pub directory: String,
    /// Whom it may write to, `mailto:` left out.
    pub contacts: Vec<String>,
    /// Its terms are agreed to; nothing is ordered without.
    pub terms_agreed: bool,
    /// Hosts; one certificate each. Without `*`, which needs another challenge.
    pub hosts: Vec<String>,
    /// How hosts are shown to be ours, the first that can be. Default both.
    pub challenges: Vec<AcmeChallenge>,
    /// A profile of the authority, such as `shortlived`.
    pub profile: Option<String>,
    /// Account at the authority that exists already: key id and HMAC key (external account binding).
    pub external_account: Option<ExternalAccount>,
    /// Authorities that the directory's own certificate may be signed by, PEM, absolute; `None`: those of the system.
    pub authorities: Option<PathBuf>,
    /// Folder of account, keys and certificates, absolute, mode 0700. Default `gateway` beside the hub's.
    pub state_dir: PathBuf,
}

/// How a host is shown to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AcmeChallenge {
    /// By a file under `http://HOST/.well-known/acme-challenge/`, on port 80.
    #[serde(rename = "http-01")]
    Http01,
    /// By a certificate in a TLS handshake, on port 443 (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
}

/// An account that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalAccount {
    /// Which.
    pub key_id: String,
    /// The file of what shows that it is ours, base64url, absolute.
    pub key_file: PathBuf,
}

impl Default for TlsSpec {
    fn default() -> Self {
        Self {
            sockets: Vec::new(),
            min_version: TlsVersion::default(),
            http2: true,
            client: None,
            redirect: false,
            hsts: None,
        }
    }
}
