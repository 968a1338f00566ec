//! Buffers that connections borrow while they have something in them.

use std::cell::RefCell;

/// Capacity of a buffer as it is lent: a head, or some answers of it. A body makes it grow.
pub(crate) const BUFFER_BYTES: usize = 8 << 10;
/// One that has grown over this is not kept.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// How many are kept, 4 MiB at most: more are lent at once only by connections in the middle of something.
const KEPT_MAX: usize = 64;

/// A store of empty buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    kept: RefCell<Vec<Vec<u8>>>,
}

impl Buffers {
    /// An empty one.
    pub(crate) fn lend(&self) -> Vec<u8> {
        self.kept.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    /// Takes one back.
    pub(crate) fn keep(&self, mut buffer: Vec<u8>) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() < KEPT_MAX && (1..=KEPT_BYTES_MAX).contains(&buffer.capacity()) {
            buffer.clear();
            kept.push(buffer);
        }
    }
}
