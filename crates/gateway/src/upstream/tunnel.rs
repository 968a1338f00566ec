//! After 101: bytes both ways, whatever they mean.
//!
//! Nothing the client sent behind its request went on before the server agreed to change the protocol: it might have been
//! a second request, which only a server that did not agree would have read as one.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use remuda_wire::http::ResponseHead;

use super::group::Upstream;
use super::head;
use super::lease::Lease;
use super::link::Link;
use crate::server::{Body, Buffers, Connection, Response, TakeOver};

/// How long one side may take nothing of what the other sent, and how long a side may still speak when the other has
/// ended.
const STALL: Duration = Duration::from_secs(60);

/// The answer that makes `connection`s a tunnel.
pub(super) fn response(
    upstream: &Rc<Upstream>,
    mut head: ResponseHead,
    input: Vec<u8>,
    start: usize,
    link: Link,
    lease: Lease,
) -> Response {
    let protocol = head.fields.get("upgrade").map(<[u8]>::to_vec);
    head::strip(&mut head.fields);
    head.fields.remove("content-length");
    head.fields.append("Connection", "upgrade");
    if let Some(protocol) = protocol {
        head.fields.append("Upgrade", protocol);
    }
    upstream.figures.tunnel();
    let upstream = Rc::clone(upstream);
    let mut response = Response { head, ..Response::default() };
    response.body = Body::TakeOver(TakeOver::new(move |connection| async move {
        let down = Flow { buffer: input, at: start, ..Flow::default() };
        let mut tunnel = Tunnel { connection, link, up: Flow::default(), down, stalls: false };
        let ended = poll_fn(|context| tunnel.poll(context, upstream.buffers())).await;
        if let Err(error) = ended {
            log::debug!("{}: a tunnel ended: {error}", upstream.name);
        }
        drop(lease);
    }));
    response
}

/// One way.
#[derive(Debug, Default)]
struct Flow {
    buffer: Vec<u8>,
    at: usize,
    /// Whether its source has ended.
    has_ended: bool,
    /// Whether its target was told.
    is_shut: bool,
}

struct Tunnel {
    connection: Rc<Connection>,
    link: Link,
    up: Flow,
    down: Flow,
    /// Whether a time is running.
    stalls: bool,
}

impl Tunnel {
    fn poll(&mut self, context: &mut Context<'_>, buffers: &Buffers) -> Poll<io::Result<()>> {
        let mut moved = false;
        let (connection, link) = (&self.connection, &self.link);
        let up = self.up.poll(
            context,
            buffers,
            &mut moved,
            |context, buffer| connection.poll_read(context, buffer),
            |context, bytes| link.transport.poll_write(context, bytes),
            |context| link.transport.poll_shutdown(context),
        )?;
        let down = self.down.poll(
            context,
            buffers,
            &mut moved,
            |context, buffer| link.transport.poll_read(context, buffer),
            |context, bytes| connection.transport().poll_write(context, bytes),
            |context| connection.transport().poll_shutdown(context),
        )?;
        // Whatever a session of TLS holds back; if it cannot go now, the write that waits for room will wake us.
        let _flushed = connection.transport().poll_flush(context)?;
        if up.is_ready() && down.is_ready() {
            return Poll::Ready(Ok(()));
        }
        let is_stalled = !self.up.is_idle() || !self.down.is_idle();
        if !is_stalled {
            self.link.alarm.set(Duration::ZERO);
        } else if moved || !self.stalls {
            self.link.alarm.set(STALL);
        }
        self.stalls = is_stalled;
        if self.link.alarm.has_rung(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl Flow {
    /// Whether it waits for its source alone, as it may for ever.
    fn is_idle(&self) -> bool {
        self.at == self.buffer.len() && !self.has_ended
    }

    /// Moves what can be moved. Ready: its source has ended, and its target knows.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        buffers: &Buffers,
        moved: &mut bool,
        read: impl Fn(&mut Context<'_>, &mut Vec<u8>) -> Poll<io::Result<usize>>,
        write: impl Fn(&mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
        shut: impl Fn(&mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.at < self.buffer.len() {
                match ready!(write(context, &self.buffer[self.at..]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    len => self.at += len,
                }
                *moved = true;
            }
            self.buffer.clear();
            self.at = 0;
            if self.has_ended {
                if !self.is_shut {
                    ready!(shut(context))?;
                    self.is_shut = true;
                }
                return Poll::Ready(Ok(()));
            }
            if self.buffer.capacity() == 0 {
                self.buffer = buffers.lend();
            }
            match read(context, &mut self.buffer) {
                Poll::Pending => {
                    buffers.keep(std::mem::take(&mut self.buffer));
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => self.has_ended = true,
                Poll::Ready(Ok(_)) => *moved = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
    }
}
