//! Where a hub is and who one is there: the URLs that clients of Redis know.

use std::fmt;
use std::path::PathBuf;

/// Redis' own port, where a URL names none.
const PORT_DEFAULT: u16 = 6379;

/// Where to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A Unix socket.
    Unix(PathBuf),
    /// A host by name or number, and a port.
    Tcp(String, u16),
}

/// Where a hub is, who one is, and which database is meant.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Where to connect to.
    pub place: Place,
    /// Name and token; `None` where the way in says who one is.
    pub login: Option<(String, String)>,
    /// The database; default 0.
    pub database: u32,
}

/// A URL is none of ours. It is not repeated here: it may hold a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("the hub's address begins with neither redis:// nor unix://")]
    Scheme,
    /// No host, or no absolute path.
    #[error("the hub's address names no host (redis://HOST:PORT) or no absolute path (unix:///PATH)")]
    Place,
    /// A port that is none.
    #[error("the port in the hub's address is not a number from 1 to 65535")]
    Port,
    /// A database that is none.
    #[error("the database in the hub's address is not a number")]
    Database,
    /// A percent sign without two hexadecimal digits behind it, or bytes that are no UTF-8.
    #[error("the hub's address has a % that two hexadecimal digits do not follow, or that makes no text")]
    Escape,
}

impl Address {
    /// A Unix socket, through which the file system says who one is.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::Unix(path.into()), login: None, database: 0 }
    }

    /// The same with another database.
    #[must_use]
    pub fn database(self, database: u32) -> Self {
        Self { database, ..self }
    }

    /// Reads `redis://[NAME[:TOKEN]@]HOST[:PORT][/DATABASE]` or `unix://[NAME[:TOKEN]@]/PATH[?db=DATABASE]`.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        if let Some(rest) = url.strip_prefix("redis://") {
            let (login, rest) = login(rest, '/')?;
            let rest = rest.split('?').next().unwrap_or_default();
            let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
            let (host, port) = host_and_port(host)?;
            return Ok(Self { place: Place::Tcp(host, port), login, database: number(database)? });
        }
        let rest = url.strip_prefix("unix://").ok_or(AddressError::Scheme)?;
        let (login, rest) = login(rest, '/')?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = PathBuf::from(decoded(path)?);
        if !path.is_absolute() {
            return Err(AddressError::Place);
        }
        let database = query.split('&').find_map(|pair| pair.strip_prefix("db=")).unwrap_or_default();
        Ok(Self { place: Place::Unix(path), login, database: number(database)? })
    }
}

/// The place alone: what may be shown of an address.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
            Place::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Tcp(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// Without the token.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.login.as_ref().map(|(name, _)| name);
        f.debug_struct("Address")
            .field("place", &self.place)
            .field("name", &name)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

type Login = Option<(String, String)>;

/// What stands before an `@`, if that comes before the path. A token alone belongs to `default`, as in Redis.
fn login(text: &str, path: char) -> Result<(Login, &str), AddressError> {
    let end = text.find(path).unwrap_or(text.len());
    let Some(at) = text[..end].rfind('@') else { return Ok((None, text)) };
    let (name, token) = text[..at].split_once(':').unwrap_or((&text[..at], ""));
    let name = if name.is_empty() { "default".to_owned() } else { decoded(name)? };
    let login = if token.is_empty() { None } else { Some((name, decoded(token)?)) };
    Ok((login, &text[at + 1..]))
}

fn host_and_port(text: &str) -> Result<(String, u16), AddressError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(AddressError::Place)?;
            (host, after.strip_prefix(':').unwrap_or_default())
        }
        None => text.rsplit_once(':').unwrap_or((text, "")),
    };
    if host.is_empty() {
        return Err(AddressError::Place);
    }
    let port = match port {
        "" => PORT_DEFAULT,
        digits => digits.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Port)?,
    };
    Ok((host.to_owned(), port))
}

fn number(text: &str) -> Result<u32, AddressError> {
    if text.is_empty() { Ok(0) } else { text.parse().map_err(|_error| AddressError::Database) }
}

fn decoded(text: &str) -> Result<String, AddressError> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, more)) = rest.split_first() {
        rest = more;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = more.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits =
            digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or(AddressError::Escape)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_error| AddressError::Escape)?);
        rest = &more[2..];
    }
    String::from_utf8(bytes).map_err(|_error| AddressError::Escape)
}
