//! A WebSocket on a stream (RFC 8441).
//!
//! The client's extended CONNECT is given to handlers as the request of HTTP/1.1 that it stands for, and what they answer,
//! 101 and a hash of a key, is told in the words of HTTP/2. The stream then is a connection like any other for who takes it
//! over.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h2::{RecvStream, SendStream};
use remuda_wire::http::ResponseHead;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::body::TakeOver;
use super::super::{Connection, Ending, Handler, Request, Transport, error_response};
use super::answer::Stream;
use super::{Strikes, head};

/// A stream as bytes both ways.
#[derive(Debug)]
pub struct Tunnel {
    receive: RecvStream,
    send: SendStream<Bytes>,
    /// What came and was not read.
    input: Bytes,
    strikes: Rc<Strikes>,
}

/// Answers with what `take_over` wants, and gives it the stream.
pub(super) async fn hand_over<H: Handler>(
    mut stream: Stream,
    handler: &H,
    request: Request,
    receive: RecvStream,
    (mut answer, take_over): (ResponseHead, TakeOver),
) {
    let server = Rc::clone(&stream.connection.server);
    let peer = Rc::clone(stream.connection.peer());
    let refused = if take_over.is_silent {
        Some((501, "a stream of HTTP/2 cannot be answered by another process"))
    } else if server.admit(&peer) {
        None
    } else {
        server.figures.count("too-many-of-one-address");
        Some((503, "this address has too many connections"))
    };
    if let Some((status, detail)) = refused {
        let response = error_response(status, detail, request.id, None);
        let ending = stream.write(&request, response).await;
        return stream.ended(handler, &request, &ending);
    }
    if answer.status == 101 {
        answer.status = 200;
    }
    answer.fields.remove("sec-websocket-accept");
    let sent = stream.respond.send_response(head::response(&answer), false);
    let is_whole = sent.is_ok();
    let ending = Ending { status: 101, sent: 0, time: request.arrived.elapsed(), is_whole };
    stream.ended(handler, &request, &ending);
    drop(request);
    let Ok(send) = sent else { return server.closed(&peer) };
    stream.strikes.answered();
    let tunnel = Tunnel { receive, send, input: Bytes::new(), strikes: Rc::clone(&stream.strikes) };
    let transport = Transport::Tunnel(Box::new(tunnel).into());
    (take_over.then)(Rc::new(Connection::new(transport, server, peer))).await;
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.input.is_empty() {
            match ready!(self.receive.poll_data(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(bytes)) => self.input = bytes,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        let len = self.input.len().min(buffer.remaining());
        buffer.put_slice(&self.input[..len]);
        self.input.advance(len);
        self.strikes.useful();
        // A stream that was reset meanwhile has no window; its end is read next.
        let _is_reset = self.receive.flow_control().release_capacity(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.send.reserve_capacity(bytes.len());
        let mut room = self.send.capacity();
        while room == 0 {
            room = match ready!(self.send.poll_capacity(context)) {
                Some(Ok(room)) => room,
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            };
        }
        let len = room.min(bytes.len());
        let piece = Bytes::copy_from_slice(&bytes[..len]);
        self.send.send_data(piece, false).map_err(io::Error::other)?;
        self.strikes.useful();
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.send.send_data(Bytes::new(), true).map_err(io::Error::other))
    }
}
