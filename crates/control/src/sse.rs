//! Server-sent events as text: blocks of `id:`, `event:` and `data:` lines, ended by an empty line.
//!
//! The parser takes bytes as they come, cut anywhere, and has a limit for what it holds.

use serde::Serialize;

/// Bytes of one block at most: a log line has at most 64 KiB by default, and JSON may sextuple it.
const BLOCK_MAX_BYTES: usize = 4 * 1024 * 1024;

/// What keeps an idle stream alive: a comment, which parsers skip.
pub(crate) const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Its place in the stream, to resume after.
    pub id: Option<String>,
    /// Its kind; empty means `message`.
    pub event: String,
    /// Its text.
    pub data: String,
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A block is longer than 4 MiB.
    #[error("an event of the stream is longer than {BLOCK_MAX_BYTES} bytes")]
    TooLong,
    /// A line is no UTF-8.
    #[error("a line of the stream is not UTF-8")]
    Encoding,
}

/// Writes one event. JSON has no line ends, so one `data:` line is enough.
///
/// # Errors
/// When `data` cannot be written as JSON.
pub(crate) fn block(
    id: Option<u64>,
    event: &str,
    data: &impl Serialize,
) -> Result<String, serde_json::Error> {
    let data = serde_json::to_string(data)?;
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Ok(format!("{id}event: {event}\ndata: {data}\n\n"))
}

/// Tells the place of a stream without an event, so that it can be resumed before its first one.
pub(crate) fn place(id: u64) -> String {
    format!("id: {id}\n\n")
}

/// Turns bytes into events.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    block: Block,
    last_id: Option<String>,
    held: usize,
    after_return: bool,
}

impl Parser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The place reached: the last id seen, also of a block without data.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Takes the next bytes and returns the events they complete.
    ///
    /// # Errors
    /// [`SseError`]; the parser is of no use afterwards.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Block>, SseError> {
        let mut blocks = Vec::new();
        for byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => blocks.extend(self.end_line()?),
                byte => {
                    self.held += 1;
                    if self.held > BLOCK_MAX_BYTES {
                        return Err(SseError::TooLong);
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(blocks)
    }

    fn end_line(&mut self) -> Result<Option<Block>, SseError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            self.held = 0;
            let mut block = std::mem::take(&mut self.block);
            if block.id.is_some() {
                self.last_id.clone_from(&block.id);
            }
            if block.data.is_empty() {
                return Ok(None);
            }
            block.data.pop();
            return Ok(Some(block));
        }
        let line = String::from_utf8(line).ok().ok_or(SseError::Encoding)?;
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.block.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.block.event),
            "data" => {
                self.block.data.push_str(value);
                self.block.data.push('\n');
            }
            // A comment, or a field of a later version.
            _ => self.held = self.held.saturating_sub(line.len()),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
