//! Bodies of parts of files: sent by the kernel where it can, read and written where it cannot.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use remuda_sys::transfer;

use super::super::limits::{FILE_READ_MAX, SENDFILE_MAX};
use super::super::{FilePart, Handler, Part};
use super::Driver;

impl<H: Handler> Driver<H> {
    /// Writes all parts behind what is in the output; says how many bytes they were.
    pub(super) async fn write_parts(&mut self, parts: Vec<Part>) -> io::Result<u64> {
        let mut sent = 0;
        for part in parts {
            match part {
                Part::Bytes(bytes) => {
                    self.output.extend_from_slice(&bytes);
                    sent += bytes.len() as u64;
                }
                Part::File(part) => {
                    self.write_file(&part).await?;
                    sent += part.len;
                }
            }
        }
        Ok(sent)
    }

    async fn write_file(&mut self, part: &FilePart) -> io::Result<()> {
        let sends_files = self.connection.transport.sends_files();
        if sends_files && part.len > 0 {
            self.write_output_before_file().await?;
        }
        let (mut offset, end) = (part.offset, part.offset.saturating_add(part.len));
        while offset < end {
            let window = (end - offset).min(SENDFILE_MAX);
            warm(&part.file, offset, window).await?;
            if sends_files {
                self.send_window(&part.file, &mut offset, window).await?;
            } else {
                self.copy_window(&part.file, &mut offset, window).await?;
            }
            if offset < end {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// The head goes in one packet with the beginning of the file.
    async fn write_output_before_file(&mut self) -> io::Result<()> {
        let connection = &self.connection;
        let mut from = 0;
        while from < self.output.len() {
            let rest = &self.output[from..];
            from += poll_fn(|context| {
                connection.timed(context, |context| connection.transport.poll_write_more(context, rest))
            })
            .await?;
        }
        self.output.clear();
        Ok(())
    }

    async fn send_window(&self, file: &File, offset: &mut u64, window: u64) -> io::Result<()> {
        let (connection, end) = (&self.connection, *offset + window);
        while *offset < end {
            let left = usize::try_from(end - *offset).unwrap_or(usize::MAX);
            // A file that is shorter than it was makes `timed` an error, and the connection is cut.
            poll_fn(|context| {
                connection.timed(context, |context| {
                    connection.transport.poll_send_file(context, file, offset, left)
                })
            })
            .await?;
        }
        Ok(())
    }

    async fn copy_window(&mut self, file: &File, offset: &mut u64, window: u64) -> io::Result<()> {
        let end = *offset + window;
        let mut buffer = self.connection.server.buffers.lend();
        while *offset < end {
            let len = usize::try_from(end - *offset).unwrap_or(usize::MAX).min(FILE_READ_MAX);
            buffer.resize(len, 0);
            let read = file.read_at(&mut buffer, *offset)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.connection.put_both(&self.output, &buffer[..read]).await?;
            self.output.clear();
            *offset += read as u64;
        }
        self.connection.server.buffers.keep(buffer);
        Ok(())
    }
}

/// What the kernel reads ahead of a reader by default.
const READ_AHEAD: u64 = 128 << 10;

/// Has a thread read what is not in memory, so that only this connection waits for the disk.
pub(in super::super) async fn warm(file: &Arc<File>, offset: u64, len: u64) -> io::Result<()> {
    let is_last_there = transfer::is_in_memory(file, offset + len - 1);
    // What is as short as this is read at once, or not at all.
    if is_last_there && (len <= READ_AHEAD || transfer::is_in_memory(file, offset)) {
        return Ok(());
    }
    let file = Arc::clone(file);
    let read = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; FILE_READ_MAX];
        let (mut at, end) = (offset, offset + len);
        while at < end {
            match file.read_at(&mut buffer, at)? {
                0 => break,
                read => at += read as u64,
            }
        }
        Ok(())
    });
    read.await.map_err(io::Error::other)?
}
