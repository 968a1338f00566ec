//! CURVE (RFC 26): every frame in a box that only the peer opens, made of X25519, XSalsa20 and Poly1305.
//!
//! Each side has a permanent key, by which it is known, and makes another for each connection, with which everything
//! after the first two commands is sealed: who learns a permanent key later cannot read what was said before. The box
//! of a command has a nonce made of a prefix of its own and a number that only grows, so that nothing can be replayed.
//!
//! libzmq puts a sealed frame into an ordinary frame, not in a command frame as the RFC has it, and its flags into the
//! first byte of the box; both kinds are taken, and libzmq's is sent.

mod client;
mod server;

use std::fmt;

use bytes::{BufMut as _, BytesMut};
use crypto_box::aead::{AeadInPlace as _, OsRng, rand_core::RngCore as _};
use crypto_box::{SalsaBox, Tag};

pub(super) use client::{Greeted, Introduced, hello};
pub(super) use server::{Welcomed, welcome};

use super::command::READY;
use super::frame::{self, Header, put_header};
use super::{ProtocolError, SavedCurve};

/// Bytes of the authenticator at the front of a box.
const TAG: usize = 16;
/// Bytes of a public key.
const KEY: usize = 32;
/// Bytes of a cookie.
const COOKIE: usize = 96;
/// What stands before the box of a sealed frame: its name and the number in its nonce.
const MESSAGE: &[u8; 8] = b"\x07MESSAGE";
const MESSAGE_HEADER: usize = MESSAGE.len() + 8;
/// Bytes a sealed frame has more than the frame in it.
pub(super) const OVERHEAD: u32 = 33;

/// Flags within a box. libzmq writes its own, where 2 is a command; others write ZMTP's, where 4 is.
const BOXED_MORE: u8 = 1;
const BOXED_COMMAND: u8 = 2;
const BOXED_COMMAND_OF_OTHERS: u8 = 4;

/// The two keys of one connection, and how far both sides have counted.
pub(super) struct Session {
    cipher: SalsaBox,
    own_key: crypto_box::SecretKey,
    peer_key: crypto_box::PublicKey,
    is_server: bool,
    /// The number of the next box we make.
    next: u64,
    /// The number of the last box that was opened.
    opened: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("next", &self.next)
            .field("opened", &self.opened)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn restore(saved: &SavedCurve) -> Self {
        let own_key = crypto_box::SecretKey::from_bytes(saved.own_key);
        let peer_key = crypto_box::PublicKey::from_bytes(saved.peer_key);
        Self {
            cipher: SalsaBox::new(&peer_key, &own_key),
            own_key,
            peer_key,
            is_server: saved.is_server,
            next: saved.next,
            opened: saved.opened,
        }
    }

    pub(super) fn save(&self, clear: &[u8]) -> SavedCurve {
        SavedCurve {
            is_server: self.is_server,
            own_key: self.own_key.to_bytes(),
            peer_key: self.peer_key.to_bytes(),
            next: self.next,
            opened: self.opened,
            clear: clear.to_vec(),
        }
    }

    /// Appends the server's READY with its metadata.
    pub(super) fn put_ready(&mut self, metadata: &[u8], out: &mut BytesMut) {
        let number = self.count();
        let sealed = seal(&self.cipher, &short_nonce(b"CurveZMQREADY---", number), metadata);
        super::command::put(READY, &[&number.to_be_bytes(), &sealed], out);
    }

    /// Appends each of `frames` sealed.
    pub(super) fn seal(&mut self, mut frames: &[u8], out: &mut BytesMut) {
        while let Some((header, body, rest)) = frame::split(frames) {
            frames = rest;
            let mut flags = if header.has_more() { BOXED_MORE } else { 0 };
            if header.is_command() {
                flags |= BOXED_COMMAND;
            }
            self.seal_frame(flags, body, out);
        }
    }

    fn seal_frame(&mut self, flags: u8, body: &[u8], out: &mut BytesMut) {
        let number = self.count();
        let length = MESSAGE_HEADER + TAG + 1 + body.len();
        out.reserve(frame::HEADER_MAX + length);
        put_header(0, length, out);
        out.put_slice(MESSAGE);
        out.put_u64(number);
        let start = out.len();
        out.put_bytes(0, TAG);
        out.put_u8(flags);
        out.put_slice(body);
        let nonce = short_nonce(if self.is_server { PREFIX_SERVER } else { PREFIX_CLIENT }, number);
        close(&self.cipher, &nonce, &mut out[start..]);
    }

    /// Opens the body of a sealed frame in place and appends the frame that was in it.
    pub(super) fn open(&mut self, body: &mut [u8], clear: &mut BytesMut) -> Result<(), ProtocolError> {
        let fault = |fault| ProtocolError::Curve { fault };
        let (head, sealed) = body
            .split_at_mut_checked(MESSAGE_HEADER)
            .ok_or(fault("a frame is shorter than any sealed one"))?;
        let (name, number) = head.split_at(MESSAGE.len());
        if name != MESSAGE {
            return Err(fault("a frame is not sealed"));
        }
        let number = u64::from_be_bytes(*number.first_chunk::<8>().expect("eight bytes were split off"));
        if number <= self.opened {
            return Err(fault(
                "the number of a frame is not above the last one's: it was replayed or reordered",
            ));
        }
        let nonce = short_nonce(if self.is_server { PREFIX_CLIENT } else { PREFIX_SERVER }, number);
        let plain = open_in_place(&self.cipher, &nonce, sealed).ok_or(fault("a frame does not open"))?;
        let (&flags, payload) = plain.split_first().ok_or(fault("a frame has no flags in its box"))?;
        self.opened = number;
        let mut outer = flags & BOXED_MORE;
        if flags & (BOXED_COMMAND | BOXED_COMMAND_OF_OTHERS) != 0 {
            outer |= frame::COMMAND;
        }
        clear.reserve(frame::HEADER_MAX + payload.len());
        put_header(outer, payload.len(), clear);
        clear.put_slice(payload);
        Ok(())
    }

    fn count(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

const PREFIX_CLIENT: &[u8; 16] = b"CurveZMQMESSAGEC";
const PREFIX_SERVER: &[u8; 16] = b"CurveZMQMESSAGES";

/// A sealed connection's frames, opened.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) session: Session,
    /// What came, as if it had come in clear.
    pub(super) clear: BytesMut,
}

impl Sealed {
    /// Opens whole frames of `input` until there are some `enough` bytes more in clear.
    ///
    /// Answers with how many bytes the next frame lacks, if it was incomplete frames that ended it.
    pub(super) fn open(
        &mut self,
        input: &mut BytesMut,
        frame_max: u32,
        enough: u32,
    ) -> Result<Option<usize>, ProtocolError> {
        let enough = self.clear.len() + enough as usize;
        let mut at = 0;
        let missing = loop {
            if self.clear.len() >= enough {
                break None;
            }
            match whole(&input[at..], frame_max)? {
                Ok((body, end)) => {
                    self.session.open(&mut input[at + body..at + end], &mut self.clear)?;
                    at += end;
                }
                Err(missing) => break Some(missing),
            }
        };
        let _opened = input.split_to(at);
        Ok(missing)
    }
}

/// Where the body of the sealed frame at the front begins and ends, or how many bytes it lacks.
fn whole(bytes: &[u8], frame_max: u32) -> Result<Result<(usize, usize), usize>, ProtocolError> {
    let Some(header) = Header::read(bytes)? else {
        return Ok(Err(Header::size_of(bytes) - bytes.len()));
    };
    let too_long = ProtocolError::FrameTooLong { length: header.length, max: frame_max };
    let Ok(length) = usize::try_from(header.length) else { return Err(too_long) };
    if header.length > u64::from(frame_max) + u64::from(OVERHEAD) {
        return Err(too_long);
    }
    let end = header.size + length;
    Ok(if end > bytes.len() { Err(end - bytes.len()) } else { Ok((header.size, end)) })
}

/// A nonce with a number that grows, for what is sent in order.
fn short_nonce(prefix: &[u8; 16], number: u64) -> crypto_box::Nonce {
    let mut nonce = crypto_box::Nonce::default();
    nonce[..16].copy_from_slice(prefix);
    nonce[16..].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// A nonce that was drawn, for what is sealed with permanent keys.
fn long_nonce(prefix: &[u8; 8], drawn: &[u8; 16]) -> crypto_box::Nonce {
    let mut nonce = crypto_box::Nonce::default();
    nonce[..8].copy_from_slice(prefix);
    nonce[8..].copy_from_slice(drawn);
    nonce
}

fn draw<const N: usize>() -> [u8; N] {
    let mut drawn = [0; N];
    OsRng.fill_bytes(&mut drawn);
    drawn
}

fn seal(cipher: &SalsaBox, nonce: &crypto_box::Nonce, plain: &[u8]) -> Vec<u8> {
    let mut sealed = vec![0; TAG + plain.len()];
    sealed[TAG..].copy_from_slice(plain);
    close(cipher, nonce, &mut sealed);
    sealed
}

/// Seals what stands behind the room for the authenticator, and fills that.
fn close(cipher: &SalsaBox, nonce: &crypto_box::Nonce, sealed: &mut [u8]) {
    let (tag, plain) = sealed.split_at_mut(TAG);
    let authenticator = cipher
        .encrypt_in_place_detached(nonce, &[], plain)
        .expect("it only fails for associated data, which this cipher does not have, and above 256 GiB");
    tag.copy_from_slice(&authenticator);
}

fn open(cipher: &SalsaBox, nonce: &crypto_box::Nonce, sealed: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = sealed.to_vec();
    open_in_place(cipher, nonce, &mut sealed)?;
    Some(sealed.split_off(TAG))
}

fn open_in_place<'a>(cipher: &SalsaBox, nonce: &crypto_box::Nonce, sealed: &'a mut [u8]) -> Option<&'a [u8]> {
    let (tag, text) = sealed.split_at_mut_checked(TAG)?;
    cipher.decrypt_in_place_detached(nonce, &[], text, Tag::from_slice(tag)).ok()?;
    Some(text)
}

/// The key at the front of `bytes`, and what follows it.
fn take_key(bytes: &[u8]) -> Option<(crypto_box::PublicKey, &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<KEY>()?;
    Some((crypto_box::PublicKey::from_bytes(*key), rest))
}

/// The number at the front of `bytes`, and what follows it.
fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}
