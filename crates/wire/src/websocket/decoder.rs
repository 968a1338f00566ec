//! From bytes to messages.

use super::{CloseCode, Limits, Opcode, Role, WebSocketError, unmask};

/// Longest payload of a control frame (RFC 6455 5.5).
const CONTROL_MAX: usize = 125;
/// Longest head of a frame: 2 bytes, a length of 8, a mask.
const HEAD_MAX: usize = 14;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// To be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// The answer to a ping, or a sign of life.
    Pong(&'a [u8]),
    /// The end; a close frame is to be sent back if none was sent. Nothing comes after it.
    Close(Option<CloseCode>, &'a str),
}

/// Reads one side of a connection.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    role: Role,
    /// A head that is not whole.
    head: [u8; HEAD_MAX],
    head_len: u8,
    /// The frame whose payload comes.
    frame: Option<Frame>,
    /// The message so far, where it is in pieces.
    message: Vec<u8>,
    /// Payload of a control frame in pieces.
    control: Vec<u8>,
    /// What the message in pieces is, between its frames too.
    kind: Option<Opcode>,
    /// Frames of it.
    frames: u32,
    /// How much of a text is known to be UTF-8.
    valid: usize,
    /// What was given, and is to be let go before more is read.
    given: Given,
    is_closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Nothing,
    Message,
    Control,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    mask: Option<[u8; 4]>,
    remaining: usize,
    /// Bytes of the payload that came.
    offset: usize,
}

impl Decoder {
    /// For what comes to `role`.
    #[must_use]
    pub fn new(role: Role, limits: Limits) -> Self {
        Self {
            limits,
            role,
            head: [0; HEAD_MAX],
            head_len: 0,
            frame: None,
            message: Vec::new(),
            control: Vec::new(),
            kind: None,
            frames: 0,
            valid: 0,
            given: Given::Nothing,
            is_closed: false,
        }
    }

    /// Bytes that are kept of what is not whole.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.message.capacity() + self.control.capacity()
    }

    /// Takes bytes from the front of `input`: how many, and what they made whole. Without an event all were taken. What
    /// was masked is unmasked in its place.
    ///
    /// # Errors
    /// A [`WebSocketError`], after which nothing more can be read.
    pub fn read<'a>(&'a mut self, input: &'a mut [u8]) -> Result<(usize, Option<Event<'a>>), WebSocketError> {
        self.let_go();
        let mut used = 0;
        loop {
            if self.frame.is_none() {
                used += self.read_head(&input[used..])?;
            }
            let Some(frame) = &mut self.frame else { return Ok((used, None)) };
            let len = frame.remaining.min(input.len() - used);
            let payload = used..used + len;
            if let Some(key) = frame.mask {
                unmask(&mut input[payload.clone()], key, frame.offset);
            }
            used += len;
            frame.remaining -= len;
            frame.offset += len;
            let frame = *frame;
            let is_whole = frame.remaining == 0;
            if is_whole {
                self.frame = None;
            }
            if frame.opcode.is_control() {
                if !is_whole || !self.control.is_empty() {
                    self.control.extend_from_slice(&input[payload.clone()]);
                }
                if !is_whole {
                    return Ok((used, None));
                }
                self.is_closed |= frame.opcode == Opcode::Close;
                let payload = if self.control.is_empty() {
                    &input[payload]
                } else {
                    self.given = Given::Control;
                    &self.control
                };
                return Ok((used, Some(give_control(frame.opcode, payload)?)));
            }
            let is_alone = is_whole && frame.is_final && self.frames == 1 && self.message.is_empty();
            if is_alone {
                let kind = self.kind.take();
                self.frames = 0;
                let payload = &input[payload];
                return Ok((used, Some(give(kind, payload)?)));
            }
            self.message.extend_from_slice(&input[payload]);
            self.check_text(is_whole && frame.is_final)?;
            if is_whole && frame.is_final {
                let kind = self.kind.take();
                self.frames = 0;
                self.given = Given::Message;
                return Ok((used, Some(give(kind, &self.message)?)));
            }
            if !is_whole {
                return Ok((used, None));
            }
        }
    }

    /// What was given last time is nobody's any more.
    fn let_go(&mut self) {
        match std::mem::replace(&mut self.given, Given::Nothing) {
            Given::Nothing => {}
            Given::Message => {
                self.message = Vec::new();
                self.valid = 0;
            }
            Given::Control => self.control = Vec::new(),
        }
    }

    /// Reads a head, or some of it, from the front of `input`; says how much that was.
    fn read_head(&mut self, input: &[u8]) -> Result<usize, WebSocketError> {
        if self.is_closed {
            return if input.is_empty() { Ok(0) } else { Err(WebSocketError::AfterClose) };
        }
        let mut used = 0;
        loop {
            let have = usize::from(self.head_len);
            let wanted = head_len(&self.head[..have], self.role)?;
            if have == wanted {
                break;
            }
            let some = &input[used..input.len().min(used + wanted - have)];
            if some.is_empty() {
                return Ok(used);
            }
            self.head[have..have + some.len()].copy_from_slice(some);
            used += some.len();
            self.head_len += u8::try_from(some.len()).expect("a head has at most 14 bytes");
        }
        let len = usize::from(std::mem::take(&mut self.head_len));
        let (head, mut bytes) = (self.head, [0; 8]);
        let mask = self.role == Role::Server;
        let length_end = if mask { len - 4 } else { len };
        let length = match length_end {
            2 => u64::from(head[1] & 0x7f),
            4 => u64::from(u16::from_be_bytes([head[2], head[3]])),
            _ => {
                bytes.copy_from_slice(&head[2..10]);
                u64::from_be_bytes(bytes)
            }
        };
        let is_shortest = match length_end {
            2 => true,
            4 => length > 125,
            _ => length > u64::from(u16::MAX) && length >> 63 == 0,
        };
        if !is_shortest {
            return Err(WebSocketError::Length);
        }
        let mask = mask.then(|| [head[len - 4], head[len - 3], head[len - 2], head[len - 1]]);
        self.begin(head[0], length, mask)?;
        Ok(used)
    }

    fn begin(&mut self, first: u8, length: u64, mask: Option<[u8; 4]>) -> Result<(), WebSocketError> {
        let opcode = Opcode::new(first & 0x0f).ok_or(WebSocketError::Opcode(first & 0x0f))?;
        let is_final = first & 0x80 != 0;
        let max = self.limits.message_max;
        let remaining = usize::try_from(length).unwrap_or(usize::MAX);
        if opcode.is_control() {
            if !is_final || remaining > CONTROL_MAX {
                return Err(WebSocketError::Control);
            }
        } else {
            if (opcode == Opcode::Continuation) != self.kind.is_some() {
                return Err(WebSocketError::Fragment);
            }
            if remaining > max.saturating_sub(self.message.len()) {
                return Err(WebSocketError::TooLong { max });
            }
            if opcode != Opcode::Continuation {
                self.kind = Some(opcode);
            }
            self.frames += 1;
            if self.frames > self.limits.frames_max {
                return Err(WebSocketError::TooManyFrames { max: self.limits.frames_max });
            }
        }
        self.frame = Some(Frame { opcode, is_final, mask, remaining, offset: 0 });
        Ok(())
    }

    /// Checks what is new of a text; a character may be cut unless the text `is_whole`.
    fn check_text(&mut self, is_whole: bool) -> Result<(), WebSocketError> {
        if self.kind != Some(Opcode::Text) {
            return Ok(());
        }
        match str::from_utf8(&self.message[self.valid..]) {
            Ok(text) => self.valid += text.len(),
            Err(error) if error.error_len().is_none() && !is_whole => self.valid += error.valid_up_to(),
            Err(_) => return Err(WebSocketError::Utf8),
        }
        Ok(())
    }
}

/// How long the head is of which `have` is there, as far as that can be said.
fn head_len(have: &[u8], role: Role) -> Result<usize, WebSocketError> {
    // Byte by byte, so that what is wrong with several is the same in whatever pieces they come.
    let Some(first) = have.first() else { return Ok(2) };
    if first & 0x70 != 0 {
        return Err(WebSocketError::ReservedBit);
    }
    if Opcode::new(first & 0x0f).is_none() {
        return Err(WebSocketError::Opcode(first & 0x0f));
    }
    let Some(second) = have.get(1) else { return Ok(2) };
    let is_masked = second & 0x80 != 0;
    if is_masked != (role == Role::Server) {
        return Err(WebSocketError::Mask);
    }
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    Ok(2 + length + if is_masked { 4 } else { 0 })
}

/// A message of one frame, or one that was put together and checked.
fn give(kind: Option<Opcode>, payload: &[u8]) -> Result<Event<'_>, WebSocketError> {
    match kind {
        Some(Opcode::Text) => str::from_utf8(payload).map(Event::Text).map_err(|_error| WebSocketError::Utf8),
        _ => Ok(Event::Binary(payload)),
    }
}

fn give_control(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, WebSocketError> {
    match (opcode, payload) {
        (Opcode::Ping, _) => Ok(Event::Ping(payload)),
        (Opcode::Pong, _) => Ok(Event::Pong(payload)),
        (_, []) => Ok(Event::Close(None, "")),
        (_, [_]) => Err(WebSocketError::CloseCode),
        (_, [high, low, reason @ ..]) => {
            let code = CloseCode::new(u16::from_be_bytes([*high, *low])).ok_or(WebSocketError::CloseCode)?;
            let reason = str::from_utf8(reason).map_err(|_error| WebSocketError::Utf8)?;
            Ok(Event::Close(Some(code), reason))
        }
    }
}
