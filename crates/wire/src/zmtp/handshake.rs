//! From the greetings to the first message: which command is due, and what is answered.
//!
//! | mechanism | the connecting side sends | the accepting side answers |
//! |---|---|---|
//! | NULL | READY | READY |
//! | PLAIN | HELLO, INITIATE | WELCOME, READY |
//! | CURVE | HELLO, INITIATE | WELCOME, READY |
//!
//! With NULL both could send READY at once; the accepting side waits for the peer's, because its own says what it is,
//! and that depends on what the peer is.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;

use super::command::{self, ERROR, HELLO, INITIATE, READY, WELCOME};
use super::curve::{self, Session};
use super::error::printable;
use super::metadata::{self, Metadata};
use super::options::{AcceptMechanism, AcceptOptions, ConnectMechanism, ConnectOptions};
use super::{Credentials, Limits, Peer, ProtocolError, SocketType, plain};

/// How libzmq up to 4.3.5 begins the ERROR of a PLAIN server: what was to be a length and an E is the byte 0x5E there.
const MISSPELT_ERROR: &[u8] = b"^RROR";

/// Which side we are.
#[derive(Debug, Clone)]
pub(super) enum Role {
    Accept(Arc<AcceptOptions>),
    Connect(Arc<ConnectOptions>),
}

impl Role {
    /// The name of the mechanism in the greeting.
    pub(super) fn mechanism(&self) -> &'static str {
        match self {
            Self::Accept(options) => match options.mechanism {
                AcceptMechanism::Null => "NULL",
                AcceptMechanism::Plain => "PLAIN",
                AcceptMechanism::Curve { .. } => "CURVE",
            },
            Self::Connect(options) => match options.mechanism {
                ConnectMechanism::Null => "NULL",
                ConnectMechanism::Plain { .. } => "PLAIN",
                ConnectMechanism::Curve { .. } => "CURVE",
            },
        }
    }

    /// What the greeting's as-server field says. RFC 23: 0 with NULL.
    pub(super) fn is_server(&self) -> bool {
        matches!(self, Self::Accept(_)) && self.mechanism() != "NULL"
    }

    pub(super) fn limits(&self) -> &Limits {
        match self {
            Self::Accept(options) => &options.limits,
            Self::Connect(options) => &options.limits,
        }
    }

    /// Who a peer is that says this of itself, what we are to it, and what we say of ourselves.
    fn meet(
        &self,
        theirs: Metadata,
        minor: u8,
        out: &mut BytesMut,
    ) -> Result<(Peer, BytesMut), ProtocolError> {
        let Metadata { socket_type, identity, resource } = theirs;
        let partner = socket_type.as_ref().ok().and_then(|kind| Some((*kind, self.own_type(*kind)?)));
        if let Some((socket_type, own_type)) = partner {
            let ours = metadata::encode(own_type, self.identity());
            return Ok((Peer { socket_type, own_type, identity, minor, resource }, ours));
        }
        let peer = socket_type.map_or_else(|unknown| unknown, |kind| kind.to_string());
        Err(match self {
            Self::Accept(options) => {
                command::put_error("Invalid socket type", out);
                ProtocolError::NotServed { peer, offers: options.offers }
            }
            Self::Connect(options) => ProtocolError::WrongPartner { own: options.socket_type, peer },
        })
    }

    /// What we are to a peer of this kind, if it can be served.
    fn own_type(&self, peer: SocketType) -> Option<SocketType> {
        match self {
            Self::Accept(options) => options.offers.partner_of(peer),
            Self::Connect(options) => Some(options.socket_type).filter(|own| own.partners().contains(&peer)),
        }
    }

    fn identity(&self) -> &[u8] {
        match self {
            Self::Accept(options) => &options.identity,
            Self::Connect(options) => &options.identity,
        }
    }
}

/// What is due.
enum Due {
    NullReady,
    PlainHello,
    PlainInitiate,
    PlainWelcome,
    PlainReady,
    CurveHello,
    CurveInitiate(curve::Welcomed),
    CurveWelcome(curve::Greeted),
    CurveReady(curve::Introduced),
    /// The shell's word on a PLAIN client.
    PlainVerdict,
    /// The shell's word on a CURVE client of whom all else is known.
    CurveVerdict {
        peer: Peer,
        session: Session,
        metadata: BytesMut,
    },
    /// Nothing: a fault ended it.
    Nothing,
}

/// What a command led to.
pub(super) enum Progress {
    /// The next command is due.
    Waits,
    /// The shell's word is due.
    Asks(Credentials),
    /// All is known.
    Done(Peer, Option<Session>),
    /// The peer refuses.
    Refused(String),
}

/// A handshake after the greetings.
pub(super) struct Handshake {
    role: Role,
    minor: u8,
    due: Due,
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("due", &self.due.name()).finish_non_exhaustive()
    }
}

impl Handshake {
    /// Begins it, with a peer that speaks ZMTP 3.`minor`.
    pub(super) fn start(role: Role, minor: u8, out: &mut BytesMut) -> Self {
        let due = match &role {
            Role::Accept(options) => match options.mechanism {
                AcceptMechanism::Null => Due::NullReady,
                AcceptMechanism::Plain => Due::PlainHello,
                AcceptMechanism::Curve { .. } => Due::CurveHello,
            },
            Role::Connect(options) => match &options.mechanism {
                ConnectMechanism::Null => {
                    let ours = metadata::encode(options.socket_type, &options.identity);
                    command::put(READY, &[&ours], out);
                    Due::NullReady
                }
                ConnectMechanism::Plain { username, password } => {
                    plain::put_hello(username, password, out);
                    Due::PlainWelcome
                }
                ConnectMechanism::Curve { server_key, .. } => {
                    Due::CurveWelcome(curve::hello(server_key, out))
                }
            },
        };
        Self { role, minor, due }
    }

    /// The longest command that may come now, in bytes.
    pub(super) fn command_max(&self) -> u64 {
        self.role.limits().handshake_command(self.role.mechanism() == "CURVE")
    }

    pub(super) fn is_accepting(&self) -> bool {
        matches!(self.role, Role::Accept(_))
    }

    /// Takes the body of a command.
    pub(super) fn command(&mut self, body: &[u8], out: &mut BytesMut) -> Result<Progress, ProtocolError> {
        if let Some(rest) = body.strip_prefix(MISSPELT_ERROR) {
            return Ok(Progress::Refused(command::read_error(rest)?));
        }
        let (name, rest) = command::split_name(body)?;
        if name == ERROR {
            return Ok(Progress::Refused(command::read_error(rest)?));
        }
        let due = std::mem::replace(&mut self.due, Due::Nothing);
        if name != due.name().as_bytes() {
            return Err(ProtocolError::Unexpected { found: printable(name), wanted: due.name() });
        }
        match due {
            Due::NullReady => self.ready(rest, matches!(self.role, Role::Accept(_)), out),
            Due::PlainReady => self.ready(rest, false, out),
            Due::PlainInitiate => self.ready(rest, true, out),
            Due::PlainHello => {
                self.due = Due::PlainVerdict;
                Ok(Progress::Asks(plain::read_hello(rest)?))
            }
            Due::PlainWelcome => {
                if let Role::Connect(options) = &self.role {
                    let ours = metadata::encode(options.socket_type, &options.identity);
                    command::put(INITIATE, &[&ours], out);
                }
                self.due = Due::PlainReady;
                Ok(Progress::Waits)
            }
            other => self.curve(other, rest, out),
        }
    }

    fn curve(&mut self, due: Due, rest: &[u8], out: &mut BytesMut) -> Result<Progress, ProtocolError> {
        match (due, self.role.clone()) {
            (Due::CurveHello, Role::Accept(options)) => {
                if let AcceptMechanism::Curve { secret_key } = &options.mechanism {
                    self.due = Due::CurveInitiate(curve::welcome(rest, secret_key, out)?);
                }
            }
            (Due::CurveInitiate(welcomed), Role::Accept(options)) => {
                if let AcceptMechanism::Curve { secret_key } = &options.mechanism {
                    let initiated = welcomed.initiate(rest, secret_key)?;
                    let theirs = Metadata::read(&initiated.metadata, "INITIATE")?;
                    let (peer, metadata) = self.role.meet(theirs, self.minor, out)?;
                    self.due = Due::CurveVerdict { peer, session: initiated.session, metadata };
                    return Ok(Progress::Asks(Credentials::Curve { public_key: initiated.client }));
                }
            }
            (Due::CurveWelcome(greeted), Role::Connect(options)) => {
                if let ConnectMechanism::Curve { secret_key, .. } = &options.mechanism {
                    let ours = metadata::encode(options.socket_type, &options.identity);
                    self.due = Due::CurveReady(greeted.initiate(rest, secret_key, &ours, out)?);
                }
            }
            (Due::CurveReady(introduced), Role::Connect(_)) => {
                let (session, theirs) = introduced.ready(rest)?;
                let theirs = Metadata::read(&theirs, "READY")?;
                let (peer, _) = self.role.meet(theirs, self.minor, out)?;
                return Ok(Progress::Done(peer, Some(session)));
            }
            _ => return Err(ProtocolError::Over),
        }
        Ok(Progress::Waits)
    }

    /// The peer's last command in clear, and our READY where it `is_due`.
    fn ready(&mut self, rest: &[u8], is_due: bool, out: &mut BytesMut) -> Result<Progress, ProtocolError> {
        let theirs = Metadata::read(rest, if is_due && self.is_plain() { "INITIATE" } else { "READY" })?;
        let (peer, ours) = self.role.meet(theirs, self.minor, out)?;
        if is_due {
            command::put(READY, &[&ours], out);
        }
        Ok(Progress::Done(peer, None))
    }

    /// Takes the shell's word; `None`: the next command is due.
    pub(super) fn decide(&mut self, out: &mut BytesMut) -> Option<(Peer, Session)> {
        match std::mem::replace(&mut self.due, Due::Nothing) {
            Due::CurveVerdict { peer, mut session, metadata } => {
                session.put_ready(&metadata, out);
                Some((peer, session))
            }
            Due::PlainVerdict => {
                command::put(WELCOME, &[], out);
                self.due = Due::PlainInitiate;
                None
            }
            other => {
                self.due = other;
                None
            }
        }
    }

    fn is_plain(&self) -> bool {
        self.role.mechanism() == "PLAIN"
    }
}

impl Due {
    /// The name of the command; names the wait where none is due.
    fn name(&self) -> &'static str {
        let name = match self {
            Self::NullReady | Self::PlainReady | Self::CurveReady(_) => READY,
            Self::PlainHello | Self::CurveHello => HELLO,
            Self::PlainInitiate | Self::CurveInitiate(_) => INITIATE,
            Self::PlainWelcome | Self::CurveWelcome(_) => WELCOME,
            Self::PlainVerdict | Self::CurveVerdict { .. } | Self::Nothing => b"nothing",
        };
        str::from_utf8(name).expect("names of commands are ASCII")
    }
}
