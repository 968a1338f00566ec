//! What TLS needs to be told.

use std::path::PathBuf;
use std::time::Duration;

use remuda_model::gateway::{
    AcmeSpec, CertificateSpec, GatewaySettings, GatewaySpec, HostPattern, IpRange, TlsSpec,
};
use remuda_model::hub::Secret;

use crate::acme;

/// TLS of a gateway's worker, as the config asks for it.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// Sockets, versions, clients, redirects.
    pub spec: TlsSpec,
    /// Certificates from files, in the order of the file.
    pub certificates: Vec<CertificateSpec>,
    /// Certificates by ACME.
    pub acme: Option<AcmeSpec>,
    /// What the gateway workers of an instance share: keys of tickets are made of it.
    pub secret: Secret,
    /// How long a handshake may take. Default 10 s.
    pub handshake: Duration,
    /// Peers whose `X-Forwarded-Proto` is believed.
    pub trusted_proxies: Vec<IpRange>,
}

impl TlsSettings {
    /// From what a worker is told; `None` where no socket speaks TLS.
    #[must_use]
    pub fn of(settings: &GatewaySettings) -> Option<Self> {
        Self::from_spec(&settings.spec, settings.secret.clone())
    }

    /// From the config and what the workers share; `None` where no socket speaks TLS.
    #[must_use]
    pub fn from_spec(spec: &GatewaySpec, secret: Secret) -> Option<Self> {
        Some(Self {
            spec: spec.tls.clone()?,
            certificates: spec.certificates.clone(),
            acme: spec.acme.clone(),
            secret,
            handshake: spec.timeouts.handshake,
            trusted_proxies: spec.trusted_proxies.clone(),
        })
    }

    /// All places certificates come from: files first, then what ACME got.
    pub(super) fn places(&self) -> Vec<Place> {
        let files = self.certificates.iter().map(|spec| Place {
            certificate: spec.certificate.clone(),
            key: spec.key.clone(),
            hosts: spec.hosts.clone(),
            must_exist: true,
        });
        let issued = self.acme.iter().flat_map(|acme| {
            acme.hosts.iter().map(|host| {
                let path = acme::certificate_path(&acme.state_dir, host);
                let hosts = host.parse().ok().into_iter().collect();
                Place { certificate: path.clone(), key: path, hosts, must_exist: false }
            })
        });
        files.chain(issued).collect()
    }
}

/// Where a certificate and its key lie.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// Hosts it is used for; empty for those it names itself.
    pub(super) hosts: Vec<HostPattern>,
    /// Whether a gateway does not begin without it.
    pub(super) must_exist: bool,
}
