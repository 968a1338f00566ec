//! What an endpoint is configured to be; shared by all its connections.

use std::fmt;

use super::{Limits, PublicKey, SecretKey, SocketType, SocketTypes};

/// For connections that were accepted.
#[derive(Debug, Clone)]
pub struct AcceptOptions {
    /// What the endpoint can be; the peer's kind decides. Default [`SocketTypes::hub`].
    pub offers: SocketTypes,
    /// Who is let in. Default `Null`.
    pub mechanism: AcceptMechanism,
    /// Sent to REP, DEALER and ROUTER peers, up to 255 bytes. Default empty: none.
    pub identity: Vec<u8>,
    /// Default as [`Limits::default`].
    pub limits: Limits,
}

impl Default for AcceptOptions {
    fn default() -> Self {
        Self {
            offers: SocketTypes::hub(),
            mechanism: AcceptMechanism::Null,
            identity: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// The security mechanism of an accepting endpoint.
#[derive(Debug, Clone)]
pub enum AcceptMechanism {
    /// Whoever can connect.
    Null,
    /// Whoever has a name and a password the shell agrees with (RFC 24). Both cross the wire in clear.
    Plain,
    /// Whoever has a key the shell agrees with; everything is sealed (RFC 26).
    Curve {
        /// The endpoint's permanent key.
        secret_key: SecretKey,
    },
}

/// For connections we make.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// What we are.
    pub socket_type: SocketType,
    /// How we are let in.
    pub mechanism: ConnectMechanism,
    /// Who we are to a ROUTER, up to 255 bytes; empty: it makes something up.
    pub identity: Vec<u8>,
    /// What we take from the peer.
    pub limits: Limits,
}

impl ConnectOptions {
    /// A socket of this kind without credentials, identity or limits of its own.
    #[must_use]
    pub fn new(socket_type: SocketType) -> Self {
        Self {
            socket_type,
            mechanism: ConnectMechanism::Null,
            identity: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// The security mechanism of a connection we make. The password is not shown by `Debug`.
#[derive(Clone)]
pub enum ConnectMechanism {
    /// None.
    Null,
    /// By name and password; of each the first 255 bytes count.
    Plain {
        /// Who we are.
        username: Vec<u8>,
        /// The secret that goes with it.
        password: Vec<u8>,
    },
    /// By key.
    Curve {
        /// The key the peer must have.
        server_key: PublicKey,
        /// Ours.
        secret_key: SecretKey,
    },
}

impl fmt::Debug for ConnectMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Plain { username, .. } => f
                .debug_struct("Plain")
                .field("username", &String::from_utf8_lossy(username))
                .finish_non_exhaustive(),
            Self::Curve { server_key, .. } => {
                f.debug_struct("Curve").field("server_key", server_key).finish_non_exhaustive()
            }
        }
    }
}
