//! One connection, one exchange. The connection is driven beside the exchange, so that nothing outlives a dropped
//! call.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::client::{Client, ClientError};

/// Longest document, bytes: ten thousand workers take about four million.
const DOCUMENT_MAX_BYTES: usize = 64 * 1024 * 1024;
/// A Unix socket connects at once, or waits for room in the queue.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What moves the bytes of a connection until it ends.
type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A response whose body is still coming.
pub(crate) struct Streaming {
    pub(crate) status: StatusCode,
    body: Incoming,
    driver: Option<Driver>,
    /// Dropping it would close the connection.
    _sender: SendRequest<Full<Bytes>>,
}

impl std::fmt::Debug for Streaming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streaming").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Streaming {
    /// The next bytes; `None` when the body has ended or broken.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            let frame = match &mut self.driver {
                None => self.body.frame().await,
                Some(driver) => tokio::select! {
                    frame = self.body.frame() => frame,
                    () = driver => {
                        self.driver = None;
                        continue;
                    }
                },
            };
            // A frame without bytes is a trailer.
            match frame?.ok()?.into_data() {
                Ok(bytes) => return Some(bytes),
                Err(_trailers) => {}
            }
        }
    }

    /// All of it, when it is short.
    pub(crate) async fn collect(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await
            && all.len() < DOCUMENT_MAX_BYTES
        {
            all.extend_from_slice(&bytes);
        }
        all
    }
}

impl Client {
    async fn open(&self) -> Result<(SendRequest<Full<Bytes>>, Driver), ClientError> {
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, UnixStream::connect(&self.path)).await;
        let connecting = connecting.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
        let stream = connecting.map_err(|source| not_connected(&self.path, source))?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(&error))?;
        // Its error is told to whoever waits for the response.
        Ok((sender, Box::pin(async move { drop(connection.await) })))
    }

    /// Sends `request` and waits for the whole answer.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let (mut sender, mut driver) = self.open().await?;
        let mut talk = std::pin::pin!(async {
            let response = sender.send_request(request).await.map_err(|error| self.broken(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), DOCUMENT_MAX_BYTES).collect().await;
            let body = body
                .map_err(|error| ClientError::Broken { path: self.path.clone(), why: error.to_string() })?;
            Ok((status, body.to_bytes()))
        });
        tokio::select! {
            outcome = &mut talk => outcome,
            () = &mut driver => talk.await,
        }
    }

    /// Sends `request` and waits for the head of the answer.
    pub(crate) async fn stream(&self, request: Request<Full<Bytes>>) -> Result<Streaming, ClientError> {
        let (mut sender, mut driver) = self.open().await?;
        let (response, driver): (Result<Response<Incoming>, _>, _) = {
            let mut sending = std::pin::pin!(sender.send_request(request));
            tokio::select! {
                response = &mut sending => (response, Some(driver)),
                () = &mut driver => (sending.await, None),
            }
        };
        let response = response.map_err(|error| self.broken(&error))?;
        Ok(Streaming { status: response.status(), body: response.into_body(), driver, _sender: sender })
    }

    fn broken(&self, error: &hyper::Error) -> ClientError {
        ClientError::Broken { path: self.path.clone(), why: error.to_string() }
    }
}

fn not_connected(path: &Path, source: io::Error) -> ClientError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::PermissionDenied {
        ClientError::NotAllowed { path, source }
    } else {
        ClientError::NotRunning { path, source }
    }
}
