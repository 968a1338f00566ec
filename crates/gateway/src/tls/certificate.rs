//! A certificate with its key, as it is read from files and as it is offered.
//!
//! Nothing is offered that is not whole: a chain without a certificate, a file that ends in the middle of a block, or a key
//! that belongs to another certificate is an error here, not in a client's browser.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::gateway::HostPattern;
use rustls::InconsistentKeys;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Largest file of a certificate or key, bytes: chains have some kilobytes.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;

/// A certificate that can be offered.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    pub(crate) key: Arc<CertifiedKey>,
    /// Hosts it names: names and wildcards; what is no host is left out.
    pub(crate) names: Vec<HostPattern>,
    /// From when it holds, Unix seconds.
    pub(crate) not_before: i64,
    /// Until when, Unix seconds.
    pub(crate) not_after: i64,
}

/// Why a certificate cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any certificate.
    #[error("read {}: it has more than {FILE_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// A file is no PEM, or ends in the middle of it.
    #[error("read {}: {}; is it still being written?", path.display(), fault(source))]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// There is no certificate in it.
    #[error("read {}: there is no certificate in it", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// A certificate that is none.
    #[error("read {}: the first certificate in it cannot be understood: {detail}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// The key is of a kind that is not known.
    #[error("read {}: {source}", path.display())]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The key belongs to another certificate.
    #[error("the key {} is not that of the certificate {}", key.display(), certificate.display())]
    OtherKey {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

impl CertificateError {
    /// Whether it is that there is no file.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Certificate {
    /// Reads both files; they may be one.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let path = || certificate.to_owned();
        let text = read(certificate)?;
        let chain = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| CertificateError::Pem { path: path(), source })?;
        let Some(leaf) = chain.first() else { return Err(CertificateError::Empty { path: path() }) };
        let malformed = |detail: String| CertificateError::Malformed { path: path(), detail };
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|error| malformed(error.to_string()))?;
        let (names, validity) = (names(&parsed), parsed.validity());
        let (not_before, not_after) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        let key_text = if key == certificate { text.clone() } else { read(key)? };
        let der = PrivateKeyDer::from_pem_slice(&key_text)
            .map_err(|source| CertificateError::Pem { path: key.to_owned(), source })?;
        let signing = rustls::crypto::ring::sign::any_supported_type(&der)
            .map_err(|source| CertificateError::Key { path: key.to_owned(), source })?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            // A key that cannot tell its public half is taken at its word.
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(_) => {
                return Err(CertificateError::OtherKey { certificate: path(), key: key.to_owned() });
            }
        }
        Ok(Self { key: Arc::new(certified), names, not_before, not_after })
    }

    /// Whether it holds at `now`, Unix seconds.
    pub(crate) fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// The hosts it names, for people.
    pub(crate) fn title(&self) -> String {
        let names: Vec<_> = self.names.iter().map(HostPattern::as_str).collect();
        if names.is_empty() { "no host".to_owned() } else { names.join(", ") }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let fail = |source| CertificateError::Read { path: path.to_owned(), source };
    let mut text = Vec::new();
    let file = File::open(path).map_err(fail)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(fail)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(CertificateError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

/// The names browsers look at: those of the extension, never the common name.
fn names(certificate: &X509Certificate<'_>) -> Vec<HostPattern> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => name.parse().ok(),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

/// What is wrong with a file of PEM, for people: the library prints a block's name as numbers.
pub(crate) fn fault(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            format!("the line \"-----END {}-----\" is missing", String::from_utf8_lossy(end_marker))
        }
        pem::Error::IllegalSectionStart { line } => {
            format!("{:?} is no begin of a block", String::from_utf8_lossy(line))
        }
        pem::Error::NoItemsFound => "there is nothing in it".to_owned(),
        other => other.to_string(),
    }
}
