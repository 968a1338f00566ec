//! A listener's queue, watched by the runtime.
//!
//! A listener can be shut down by whoever else holds it: the arbiter when everything ends, a worker that should not have.
//! The kernel then says for ever that there is something to take, and there is nothing: a wait for the next connection
//! would be a loop without end. And once a runtime was told that a descriptor is closed it believes so for good, though
//! the listener may listen again. So this is told as an error, and the listener is watched anew.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::task::{Context, Poll, ready};

use tokio::io::unix::AsyncFd;

use super::watched;

/// A listener that does not block.
#[derive(Debug)]
pub(super) struct AcceptQueue<L: AsFd + AsRawFd> {
    /// Missing only if the kernel would not have it watched again.
    listener: RefCell<Option<AsyncFd<L>>>,
}

impl<L: AsFd + AsRawFd> AcceptQueue<L> {
    /// # Errors
    /// It cannot be watched.
    pub(super) fn new(listener: L) -> io::Result<Self> {
        Ok(Self { listener: RefCell::new(Some(watched(listener)?)) })
    }

    /// Takes the next connection by `accept`.
    ///
    /// # Errors
    /// Those of `accept`, and `InvalidInput` while it does not listen, whatever the kernel calls that.
    pub(super) fn poll_accept<T>(
        &self,
        context: &mut Context<'_>,
        accept: impl Fn(&L) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let mut place = self.listener.borrow_mut();
        loop {
            let listener = place.as_ref().ok_or(io::ErrorKind::NotConnected)?;
            let mut guard = ready!(listener.poll_read_ready(context))?;
            match accept(guard.get_inner()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                taken => return Poll::Ready(taken),
            }
            if guard.ready().is_read_closed() {
                *place = place.take().map(|listener| watched(listener.into_inner())).transpose()?;
                return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
            }
            guard.clear_ready();
        }
    }
}
