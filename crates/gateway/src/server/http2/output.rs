//! The body of an answer, written as the client takes it.

use std::future::poll_fn;
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, SendStream};

use super::super::http1::warm;
use super::super::limits::{FILE_READ_MAX, SENDFILE_MAX, STREAM_WINDOW};
use super::super::patience::Waiting;
use super::super::{Body, FilePart, Part, Source, Step};
use super::answer::Watch;
use super::{Strikes, head};

/// The rest of an answer cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The client does not want it any more, or does not take it.
    Client,
    /// It cannot be had, or is not as long as was said.
    Source,
}

/// One answer's body.
#[derive(Debug)]
pub(super) struct Output {
    stream: SendStream<Bytes>,
    watch: Rc<Watch>,
    strikes: Rc<Strikes>,
    /// Bytes that were given to be sent.
    pub(super) sent: u64,
}

impl Output {
    pub(super) fn new(stream: SendStream<Bytes>, watch: Rc<Watch>, strikes: Rc<Strikes>) -> Self {
        Self { stream, watch, strikes, sent: 0 }
    }

    /// Writes all of `body`, which was said to have `length` bytes if that is known.
    pub(super) async fn write(&mut self, body: Body, length: Option<u64>) -> Result<(), Cut> {
        let written = match body {
            Body::Empty | Body::TakeOver(_) => self.end(None),
            Body::Bytes(bytes) => self.put(bytes, true).await,
            Body::Parts(parts) => self.put_parts(parts).await,
            Body::Stream(mut source) => self.put_source(&mut *source, length).await,
        };
        match written {
            // So that nobody takes the part for the whole.
            Err(Cut::Source) => self.stream.send_reset(Reason::INTERNAL_ERROR),
            Err(Cut::Client) => self.stream.send_reset(Reason::CANCEL),
            Ok(()) => {}
        }
        written
    }

    /// Waits until some of `wanted` bytes can be sent; how many.
    fn poll_room(&mut self, context: &mut Context<'_>, wanted: usize) -> Poll<Result<usize, Cut>> {
        self.stream.reserve_capacity(wanted);
        let mut room = self.stream.capacity();
        while room == 0 {
            match self.stream.poll_capacity(context) {
                Poll::Ready(Some(Ok(more))) => room = more,
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(Err(Cut::Client)),
                Poll::Pending => {
                    let waiter = &self.watch.waiter;
                    if waiter.waiting() != Waiting::Write {
                        waiter.begin(Waiting::Write);
                    }
                    if waiter.is_overdue(context) {
                        self.watch.server.figures.count("answer-not-taken");
                        return Poll::Ready(Err(Cut::Client));
                    }
                    return Poll::Pending;
                }
            }
        }
        self.watch.waiter.progress(room);
        self.watch.waiter.again(Waiting::Nothing);
        Poll::Ready(Ok(room.min(wanted)))
    }

    async fn put(&mut self, mut bytes: Bytes, is_last: bool) -> Result<(), Cut> {
        while !bytes.is_empty() {
            let len = poll_fn(|context| self.poll_room(context, bytes.len())).await?;
            let piece = bytes.split_to(len);
            let is_end = is_last && bytes.is_empty();
            self.stream.send_data(piece, is_end).map_err(|_gone| Cut::Client)?;
            self.sent += len as u64;
            self.strikes.useful();
        }
        Ok(())
    }

    fn end(&mut self, trailers: Option<&remuda_wire::http::Fields>) -> Result<(), Cut> {
        let ended = match trailers.filter(|trailers| !trailers.is_empty()) {
            Some(trailers) => self.stream.send_trailers(head::headers(trailers)),
            None => self.stream.send_data(Bytes::new(), true),
        };
        ended.map_err(|_gone| Cut::Client)
    }

    async fn put_parts(&mut self, parts: Vec<Part>) -> Result<(), Cut> {
        for part in parts {
            match part {
                Part::Bytes(bytes) => self.put(bytes, false).await?,
                Part::File(part) => self.put_file(&part).await?,
            }
        }
        self.end(None)
    }

    /// Reads only what the client has room for, so that a slow one holds little.
    async fn put_file(&mut self, part: &FilePart) -> Result<(), Cut> {
        let (mut offset, end) = (part.offset, part.offset.saturating_add(part.len));
        let mut warm_until = offset;
        while offset < end {
            if offset >= warm_until {
                let window = (end - offset).min(SENDFILE_MAX);
                warm(&part.file, offset, window).await.map_err(|_unread| Cut::Source)?;
                warm_until = offset + window;
            }
            let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(FILE_READ_MAX);
            let room = poll_fn(|context| self.poll_room(context, wanted)).await?;
            let mut piece = vec![0; room];
            let read = part.file.read_at(&mut piece, offset).map_err(|_unread| Cut::Source)?;
            if read == 0 {
                return Err(Cut::Source);
            }
            piece.truncate(read);
            self.put(piece.into(), false).await?;
            offset += read as u64;
            if offset == warm_until {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn put_source(&mut self, source: &mut dyn Source, length: Option<u64>) -> Result<(), Cut> {
        let mut buffer = Vec::new();
        loop {
            let given = poll_fn(|context| self.poll_source(context, source, &mut buffer)).await?;
            let (shared, is_end) = match given {
                Step::Filled => (Bytes::new(), false),
                Step::Shared(bytes) => (bytes, false),
                Step::End => (Bytes::new(), true),
            };
            for bytes in [Bytes::from(std::mem::take(&mut buffer)), shared] {
                if length.is_some_and(|length| self.sent.saturating_add(bytes.len() as u64) > length) {
                    return Err(Cut::Source);
                }
                self.put(bytes, false).await?;
            }
            if is_end {
                break;
            }
        }
        if length.is_some_and(|length| self.sent < length) {
            return Err(Cut::Source);
        }
        self.end(source.take_trailers().as_deref())
    }

    /// What the source gives until it has to wait, or the window is full.
    fn poll_source(
        &mut self,
        context: &mut Context<'_>,
        source: &mut dyn Source,
        buffer: &mut Vec<u8>,
    ) -> Poll<Result<Step, Cut>> {
        while buffer.len() < STREAM_WINDOW {
            match source.poll_step(context, buffer) {
                Poll::Ready(Ok(Step::Filled)) => {}
                Poll::Ready(Ok(step)) => return Poll::Ready(Ok(step)),
                Poll::Ready(Err(_broken)) => return Poll::Ready(Err(Cut::Source)),
                Poll::Pending if !buffer.is_empty() => break,
                Poll::Pending => {
                    self.watch.waiter.again(Waiting::Nothing);
                    let _reason = ready!(self.stream.poll_reset(context));
                    return Poll::Ready(Err(Cut::Client));
                }
            }
        }
        Poll::Ready(Ok(Step::Filled))
    }
}
