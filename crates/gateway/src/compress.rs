//! Answers that are packed on their way.
//!
//! Whether one is follows from what it is (its type, its length, what was said about it) and from what the client takes;
//! the encoder then stands between the body and whoever writes it, and holds back nothing while more is waited for. A body
//! in memory that is small is packed at once, so that its length is known.
//!
//! An encoder costs hundreds of kilobytes for as long as its answer takes, so that only so many work at once
//! ([`Packers`]); what comes while all are busy goes as it is.

mod encoder;
mod packed;
mod worth;

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use remuda_model::gateway::CompressSpec;
use remuda_wire::http::{Head, ResponseHead};

use crate::files::negotiate::{Encoding, choose};
use crate::server::{Body, Figures, Response};
use encoder::Encoder;
use packed::Packed;

#[cfg(test)]
mod tests;

/// Encoders at work at once, of one process. Default for [`Packers::default`]: 128, of 0.3 MiB (gzip) to 1 MiB (Brotli).
const PACKERS_MAX: usize = 128;
/// A body in memory up to this size is packed at once, bytes: about a millisecond.
const AT_ONCE_MAX: usize = 32 << 10;

/// How many encoders may work at once; shared by all routes of a process.
#[derive(Debug, Clone)]
pub struct Packers {
    busy: Rc<Cell<usize>>,
    most: usize,
}

impl Default for Packers {
    fn default() -> Self {
        Self::new(PACKERS_MAX)
    }
}

impl Packers {
    /// So many at once.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { busy: Rc::default(), most }
    }

    fn hire(&self) -> Option<Hired> {
        let busy = self.busy.get();
        (busy < self.most).then(|| {
            self.busy.set(busy + 1);
            Hired(Rc::clone(&self.busy))
        })
    }
}

/// One of them, at work.
#[derive(Debug)]
struct Hired(Rc<Cell<usize>>);

impl Drop for Hired {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Packs answers of a route.
#[derive(Debug, Clone)]
pub struct Compressor {
    encodings: Vec<Encoding>,
    min: u64,
    types: Vec<String>,
    packers: Packers,
}

impl Compressor {
    /// As `spec` says. Zstandard, for which there is no encoder without C, is only for files that lie packed on a disk.
    #[must_use]
    pub fn new(spec: &CompressSpec, packers: &Packers) -> Self {
        use remuda_model::gateway::Encoding as Word;
        let encodings = spec.encodings.iter().filter_map(|word| match word {
            Word::Br => Some(Encoding::Brotli),
            Word::Gzip => Some(Encoding::Gzip),
            Word::Zstd => None,
        });
        Self {
            encodings: encodings.collect(),
            min: spec.min,
            types: spec.types.iter().map(|kind| kind.to_ascii_lowercase()).collect(),
            packers: packers.clone(),
        }
    }

    /// Packs `response`, an answer to `request`, where that is worth it and allowed.
    #[must_use]
    pub fn apply(&self, request: &Head, mut response: Response, figures: &Figures) -> Response {
        if self.encodings.is_empty() || !self.is_worth_it(&response) {
            return response;
        }
        // Others are given another form of it, which caches must know.
        worth::vary(&mut response.head.fields);
        let Some(encoding) = choose(request.fields(), self.encodings.iter().copied()) else {
            return response;
        };
        let Some(hired) = self.packers.hire() else {
            figures.count("compress-busy");
            return response;
        };
        let length = length(&response);
        response.body = match std::mem::take(&mut response.body) {
            Body::Bytes(bytes) if bytes.len() <= AT_ONCE_MAX => {
                let mut encoder = Encoder::new(encoding);
                encoder.put(&bytes);
                Body::Bytes(Bytes::from(encoder.finish()))
            }
            body => Body::Stream(Box::new(Packed::new(body, length, Encoder::new(encoding), hired))),
        };
        worth::relabel(&mut response.head.fields, encoding);
        response
    }

    fn is_worth_it(&self, response: &Response) -> bool {
        matches!(response.body, Body::Bytes(_) | Body::Parts(_) | Body::Stream(_))
            && length(response).is_none_or(|length| length >= self.min.max(1))
            && worth::may_be_packed(&response.head)
            && worth::is_of(&response.head, &self.types)
    }
}

fn length(response: &Response) -> Option<u64> {
    response.body.length().or_else(|| told(&response.head))
}

fn told(head: &ResponseHead) -> Option<u64> {
    head.fields.get_str("content-length")?.parse().ok()
}
