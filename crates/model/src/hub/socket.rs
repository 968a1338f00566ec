//! The hub's sockets, and what is spoken on each.
//!
//! They are sockets of the instance like those of the config, under reserved names: `hub-bus` and `hub-store` are the
//! Unix sockets in the runtime folder, `hub-bus-1`, `hub-store-1` … the addresses of `listen` in their order. The worker
//! finds them by these names (`LISTEN_FDNAMES`).

use crate::SocketName;

/// What is spoken on one of the hub's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HubSocket {
    /// The bus, all of it (ZMTP).
    Bus,
    /// The store, and the bus as Redis has it (RESP).
    Store,
    /// The bus, as a PUB socket (ZMTP).
    Pub,
    /// The bus, as a PULL socket (ZMTP).
    Pull,
    /// Other servers.
    Herd,
}

impl HubSocket {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Bus, "hub-bus"),
        (Self::Store, "hub-store"),
        (Self::Pub, "hub-pub"),
        (Self::Pull, "hub-pull"),
        (Self::Herd, "hub-herd"),
    ];

    /// What is spoken on the socket of this name; `None` if it is not one of the hub's.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let numbered = |rest: &str| rest.strip_prefix('-').is_some_and(is_number);
        let listens = |socket: &Self, rest: &str| match socket {
            Self::Bus | Self::Store => rest.is_empty() || numbered(rest),
            Self::Pub | Self::Pull => rest.is_empty(),
            // Its addresses are all from the config.
            Self::Herd => numbered(rest),
        };
        Self::ALL.into_iter().find_map(|(socket, stem)| {
            name.strip_prefix(stem).is_some_and(|rest| listens(&socket, rest)).then_some(socket)
        })
    }

    /// The name of its socket; for a bus or store the Unix one (0); for these and the herd, the one of `listen[number - 1]`.
    #[must_use]
    pub fn socket_name(self, number: usize) -> SocketName {
        let stem = Self::ALL.iter().find(|(socket, _)| *socket == self).map_or("hub", |(_, stem)| stem);
        let name = if number == 0 { stem.to_owned() } else { format!("{stem}-{number}") };
        SocketName::new(&name).expect("letters, digits and dashes are a name")
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}
