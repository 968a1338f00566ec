//! What a NATS server says.

use std::ops::Range;

use super::NatsError;

/// How much of anything the server may make us keep, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One line: INFO names all servers of a cluster in one. Default 1 MiB.
    pub line_max: usize,
    /// One message, its headers included. Default 64 MiB, as large as servers can be told to take.
    pub message_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_max: 1 << 20, message_max: 64 << 20 }
    }
}

/// A message, as places in the buffer it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its subject.
    pub subject: Range<usize>,
    /// The number of the subscription it is for.
    pub subscription: u64,
    /// Its headers, from `NATS/1.0` to the empty line; empty when it has none.
    pub headers: Range<usize>,
    /// What was published.
    pub payload: Range<usize>,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// What it is and can, as a JSON object at this place.
    Info(Range<usize>),
    /// A message.
    Message(Message),
    /// It wants a PONG.
    Ping,
    /// It answers a PING.
    Pong,
    /// It took something, in its verbose mode.
    Done,
    /// It refuses something, in the words at this place, without the quotes around them.
    Refusal(Range<usize>),
}

/// Reads what one server says.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// How far the line at the front was searched for its end.
    searched: usize,
}

impl Parser {
    /// Before the first operation.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, searched: 0 }
    }

    /// Reads the operation at the front of `input`: it, and how many bytes are to be taken off the front before the next
    /// call; `None`: it is not whole, and more bytes are to be added at the end.
    ///
    /// # Errors
    /// [`NatsError`], after which nothing more can be read from this server.
    pub fn parse(&mut self, input: &[u8]) -> Result<Option<(Operation, usize)>, NatsError> {
        let from = self.searched.min(input.len());
        let Some(found) = memchr::memchr(b'\n', &input[from..]) else {
            self.searched = input.len();
            return if input.len() > self.limits.line_max { Err(self.line_too_long()) } else { Ok(None) };
        };
        let line_end = from + found;
        if line_end > self.limits.line_max {
            return Err(self.line_too_long());
        }
        // The body of a message may come later: its line is found again at once.
        self.searched = line_end;
        let end = if line_end > 0 && input[line_end - 1] == b'\r' { line_end - 1 } else { line_end };
        let line = &input[..end];
        let word_end = line.iter().position(|byte| *byte == b' ' || *byte == b'\t').unwrap_or(end);
        let rest = trimmed(line, word_end..end);
        let word = &line[..word_end];
        let operation = if word.eq_ignore_ascii_case(b"MSG") {
            return self.message(input, rest, line_end + 1, false);
        } else if word.eq_ignore_ascii_case(b"HMSG") {
            return self.message(input, rest, line_end + 1, true);
        } else if word.eq_ignore_ascii_case(b"PING") {
            Operation::Ping
        } else if word.eq_ignore_ascii_case(b"PONG") {
            Operation::Pong
        } else if word.eq_ignore_ascii_case(b"+OK") {
            Operation::Done
        } else if word.eq_ignore_ascii_case(b"-ERR") {
            Operation::Refusal(unquoted(line, rest))
        } else if word.eq_ignore_ascii_case(b"INFO") {
            Operation::Info(rest)
        } else {
            return Err(NatsError::UnknownOperation);
        };
        self.searched = 0;
        Ok(Some((operation, line_end + 1)))
    }

    fn line_too_long(&self) -> NatsError {
        NatsError::LineTooLong(self.limits.line_max)
    }

    /// `MSG subject sid [reply-to] #bytes` or `HMSG subject sid [reply-to] #header-bytes #bytes`, whose body begins at
    /// `body`.
    fn message(
        &mut self,
        input: &[u8],
        words: Range<usize>,
        body: usize,
        has_headers: bool,
    ) -> Result<Option<(Operation, usize)>, NatsError> {
        let mut places: [Range<usize>; 5] = std::array::from_fn(|_| 0..0);
        let mut count = 0;
        let mut at = words.start;
        while at < words.end {
            let length = input[at..words.end].iter().position(|byte| *byte == b' ' || *byte == b'\t');
            let end = length.map_or(words.end, |length| at + length);
            if end > at {
                *places.get_mut(count).ok_or(NatsError::MalformedMessage)? = at..end;
                count += 1;
            }
            at = end + 1;
        }
        let numbers = if has_headers { 2 } else { 1 };
        if count != 2 + numbers && count != 3 + numbers {
            return Err(NatsError::MalformedMessage);
        }
        let number = |place: &Range<usize>| {
            let text = std::str::from_utf8(&input[place.clone()]).ok();
            text.and_then(|text| text.parse::<u64>().ok()).ok_or(NatsError::MalformedMessage)
        };
        let length =
            |place| usize::try_from(number(place)?).map_err(|_too_large| NatsError::MalformedMessage);
        let total = length(&places[count - 1])?;
        let headers = if has_headers { length(&places[count - 2])? } else { 0 };
        if total > self.limits.message_max {
            return Err(NatsError::MessageTooLong { bytes: total, bytes_max: self.limits.message_max });
        }
        if headers > total {
            return Err(NatsError::MalformedMessage);
        }
        let subscription = number(&places[1])?;
        match input.get(body + total..body + total + 2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.searched = 0;
                let message = Message {
                    subject: places[0].clone(),
                    subscription,
                    headers: body..body + headers,
                    payload: body + headers..body + total,
                };
                Ok(Some((Operation::Message(message), body + total + 2)))
            }
            Some(_) => Err(NatsError::MessageEnd),
        }
    }
}

fn trimmed(line: &[u8], place: Range<usize>) -> Range<usize> {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let text = &line[place.clone()];
    let start = place.start + text.iter().take_while(|byte| blank(byte)).count();
    let end = place.end - text.iter().rev().take_while(|byte| blank(byte)).count();
    start..end.max(start)
}

fn unquoted(line: &[u8], place: Range<usize>) -> Range<usize> {
    match &line[place.clone()] {
        [b'\'', .., b'\''] => place.start + 1..place.end - 1,
        _ => place,
    }
}
