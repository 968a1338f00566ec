//! What is asked of ZeroMQ peers on each kind of endpoint, and which keys are known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use remuda_model::hub::{BusAuth, HubSocket, HubSpec};
use remuda_wire::zmtp::{AcceptMechanism, AcceptOptions, PublicKey, SecretKey, SocketType, SocketTypes};

use crate::error::HubError;
use crate::limits;

/// Longest key file, in bytes: 10,000 lines of a key and a name.
const FILE_MAX_BYTES: u64 = 4 << 20;

/// Options of every kind of endpoint, and CURVE's clients.
#[derive(Debug)]
pub(crate) struct Mechanisms {
    open: Options,
    named: Options,
    closed: Options,
    /// Services by their public key.
    clients: BTreeMap<[u8; 32], String>,
}

/// How somebody came, which decides how it shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through a Unix socket, and the kernel says enough.
    Trusted,
    /// Through a Unix socket, as a user of services of which some are limited: it shows a token, by PLAIN, which nobody can
    /// read on its way.
    Local,
    /// Over TCP.
    Internet,
}

#[derive(Debug)]
struct Options {
    all: Arc<AcceptOptions>,
    publish: Arc<AcceptOptions>,
    collect: Arc<AcceptOptions>,
}

impl Options {
    fn new(spec: &HubSpec, mechanism: &AcceptMechanism) -> Self {
        let of = |offers| {
            Arc::new(AcceptOptions {
                offers,
                mechanism: mechanism.clone(),
                identity: Vec::new(),
                limits: limits::zmtp(spec),
            })
        };
        Self {
            all: of(SocketTypes::hub()),
            publish: of(SocketTypes::of(&[SocketType::Xpub])),
            collect: of(SocketTypes::of(&[SocketType::Pull])),
        }
    }
}

impl Mechanisms {
    /// What `spec` asks; reads the key file where there is one.
    pub(crate) fn new(spec: &HubSpec) -> Result<Self, HubError> {
        let mut clients = BTreeMap::new();
        let closed = match (spec.bus.auth, &spec.bus.curve_keys) {
            (BusAuth::None, _) => AcceptMechanism::Null,
            (BusAuth::Plain, _) => AcceptMechanism::Plain,
            (BusAuth::Curve, Some(path)) => {
                let keys = read(path)?;
                clients = keys.clients;
                AcceptMechanism::Curve { secret_key: keys.secret }
            }
            (BusAuth::Curve, None) => {
                return Err(HubError::Settings("`auth = \"curve\"` without `curve_keys`".to_owned()));
            }
        };
        Ok(Self {
            open: Options::new(spec, &AcceptMechanism::Null),
            named: Options::new(spec, &AcceptMechanism::Plain),
            closed: Options::new(spec, &closed),
            clients,
        })
    }

    /// For an endpoint of this sort, and whoever came there this way.
    pub(crate) fn options(&self, sort: HubSocket, way: Way) -> &Arc<AcceptOptions> {
        let options = match way {
            Way::Trusted => &self.open,
            Way::Local => &self.named,
            Way::Internet => &self.closed,
        };
        match sort {
            HubSocket::Bus | HubSocket::Store | HubSocket::Herd => &options.all,
            HubSocket::Pub => &options.publish,
            HubSocket::Pull => &options.collect,
        }
    }

    /// The service whose key this is.
    pub(crate) fn client(&self, key: &PublicKey) -> Option<&str> {
        self.clients.get(&key.0).map(String::as_str)
    }
}

struct Keys {
    secret: SecretKey,
    clients: BTreeMap<[u8; 32], String>,
}

/// A key file: `secret Z85` once, `client SERVICE Z85` for each peer. A line that begins with `#` is a comment, and so is what
/// follows a `#` that stands alone; any other is part of a key.
fn read(path: &Path) -> Result<Keys, HubError> {
    let file = |why| HubError::File { what: "read the keys of the bus in", path: path.to_owned(), why };
    let wrong = |why: String| HubError::Keys { path: path.to_owned(), why };
    let length = fs::metadata(path).map_err(file)?.len();
    if length > FILE_MAX_BYTES {
        return Err(wrong(format!("{length} bytes are more than {FILE_MAX_BYTES}")));
    }
    let text = fs::read_to_string(path).map_err(file)?;
    let (mut secret, mut clients) = (None, BTreeMap::new());
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.split_whitespace().take_while(|word| *word != "#").collect();
        match words[..] {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["secret", key] => {
                secret =
                    Some(key.parse::<SecretKey>().map_err(|error| wrong(format!("line {number}: {error}")))?);
            }
            ["client", service, key] => {
                let key: PublicKey = key.parse().map_err(|error| wrong(format!("line {number}: {error}")))?;
                clients.insert(key.0, service.to_owned());
            }
            _ => {
                return Err(wrong(format!("line {number} is neither `secret KEY` nor `client SERVICE KEY`")));
            }
        }
    }
    let secret = secret.ok_or_else(|| wrong("no line `secret KEY`".to_owned()))?;
    Ok(Keys { secret, clients })
}

#[cfg(test)]
mod tests;
