//! Addresses of names, asked for by threads: the system's resolver waits, and the loop may not.
//!
//! Each line asks for one name at a time and waits for the answer, so there are never more threads than lines.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use remuda_sys::CallError;
use remuda_sys::eventfd::EventFd;

/// Who asked, and what was found.
pub(crate) type Found = (u64, Result<Vec<SocketAddr>, String>);

/// Asks for names.
#[derive(Debug)]
pub(crate) struct Resolver {
    sender: Sender<Found>,
    receiver: Receiver<Found>,
    bell: Arc<EventFd>,
}

impl Resolver {
    pub(crate) fn new() -> Result<Self, CallError> {
        let (sender, receiver) = channel();
        Ok(Self { sender, receiver, bell: Arc::new(EventFd::new()?) })
    }

    /// Asks what `host` stands for; the answer is for `who`.
    pub(crate) fn ask(&mut self, who: u64, host: &str, port: u16) -> Result<(), String> {
        let (sender, bell, host) = (self.sender.clone(), Arc::clone(&self.bell), host.to_owned());
        let work = move || {
            let found = (host.as_str(), port).to_socket_addrs();
            let found =
                found.map(Iterator::collect).map_err(|error| format!("its name cannot be resolved: {error}"));
            // Nobody listens any more when the hub has ended.
            let _ = sender.send((who, found));
            bell.ring();
        };
        std::thread::Builder::new()
            .name("resolve".to_owned())
            .spawn(work)
            .map(drop)
            .map_err(|error| format!("its name cannot be resolved: no thread: {error}"))
    }

    /// What was found meanwhile.
    pub(crate) fn found(&self) -> Vec<Found> {
        let _ = self.bell.clear();
        self.receiver.try_iter().collect()
    }
}

impl AsFd for Resolver {
    /// Readable when something was found.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
