//! The listener: a bounded number of connections, each with its door.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use remuda_model::DashboardSpec;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::task::LocalSet;

use crate::door::{Body, Door};
use crate::keys::Keys;
use crate::pages::Pages;
use crate::place::Place;
use crate::token::{Role, Token};

/// Connections at once; more wait in the socket's queue. A page has two streams and a few questions.
const CONNECTIONS_MAX: usize = 64;
/// A client has so long for a request's header, and as long for a login.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept (out of descriptors, mostly), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is to be said to who started it.
#[derive(Debug)]
pub struct Opened {
    /// Where it listens.
    pub address: SocketAddr,
    /// The token to operate, when it was made just now; it is not shown again.
    pub token: Option<Token>,
}

/// Serves the dashboard until `stop` is done; `api` answers for the control API, with what the asker's role may do. Then every connection is cut, which browsers take up anew.
///
/// # Errors
/// It cannot listen, or keep its tokens; nothing else is concerned.
pub async fn serve<A: AsyncFn(Role, Request<Incoming>) -> Response<Body> + 'static>(
    spec: &DashboardSpec,
    place: &Place,
    pages: Pages,
    api: A,
    opened: impl FnOnce(Opened),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let Some(wanted) = spec.listen else { return Ok(()) };
    place.make().map_err(|error| ServeError::Keys(error.into()))?;
    let listener =
        listen(wanted, place).await.map_err(|source| ServeError::Listen { address: wanted, source })?;
    let address = listener.local_addr().map_err(|source| ServeError::Listen { address: wanted, source })?;
    place.keep_address(address).map_err(|error| ServeError::Keys(error.into()))?;
    let is_known = Keys::read(place)?.is_some();
    let token = if is_known { None } else { Some(Keys::renew(place, Role::Operate)?) };
    opened(Opened { address, token });
    let door = Rc::new(Door {
        api,
        pages,
        place: place.clone(),
        hosts: spec.hosts.clone(),
        port: address.port(),
        attempts: RefCell::default(),
    });
    LocalSet::new().run_until(accept(listener, door, stop)).await;
    Ok(())
}

/// Why there is no dashboard.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot keep its tokens.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeysError),
}

/// Listens where it is wanted; where any port does, at the one it had.
async fn listen(wanted: SocketAddr, place: &Place) -> io::Result<TcpListener> {
    let last = place.address().filter(|last| wanted.port() == 0 && last.ip() == wanted.ip());
    if let Some(last) = last
        && let Ok(listener) = TcpListener::bind(last).await
    {
        return Ok(listener);
    }
    TcpListener::bind(wanted).await
}

async fn accept<A: AsyncFn(Role, Request<Incoming>) -> Response<Body> + 'static>(
    listener: TcpListener,
    door: Rc<Door<A>>,
    stop: impl Future<Output = ()>,
) {
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    connections.spawn_local(connection(Rc::clone(&door), stream));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

async fn connection<A: AsyncFn(Role, Request<Incoming>) -> Response<Body> + 'static>(
    door: Rc<Door<A>>,
    stream: TcpStream,
) {
    // Small answers are not to wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let door = Rc::clone(&door);
        async move { Ok::<_, Infallible>(door.answer(request).await) }
    });
    // An error of a connection concerns its client alone, who sees it too.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
