//! Placeholders: what is known only when a worker is spawned.
//!
//! | written | becomes |
//! |---|---|
//! | `$(socket.web)` `$(fd.web)` `{SOCKET:web}` `$(circus.sockets.web)` `((circus.sockets.web))` `${circus.sockets.web}` | number of the descriptor |
//! | `$(address.web)` `$(port.web)` | real address and port of the socket |
//! | `$(slot)` `$(slot+5000)` | number of the slot, plus a number |
//! | `$(circus.wid)` | number of the slot plus 1 |
//! | `$(service)` `$(generation)` | name of the service, count of its reloads |
//! | `$(workers)` `$(circus.numprocesses)` | wanted number of workers |
//! | `$(env.NAME)` `$(circus.env.NAME)` | a variable of the worker |
//! | `$$(` `$${circus.` `$$((circus.` `$${SOCKET:` | the same with one `$` less (the last two: without any), as plain text |

use std::collections::BTreeMap;
use std::ops::Range;

use remuda_model::{ServiceName, SocketName};

use crate::nearest::nearest;

mod token;
pub use token::Placeholder;
use token::{Token, tokens};

/// What may follow a `$$` that escapes a placeholder; the longest first.
pub(crate) const ESCAPED: [&str; 4] = ["((circus.", "(", "{circus.", "{SOCKET:"];

/// What a socket's placeholders become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketValue {
    /// Number of its descriptor in the worker.
    pub descriptor: i32,
    /// Its real address.
    pub address: String,
    /// Its real port, if it has one.
    pub port: Option<u16>,
}

/// What the placeholders of one worker become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// Its service.
    pub service: ServiceName,
    /// Its slot.
    pub slot: u32,
    /// Its generation.
    pub generation: u64,
    /// Wanted number of workers of the service.
    pub workers: u32,
    /// The sockets it inherits.
    pub sockets: BTreeMap<SocketName, SocketValue>,
    /// Its variables, as far as they are known.
    pub environment: BTreeMap<String, String>,
}

/// Why a placeholder cannot be filled in. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// It is none of those known.
    #[error("{text} is not a placeholder")]
    Unknown {
        /// Where.
        range: Range<usize>,
        /// As it is written.
        text: String,
        /// The known word nearest to it.
        nearest: Option<String>,
    },
    /// It does not end.
    #[error("{text:?} lacks its closing parenthesis")]
    Unclosed {
        /// Where.
        range: Range<usize>,
        /// As it is written.
        text: String,
    },
    /// The service does not inherit that socket.
    #[error("the service does not inherit a socket named {name}")]
    Socket {
        /// Where.
        range: Range<usize>,
        /// As it is written.
        name: String,
        /// The inherited socket nearest to it.
        nearest: Option<String>,
    },
    /// The socket has no port.
    #[error("the socket {name} listens on {address}, which has no port")]
    Port {
        /// Where.
        range: Range<usize>,
        /// The socket.
        name: SocketName,
        /// Its address.
        address: String,
    },
    /// The worker has no such variable.
    #[error("the worker has no variable {name}")]
    Variable {
        /// Where.
        range: Range<usize>,
        /// The variable.
        name: String,
    },
}

impl SubstituteError {
    /// Where in the text it is.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Unknown { range, .. }
            | Self::Unclosed { range, .. }
            | Self::Socket { range, .. }
            | Self::Port { range, .. }
            | Self::Variable { range, .. } => range.clone(),
        }
    }
}

/// Whether all placeholders of `text` are known and name only these sockets. Variables and ports show at spawn.
///
/// # Errors
/// The first that is not.
pub fn check(text: &str, sockets: &[SocketName]) -> Result<(), SubstituteError> {
    let parts = match tokens(text) {
        Ok(parts) => parts,
        // What stands before may be wrong as well, and comes first.
        Err(why) => return check(&text[..why.range().start], sockets).and(Err(why)),
    };
    for token in parts {
        if let Token::Placeholder(range, placeholder) = token
            && let Some(name) = placeholder.socket()
            && !sockets.iter().any(|socket| socket.as_str() == name)
        {
            return Err(no_socket(range, name, sockets.iter()));
        }
    }
    Ok(())
}

/// Whether `text` tells the number of a descriptor. A text that is not valid tells nothing.
#[must_use]
pub fn names_descriptor(text: &str) -> bool {
    let is_number = |token: &Token<'_>| matches!(token, Token::Placeholder(_, Placeholder::Descriptor(_)));
    tokens(text).is_ok_and(|tokens| tokens.iter().any(is_number))
}

/// `text` with all placeholders filled in.
///
/// # Errors
/// The first that is not known, or has no value.
pub fn substitute(text: &str, values: &Values) -> Result<String, SubstituteError> {
    let mut output = String::with_capacity(text.len());
    for token in tokens(text)? {
        match token {
            Token::Text(part) => output.push_str(part),
            Token::Placeholder(range, placeholder) => output.push_str(&value(range, &placeholder, values)?),
        }
    }
    Ok(output)
}

/// The text that [`substitute`] turns into `text`: for values that come from elsewhere and mean nothing by a `$`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['$', '(', '{']) {
        let (before, here) = rest.split_at(start);
        output.push_str(before);
        let length = token::opener(here);
        if length > 0 {
            output.push_str(if here.starts_with('$') { "$" } else { "$$" });
            output.push_str(&here[..length]);
        } else {
            output.push_str(&here[..1]);
        }
        rest = &here[length.max(1)..];
    }
    output.push_str(rest);
    output
}

fn no_socket<'a>(
    range: Range<usize>,
    name: &str,
    known: impl Iterator<Item = &'a SocketName>,
) -> SubstituteError {
    let nearest = nearest(name, known.map(SocketName::as_str)).map(str::to_owned);
    SubstituteError::Socket { range, name: name.to_owned(), nearest }
}

fn value(
    range: Range<usize>,
    placeholder: &Placeholder<'_>,
    values: &Values,
) -> Result<String, SubstituteError> {
    let socket = |name: &str| {
        let found = values.sockets.get_key_value(name);
        found.ok_or_else(|| no_socket(range.clone(), name, values.sockets.keys()))
    };
    Ok(match placeholder {
        Placeholder::Descriptor(name) => socket(name)?.1.descriptor.to_string(),
        Placeholder::Address(name) => socket(name)?.1.address.clone(),
        Placeholder::Port(name) => {
            let (name, found) = socket(name)?;
            let none = || SubstituteError::Port {
                range: range.clone(),
                name: name.clone(),
                address: found.address.clone(),
            };
            found.port.ok_or_else(none)?.to_string()
        }
        Placeholder::Slot(offset) => (u64::from(values.slot) + u64::from(*offset)).to_string(),
        Placeholder::Service => values.service.to_string(),
        Placeholder::Generation => values.generation.to_string(),
        Placeholder::Workers => values.workers.to_string(),
        Placeholder::Variable(name) => {
            let found = values.environment.get(*name);
            found.cloned().ok_or_else(|| SubstituteError::Variable { range, name: (*name).to_owned() })?
        }
    })
}
