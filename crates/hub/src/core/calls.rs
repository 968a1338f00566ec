//! Calls between workers, and peers that wait for a subscription.

use std::time::Duration;

use bytes::Bytes;
use remuda_bus::{Answered, CallId, CallSpec, Capacity};

use super::{Core, Letter};
use crate::table::Key;
use crate::timers::Due;

impl Core {
    /// Lets a connection answer for a service.
    pub(crate) fn serve(&mut self, key: Key, service: &[u8], capacity: Capacity) -> Result<(), String> {
        self.services
            .register(key.peer(), service, capacity, &mut self.orders)
            .map_err(|error| error.to_string())?;
        self.serving.insert((key, Bytes::copy_from_slice(service)), capacity);
        Ok(())
    }

    /// Ends that for one service.
    pub(crate) fn leave_service(&mut self, key: Key, service: &[u8]) {
        self.services.unregister(key.peer(), service);
        self.serving.remove(&(key, Bytes::copy_from_slice(service)));
    }

    /// A connection is gone: it answers for nothing, and waits for nothing.
    pub(crate) fn stop_serving(&mut self, key: Key) {
        self.services.gone(self.moment.tick, key.peer(), &mut self.orders);
        let from = (key, Bytes::new());
        let places =
            self.serving.range(from..).map(|(place, _)| place).take_while(|(worker, _)| *worker == key);
        for place in places.cloned().collect::<Vec<_>>() {
            self.serving.remove(&place);
        }
    }

    /// A worker of a service calls another; the answer comes as a letter.
    pub(crate) fn call(
        &mut self,
        caller: Key,
        name: &str,
        ticket: u64,
        service: &[u8],
        timeout: Duration,
        body: &[u8],
    ) {
        let spec = CallSpec {
            caller: caller.peer(),
            caller_name: Bytes::copy_from_slice(name.as_bytes()),
            ticket,
            service: Bytes::copy_from_slice(service),
            timeout,
            waits_for_service: false,
            body: Bytes::copy_from_slice(body),
        };
        self.services.call(self.moment.tick, spec, &mut self.orders);
    }

    /// A worker answers; says whether anybody waited for it.
    pub(crate) fn answer(&mut self, worker: Key, call: u64, outcome: Result<Bytes, Bytes>) -> bool {
        let answered = self.services.answer(worker.peer(), CallId(call), outcome, &mut self.orders);
        answered == Answered::Delivered
    }

    /// Somebody has subscribed to `prefix`: whoever waited for that is told.
    pub(crate) fn subscribed(&mut self, prefix: &[u8]) {
        for to in self.syncing.remove(prefix).unwrap_or_default() {
            self.letters.push(Letter::Synced { to });
        }
    }

    /// `key` does not wait for a subscription to `prefix` any more.
    pub(crate) fn stop_syncing(&mut self, key: Key, prefix: &[u8]) {
        if let Some(waiting) = self.syncing.get_mut(prefix) {
            waiting.retain(|other| *other != key);
            if waiting.is_empty() {
                self.syncing.remove(prefix);
            }
        }
    }

    /// Starts a clock for a client that waits for a call.
    pub(crate) fn wait_for_call(&mut self, key: Key, timeout: Option<Duration>) {
        if let Some(timeout) = timeout {
            self.timers.set(key, Due::Call, self.moment.tick + timeout);
        }
    }
}
