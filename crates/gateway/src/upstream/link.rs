//! One connection to a server behind us.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::deadlines::Alarm;
use crate::balance::MemberId;
use crate::server::Transport;

/// A connection, in use or idle.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) transport: Transport,
    pub(super) member: MemberId,
    pub(super) alarm: Alarm,
    /// Answers that came on it.
    pub(super) answers: Cell<u64>,
    /// Since when it is idle.
    pub(super) idle_since: Instant,
}

impl Link {
    /// Whether nothing has come on an idle connection, neither bytes nor its end. Asked of the runtime, which heard it
    /// from the kernel in its last turn: no system call, if nothing has come.
    pub(super) fn is_quiet(&self, scratch: &mut Vec<u8>) -> bool {
        scratch.clear();
        let mut context = Context::from_waker(Waker::noop());
        self.transport.poll_read(&mut context, scratch).is_pending()
    }

    /// Writes `bytes` from `from` on, as far as it goes.
    pub(super) fn poll_write_from(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
        from: &mut usize,
    ) -> Poll<io::Result<()>> {
        while *from < bytes.len() {
            match std::task::ready!(self.transport.poll_write(context, &bytes[*from..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                len => *from += len,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes all of `bytes`.
pub(super) async fn write_all(transport: &Transport, bytes: &[u8]) -> io::Result<()> {
    let mut from = 0;
    while from < bytes.len() {
        match poll_fn(|context| transport.poll_write(context, &bytes[from..])).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            len => from += len,
        }
    }
    Ok(())
}
