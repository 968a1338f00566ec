//! One session of Engine.IO, as a machine: which way it goes, what waits for the client, and whether that is there.
//!
//! A session is carried by polling or by a WebSocket, and may change once from the one to the other. While it polls, at
//! most one GET and one POST are under way; a second one means that a client is confused or an intruder, and ends the
//! session, as the protocol asks. What is sent waits in one queue, whichever way it will go; the shell takes from it when
//! the way is free.

use std::collections::VecDeque;

use remuda_model::Tick;
use remuda_wire::engineio::{Packet, SEPARATOR};

use super::{Outgoing, SocketioOptions};

#[cfg(test)]
mod tests;

/// How the packets of a session travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// By GET and POST.
    Polling,
    /// By GET and POST, while a WebSocket is tried.
    Probing,
    /// By a WebSocket.
    WebSocket,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    carrier: Carrier,
    has_poll: bool,
    has_post: bool,
    awaits_pong: bool,
    /// When the next ping is due, or its answer.
    deadline: Tick,
    queue: VecDeque<Outgoing>,
    queued_bytes: usize,
}

/// What a GET gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// It waits, or something is there already.
    Waits,
    /// The session goes another way; the request is refused.
    Elsewhere,
    /// There is one already: the session ends.
    Twice,
}

/// What came of sending a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// It waits for the way to be free.
    Waits,
    /// It was dropped: it is volatile and would have to wait.
    Dropped,
    /// Too much waits already: the session ends.
    Overflow,
}

/// What came from a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A text for whoever is above.
    Text(&'a str),
    /// Bytes for whoever is above.
    Binary(&'a [u8]),
    /// Nothing for anybody else.
    Nothing,
    /// The client ends the session.
    Close,
    /// Nothing a client may send here: the session ends.
    Violation,
}

/// What came on a WebSocket that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The answer is to be sent on it, and a waiting GET to be let go.
    Answer,
    /// The session goes over it from here on; a waiting GET is to be let go.
    Upgraded,
    /// It is to be closed; the session goes on without it.
    Fail,
}

/// What time brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Nothing yet.
    Early,
    /// A ping is in the queue.
    Ping,
    /// The client did not answer: the session ends.
    TimedOut,
}

impl Session {
    /// One that begins at `now`.
    #[must_use]
    pub fn new(carrier: Carrier, now: Tick, options: &SocketioOptions) -> Self {
        Self {
            carrier,
            has_poll: false,
            has_post: false,
            awaits_pong: false,
            deadline: now + options.ping_interval,
            queue: VecDeque::new(),
            queued_bytes: 0,
        }
    }

    /// How it travels.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// Whether a GET waits.
    #[must_use]
    pub fn has_poll(&self) -> bool {
        self.has_poll
    }

    /// Whether anything waits for the client.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// When [`Session::beat`] is to be called.
    #[must_use]
    pub fn deadline(&self) -> Tick {
        self.deadline
    }

    /// A GET came.
    pub fn poll(&mut self) -> Polled {
        match self.carrier {
            Carrier::WebSocket => Polled::Elsewhere,
            _ if self.has_poll => Polled::Twice,
            _ => {
                self.has_poll = true;
                Polled::Waits
            }
        }
    }

    /// The GET is gone, answered or not.
    pub fn poll_over(&mut self) {
        self.has_poll = false;
    }

    /// A POST came: whether it may be read.
    pub fn post(&mut self) -> Polled {
        match self.carrier {
            Carrier::WebSocket => Polled::Elsewhere,
            _ if self.has_post => Polled::Twice,
            _ => {
                self.has_post = true;
                Polled::Waits
            }
        }
    }

    /// The POST is read, or gone.
    pub fn post_over(&mut self) {
        self.has_post = false;
    }

    /// The body a waiting GET can be answered with, of at most about `most` bytes; `None`: nothing is there for it.
    pub fn take_body(&mut self, most: usize) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        while let Some(next) = self.queue.front() {
            if !body.is_empty() {
                if body.len() + next.size() > most {
                    break;
                }
                body.push(SEPARATOR);
            }
            next.write_polling(&mut body);
            self.unqueue();
        }
        if body.is_empty() && self.carrier != Carrier::Polling {
            // A client that changes its way waits for its GET to end.
            body.extend_from_slice(b"6");
        }
        (!body.is_empty()).then_some(body)
    }

    /// The next packet for the WebSocket that carries the session.
    pub fn take_frame(&mut self) -> Option<Outgoing> {
        if self.carrier == Carrier::WebSocket { self.unqueue() } else { None }
    }

    fn unqueue(&mut self) -> Option<Outgoing> {
        let next = self.queue.pop_front()?;
        self.queued_bytes -= next.size();
        Some(next)
    }

    /// Puts packets that belong together into the queue.
    pub fn send(&mut self, packets: &[Outgoing], is_volatile: bool, queue_max: usize) -> Queued {
        let is_free = match self.carrier {
            Carrier::WebSocket => self.queue.is_empty(),
            Carrier::Polling | Carrier::Probing => self.has_poll,
        };
        if is_volatile && !is_free {
            return Queued::Dropped;
        }
        let bytes: usize = packets.iter().map(Outgoing::size).sum();
        // What comes to an empty queue is taken whatever its size: the limit is for those who do not keep up.
        if self.has_queued() && self.queued_bytes.saturating_add(bytes) > queue_max {
            return Queued::Overflow;
        }
        self.queued_bytes += bytes;
        self.queue.extend(packets.iter().cloned());
        Queued::Waits
    }

    /// A packet came, on the way the session goes.
    pub fn hear<'a>(&mut self, now: Tick, packet: &'a Packet<'a>, options: &SocketioOptions) -> Heard<'a> {
        match packet {
            Packet::Text(text) => Heard::Text(text),
            Packet::Binary(bytes) => Heard::Binary(bytes),
            Packet::Pong(_) => {
                if self.awaits_pong {
                    self.awaits_pong = false;
                    self.deadline = now + options.ping_interval;
                }
                Heard::Nothing
            }
            Packet::Close => Heard::Close,
            Packet::Open(_) | Packet::Ping(_) | Packet::Upgrade | Packet::Noop => Heard::Violation,
        }
    }

    /// A WebSocket wants to carry the session; whether it may try.
    pub fn probe(&mut self) -> bool {
        let may = self.carrier == Carrier::Polling;
        if may {
            self.carrier = Carrier::Probing;
        }
        may
    }

    /// A packet came on the WebSocket that is tried.
    pub fn probed(&mut self, packet: &Packet<'_>) -> Probed {
        match packet {
            Packet::Ping("probe") => Probed::Answer,
            Packet::Upgrade if self.carrier == Carrier::Probing => {
                self.carrier = Carrier::WebSocket;
                Probed::Upgraded
            }
            _ => Probed::Fail,
        }
    }

    /// The WebSocket that was tried is gone.
    pub fn probe_over(&mut self) {
        if self.carrier == Carrier::Probing {
            self.carrier = Carrier::Polling;
        }
    }

    /// Its deadline may be over.
    pub fn beat(&mut self, now: Tick, options: &SocketioOptions) -> Beat {
        if now < self.deadline {
            return Beat::Early;
        }
        if self.awaits_pong {
            return Beat::TimedOut;
        }
        self.awaits_pong = true;
        self.deadline = now + options.ping_timeout;
        let ping = Outgoing::new(&Packet::Ping(""));
        self.queued_bytes += ping.size();
        self.queue.push_back(ping);
        Beat::Ping
    }
}
