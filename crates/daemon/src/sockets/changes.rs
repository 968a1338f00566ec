//! A mark that listeners have come or gone, which all sockets of a table share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by any change, taken by who keeps the record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<AtomicBool>);

impl Changes {
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
