//! Who is in which namespace and in which room: a machine that answers who hears an event.
//!
//! A socket is a client in a namespace. Everybody is in a room named by its own id, without that being kept anywhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::table::Table;
use super::{Key, SocketId};

#[cfg(test)]
mod tests;

/// Longest name of a room, bytes.
pub const ROOM_BYTES_MAX: usize = 256;

/// All sockets of an endpoint.
#[derive(Debug)]
pub struct Rooms {
    sockets: Table<Socket>,
    by_id: HashMap<SocketId, Key>,
    namespaces: Vec<Namespace>,
}

/// A client in a namespace.
#[derive(Debug)]
pub struct Socket {
    /// What workers call it.
    pub id: SocketId,
    /// Whose it is.
    pub client: Key,
    /// Number of its namespace.
    pub namespace: usize,
    /// Where it is among all of its namespace.
    place: usize,
    rooms: Vec<Rc<str>>,
}

#[derive(Debug)]
struct Namespace {
    name: String,
    all: Vec<Key>,
    rooms: BTreeMap<Rc<str>, BTreeSet<Key>>,
}

/// Whom an event is for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience<'a> {
    /// Rooms, or ids of sockets; none of them: everybody in the namespace.
    pub to: &'a [String],
    /// Rooms, or ids of sockets, that are left out.
    pub except: &'a [String],
}

/// Why a socket did not join a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// No such socket is here.
    #[error("no such socket is here")]
    Unknown,
    /// It is in as many rooms as it may be.
    #[error("the socket is in {0} rooms already")]
    TooMany(usize),
    /// The name is too long, or empty.
    #[error("the name of a room has 1 to {ROOM_BYTES_MAX} bytes")]
    Name,
}

impl Rooms {
    /// With these namespaces and nobody in them.
    #[must_use]
    pub fn new(namespaces: &[String]) -> Self {
        let namespace =
            |name: &String| Namespace { name: name.clone(), all: Vec::new(), rooms: BTreeMap::new() };
        Self {
            sockets: Table::default(),
            by_id: HashMap::new(),
            namespaces: namespaces.iter().map(namespace).collect(),
        }
    }

    /// The number of a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<usize> {
        self.namespaces.iter().position(|namespace| namespace.name == name)
    }

    /// The name of a namespace.
    #[must_use]
    pub fn name(&self, namespace: usize) -> &str {
        &self.namespaces[namespace].name
    }

    /// How many sockets there are.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// Rooms that somebody is in.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.namespaces.iter().map(|namespace| namespace.rooms.len()).sum()
    }

    /// A client enters a namespace.
    pub fn enter(&mut self, client: Key, namespace: usize, id: SocketId) -> Key {
        let all = &mut self.namespaces[namespace].all;
        let socket = Socket { id, client, namespace, place: all.len(), rooms: Vec::new() };
        let key = self.sockets.insert(socket);
        all.push(key);
        self.by_id.insert(id, key);
        key
    }

    /// A socket is gone.
    pub fn leave(&mut self, key: Key) -> Option<Socket> {
        let socket = self.sockets.remove(key)?;
        self.by_id.remove(&socket.id);
        let namespace = &mut self.namespaces[socket.namespace];
        namespace.all.swap_remove(socket.place);
        if let Some(moved) = namespace.all.get(socket.place)
            && let Some(moved) = self.sockets.get_mut(*moved)
        {
            moved.place = socket.place;
        }
        for room in &socket.rooms {
            namespace.drop_from(room, key);
        }
        Some(socket)
    }

    /// A socket by its key.
    #[must_use]
    pub fn socket(&self, key: Key) -> Option<&Socket> {
        self.sockets.get(key)
    }

    /// A socket by its name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Key> {
        self.by_id.get(&SocketId::parse(id)?).copied()
    }

    /// A socket enters a room.
    ///
    /// # Errors
    /// [`JoinError`]; it is not in it.
    pub fn join(&mut self, key: Key, room: &str, rooms_max: usize) -> Result<(), JoinError> {
        let Some(socket) = self.sockets.get_mut(key) else { return Err(JoinError::Unknown) };
        if room.is_empty() || room.len() > ROOM_BYTES_MAX {
            return Err(JoinError::Name);
        }
        if socket.rooms.iter().any(|other| **other == *room) {
            return Ok(());
        }
        if socket.rooms.len() >= rooms_max {
            return Err(JoinError::TooMany(socket.rooms.len()));
        }
        let rooms = &mut self.namespaces[socket.namespace].rooms;
        let name = rooms.get_key_value(room).map_or_else(|| Rc::from(room), |(name, _)| Rc::clone(name));
        socket.rooms.push(Rc::clone(&name));
        rooms.entry(name).or_default().insert(key);
        Ok(())
    }

    /// A socket leaves a room; whether it was in it.
    pub fn part(&mut self, key: Key, room: &str) -> bool {
        let Some(socket) = self.sockets.get_mut(key) else { return false };
        let Some(at) = socket.rooms.iter().position(|other| **other == *room) else { return false };
        socket.rooms.swap_remove(at);
        self.namespaces[socket.namespace].drop_from(room, key);
        true
    }

    /// Who hears an event, each once.
    #[must_use]
    pub fn audience(&self, namespace: usize, audience: &Audience<'_>) -> Vec<Key> {
        let mut heard = match audience.to {
            [] => self.namespaces[namespace].all.clone(),
            [one] => self.of(namespace, one).collect(),
            several => {
                let all: BTreeSet<Key> = several.iter().flat_map(|room| self.of(namespace, room)).collect();
                all.into_iter().collect()
            }
        };
        if !audience.except.is_empty() {
            let except: BTreeSet<Key> =
                audience.except.iter().flat_map(|room| self.of(namespace, room)).collect();
            heard.retain(|key| !except.contains(key));
        }
        heard
    }

    /// Those in a room, or the one with this name.
    fn of<'a>(&'a self, namespace: usize, room: &str) -> impl Iterator<Item = Key> + use<'a> {
        let in_room = self.namespaces[namespace].rooms.get(room).into_iter().flatten().copied();
        let own = self.find(room);
        let own =
            own.filter(|key| self.sockets.get(*key).is_some_and(|socket| socket.namespace == namespace));
        in_room.chain(own)
    }
}

impl Namespace {
    fn drop_from(&mut self, room: &str, key: Key) {
        if let Some(in_room) = self.rooms.get_mut(room) {
            in_room.remove(&key);
            if in_room.is_empty() {
                self.rooms.remove(room);
            }
        }
    }
}
