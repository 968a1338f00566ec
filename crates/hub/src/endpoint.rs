//! The listeners that the arbiter handed over, and what is spoken on each.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};

use remuda_model::hub::HubSocket;
use remuda_toolkit::adopt::{Inherited, StreamListener};

use crate::error::HubError;
use crate::stream::Stream;

/// Most connections taken from one listener before the others have their turn.
pub(crate) const ACCEPTED_PER_TURN: usize = 64;

/// One listener.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) sort: HubSocket,
    listener: StreamListener,
}

impl Endpoint {
    /// All that were handed over.
    pub(crate) fn inherited() -> Result<Vec<Self>, HubError> {
        let failed = |name: &str, why: &dyn std::fmt::Display| HubError::Listener {
            name: name.to_owned(),
            why: why.to_string(),
        };
        let mut inherited = Inherited::read().map_err(|error| failed("hub-bus", &error))?.nonblocking(true);
        let mut endpoints = Vec::new();
        for name in inherited.names() {
            if let Some(sort) = HubSocket::of(&name) {
                for listener in inherited.streams(&name).map_err(|error| failed(&name, &error))? {
                    endpoints.push(Self { name: name.clone(), sort, listener });
                }
            }
        }
        if endpoints.is_empty() {
            return Err(failed("hub-bus", &"no listener was handed over; the hub is started by `remuda up`"));
        }
        Ok(endpoints)
    }

    /// The next connection, or `WouldBlock`; `ConnectionAborted` for one that was over before it could be used.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        let stream = match &self.listener {
            StreamListener::Tcp(listener) => Stream::tcp(listener.accept()?.0),
            StreamListener::Unix(listener) => Stream::unix(listener.accept()?.0),
        };
        stream.map_err(|error| io::Error::new(io::ErrorKind::ConnectionAborted, error))
    }

    /// Its address, if it is TCP and others can call it.
    pub(crate) fn reachable(&self) -> Option<SocketAddr> {
        match &self.listener {
            StreamListener::Tcp(listener) => {
                listener.local_addr().ok().filter(|address| !address.ip().is_unspecified())
            }
            StreamListener::Unix(_) => None,
        }
    }

    /// Its port, if it is TCP.
    pub(crate) fn port(&self) -> Option<u16> {
        match &self.listener {
            StreamListener::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            StreamListener::Unix(_) => None,
        }
    }
}

impl AsFd for Endpoint {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.listener {
            StreamListener::Tcp(listener) => listener.as_fd(),
            StreamListener::Unix(listener) => listener.as_fd(),
        }
    }
}
