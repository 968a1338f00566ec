//! Why a session ends, or does not take a frame.

use std::time::Duration;

use rustls::{AlertDescription, CertificateError};

use crate::codec::Malformed;
use crate::endpoint::EndpointError;
use crate::session::Disagreement;
use crate::trust::Distrust;

/// Why a session has ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SessionError {
    /// It cannot even begin.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The peer's certificate is not believed.
    #[error("the peer is refused: {}", verdict(.0))]
    Certificate(CertificateError),
    /// What the certificate says is not believed.
    #[error("the peer is refused: {0}")]
    Distrust(#[from] Distrust),
    /// The peer does not believe us, or does not understand.
    #[error("the peer refuses: {}", meaning(*.0))]
    Refused(AlertDescription),
    /// What came is no TLS, or against its rules.
    #[error("the handshake failed: {0}")]
    Tls(rustls::Error),
    /// The peer speaks TLS, and neither of our protocols in it.
    #[error("the peer speaks no protocol of a herd, or one that is not served here")]
    NoProtocol,
    /// The peer takes too long.
    #[error("the peer did not say who it is within {} s", within.as_secs())]
    Late {
        /// It had so long.
        within: Duration,
    },
    /// The peer sends much, and not who it is.
    #[error("the peer sent more than {} bytes and did not say who it is", super::HANDSHAKE_BYTES_MAX)]
    HandshakeTooLong,
    /// Its first frame is something else.
    #[error("the peer began with a frame of kind {kind} instead of its hello")]
    NoHello {
        /// The kind.
        kind: u8,
    },
    /// It introduced itself again.
    #[error("the peer said hello twice")]
    SecondHello,
    /// There is nothing both can speak.
    #[error("no agreement with the peer: {0}")]
    Disagreement(#[from] Disagreement),
    /// What it said means nothing.
    #[error("the peer said what means nothing: {0}")]
    Malformed(#[from] Malformed),
    /// A frame is longer than frames may be.
    #[error("the peer announced a frame of {bytes} bytes; the limit is {limit}")]
    FrameTooLong {
        /// So long.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// A compressed frame does not unfold to what it says.
    #[error("the peer sent a compressed frame that is damaged, or was not agreed on")]
    Compression,
    /// The connection ended in the middle.
    #[error("the connection was cut off; frames may be missing")]
    Cut,
    /// It had ended already.
    #[error("the session has ended")]
    Over,
}

/// Why a frame was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer is not known yet, or the session has ended.
    #[error("nothing can be sent before the peer is known, or after the end")]
    NotReady,
    /// Kinds are from 1 to 127.
    #[error("{0} is no kind of frame")]
    Kind(u8),
    /// Longer than both sides take.
    #[error("a frame of {bytes} bytes is longer than {limit}")]
    TooLong {
        /// So long.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// The peer reads slower than we send.
    #[error("too much waits to be sent")]
    Full,
}

impl From<rustls::Error> for SessionError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(ref other)) => {
                match other.0.downcast_ref::<Distrust>() {
                    Some(distrust) => Self::Distrust(distrust.clone()),
                    None => Self::Tls(error),
                }
            }
            rustls::Error::InvalidCertificate(error) => Self::Certificate(error),
            rustls::Error::AlertReceived(alert) => Self::Refused(alert),
            rustls::Error::NoApplicationProtocol => Self::NoProtocol,
            other => Self::Tls(other),
        }
    }
}

impl SessionError {
    /// Whether it is for a removal: of the peer, or of this node. Then the next attempt ends alike, and the one after it.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        matches!(
            self,
            Self::Certificate(CertificateError::Revoked)
                | Self::Distrust(Distrust::Removed(_))
                | Self::Refused(AlertDescription::CertificateRevoked)
        )
    }
}

/// What we think of a peer's certificate: of some verdicts the library has names only.
fn verdict(error: &CertificateError) -> String {
    let verdict = match error {
        CertificateError::Revoked => "it was removed from the herd",
        CertificateError::UnknownIssuer => {
            "its certificate is not from an authority known here; another herd?"
        }
        CertificateError::BadSignature => "its certificate's signature is wrong",
        CertificateError::BadEncoding => "its certificate cannot be read",
        CertificateError::InvalidPurpose => "its certificate is not good for this",
        other => return other.to_string(),
    };
    verdict.to_owned()
}

/// What a peer of ours means by an alert.
fn meaning(alert: AlertDescription) -> String {
    let meaning = match alert {
        AlertDescription::CertificateRevoked => "this node was removed from the herd",
        AlertDescription::CertificateExpired => {
            "our certificate has expired or is not valid yet; is a clock wrong?"
        }
        AlertDescription::UnknownCA => "our certificate is not from an authority it knows; another herd?",
        AlertDescription::CertificateUnknown => "our certificate is not good for this",
        AlertDescription::UnsupportedCertificate => "our certificate is not good for this",
        AlertDescription::CertificateRequired => "it wants a certificate",
        AlertDescription::NoApplicationProtocol => "it does not speak this protocol of a herd",
        other => return format!("alert {other:?}"),
    };
    meaning.to_owned()
}
