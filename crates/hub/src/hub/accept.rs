//! New connections are taken in, until no descriptor is left for them.

use std::io::ErrorKind;
use std::time::Duration;

use remuda_sys::event::{Interest, Token};
use remuda_sys::socket::is_of_one_connection;

use super::{FIRST_ENDPOINT, Hub};
use crate::complaints::Complaint;
use crate::endpoint::ACCEPTED_PER_TURN;
use crate::error::HubError;

/// A listener that could not give a connection for want of descriptors is asked again after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Hub {
    pub(super) fn accept(&mut self, index: usize) -> Result<(), HubError> {
        for _ in 0..ACCEPTED_PER_TURN {
            match self.endpoints[index].accept() {
                Ok(stream) => self.core.figures.accepted += u64::from(self.welcome(index, stream)),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {}
                    // The connection it was about is gone, and the next may be well.
                    _ if is_of_one_connection(&error) => {}
                    _ => return self.pause_accepting(&error),
                },
            }
        }
        Ok(())
    }

    /// No descriptor is left, most likely: connections queue in the kernel until some have ended.
    fn pause_accepting(&mut self, error: &std::io::Error) -> Result<(), HubError> {
        self.core.figures.accept_failures += 1;
        if self.core.complaints.may_say(Complaint::NoDescriptors, self.core.moment.tick) {
            self.core.say(&format!("cannot accept connections for now, they queue: {error}"));
        }
        for (number, endpoint) in (FIRST_ENDPOINT..).zip(&self.endpoints) {
            self.poller.modify(endpoint, Token(number), Interest::Nothing)?;
        }
        self.accept_again = Some(self.core.moment.tick + ACCEPT_PAUSE);
        Ok(())
    }

    pub(super) fn resume_accepting(&mut self) {
        if self.accept_again.is_none_or(|at| at > self.core.moment.tick) {
            return;
        }
        self.accept_again = None;
        for (number, endpoint) in (FIRST_ENDPOINT..).zip(&self.endpoints) {
            // A listener that cannot be watched again is one that the next reload repairs.
            let _ = self.poller.modify(endpoint, Token(number), Interest::Read);
        }
    }
}
