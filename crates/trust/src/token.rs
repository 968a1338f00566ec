//! An invitation as one line of text, to be carried to another machine.
//!
//! It has all that is needed to speak to the herd for the first time without believing anybody on the way: the
//! authorities' certificates, the addresses and the number of the signer that made it, and a certificate with its key. Who
//! has the text can become a node, once and as long as it lasts, so it is carried like a password.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use remuda_herd::NodeId;
use remuda_model::HerdName;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

use crate::codec::{Malformed, Reader, put_list, put_piece};
use crate::credentials::{CERTIFICATE_BYTES_MAX, CHAIN_MAX, Credentials, CredentialsError, NodeKey};
use crate::member::{Address, put_addresses, read_addresses, read_herd};
use crate::trust::{AUTHORITIES_MAX, Trust, TrustError};

/// What a token begins with: so that it is known what it is, wherever it turns up.
const PREFIX: &str = "remuda-herd-1.";
/// Longest token, bytes: four certificates at their longest, and room.
pub const TOKEN_BYTES_MAX: usize = 32 << 10;
/// Longest key, bytes; ours have 138.
const KEY_BYTES_MAX: usize = 512;
/// Bytes at the end that tell a token from half of one.
const CHECK_BYTES: usize = 4;

/// An invitation.
#[derive(Debug)]
pub struct Token {
    /// The herd.
    pub herd: HerdName,
    /// The signer that made it, the only one that takes it.
    pub signer: NodeId,
    /// Where that listens.
    pub addresses: Vec<Address>,
    /// The authorities.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What is shown to the signer.
    pub credentials: Credentials,
}

/// Why a text is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is something else, or made by a version that is too new.
    #[error("this is no invitation: it should begin with {PREFIX}; `remuda herd invite` prints one")]
    Foreign,
    /// Something was lost on the way.
    #[error("the invitation is damaged: {0}; has it been copied whole, as one line?")]
    Damaged(String),
    /// A part means nothing.
    #[error("the invitation is damaged: {0}")]
    Malformed(#[from] Malformed),
    /// Its key or certificate is of no use.
    #[error("the invitation is damaged: {0}")]
    Credentials(#[from] CredentialsError),
}

impl Token {
    /// Whom it tells to believe.
    ///
    /// # Errors
    /// Its authorities are damaged.
    pub fn trust(&self) -> Result<Trust, TrustError> {
        Trust::new(self.herd.clone(), self.authorities.clone())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(2048);
        put_piece(&mut out, self.herd.as_str().as_bytes());
        out.extend(self.signer.0.to_be_bytes());
        put_addresses(&mut out, &self.addresses);
        put_list(&mut out, &self.authorities, |out, each| put_piece(out, each));
        put_list(&mut out, self.credentials.chain(), |out, each| put_piece(out, each));
        put_piece(&mut out, self.credentials.key().pair.serialized_der());
        let check: [u8; 32] = Sha256::digest(&out).into();
        out.extend(check.iter().take(CHECK_BYTES));
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&out))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(TokenError::Foreign)?;
        if digits.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Damaged("it is too long".to_owned()));
        }
        let bytes = BASE64URL_NOPAD.decode(digits.as_bytes());
        let bytes = bytes.map_err(|error| TokenError::Damaged(error.to_string()))?;
        let (said, check) = bytes
            .split_last_chunk::<CHECK_BYTES>()
            .ok_or_else(|| TokenError::Damaged("it is too short".to_owned()))?;
        let found: [u8; 32] = Sha256::digest(said).into();
        if !found.starts_with(check) {
            return Err(TokenError::Damaged("its checksum is wrong".to_owned()));
        }
        let mut reader = Reader::new(said);
        let herd = read_herd(&mut reader)?;
        let signer = NodeId(reader.long("the signer")?);
        let addresses = read_addresses(&mut reader)?;
        let authorities = read_certificates(&mut reader, "the authorities", AUTHORITIES_MAX)?;
        let chain = read_certificates(&mut reader, "the certificates", CHAIN_MAX)?;
        let key = PrivatePkcs8KeyDer::from(reader.piece("the key", KEY_BYTES_MAX)?);
        let credentials = NodeKey::from_der(&key)?.with(chain)?;
        Ok(Self { herd, signer, addresses, authorities, credentials })
    }
}

pub(crate) fn read_certificates(
    reader: &mut Reader<'_>,
    field: &'static str,
    limit: usize,
) -> Result<Vec<CertificateDer<'static>>, Malformed> {
    reader.list(field, limit, |reader| {
        Ok(CertificateDer::from(reader.piece("a certificate", CERTIFICATE_BYTES_MAX)?.to_vec()))
    })
}
