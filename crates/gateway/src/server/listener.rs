//! Listeners as they were passed to this process.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

use remuda_sys::socket::{accept, send_at_once};

use remuda_toolkit::adopt::{AdoptError, Inherited, StreamListener};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixListener;

use super::tcp::Tcp;
use super::{Peer, Transport, watched};
use crate::tls::Tls;

/// A listener, and what it is called.
#[derive(Debug)]
pub struct Listener {
    name: Rc<str>,
    socket: Socket,
    tls: Option<Rc<Tls>>,
}

#[derive(Debug)]
enum Socket {
    /// With its address, where that is the one all its connections have.
    Tcp(AsyncFd<TcpListener>, Option<SocketAddr>),
    Unix(UnixListener),
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
        let socket = match listener {
            StreamListener::Tcp(listener) => {
                listener.set_nonblocking(true).map_err(watch)?;
                // Answers are written whole; waiting for more to put beside them would only delay them. Connections take
                // it from their listener.
                send_at_once(&listener).map_err(watch)?;
                let address = listener.local_addr().ok().filter(|address| !address.ip().is_unspecified());
                let listener = watched(listener).map_err(watch)?;
                Socket::Tcp(listener, address)
            }
            StreamListener::Unix(listener) => {
                listener.set_nonblocking(true).map_err(watch)?;
                Socket::Unix(UnixListener::from_std(listener).map_err(watch)?)
            }
        };
        Ok(Self { name: name.into(), socket, tls: None })
    }

    /// Has TLS spoken on it, if `tls` is for it.
    #[must_use]
    pub fn with_tls(mut self, tls: &Rc<Tls>) -> Self {
        if tls.is_for(&self.name) {
            if let Socket::Tcp(listener, _) = &self.socket
                && let Ok(address) = listener.get_ref().local_addr()
            {
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
                let (stream, client) =
                    listener.async_io(Interest::READABLE, |listener| accept(listener)).await?;
                let local = address.or_else(|| stream.local_addr().ok());
                Ok((Tcp::fresh(stream).into(), self.peer(Some(client), local, None)))
            }
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let user = remuda_sys::socket::peer_user(&stream);
                Ok((stream.into(), self.peer(None, None, user)))
            }
        }
    }

    fn peer(&self, address: Option<SocketAddr>, local: Option<SocketAddr>, user: Option<u32>) -> Peer {
        Peer { address, local, user, listener: Rc::clone(&self.name), is_secure: false, tls: None }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(listener, _) => listener.get_ref().as_fd(),
            Socket::Unix(listener) => listener.as_fd(),
        }
    }
}
