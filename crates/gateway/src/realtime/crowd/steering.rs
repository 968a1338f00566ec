//! What workers tell an endpoint to do.

use remuda_model::Tick;
use remuda_wire::socketio::{Packet, PacketType};

use super::emitting::LetterError;
use super::{Crowd, Reason};
use crate::realtime::letters::{Accept, Letter, Refuse, Steer, quoted};
use crate::realtime::rooms::{Audience, JoinError};
use crate::realtime::{Key, SocketId};

impl Crowd {
    /// A letter of a worker came; `kind` is the last word of its topic.
    ///
    /// # Errors
    /// It cannot be read, or names what there is not; nothing is done.
    pub fn letter(&mut self, now: Tick, kind: &str, body: &[u8]) -> Result<(), LetterError> {
        let done = self.follow(now, kind, body);
        if done.is_err() {
            self.counts.bad_letters += 1;
        }
        done
    }

    fn follow(&mut self, now: Tick, kind: &str, body: &[u8]) -> Result<(), LetterError> {
        match kind {
            "emit" => self.emit(now, &serde_json::from_slice(body)?),
            "reply" => self.reply(&serde_json::from_slice(body)?),
            "join" => {
                self.join(&serde_json::from_slice(body)?);
                Ok(())
            }
            "leave" => {
                let steer: Steer = serde_json::from_slice(body)?;
                for socket in steer.sid.iter().filter_map(|sid| self.rooms.find(sid)).collect::<Vec<_>>() {
                    for room in &steer.room {
                        self.rooms.part(socket, room);
                    }
                }
                Ok(())
            }
            "close" => self.close(&serde_json::from_slice(body)?),
            "accept" => {
                self.accept(&serde_json::from_slice(body)?);
                Ok(())
            }
            "refuse" => {
                let refuse: Refuse<'_> = serde_json::from_slice(body)?;
                let message = quoted(refuse.message.as_deref().unwrap_or("not authorized"));
                let data = refuse.data.map_or(String::new(), |data| format!(r#","data":{}"#, data.get()));
                if let Some(id) = SocketId::parse(&refuse.sid) {
                    self.refuse(id, &format!(r#"{{"message":{message}{data}}}"#));
                }
                Ok(())
            }
            _ => Err(LetterError::Kind),
        }
    }

    fn join(&mut self, steer: &Steer) {
        let max = self.options.rooms_max;
        for socket in steer.sid.iter().filter_map(|sid| self.rooms.find(sid)).collect::<Vec<_>>() {
            self.join_all(socket, &steer.room, max);
        }
    }

    fn join_all(&mut self, socket: Key, rooms: &[String], max: usize) {
        for room in rooms {
            if let Err(JoinError::TooMany(_) | JoinError::Name) = self.rooms.join(socket, room, max) {
                self.counts.bad_letters += 1;
            }
        }
    }

    fn accept(&mut self, accept: &Accept<'_>) {
        let Some(id) = SocketId::parse(&accept.sid) else { return };
        let Some(asked) = self.asked.remove(&id) else { return };
        match self.let_in(asked.client, asked.namespace, id) {
            Some(socket) => self.join_all(socket, &accept.room, self.options.rooms_max),
            // It has gone meanwhile, and who let it in should know.
            None => {
                let letter = Letter::of(id, self.rooms.name(asked.namespace));
                let letter = letter.text("reason", Reason::TransportClose.word());
                self.orders.letters.push(("disconnect", letter.finish()));
            }
        }
    }

    fn close(&mut self, steer: &Steer) -> Result<(), LetterError> {
        let mut sockets: Vec<Key> = steer.sid.iter().filter_map(|sid| self.rooms.find(sid)).collect();
        if !steer.room.is_empty() {
            let namespace = self.rooms.namespace(&steer.namespace);
            let namespace = namespace.ok_or_else(|| LetterError::Namespace(steer.namespace.clone()))?;
            sockets.extend(self.rooms.audience(namespace, &Audience { to: &steer.room, except: &[] }));
        }
        for key in sockets {
            let Some(socket) = self.rooms.socket(key) else { continue };
            let (client, name) = (socket.client, self.rooms.name(socket.namespace).to_owned());
            let kind = PacketType::Disconnect;
            self.say(client, &Packet { kind, attachments: 0, namespace: &name, id: None, data: "" });
            if steer.whole {
                self.let_go(client, Reason::ServerDisconnect);
            } else {
                self.part_from(client, key, Reason::ServerDisconnect);
            }
        }
        Ok(())
    }
}
