//! What workers write: captured by whole lines, kept in bounded memory, read by pulling.

pub(crate) mod capture;
pub(crate) mod files;
pub(crate) mod splitter;
mod store;

pub use store::{LogLine, LogNext, LogQuery, LogReader, LogStore, Stream};
