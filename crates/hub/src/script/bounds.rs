//! What a running script may still take: its time, looked at by the count hook and by everything native that can last.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::failure::Failure;

/// When the running script has to end, and what one value of it may weigh.
#[derive(Debug)]
pub(super) struct Bounds {
    until: Cell<Option<Instant>>,
    is_over: Cell<bool>,
    /// Memory of the state.
    memory_max_bytes: usize,
    /// Bytes of all values that are being made.
    made_bytes: Cell<usize>,
}

/// A value on its way to Lua, whose memory it is not in yet. Whoever makes one may call back a script that has another
/// made, and so on: all of them together are as much as one may be.
#[derive(Debug)]
pub(super) struct Making<'a> {
    bytes: Vec<u8>,
    bounds: &'a Bounds,
}

impl Bounds {
    pub(super) fn new(memory_max_bytes: usize) -> Self {
        Self { until: Cell::new(None), is_over: Cell::new(false), memory_max_bytes, made_bytes: Cell::new(0) }
    }

    /// A script begins.
    pub(super) fn begin(&self, time_max: Duration) {
        self.until.set(Instant::now().checked_add(time_max));
        self.is_over.set(false);
    }

    /// It has ended.
    pub(super) fn end(&self) {
        self.until.set(None);
    }

    /// Whether the time was found to be over.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Looks at the clock.
    ///
    /// # Errors
    /// The script has to end.
    pub(super) fn look(&self) -> Result<(), Failure> {
        if self.until.get().is_some_and(|until| Instant::now() >= until) {
            self.is_over.set(true);
        }
        if self.is_over() { Err(over()) } else { Ok(()) }
    }

    /// Whether a value of so many bytes can be.
    ///
    /// # Errors
    /// It is more than all of Lua's memory.
    pub(super) fn weigh(&self, bytes: usize) -> Result<(), Failure> {
        if bytes > self.memory_max_bytes { Err(Failure::text("not enough memory")) } else { Ok(()) }
    }
}

impl<'a> Making<'a> {
    /// Of nothing yet.
    pub(super) fn new(bounds: &'a Bounds) -> Self {
        Self { bytes: Vec::new(), bounds }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// What is being made is more than all of Lua's memory.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let made = self.bounds.made_bytes.get().saturating_add(bytes.len());
        self.bounds.weigh(made)?;
        self.bounds.made_bytes.set(made);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// All of them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        let made = &self.bounds.made_bytes;
        made.set(made.get().saturating_sub(self.bytes.len()));
    }
}

/// The script ran longer than it may.
pub(super) fn over() -> Failure {
    Failure::End("ERR the script ran longer than it may and was ended; what it wrote before stays".into())
}
