//! The library's connection, from before it is known which of our protocols it is for.

use std::fmt;
use std::io::{self, BufRead as _, Write as _};
use std::sync::Arc;

use bytes::BytesMut;
use rustls::server::{Accepted, AcceptedAlert, Acceptor};
use rustls::{ClientConnection, Connection};
use rustls_pki_types::CertificateDer;

use crate::endpoint::{Endpoint, Protocol};
use crate::session::SessionError;

/// Encrypted bytes that wait in the library at most. What waits beyond stands in the session, where it is counted.
const BUFFER_BYTES_MAX: usize = 256 << 10;

/// A connection.
pub(super) enum Tls {
    /// Somebody connected, and has not said yet for what.
    Accepting(Box<Acceptor>, Arc<Endpoint>),
    /// It is known for what.
    Open(Box<Connection>),
    /// It was for nothing we do; the alert says so.
    Refused(AcceptedAlert),
    /// Nothing is left to be said.
    Over,
}

/// How far the handshake is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Not at its end.
    Going,
    /// The peer is who this certificate says, which has been verified.
    Established { protocol: Protocol, certificate: CertificateDer<'static> },
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepting(..) => "Accepting",
            Self::Open(_) => "Open",
            Self::Refused(_) => "Refused",
            Self::Over => "Over",
        })
    }
}

impl Tls {
    pub(super) fn connecting(connection: ClientConnection) -> Self {
        Self::opened(Connection::Client(connection))
    }

    pub(super) fn accepting(endpoint: Arc<Endpoint>) -> Self {
        Self::Accepting(Box::default(), endpoint)
    }

    fn opened(mut connection: Connection) -> Self {
        connection.set_buffer_limit(Some(BUFFER_BYTES_MAX));
        Self::Open(Box::new(connection))
    }

    /// Takes some of the bytes, and appends what they mean.
    pub(super) fn read(&mut self, rest: &mut &[u8], plain: &mut BytesMut) -> Result<(), SessionError> {
        match self {
            Self::Accepting(acceptor, endpoint) => {
                acceptor.read_tls(rest).map_err(unreadable)?;
                match acceptor.accept() {
                    Ok(None) => Ok(()),
                    Ok(Some(accepted)) => {
                        let endpoint = Arc::clone(endpoint);
                        self.serve(accepted, &endpoint)?;
                        // What came behind the first message waits within the library.
                        self.process(plain)
                    }
                    Err((error, alert)) => self.refuse(error, alert),
                }
            }
            Self::Open(connection) => {
                if connection.read_tls(rest).map_err(unreadable)? == 0 {
                    return Ok(());
                }
                self.process(plain)
            }
            Self::Refused(_) | Self::Over => Err(SessionError::Over),
        }
    }

    fn serve(&mut self, accepted: Accepted, endpoint: &Endpoint) -> Result<(), SessionError> {
        let asked = accepted.client_hello().alpn().into_iter().flatten().find_map(Protocol::of);
        // Who asks for nothing of ours is refused by the configuration of either, with the alert for it; who asks for
        // nothing at all is refused when the handshake is over, as a peer without a protocol.
        let config = endpoint.server(asked.unwrap_or(Protocol::Herd));
        match accepted.into_connection(config) {
            Ok(connection) => {
                *self = Self::opened(Connection::Server(connection));
                Ok(())
            }
            Err((error, alert)) => self.refuse(error, alert),
        }
    }

    fn refuse(&mut self, error: rustls::Error, alert: AcceptedAlert) -> Result<(), SessionError> {
        *self = Self::Refused(alert);
        Err(error.into())
    }

    fn process(&mut self, plain: &mut BytesMut) -> Result<(), SessionError> {
        let Self::Open(connection) = self else { return Ok(()) };
        connection.process_new_packets()?;
        let mut reader = connection.reader();
        loop {
            let taken = match reader.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(chunk) => {
                    plain.extend_from_slice(chunk);
                    chunk.len()
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(unreadable(error)),
            };
            reader.consume(taken);
        }
    }

    pub(super) fn stage(&self) -> Result<Stage, SessionError> {
        let Self::Open(connection) = self else { return Ok(Stage::Going) };
        if connection.is_handshaking() {
            return Ok(Stage::Going);
        }
        let protocol = connection.alpn_protocol().and_then(Protocol::of).ok_or(SessionError::NoProtocol)?;
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.ok_or(SessionError::NoProtocol)?.clone().into_owned();
        Ok(Stage::Established { protocol, certificate })
    }

    /// What the peer has shown, its own certificate first.
    pub(super) fn chain(&self) -> Option<&[CertificateDer<'static>]> {
        let Self::Open(connection) = self else { return None };
        connection.peer_certificates()
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(connection) if !connection.is_handshaking())
    }

    pub(super) fn is_closed_by_peer(&mut self) -> bool {
        let Self::Open(connection) = self else { return false };
        // Without new bytes nothing is processed; the state is what is asked for, and one that failed is no orderly end.
        connection.process_new_packets().is_ok_and(|state| state.peer_has_closed())
    }

    pub(super) fn wants_write(&self) -> bool {
        match self {
            Self::Accepting(..) | Self::Over => false,
            Self::Open(connection) => connection.wants_write(),
            Self::Refused(_) => true,
        }
    }

    /// Encrypts some of `plain`, and says how much: as much as there is room for.
    pub(super) fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(connection) => connection.writer().write(plain),
            Self::Accepting(..) | Self::Refused(_) | Self::Over => Ok(0),
        }
    }

    pub(super) fn write_to(&mut self, out: &mut dyn io::Write) -> io::Result<usize> {
        match self {
            Self::Open(connection) if connection.wants_write() => connection.write_tls(out),
            Self::Accepting(..) | Self::Open(_) | Self::Over => Ok(0),
            Self::Refused(alert) => {
                let written = alert.write(out)?;
                if written == 0 {
                    *self = Self::Over;
                }
                Ok(written)
            }
        }
    }

    pub(super) fn close(&mut self) {
        if let Self::Open(connection) = self {
            connection.send_close_notify();
        }
    }
}

/// The library refuses bytes when its own buffers are full, which they cannot be as long as all is taken out.
fn unreadable(error: io::Error) -> SessionError {
    SessionError::Tls(rustls::Error::General(error.to_string()))
}
