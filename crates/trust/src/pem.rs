//! Certificates and keys as text (RFC 7468), so that any tool for them reads our files.

use data_encoding::BASE64;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// Columns of a line.
const WIDTH: usize = 64;

/// Bytes as a block with `label`.
pub(crate) fn block(label: &str, bytes: &[u8]) -> String {
    let digits = BASE64.encode(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        // The digits are ASCII: any place is between two characters.
        let (line, after) = rest.split_at(rest.len().min(WIDTH));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Certificates, one block after the other.
pub(crate) fn certificates(certificates: &[CertificateDer<'_>]) -> String {
    certificates.iter().map(|each| block("CERTIFICATE", each)).collect()
}

/// The certificates of a text, in its order; other blocks are passed over.
pub(crate) fn read_certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// The first private key of a text.
pub(crate) fn read_key(text: &str) -> Result<PrivatePkcs8KeyDer<'static>, String> {
    PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|error| error.to_string())
}
