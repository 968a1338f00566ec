//! Bodies that are kept whole.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use remuda_wire::http::Fields;

use crate::server::{Body, BodyError, BodyReader, Part, RequestBody, Step};

/// A body that was read, to be read again.
#[derive(Debug)]
struct Kept(Bytes);

/// Bytes given at once.
const PIECE: usize = 64 << 10;

impl BodyReader for Kept {
    fn poll_read(&mut self, _: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<usize, BodyError>> {
        let len = self.0.len().min(PIECE);
        out.extend_from_slice(&self.0[..len]);
        self.0.advance(len);
        Poll::Ready(Ok(len))
    }

    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        None
    }
}

/// A request's body of these bytes.
pub(super) fn again(bytes: Bytes) -> RequestBody {
    if bytes.is_empty() {
        return RequestBody::empty();
    }
    let length = u64::try_from(bytes.len()).ok();
    RequestBody::of(Box::new(Kept(bytes)), length, 0)
}

/// Why the body of an answer cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeepError {
    /// It is longer than may be kept.
    #[error("the answer is longer than what may be kept")]
    TooLarge,
    /// It broke off.
    #[error("the answer broke off")]
    Broken,
}

/// All of an answer's body, if it has at most `most` bytes.
pub(super) async fn whole(body: Body, most: u64) -> Result<Bytes, KeepError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    match body {
        Body::Empty | Body::TakeOver(_) => {}
        Body::Bytes(bytes) if bytes.len() <= most => return Ok(bytes),
        Body::Bytes(_) => return Err(KeepError::TooLarge),
        Body::Parts(parts) => {
            for part in parts {
                match part {
                    Part::Bytes(bytes) => out.extend_from_slice(&bytes),
                    Part::File(part) => {
                        let len = usize::try_from(part.len).unwrap_or(usize::MAX);
                        if out.len().saturating_add(len) > most {
                            return Err(KeepError::TooLarge);
                        }
                        let begin = out.len();
                        out.resize(begin + len, 0);
                        std::os::unix::fs::FileExt::read_exact_at(
                            &*part.file,
                            &mut out[begin..],
                            part.offset,
                        )
                        .map_err(|_gone| KeepError::Broken)?;
                    }
                }
                if out.len() > most {
                    return Err(KeepError::TooLarge);
                }
            }
        }
        Body::Stream(mut source) => loop {
            match poll_fn(|context| source.poll_step(context, &mut out)).await {
                Ok(Step::Filled) => {}
                Ok(Step::Shared(bytes)) => out.extend_from_slice(&bytes),
                Ok(Step::End) => break,
                Err(_told) => return Err(KeepError::Broken),
            }
            if out.len() > most {
                return Err(KeepError::TooLarge);
            }
        },
    }
    Ok(out.into())
}
