//! A connection as `h2` reads and writes it.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::Connection;
use super::Strikes;

/// The connection's bytes, counted.
#[derive(Debug)]
pub(super) struct Wire {
    connection: Rc<Connection>,
    strikes: Rc<Strikes>,
}

impl Wire {
    pub(super) fn new(connection: Rc<Connection>, strikes: Rc<Strikes>) -> Self {
        Self { connection, strikes }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut input = self.connection.input.borrow_mut();
        let early = input.bytes().len().min(buffer.remaining());
        if early > 0 {
            buffer.put_slice(&input.bytes()[..early]);
            input.consume(early);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(self.connection.transport.poll_read_into(context, buffer))?;
        let len = buffer.filled().len() - before;
        self.strikes.unused.set(self.strikes.unused.get().saturating_add(len));
        self.connection.server.figures.received(len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let len = ready!(self.connection.transport.poll_write(context, bytes))?;
        self.connection.server.figures.sent(len);
        Poll::Ready(Ok(len))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = ready!(self.connection.transport.poll_write_vectored(context, slices))?;
        self.connection.server.figures.sent(len);
        Poll::Ready(Ok(len))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.transport.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.transport.poll_shutdown(context)
    }
}
