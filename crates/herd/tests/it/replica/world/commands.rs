//! What clients do to a server of the world.

use bytes::Bytes;
use remuda_herd::replica::{Input, Shape, Shelf, Touch};

use super::super::shelf::Value;
use super::{BEGAN_MS, Command, World, id, key};

impl World {
    /// Runs a command as a store would, and tells the replica. Nothing happens where types do not fit.
    pub(in super::super) fn run(&mut self, at: usize, number: u8, command: &Command) {
        let name = key(number);
        self.read_clock(at);
        if self.servers[at].map.purge(0, &name) {
            // All that a record did is told at once.
            let touch = if self.apply(at, &name, command).is_some() { Touch::Whole } else { Touch::Lapsed };
            return self.step(at, Input::Local { database: 0, key: &name, touch });
        }
        match command {
            Command::Rename(to) => self.rename(at, &name, &key(*to)),
            Command::Flush => {
                self.servers[at].map.keys.retain(|(database, _), _| *database != 0);
                self.step(at, Input::All { database: 0, is_restored: false });
            }
            Command::Swap => {
                let keys = std::mem::take(&mut self.servers[at].map.keys);
                let swapped = keys.into_iter().map(|((database, key), entry)| ((1 - database, key), entry));
                self.servers[at].map.keys = swapped.collect();
                for database in [0, 1] {
                    self.step(at, Input::All { database, is_restored: false });
                }
            }
            _ => {
                let Some((what, names)) = self.apply(at, &name, command) else { return };
                let elements: Vec<&[u8]> = names.iter().map(|name| &name[..]).collect();
                let touch = if elements.is_empty() { what } else { Touch::Elements(&elements) };
                self.step(at, Input::Local { database: 0, key: &name, touch });
            }
        }
    }

    fn rename(&mut self, at: usize, from: &Bytes, to: &Bytes) {
        self.servers[at].map.purge(0, to);
        let Some(entry) = self.servers[at].map.keys.remove(&(0, from.clone())) else { return };
        self.servers[at].map.keys.insert((0, to.clone()), entry);
        for key in [from, to] {
            self.step(at, Input::Local { database: 0, key, touch: Touch::Whole });
        }
    }

    /// Does a command to the map; what it did, and to which elements. None when it does nothing.
    fn apply(&mut self, at: usize, name: &Bytes, command: &Command) -> Option<(Touch<'static>, Vec<Bytes>)> {
        let now = self.now(self.servers[at].skew_ms);
        let map = &mut self.servers[at].map;
        let (me, place) = (id(at), (0, name.clone()));
        let field = |field: &u8| Bytes::from(format!("f{field}"));
        match command {
            Command::Set(value, lifetime) => {
                let value = Bytes::from(format!("{value}"));
                let end = lifetime.map(|lifetime| now.wall_ms + lifetime);
                map.keys.insert(place, (Value::Text(value), end));
            }
            Command::Delete => {
                map.keys.remove(&place)?;
            }
            Command::Count(step) => {
                match map.entry(0, name) {
                    None => {
                        map.keys.insert(place, (Value::Text(step.to_string().into()), None));
                    }
                    Some((Value::Text(text), _)) => {
                        let old: i64 = std::str::from_utf8(text).unwrap().parse().unwrap();
                        *text = (old + i64::from(*step)).to_string().into();
                    }
                    Some(_) => return None,
                }
                return Some((Touch::Counted(i64::from(*step)), Vec::new()));
            }
            Command::Field(collection, number, value) => {
                let wanted = Shape::Parts(*collection);
                if map.shape(0, name).is_some_and(|shape| shape != wanted) {
                    return None;
                }
                map.set_element(me, 0, name, *collection, &field(number), &[*value]);
                return Some((Touch::Whole, vec![field(number)]));
            }
            Command::Remove(number) => {
                map.element(0, name, &field(number))?;
                map.remove_element(me, 0, name, &field(number));
                return Some((Touch::Whole, vec![field(number)]));
            }
            Command::Push(value) => {
                let value = Bytes::from(format!("{value}"));
                match map.entry(0, name) {
                    None => {
                        map.keys.insert(place, (Value::List(vec![value]), None));
                    }
                    Some((Value::List(list), _)) => list.push(value),
                    Some(_) => return None,
                }
            }
            Command::Expire(None) => {
                map.entry(0, name)?.1.take()?;
                return Some((Touch::Expiry, Vec::new()));
            }
            Command::Expire(Some(lifetime)) => return self.end(at, name, now.wall_ms + lifetime),
            Command::ExpireAt(ms) => return self.end(at, name, BEGAN_MS + ms),
            Command::Rename(_) | Command::Flush | Command::Swap => return None,
        }
        Some((Touch::Whole, Vec::new()))
    }

    /// Gives a key an end; one that is over removes it.
    fn end(&mut self, at: usize, name: &Bytes, end_ms: u64) -> Option<(Touch<'static>, Vec<Bytes>)> {
        let map = &mut self.servers[at].map;
        let wall_ms = map.wall_ms;
        map.entry(0, name)?.1 = Some(end_ms);
        if end_ms > wall_ms {
            return Some((Touch::Expiry, Vec::new()));
        }
        map.keys.remove(&(0, name.clone()));
        Some((Touch::Whole, Vec::new()))
    }
}
