//! Bodies that come from a source, as it gives them.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use bytes::Bytes;
use remuda_wire::http::{LAST_CHUNK, write_chunk_head, write_trailers};

use super::super::limits::STREAM_WINDOW;
use super::super::patience::Waiting;
use super::super::{Handler, Source, Step};
use super::Driver;
use super::answer::Delimited;
use super::body::Progress;

/// What is to be written next of a stream.
enum Given {
    /// What is in the buffer.
    Buffer,
    /// What is in the buffer, and then these.
    Shared(Bytes),
    /// What is in the buffer, and then the end.
    End,
}

impl<H: Handler> Driver<H> {
    /// Writes all a source gives, behind what is in the output; says how many bytes.
    pub(super) async fn write_stream(
        &mut self,
        mut source: Box<dyn Source>,
        delimited: Delimited,
        progress: Option<&Progress>,
    ) -> io::Result<u64> {
        let mut buffer = self.connection.server.buffers.lend();
        let written = self.copy(&mut *source, &mut buffer, delimited, progress).await;
        self.connection.server.buffers.keep(buffer);
        let sent = written?;
        if delimited == Delimited::Chunked {
            match source.take_trailers().filter(|trailers| !trailers.is_empty()) {
                Some(trailers) => write_trailers(&trailers, &mut self.output),
                None => self.output.extend_from_slice(LAST_CHUNK),
            }
        }
        Ok(sent)
    }

    async fn copy(
        &mut self,
        source: &mut dyn Source,
        buffer: &mut Vec<u8>,
        delimited: Delimited,
        progress: Option<&Progress>,
    ) -> io::Result<u64> {
        let mut sent = 0_u64;
        loop {
            let given = self.next_of(source, buffer, progress).await?;
            for bytes in [&**buffer, if let Given::Shared(bytes) = &given { bytes } else { &[][..] }] {
                sent += bytes.len() as u64;
                if let Delimited::Length(length) = delimited
                    && sent > length
                {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                self.write_piece(bytes, delimited).await?;
            }
            buffer.clear();
            if matches!(given, Given::End) {
                break;
            }
        }
        match delimited {
            Delimited::Length(length) if sent < length => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(sent),
        }
    }

    /// What the source gives until it has to wait, or the window is full.
    async fn next_of(
        &self,
        source: &mut dyn Source,
        buffer: &mut Vec<u8>,
        progress: Option<&Progress>,
    ) -> io::Result<Given> {
        let connection = &self.connection;
        poll_fn(|context| {
            while buffer.len() < STREAM_WINDOW {
                match source.poll_step(context, buffer) {
                    Poll::Ready(Ok(Step::Filled)) => {}
                    Poll::Ready(Ok(Step::Shared(bytes))) => return Poll::Ready(Ok(Given::Shared(bytes))),
                    Poll::Ready(Ok(Step::End)) => return Poll::Ready(Ok(Given::End)),
                    // What there is goes first, then it is asked again, and breaks again.
                    Poll::Ready(Err(_broken)) if !buffer.is_empty() || !self.output.is_empty() => {
                        return Poll::Ready(Ok(Given::Buffer));
                    }
                    Poll::Ready(Err(_broken)) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                    Poll::Pending if !buffer.is_empty() || !self.output.is_empty() => {
                        return Poll::Ready(Ok(Given::Buffer));
                    }
                    Poll::Pending => {
                        connection.waiter.again(Waiting::Nothing);
                        // While a body comes, who reads it notices.
                        let is_read = progress.is_none_or(Progress::is_done);
                        if is_read && connection.poll_gone(context).is_ready() {
                            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                        }
                        return Poll::Pending;
                    }
                }
            }
            Poll::Ready(Ok(Given::Buffer))
        })
        .await
    }

    /// Writes some of the body, with what stands before it in the output.
    async fn write_piece(&mut self, bytes: &[u8], delimited: Delimited) -> io::Result<()> {
        if bytes.is_empty() {
            // A head that nothing follows for now.
            return if self.output.is_empty() { Ok(()) } else { self.flush_head().await };
        }
        if delimited == Delimited::Chunked {
            write_chunk_head(bytes.len(), &mut self.output);
        }
        self.connection.put_both(&self.output, bytes).await?;
        self.output.clear();
        if delimited == Delimited::Chunked {
            self.output.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    /// Writes the output and keeps its memory.
    async fn flush_head(&mut self) -> io::Result<()> {
        let mut output = std::mem::take(&mut self.output);
        let written = self.connection.put_all(&mut output).await;
        self.output = output;
        written
    }
}
