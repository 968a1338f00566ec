//! What is to be done for a request.

use std::time::Duration;

use super::{Request, Response};

/// Answers requests.
pub trait Handler: 'static {
    /// Answers `request`. It may read the body as it likes; what it leaves is read or the connection closed. Should the
    /// client go away meanwhile the answer is not waited for any more, and dropped.
    fn handle(&self, request: &mut Request) -> impl Future<Output = Response>;

    /// The answer is written, or will not be. Default: nothing.
    fn ended(&self, request: &Request, ending: &Ending) {
        let _ = (request, ending);
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Status of the answer.
    pub status: u16,
    /// Bytes of the body that were written, framing not counted.
    pub sent: u64,
    /// From the whole head to the last byte.
    pub time: Duration,
    /// Whether all was written.
    pub is_whole: bool,
}
