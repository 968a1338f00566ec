//! Listeners as they were passed to this process.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::rc::Rc;

use remuda_sys::socket::{accept, accept_unix, send_at_once};
use remuda_toolkit::adopt::{AdoptError, Inherited, StreamListener};
use tokio::net::UnixStream;

use super::accept_queue::AcceptQueue;
use super::tcp::Tcp;
use super::{Peer, Transport};
use crate::tls::Tls;

/// A listener, and what it is called.
#[derive(Debug)]
pub struct Listener {
    name: Rc<str>,
    socket: Socket,
    /// Where it listened when it was passed.
    address: Option<SocketAddr>,
    tls: Option<Rc<Tls>>,
}

#[derive(Debug)]
enum Socket {
    /// With its address, while all its connections are known to have that one.
    Tcp(AcceptQueue<TcpListener>, Cell<Option<SocketAddr>>),
    Unix(AcceptQueue<UnixListener>),
}

/// A listener cannot be used; nothing is served on it.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// It was not passed, or is something else.
    #[error("take over the listening sockets: {0}")]
    Adopt(#[from] AdoptError),
    /// It cannot be waited for.
    #[error("wait for connections on {name}: {source}")]
    Watch {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl Listener {
    /// All that were passed to this process.
    ///
    /// # Errors
    /// One of them is no stream listener, or cannot be waited for.
    pub fn inherited() -> Result<Vec<Self>, ListenerError> {
        let mut inherited = Inherited::read()?.nonblocking(true);
        let mut listeners = Vec::new();
        for name in inherited.names() {
            for listener in inherited.streams(&name)? {
                listeners.push(Self::new(&name, listener)?);
            }
        }
        Ok(listeners)
    }

    /// One that is there already; it is made non-blocking.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn new(name: &str, listener: StreamListener) -> Result<Self, ListenerError> {
        let watch = |source| ListenerError::Watch { name: name.into(), source };
        let mut address = None;
        let socket = match listener {
            StreamListener::Tcp(listener) => {
                listener.set_nonblocking(true).map_err(watch)?;
                // Answers are written whole; waiting for more to put beside them would only delay them. Connections take
                // it from their listener.
                send_at_once(&listener).map_err(watch)?;
                address = listener.local_addr().ok();
                let own = address.filter(|address| !address.ip().is_unspecified());
                Socket::Tcp(AcceptQueue::new(listener).map_err(watch)?, own.into())
            }
            StreamListener::Unix(listener) => {
                listener.set_nonblocking(true).map_err(watch)?;
                Socket::Unix(AcceptQueue::new(listener).map_err(watch)?)
            }
        };
        Ok(Self { name: name.into(), socket, address, tls: None })
    }

    /// Has TLS spoken on it, if `tls` is for it.
    #[must_use]
    pub fn with_tls(mut self, tls: &Rc<Tls>) -> Self {
        if tls.is_for(&self.name) {
            if let Some(address) = self.address {
                tls.set_port(address.port());
            }
            self.tls = Some(Rc::clone(tls));
        }
        self
    }

    /// What is spoken on it beneath HTTP.
    pub(super) fn tls(&self) -> Option<&Rc<Tls>> {
        self.tls.as_ref()
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Rc<str> {
        &self.name
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<(Transport, Peer)> {
        match &self.socket {
            Socket::Tcp(listener, address) => {
                let accepted = poll_fn(|context| listener.poll_accept(context, accept)).await;
                if accepted.is_err() {
                    // One that was shut down and listens again may have another port.
                    address.set(None);
                }
                let (stream, client) = accepted?;
                let local = address.get().or_else(|| stream.local_addr().ok());
                Ok((Tcp::fresh(stream).into(), self.peer(Some(client), local, None)))
            }
            Socket::Unix(listener) => {
                let stream = poll_fn(|context| listener.poll_accept(context, accept_unix)).await?;
                let stream = UnixStream::from_std(stream)?;
                let user = remuda_sys::socket::peer_user(&stream);
                Ok((stream.into(), self.peer(None, None, user)))
            }
        }
    }

    fn peer(&self, address: Option<SocketAddr>, local: Option<SocketAddr>, user: Option<u32>) -> Peer {
        Peer { address, local, user, listener: Rc::clone(&self.name), is_secure: false, tls: None }
    }
}
