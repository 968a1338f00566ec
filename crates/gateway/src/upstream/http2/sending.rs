//! The body of a request on a stream, as far as the server's windows let it go.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use remuda_wire::http::Fields;

use super::super::head::Framed;
use super::super::sending::Content;
use crate::server::BodyError;

/// A request's body that is being sent.
#[derive(Debug)]
pub(in super::super) struct Sending {
    content: Content,
    pub(in super::super) framed: Framed,
    stream: Option<h2::SendStream<Bytes>>,
    /// What was read and has no room yet.
    held: Bytes,
    is_over: bool,
    has_consumed: bool,
}

/// Why it does not go on.
#[derive(Debug)]
pub(in super::super) enum Failed {
    /// The server takes no more.
    Stream,
    /// The client gives no more.
    Body(BodyError),
}

impl Sending {
    pub(in super::super) fn new(content: Content, framed: Framed) -> Self {
        Self { content, framed, stream: None, held: Bytes::new(), is_over: false, has_consumed: false }
    }

    /// Goes out on `stream` from here on.
    pub(super) fn begin(&mut self, stream: h2::SendStream<Bytes>) {
        self.is_over = self.framed == Framed::Empty;
        self.stream = Some(stream);
    }

    /// What it was made of, if nothing of that is gone.
    pub(in super::super) fn into_content(mut self) -> Option<Content> {
        if let Content::Kept(spool, _) = &mut self.content {
            spool.rewind();
        }
        (!self.has_consumed).then_some(self.content)
    }

    /// Sends as far as it goes. Ready: it is over.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, moved: &mut bool) -> Poll<Result<(), Failed>> {
        while !self.is_over {
            if self.held.is_empty() {
                let mut piece = Vec::new();
                match ready!(self.poll_content(context, &mut piece)) {
                    Ok(0) => return Poll::Ready(self.end()),
                    Ok(_) => self.held = piece.into(),
                    Err(error) => {
                        self.is_over = true;
                        return Poll::Ready(Err(Failed::Body(error)));
                    }
                }
            }
            let Some(stream) = &mut self.stream else { return Poll::Pending };
            stream.reserve_capacity(self.held.len());
            let room = match ready!(stream.poll_capacity(context)) {
                Some(Ok(room)) => room.min(self.held.len()),
                Some(Err(_)) | None => return self.give_up(),
            };
            if room > 0 {
                let piece = self.held.split_to(room);
                if stream.send_data(piece, false).is_err() {
                    return self.give_up();
                }
                *moved = true;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn give_up(&mut self) -> Poll<Result<(), Failed>> {
        self.is_over = true;
        Poll::Ready(Err(Failed::Stream))
    }

    fn poll_content(
        &mut self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<usize, BodyError>> {
        let body = match &mut self.content {
            Content::Client(body) => body,
            Content::Kept(spool, rest) => match spool.read(out) {
                0 => rest,
                len => return Poll::Ready(Ok(len)),
            },
        };
        let len = ready!(body.poll_read(context, out))?;
        self.has_consumed |= len > 0;
        Poll::Ready(Ok(len))
    }

    fn end(&mut self) -> Result<(), Failed> {
        self.is_over = true;
        let (Content::Client(body) | Content::Kept(_, body)) = &mut self.content;
        let trailers = body.take_trailers().filter(|trailers| !trailers.is_empty());
        let Some(stream) = &mut self.stream else { return Err(Failed::Stream) };
        let ended = match trailers {
            Some(trailers) => stream.send_trailers(map_of(&trailers)),
            None => stream.send_data(Bytes::new(), true),
        };
        ended.map_err(|_gone| Failed::Stream)
    }
}

/// Fields as `h2` has them; what it cannot have is left out.
fn map_of(fields: &Fields) -> HeaderMap {
    let pair = |(name, value): (&[u8], &[u8])| {
        Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
    };
    let mut map = HeaderMap::new();
    for (name, value) in fields.iter().filter_map(pair) {
        map.append(name, value);
    }
    map
}
