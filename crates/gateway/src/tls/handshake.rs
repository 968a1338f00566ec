//! One handshake.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::offer::ACME_PROTOCOL;
use super::{Client, Tls};

/// What a handshake came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The host the client wanted, in lower case.
    pub server_name: Option<String>,
    /// Whether the client was asked for a certificate.
    pub is_asked: bool,
    /// Who the client is, if it has shown that.
    pub client: Option<Client>,
    /// Whether it is HTTP/2 that is spoken.
    pub is_http2: bool,
    /// Whether it goes on with a session from before.
    pub is_resumed: bool,
}

/// A handshake that was none.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// It took too long.
    #[error("the handshake did not end within {} s", .0.as_secs())]
    Late(Duration),
    /// There is no certificate at all.
    #[error("there is no certificate to offer")]
    NoCertificate,
    /// An authority has looked at a host, and is done.
    #[error("it was the challenge of an authority")]
    Challenge,
    /// It broke the rules, or off.
    #[error("the handshake failed: {0}")]
    Failed(#[source] io::Error),
}

impl HandshakeError {
    /// A word for figures: lower case, with hyphens.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Late(_) => "tls-handshake-late",
            Self::NoCertificate => "tls-no-certificate",
            Self::Challenge => "acme-challenge-answered",
            Self::Failed(_) => "tls-handshake-failed",
        }
    }
}

impl Tls {
    /// Carries a handshake out on `stream`, within the time for it.
    ///
    /// # Errors
    /// [`HandshakeError`]; the connection is of no more use.
    pub async fn accept<S>(&self, stream: S) -> Result<(Box<TlsStream<S>>, Session), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let within = self.settings.handshake;
        match tokio::time::timeout(within, Box::pin(self.shake(stream))).await {
            Ok(done) => done,
            Err(_elapsed) => Err(HandshakeError::Late(within)),
        }
    }

    async fn shake<S>(&self, stream: S) -> Result<(Box<TlsStream<S>>, Session), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
        let start = start.await.map_err(HandshakeError::Failed)?;
        let hello = start.client_hello();
        let name = hello.server_name().map(str::to_ascii_lowercase);
        if hello.alpn().is_some_and(|mut all| all.any(|protocol| protocol == ACME_PROTOCOL)) {
            let key = match (&self.challenges, &name) {
                (Some(challenges), Some(name)) => challenges.certificate(name).await,
                _ => None,
            };
            let config = key.map_or_else(|| Arc::clone(&self.refusing), |key| self.maker.challenge(&key));
            // All an authority wants is the certificate.
            start.into_stream(config).await.map_err(HandshakeError::Failed)?;
            return Err(HandshakeError::Challenge);
        }
        let Some((config, is_asked)) = self.choose(&hello, name.as_deref()) else {
            let _refused = start.into_stream(Arc::clone(&self.refusing)).await;
            return Err(HandshakeError::NoCertificate);
        };
        let stream = start.into_stream(config).await.map_err(HandshakeError::Failed)?;
        let (_, connection) = stream.get_ref();
        let session = Session {
            server_name: name,
            is_asked,
            client: if is_asked { Client::of(connection.peer_certificates()) } else { None },
            is_http2: connection.alpn_protocol() == Some(b"h2"),
            is_resumed: connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        };
        Ok((Box::new(stream), session))
    }
}
