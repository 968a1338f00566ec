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

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use access::Access;

use crate::route::{Route, routes};
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

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Site<S> {
    served: S,
    access: Access,
    routes: Vec<Route>,
    requests: Requests,
    stopping: watch::Receiver<bool>,
}

/// Serves the API on `listener` until `stop` is done; then streams get their last event, requests their answers, and
/// what has not ended after 5 s is cut.
///
/// # Cancel safety
/// A dropped future cuts every connection at once.
pub async fn serve<S: Served>(
    listener: UnixListener,
    served: S,
    access: Access,
    stop: impl Future<Output = ()>,
) {
    let (stopping, watched) = watch::channel(false);
    let requests = Requests::default();
    let site = Site { served, access, routes: routes(), requests: requests.clone(), stopping: watched };
    let site = Arc::new(site);
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
    stopping.send_replace(true);
    let finished = async {
        requests.done().await;
        while connections.join_next().await.is_some() {}
    };
    // What is left after this time is aborted when the set is dropped.
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, finished).await;
}

async fn connection<S: Served>(site: Arc<Site<S>>, stream: UnixStream) {
    // A peer without credentials has already gone.
    let Ok(peer) = Peer::of(&stream) else { return };
    let mut stopping = site.stopping.clone();
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.answer(peer, request).await) }
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
