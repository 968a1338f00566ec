//! A body with an encoder around it.

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use remuda_wire::http::Fields;
use tokio::task::JoinHandle;

use super::Hired;
use super::encoder::Encoder;
use crate::server::{Body, Broken, FilePart, Part, Source, Step};

/// Bytes of one read of a file.
const READ_MAX: u64 = 64 << 10;
/// Bytes of one go at the encoder.
const PIECE_MAX: usize = 16 << 10;
/// Bytes that are packed before others have their turn: some milliseconds.
const TURN_MAX: usize = 256 << 10;

/// A body that is packed while it is read.
#[derive(Debug)]
pub(super) struct Packed {
    inner: Inner,
    /// `None`: all is packed.
    encoder: Option<Encoder>,
    /// What came and is not packed yet.
    waiting: Bytes,
    /// Whether the encoder may hold something back.
    holds: bool,
    /// Bytes that came.
    read: u64,
    /// Bytes that are to come, if that is known.
    length: Option<u64>,
    /// Bytes of this turn.
    turn: usize,
    _hired: Hired,
}

#[derive(Debug)]
enum Inner {
    Parts(VecDeque<Part>, Option<JoinHandle<io::Result<Vec<u8>>>>),
    Stream(Box<dyn Source>),
}

impl Packed {
    pub(super) fn new(body: Body, length: Option<u64>, encoder: Encoder, hired: Hired) -> Self {
        let inner = match body {
            Body::Stream(source) => Inner::Stream(source),
            Body::Parts(parts) => Inner::Parts(parts.into(), None),
            Body::Bytes(bytes) => Inner::Parts(VecDeque::from([Part::Bytes(bytes)]), None),
            Body::Empty | Body::TakeOver(_) => Inner::Parts(VecDeque::new(), None),
        };
        Self {
            inner,
            encoder: Some(encoder),
            waiting: Bytes::new(),
            holds: false,
            read: 0,
            length,
            turn: 0,
            _hired: hired,
        }
    }

    /// Takes all that is packed out with the end behind it.
    fn finish(&mut self, buffer: &mut Vec<u8>) -> Result<Step, Broken> {
        if self.length.is_some_and(|length| length != self.read) {
            return Err(Broken);
        }
        match self.encoder.take() {
            Some(encoder) => {
                buffer.append(&mut encoder.finish());
                Ok(Step::Filled)
            }
            None => Ok(Step::End),
        }
    }
}

impl Source for Packed {
    fn poll_step(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        loop {
            let Some(encoder) = &mut self.encoder else { return Poll::Ready(Ok(Step::End)) };
            if !self.waiting.is_empty() {
                let piece = self.waiting.split_to(self.waiting.len().min(PIECE_MAX));
                encoder.put(&piece);
                self.holds = true;
                self.turn += piece.len();
                if encoder.take(buffer) {
                    return Poll::Ready(Ok(Step::Filled));
                }
            }
            if self.turn >= TURN_MAX {
                self.turn = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !self.waiting.is_empty() {
                continue;
            }
            match self.inner.poll_next(context) {
                Poll::Ready(Ok(Some(bytes))) => {
                    self.read = self.read.saturating_add(bytes.len() as u64);
                    self.waiting = bytes;
                }
                Poll::Ready(Ok(None)) => return Poll::Ready(self.finish(buffer)),
                Poll::Ready(Err(broken)) => return Poll::Ready(Err(broken)),
                Poll::Pending if self.holds => {
                    // Who waits for more is not kept from what is there.
                    encoder.flush();
                    self.holds = false;
                    self.turn = 0;
                    if encoder.take(buffer) {
                        return Poll::Ready(Ok(Step::Filled));
                    }
                    return Poll::Pending;
                }
                Poll::Pending => {
                    self.turn = 0;
                    return Poll::Pending;
                }
            }
        }
    }

    fn take_trailers(&mut self) -> Option<Box<Fields>> {
        match &mut self.inner {
            Inner::Stream(source) => source.take_trailers(),
            Inner::Parts(..) => None,
        }
    }
}

impl Inner {
    /// What is next; `None`: that was all.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Broken>> {
        match self {
            Self::Parts(parts, reading) => poll_parts(parts, reading, context),
            Self::Stream(source) => {
                let mut buffer = Vec::new();
                let step = ready!(source.poll_step(context, &mut buffer))?;
                Poll::Ready(Ok(match step {
                    Step::Filled => Some(buffer.into()),
                    Step::Shared(bytes) if buffer.is_empty() => Some(bytes),
                    Step::Shared(bytes) => Some([&buffer[..], &bytes].concat().into()),
                    Step::End if buffer.is_empty() => None,
                    Step::End => Some(buffer.into()),
                }))
            }
        }
    }
}

fn poll_parts(
    parts: &mut VecDeque<Part>,
    reading: &mut Option<JoinHandle<io::Result<Vec<u8>>>>,
    context: &mut Context<'_>,
) -> Poll<Result<Option<Bytes>, Broken>> {
    loop {
        if let Some(handle) = reading {
            let read = ready!(Pin::new(handle).poll(context));
            *reading = None;
            return Poll::Ready(match read {
                // A file that is shorter than it was.
                Ok(Ok(bytes)) if bytes.is_empty() => Err(Broken),
                Ok(Ok(bytes)) => {
                    advance(parts, bytes.len() as u64);
                    Ok(Some(bytes.into()))
                }
                Ok(Err(_)) | Err(_) => Err(Broken),
            });
        }
        match parts.front() {
            None => return Poll::Ready(Ok(None)),
            Some(Part::File(part)) if part.len > 0 => {
                let FilePart { file, offset, len } = part.clone();
                *reading = Some(tokio::task::spawn_blocking(move || {
                    let mut bytes = vec![0; usize::try_from(len.min(READ_MAX)).unwrap_or(usize::MAX)];
                    let read = file.read_at(&mut bytes, offset)?;
                    bytes.truncate(read);
                    Ok(bytes)
                }));
            }
            Some(_) => {
                if let Some(Part::Bytes(bytes)) = parts.pop_front()
                    && !bytes.is_empty()
                {
                    return Poll::Ready(Ok(Some(bytes)));
                }
            }
        }
    }
}

fn advance(parts: &mut VecDeque<Part>, read: u64) {
    if let Some(Part::File(part)) = parts.front_mut() {
        part.offset += read;
        part.len -= read.min(part.len);
    }
}
