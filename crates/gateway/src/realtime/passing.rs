//! Requests of sessions that another gateway process has.
//!
//! Gateways that share a listener get each other's requests: a client that polls comes on a new connection whenever it
//! likes. The name of a session names the process that has it, and that process is handed the connection itself, with
//! what was read of it; it serves the request and those that come behind it, so that a client that keeps its connection
//! is passed on once. Where a connection cannot be handed on, because it is encrypted, the request is refused, and the
//! client opens a new session.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use remuda_sys::socket::{Arrival, Link, LinkListener};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;
use tokio::task::JoinSet;

use super::Owner;
use crate::server::{Body, Connection, Peer, Request, Response, Server, TakeOver, Transport, watched};

/// How long the other process may take to take a connection.
const PASS_WITHIN: Duration = Duration::from_millis(500);
/// Bytes of a request in one message; what is longer comes in several.
const PIECE_BYTES: usize = 60 << 10;
/// Bytes of a request that were read before it is passed on: its head and what came behind it.
const REQUEST_MAX: usize = 1 << 20;
/// Connections that are being passed to this process.
const ARRIVALS_MAX: usize = 256;

/// Serves a connection that came from another process.
pub type Serve = Rc<dyn Fn(Rc<Connection>) -> Pin<Box<dyn Future<Output = ()>>>>;

/// The way to the other gateways of a service.
#[derive(Debug)]
pub struct Passing {
    /// What the names of their sockets begin with.
    prefix: String,
    uid: u32,
}

/// What is said of a connection, before the bytes that were read of it.
#[derive(Debug, Serialize, Deserialize)]
struct Parcel {
    listener: String,
    address: Option<std::net::SocketAddr>,
    user: Option<u32>,
    /// Bytes that were read.
    len: usize,
}

impl Passing {
    /// Among the gateways whose sockets, in the abstract namespace, have names that begin with `prefix`; they belong to
    /// user `uid`, and nobody else's connections are taken.
    #[must_use]
    pub fn new(prefix: impl Into<String>, uid: u32) -> Rc<Self> {
        Rc::new(Self { prefix: prefix.into(), uid })
    }

    fn name(&self, owner: Owner) -> String {
        format!("{}{owner}", self.prefix)
    }

    /// Hands the connection of `request` to the process that has its session.
    pub fn pass(self: &Rc<Self>, owner: Owner, request: &mut Request) -> Response {
        if request.peer.is_secure {
            return super::unknown_session();
        }
        let name = self.name(owner);
        // To connect does not wait: the other side's queue has room, or it is not there.
        let link = match Link::connect(&name, Duration::ZERO) {
            Ok(Some(link)) if link.peer().is_ok_and(|peer| peer.uid == self.uid) => link,
            _ => return super::unknown_session(),
        };
        if !request.head.keeps_alive() {
            // It is written as HTTP/1.1, which would keep the connection.
            request.head.fields_mut().set("Connection", "close");
        }
        let mut bytes = Vec::new();
        request.head.write(request.head.target(), &mut bytes);
        let mut response = Response::new(200);
        response.body = Body::TakeOver(TakeOver::silent(move |connection| async move {
            if let Err(error) = hand_on(link, &connection, bytes).await {
                log::warn!("a request could not be passed to the gateway that has its session: {error}");
            }
        }));
        response
    }

    /// Takes connections of sessions of `owner` that other gateways pass on, and has `serve` serve them, until it is
    /// dropped. To be run in a task of its own.
    ///
    /// # Errors
    /// The socket cannot be had: nothing will be passed on to us.
    pub async fn take(self: Rc<Self>, owner: Owner, server: Rc<Server>, serve: Serve) -> io::Result<()> {
        let listener = LinkListener::bind(&self.name(owner)).map_err(io::Error::other)?;
        let listener = watched(listener)?;
        let mut tasks = JoinSet::new();
        loop {
            let mut ready = listener.readable().await?;
            let link = ready.try_io(|listener| match listener.get_ref().accept() {
                Ok(Some(link)) => Ok(link),
                Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => Err(io::Error::other(error)),
            });
            while tasks.try_join_next().is_some() {}
            let Ok(Ok(link)) = link else { continue };
            if tasks.len() >= ARRIVALS_MAX || link.peer().is_ok_and(|peer| peer.uid != self.uid) {
                continue;
            }
            let (server, serve) = (Rc::clone(&server), Rc::clone(&serve));
            tasks.spawn_local(async move {
                let received = tokio::time::timeout(PASS_WITHIN, receive(link, &server)).await;
                if let Ok(Some(connection)) = received {
                    serve(connection).await;
                }
            });
        }
    }
}

/// Sends a connection, and `head` with what was read behind it.
async fn hand_on(link: Link, connection: &Connection, mut head: Vec<u8>) -> io::Result<()> {
    head.extend_from_slice(&connection.take_input());
    let peer = connection.peer();
    let parcel = Parcel {
        listener: peer.listener.to_string(),
        address: peer.address,
        user: peer.user,
        len: head.len(),
    };
    let descriptor = connection.transport().duplicate()?;
    let first = serde_json::to_vec(&parcel).map_err(io::Error::other)?;
    let link = watched(link)?;
    let send = async {
        send(&link, &first, Some(&descriptor)).await?;
        for piece in head.chunks(PIECE_BYTES) {
            send(&link, piece, None).await?;
        }
        Ok(())
    };
    tokio::time::timeout(PASS_WITHIN, send).await.map_err(|_elapsed| io::ErrorKind::TimedOut)?
}

async fn send(link: &AsyncFd<Link>, bytes: &[u8], descriptor: Option<&OwnedFd>) -> io::Result<()> {
    loop {
        let mut ready = link.writable().await?;
        let sent = ready.try_io(|link| {
            let descriptors: Vec<_> = descriptor.iter().map(|descriptor| descriptor.as_fd()).collect();
            match link.get_ref().send_now(bytes, &descriptors) {
                Ok(remuda_sys::socket::Sent::Passed) => Ok(()),
                Ok(remuda_sys::socket::Sent::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => Err(io::Error::other(error)),
            }
        });
        if let Ok(sent) = sent {
            return sent;
        }
    }
}

/// Receives one connection; `None` if what came is none.
async fn receive(link: Link, server: &Rc<Server>) -> Option<Rc<Connection>> {
    let link = watched(link).ok()?;
    let (first, descriptors) = next(&link).await?;
    let parcel: Parcel = serde_json::from_slice(&first).ok()?;
    let descriptor = descriptors.into_iter().next()?;
    if parcel.len > REQUEST_MAX {
        return None;
    }
    let mut input = Vec::with_capacity(parcel.len);
    while input.len() < parcel.len {
        let (piece, _) = next(&link).await?;
        input.extend_from_slice(&piece);
    }
    let mut local = None;
    let transport = if parcel.address.is_some() {
        let stream = std::net::TcpStream::from(descriptor);
        stream.set_nonblocking(true).ok()?;
        local = stream.local_addr().ok();
        Transport::from(tokio::net::TcpStream::from_std(stream).ok()?)
    } else {
        let stream = std::os::unix::net::UnixStream::from(descriptor);
        stream.set_nonblocking(true).ok()?;
        Transport::from(tokio::net::UnixStream::from_std(stream).ok()?)
    };
    let peer = Peer {
        address: parcel.address,
        local,
        user: parcel.user,
        listener: parcel.listener.into(),
        is_secure: false,
        tls: None,
    };
    Some(Rc::new(Connection::passed_on(transport, Rc::clone(server), Rc::new(peer), input)))
}

async fn next(link: &AsyncFd<Link>) -> Option<(Vec<u8>, Vec<OwnedFd>)> {
    loop {
        let mut ready = link.readable().await.ok()?;
        let received = ready.try_io(|link| match link.get_ref().receive_now() {
            Ok(Some(arrival)) => Ok(arrival),
            Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(io::Error::other(error)),
        });
        match received {
            Ok(Ok(Arrival::Message { bytes, descriptors })) => return Some((bytes, descriptors)),
            Ok(Ok(Arrival::Closed) | Err(_)) => return None,
            Err(_would_block) => {}
        }
    }
}
