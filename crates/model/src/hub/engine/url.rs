//! Where an engine is, and what is said to be let in: its URL, taken apart.
//!
//! A password may stand in it. So neither the text nor its parts are shown whole: messages name scheme, host and port,
//! and an error names the part that is wrong without repeating it.

use std::fmt;
use std::str::FromStr;

/// Port of Redis and Valkey.
const REDIS_PORT: u16 = 6379;
/// Port of NATS.
const NATS_PORT: u16 = 4222;
/// Port of PostgreSQL.
const POSTGRES_PORT: u16 = 5432;
/// Port of etcd's clients.
const ETCD_PORT: u16 = 2379;

/// What an engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// Redis' protocol: Redis from 6 on, Valkey.
    Redis,
    /// NATS' protocol: NATS from 2.2 on.
    Nats,
    /// PostgreSQL's protocol: PostgreSQL from 11 on.
    Postgres,
    /// etcd's JSON over HTTP: etcd from 3.4 on.
    Etcd,
}

impl EngineKind {
    fn scheme(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Postgres => "postgres",
            Self::Etcd => "etcd",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Redis => REDIS_PORT,
            Self::Nats => NATS_PORT,
            Self::Postgres => POSTGRES_PORT,
            Self::Etcd => ETCD_PORT,
        }
    }

    fn of(scheme: &str) -> Result<Self, EngineUrlError> {
        match scheme {
            "redis" => Ok(Self::Redis),
            "nats" => Ok(Self::Nats),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            "etcd" => Ok(Self::Etcd),
            "rediss" => Err(EngineUrlError::Tls { plain: "redis" }),
            "tls" => Err(EngineUrlError::Tls { plain: "nats" }),
            "etcds" | "https" => Err(EngineUrlError::Tls { plain: "etcd" }),
            _ => Err(EngineUrlError::Scheme),
        }
    }
}

/// Why a text is no URL of an engine. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EngineUrlError {
    /// Neither of the known schemes.
    #[error(
        "this is no engine: write \"embedded\", \"redis://host:6379\", \"nats://host:4222\", \
         \"postgres://user@host:5432/database\" or \"etcd://host:2379\""
    )]
    Scheme,
    /// `rediss://` or `tls://`.
    #[error("the hub does not speak TLS to engines: write {plain}:// and put a tunnel between")]
    Tls {
        /// The scheme without TLS.
        plain: &'static str,
    },
    /// No host.
    #[error("the engine's URL names no host")]
    Host,
    /// A port that is none.
    #[error("the port in the engine's URL is no number from 1 to 65535")]
    Port,
    /// A path that is no number of a database.
    #[error("what follows the host in the engine's URL is no number of a database")]
    Database,
    /// A path, where there are no databases.
    #[error("nothing may follow host and port in the URL of a {scheme}://")]
    Path {
        /// The scheme.
        scheme: &'static str,
    },
    /// `sslmode=require` and stronger.
    #[error(
        "the hub does not speak TLS to engines, and `sslmode` demands it: put a tunnel between and write sslmode=disable"
    )]
    SslMode,
    /// A PostgreSQL without a role.
    #[error("the URL of a PostgreSQL names who we are: postgres://USER@host/database")]
    NoUser,
    /// `?` or `#`.
    #[error("the engine's URL has '?' or '#', which mean nothing here; in a password write them %3F and %23")]
    Query,
    /// Several servers, with commas.
    #[error("the engine's URL names several servers: name one, or a name that stands for all of them")]
    Several,
    /// One of name and password, where both belong together.
    #[error(
        "the engine's URL names a user without a password, or the reverse; Redis alone takes a password alone, written \
         redis://:PASSWORD@host"
    )]
    NoPassword,
    /// A `%` that is not followed by two hexadecimal digits of some UTF-8.
    #[error("the name or password in the engine's URL has a '%' that encodes nothing; write a '%' as %25")]
    Encoding,
}

/// A URL, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct EngineUrl {
    text: String,
    /// What the server speaks.
    pub kind: EngineKind,
    /// A name, or an address without brackets.
    pub host: String,
    /// TCP port. Default 6379 for Redis, 4222 for NATS, 5432 for PostgreSQL, 2379 for etcd.
    pub port: u16,
    /// Who we are there; alone, without a password, a token of NATS.
    pub user: Option<String>,
    /// What shows that.
    pub password: Option<String>,
    /// Redis' database to begin in. Default 0.
    pub database: u32,
    /// PostgreSQL's database. Default: one that is called as the user.
    pub catalog: Option<String>,
}

impl EngineUrl {
    /// The text, with `***` in place of a password.
    #[must_use]
    pub fn masked(&self) -> String {
        let Some((scheme, rest)) = self.text.split_once("://") else { return String::new() };
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let Some((account, place)) = authority.rsplit_once('@') else { return self.text.clone() };
        match account.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{place}{path}"),
            // A name without a password is a token in the URLs of NATS.
            None => format!("{scheme}://***@{place}{path}"),
        }
    }

    /// The text, with its password.
    #[must_use]
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Whether both are the same server.
    #[must_use]
    pub fn is_same_server(&self, other: &Self) -> bool {
        (self.kind, &self.host, self.port) == (other.kind, &other.host, other.port)
    }
}

/// As in messages: no name, no password.
impl fmt::Display for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.kind.scheme();
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EngineUrl {
    type Err = EngineUrlError;
    fn from_str(text: &str) -> Result<Self, EngineUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(EngineUrlError::Scheme)?;
        let kind = EngineKind::of(scheme)?;
        let rest = if kind == EngineKind::Postgres { without_options(rest)? } else { rest };
        if rest.contains(['?', '#']) {
            return Err(EngineUrlError::Query);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (account, place) = match authority.rsplit_once('@') {
            Some((account, place)) => (Some(account), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let port = match port {
            None | Some("") => kind.port(),
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(EngineUrlError::Port)?,
        };
        let (mut database, mut catalog) = (0, None);
        match (kind, path) {
            (_, "") => {}
            (EngineKind::Redis, number) => {
                database = number.parse().map_err(|_not_a_number| EngineUrlError::Database)?;
            }
            (EngineKind::Postgres, name) => catalog = decoded(name)?,
            (EngineKind::Nats | EngineKind::Etcd, _) => {
                return Err(EngineUrlError::Path { scheme: kind.scheme() });
            }
        }
        let (user, password) = match account.map(|account| account.split_once(':').unwrap_or((account, ""))) {
            None => (None, None),
            Some((user, password)) => (decoded(user)?, decoded(password)?),
        };
        if kind == EngineKind::Redis && user.is_some() && password.is_none() {
            return Err(EngineUrlError::NoPassword);
        }
        if kind == EngineKind::Postgres && user.is_none() {
            return Err(EngineUrlError::NoUser);
        }
        if kind == EngineKind::Etcd && user.is_some() != password.is_some() {
            return Err(EngineUrlError::NoPassword);
        }
        Ok(Self {
            text: text.to_owned(),
            kind,
            host: host.to_owned(),
            port,
            user,
            password,
            database,
            catalog,
        })
    }
}

/// The URL of a PostgreSQL without `?sslmode=…`, which may say anything that we do anyway.
fn without_options(rest: &str) -> Result<&str, EngineUrlError> {
    match rest.rsplit_once('?') {
        None => Ok(rest),
        Some((rest, "sslmode=disable" | "sslmode=allow" | "sslmode=prefer")) => Ok(rest),
        Some((_, options)) if options.starts_with("sslmode=") => Err(EngineUrlError::SslMode),
        Some(_) => Err(EngineUrlError::Query),
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<&str>), EngineUrlError> {
    if place.contains(',') {
        return Err(EngineUrlError::Several);
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or(EngineUrlError::Host)?;
            let port = match after {
                "" => None,
                after => Some(after.strip_prefix(':').ok_or(EngineUrlError::Port)?),
            };
            (host, port)
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let is_name = !host.is_empty() && !host.contains(|sign: char| sign.is_whitespace() || sign.is_control());
    if is_name { Ok((host, port)) } else { Err(EngineUrlError::Host) }
}

/// What percent signs encode; an empty text is none.
fn decoded(text: &str) -> Result<Option<String>, EngineUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| {
            byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(EngineUrlError::Encoding)
        };
        let code = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(code).map_err(|_no_byte| EngineUrlError::Encoding)?);
    }
    let text = String::from_utf8(bytes).map_err(|_not_utf8| EngineUrlError::Encoding)?;
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests;
