//! One connection: its socket, what came in and was not understood yet, and what is to go out.

use std::io::{self, ErrorKind, IoSlice};

use bytes::BytesMut;
use remuda_bus::{Bus, Origin};
use remuda_model::Tick;
use remuda_sys::event::Interest;
use remuda_wire::resp::CommandParser;

use crate::herd::peer::PeerSession;
use crate::outbox::Outbox;
use crate::redis::session::Session;
use crate::stream::{Remote, Stream};
use crate::table::Key;
use crate::zeromq::peer::Peer;

/// Most slices of one `writev`; the kernel takes 1,024, and more than these fill every socket's buffer.
const SLICES_MAX: usize = 64;
/// Turns of writing to one connection before the others have theirs.
const WRITES_PER_TURN: usize = 4;
/// Sealed bytes made ahead of what the kernel takes.
const SEALED_AHEAD_BYTES: usize = 256 * 1024;
/// With more than this in a subscriber's queue its answers wait behind it.
const QUEUED_MAX_BYTES: usize = 1 << 20;
/// Set in the origin of a process, so that it is not mistaken for one of a connection.
const PROCESS: u64 = 1 << 63;

/// What is spoken.
#[derive(Debug)]
pub(crate) enum Protocol {
    ZeroMq(Box<Peer>),
    Redis(Box<Session>, CommandParser),
    Herd(Box<PeerSession>),
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) key: Key,
    pub(crate) stream: Stream,
    pub(crate) remote: Remote,
    /// Which endpoint it came in by.
    pub(crate) endpoint: usize,
    pub(crate) input: BytesMut,
    pub(crate) outbox: Outbox,
    pub(crate) protocol: Protocol,
    /// What the poller was asked last.
    pub(crate) interest: Interest,
    /// Whether the poller watches it.
    pub(crate) is_watched: bool,
    /// Not read from: its publisher has to wait, or the disk has.
    pub(crate) paused: bool,
    /// Ends as soon as everything is written.
    pub(crate) closing: bool,
    /// When it gave a sign of life last.
    pub(crate) heard: Tick,
    /// Bytes of a message that is not whole yet, as they were counted last.
    pub(crate) half: usize,
    /// Bytes the kernel has taken.
    pub(crate) sent: u64,
    /// On the list of those that have something to write.
    pub(crate) is_dirty: bool,
    /// On the list of those with replies that wait for the disk.
    pub(crate) is_held: bool,
}

/// How writing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Everything that may go out has gone.
    All,
    /// The kernel takes no more for now.
    Full,
    /// There is more, and the kernel may take it: the others have their turn first.
    Some,
}

impl Connection {
    /// A connection of which nothing was heard, `now`.
    pub(crate) fn new(
        key: Key,
        stream: Stream,
        remote: Remote,
        endpoint: usize,
        protocol: Protocol,
        now: Tick,
    ) -> Self {
        Self {
            key,
            stream,
            remote,
            endpoint,
            input: BytesMut::new(),
            outbox: Outbox::default(),
            protocol,
            interest: Interest::Read,
            is_watched: true,
            paused: false,
            closing: false,
            heard: now,
            half: 0,
            sent: 0,
            is_dirty: false,
            is_held: false,
        }
    }

    /// Writes what waits, answers and messages of the bus merged and in their order.
    pub(crate) fn flush(&mut self, bus: &mut Bus) -> io::Result<Written> {
        for _ in 0..WRITES_PER_TURN {
            let written = match &mut self.protocol {
                Protocol::ZeroMq(peer) if peer.wire.is_sealed() => {
                    peer.seal(self.key, bus, &mut self.outbox, SEALED_AHEAD_BYTES);
                    self.write_answers()?
                }
                Protocol::ZeroMq(peer) if peer.is_member => self.write_queue(bus)?,
                Protocol::Redis(session, _) if session.is_member => self.write_queue(bus)?,
                Protocol::Herd(peer) => {
                    let (count, is_all) = peer.write(&mut self.stream)?;
                    self.sent += u64::try_from(count).unwrap_or(u64::MAX);
                    return Ok(if is_all { Written::All } else { Written::Full });
                }
                Protocol::ZeroMq(_) | Protocol::Redis(..) => self.write_answers()?,
            };
            if written != Written::Some {
                return Ok(written);
            }
        }
        Ok(Written::Some)
    }

    /// For a member of the bus: answers queue behind its messages, so that neither cuts the other in two.
    fn write_queue(&mut self, bus: &mut Bus) -> io::Result<Written> {
        if self.outbox.is_parted() {
            return self.write_answers();
        }
        let member = self.key.member();
        let answers = self.outbox.ready_between_messages();
        // As long as much waits already they stay where they are counted, so that who reads no answers gets no more.
        if !answers.is_empty()
            && bus.member(member).is_none_or(|member| member.queued_bytes <= QUEUED_MAX_BYTES)
        {
            let count = answers.len();
            bus.enqueue(member, answers);
            self.outbox.queued(count);
        }
        let mut slices: [IoSlice<'_>; SLICES_MAX] = std::array::from_fn(|_| IoSlice::new(&[]));
        let (mut used, mut total) = (0, 0);
        for (place, slice) in slices.iter_mut().zip(bus.slices(member)) {
            *place = IoSlice::new(slice);
            used += 1;
            total += slice.len();
        }
        if used == 0 {
            // Of an answer that is not whole there may be more than is kept: it goes while no message does.
            return self.write_answers();
        }
        match outcome(self.stream.write_slices(&slices[..used]), total)? {
            Ok((count, written)) => {
                bus.written(member, count);
                self.sent += u64::try_from(count).unwrap_or(u64::MAX);
                Ok(written)
            }
            Err(written) => Ok(written),
        }
    }

    fn write_answers(&mut self) -> io::Result<Written> {
        let answers = self.outbox.ready();
        if answers.is_empty() {
            return Ok(Written::All);
        }
        match outcome(self.stream.write_slices(&[IoSlice::new(answers)]), answers.len())? {
            Ok((count, written)) => {
                self.outbox.written(count);
                self.sent += u64::try_from(count).unwrap_or(u64::MAX);
                Ok(written)
            }
            Err(written) => Ok(written),
        }
    }

    /// It has ended with an error, which another server's is told of.
    pub(crate) fn lost(&mut self, error: &io::Error) {
        if let Protocol::Herd(peer) = &mut self.protocol {
            peer.trouble.get_or_insert_with(|| error.to_string());
        }
    }

    /// Whether it waits for room to write.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self.interest, Interest::Write | Interest::ReadWrite)
    }

    /// Whether it was to end and has nothing to say any more.
    pub(crate) fn is_finished(&self) -> bool {
        let is_said = match &self.protocol {
            Protocol::Herd(peer) => return peer.is_over() || (self.closing && !peer.session.wants_write()),
            Protocol::ZeroMq(_) | Protocol::Redis(..) => self.outbox.len() == 0,
        };
        self.closing && is_said
    }

    /// Where its messages come from: its process, or the connection itself where that is not known.
    pub(crate) fn origin_of(key: Key, remote: &Remote) -> Origin {
        match remote {
            Remote::Local { pid, .. } if *pid > 0 => Origin(PROCESS | u64::from(*pid)),
            _ => key.origin(),
        }
    }
}

/// What a write of `total` bytes came to: how many went, or what hindered all of them.
fn outcome(written: io::Result<usize>, total: usize) -> io::Result<Result<(usize, Written), Written>> {
    match written {
        Ok(0) => Err(ErrorKind::WriteZero.into()),
        Ok(count) => Ok(Ok((count, if count < total { Written::Full } else { Written::Some }))),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Err(Written::Full)),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Err(Written::Some)),
        Err(error) => Err(error),
    }
}
