//! How a connection begins: with a handshake where TLS is spoken, and with a look at which version of HTTP it is.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use super::buffers::BUFFER_BYTES;
use super::patience::Waiting;
use super::{Connection, Handler, Peer, Server, Transport, http1, http2};
use crate::tls::{HandshakeError, Session, Tls};

/// What a client begins with that speaks HTTP/2 (RFC 9113 3.4). No request of HTTP/1 begins so: its method is reserved.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client that is counted, and has no [`Connection`] yet that counts it.
pub(super) struct Guest {
    server: Rc<Server>,
    peer: Option<Peer>,
}

impl Guest {
    /// One that was admitted.
    pub(super) fn new(server: Rc<Server>, peer: Peer) -> Self {
        Self { server, peer: Some(peer) }
    }

    fn settle(mut self, transport: Transport, session: Option<Session>) -> Option<Rc<Connection>> {
        let mut peer = self.peer.take()?;
        // A balancer before us may have said so already.
        peer.is_secure |= session.is_some();
        peer.tls = session.map(Rc::new);
        Some(Rc::new(Connection::new(transport, Rc::clone(&self.server), Rc::new(peer))))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(peer) = &self.peer {
            self.server.closed(peer);
        }
    }
}

/// Serves a connection from its first byte to its last.
pub(super) async fn serve<H: Handler>(
    guest: Guest,
    transport: Transport,
    tls: Option<Rc<Tls>>,
    handler: Rc<H>,
) {
    let (transport, session) = match tls {
        None => (transport, None),
        Some(tls) => match shake(&tls, transport).await {
            Ok((transport, session)) => (transport, Some(session)),
            Err(error) => {
                log::debug!("{error}");
                return guest.server.figures.count(error.word());
            }
        },
    };
    let is_http2 = session.as_ref().is_some_and(|session| session.is_http2);
    let is_plain = session.is_none();
    let Some(connection) = guest.settle(transport, session) else { return };
    let is_http2 = if is_plain && connection.server.limits.http2.without_tls {
        let Some(is_http2) = begins_with_http2(&connection).await else { return };
        is_http2
    } else {
        is_http2
    };
    if is_http2 {
        return http2::serve(connection, handler).await;
    }
    let last = (!is_plain).then(|| Rc::clone(&connection));
    http1::serve(connection, handler).await;
    if let Some(connection) = last {
        // Says that nothing was cut off; who does not take it at once does without.
        poll_fn(|context| {
            let _is_gone = connection.transport.poll_shutdown(context);
            Poll::Ready(())
        })
        .await;
    }
}

async fn shake(tls: &Tls, transport: Transport) -> Result<(Transport, Session), HandshakeError> {
    Ok(match transport {
        Transport::Tcp(stream) => {
            let stream = stream.into_inner().into_watched().map_err(HandshakeError::Failed)?;
            let (stream, session) = tls.accept(stream).await?;
            (Transport::Tls(stream.into()), session)
        }
        Transport::Unix(stream) => {
            let (stream, session) = tls.accept(stream.into_inner()).await?;
            (Transport::UnixTls(stream.into()), session)
        }
        Transport::Tls(_) | Transport::UnixTls(_) | Transport::Behind(_) | Transport::Tunnel(_) => {
            return Err(HandshakeError::Failed(io::ErrorKind::Unsupported.into()));
        }
    })
}

/// Whether the first bytes are those of HTTP/2; they stay where they are. `None`: nothing came.
async fn begins_with_http2(connection: &Connection) -> Option<bool> {
    connection.waiter.begin(Waiting::Request);
    loop {
        {
            let input = connection.input.borrow();
            let bytes = input.bytes();
            let len = bytes.len().min(PREFACE.len());
            if bytes[..len] != PREFACE[..len] {
                return Some(false);
            }
            if len == PREFACE.len() {
                return Some(true);
            }
        }
        match poll_fn(|context| connection.poll_fill(context, BUFFER_BYTES)).await {
            Ok(true) => connection.waiter.begin(Waiting::Head),
            Ok(false) | Err(_) if connection.input.borrow().bytes().is_empty() => return None,
            // Whoever serves it finds the same.
            Ok(false) | Err(_) => return Some(false),
        }
    }
}
