//! The server: a bounded number of connections on a Unix socket, each checked for who is at its other end.

mod access;
mod act;
mod answer;
mod dispatch;
mod query;
mod requests;
mod stream;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use access::Access;
pub use answer::Body;

use crate::route::{Route, routes};
use crate::routing::Routing;
use crate::served::Served;
use access::Peer;
use requests::Requests;

/// Connections at once; more wait in the socket's queue.
const CONNECTIONS_MAX: usize = 256;
/// A client has so long for a request's header, and as long for its body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections and requests have so long to finish once the server stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after a failed accept (out of descriptors, mostly), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What somebody may do who was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Ask.
    View,
    /// Ask, and change what there is.
    Operate,
}

/// Somebody whom a surface has let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Who it is, for the event stream.
    pub by: String,
    /// What it may do.
    pub grant: Grant,
}

/// The API in front of an arbiter, for any number of listeners. Clones share it.
#[derive(Debug)]
pub struct Api<S>(Arc<Site<S>>);

impl<S> Clone for Api<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Served> Api<S> {
    /// The API of `served`; `access` says who may use the Unix socket, `routing` answers for the gateways' routes.
    #[must_use]
    pub fn new(served: S, access: Access, routing: Routing) -> Self {
        let (stopping, _) = watch::channel(false);
        Self(Arc::new(Site {
            served,
            access,
            routing,
            routes: routes(),
            requests: Requests::default(),
            stopping,
        }))
    }

    /// Answers a request of somebody whom another surface has let in. Streams end when [`serve`] does.
    pub async fn answer(&self, asker: &Asker, request: Request<Incoming>) -> Response<Body> {
        self.0.answer(asker, request).await
    }
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Site<S> {
    served: S,
    access: Access,
    routing: Routing,
    routes: Vec<Route>,
    requests: Requests,
    stopping: watch::Sender<bool>,
}

impl<S> Site<S> {
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

/// Serves the API on `listener` until `stop` is done; then streams get their last event, requests their answers, and
/// what has not ended after 5 s is cut.
///
/// # Cancel safety
/// A dropped future cuts every connection at once.
pub async fn serve<S: Served>(listener: UnixListener, api: Api<S>, stop: impl Future<Output = ()>) {
    let Api(site) = api;
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&site), stream));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    site.stopping.send_replace(true);
    let finished = async {
        site.requests.done().await;
        while connections.join_next().await.is_some() {}
    };
    // What is left after this time is aborted when the set is dropped.
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await;
}

async fn connection<S: Served>(site: Arc<Site<S>>, stream: UnixStream) {
    // A peer without credentials has already gone.
    let Ok(peer) = Peer::of(&stream) else { return };
    let mut stopping = site.stopping();
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer_peer(peer, request).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(READ_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    // An error of a connection concerns its client alone, who sees it too.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
