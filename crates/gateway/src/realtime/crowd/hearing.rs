//! What comes from clients.

use std::cmp::Reverse;
use std::rc::Rc;

use bytes::Bytes;
use remuda_model::Tick;
use remuda_wire::engineio::Packet as EnginePacket;
use remuda_wire::socketio::{Limits, Packet, PacketType};
use serde_json::value::RawValue;

use super::{Asked, Crowd, Due, Reason};
use crate::realtime::letters::Letter;
use crate::realtime::session::Heard;
use crate::realtime::{Key, SocketId};

/// Names of events that clients' libraries use for themselves; no client sends them.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// A client broke the rules.
struct Violation;

impl Crowd {
    /// A packet came from a client, on the way its session goes.
    pub fn hear(&mut self, now: Tick, key: Key, packet: &EnginePacket<'_>) {
        let options = Rc::clone(&self.options);
        let limits = Limits { packet_max: options.payload_max, ..Limits::default() };
        let Some(client) = self.clients.get_mut(key).filter(|client| !client.is_leaving) else { return };
        let heard = match client.session.hear(now, packet, &options) {
            Heard::Text(text) => match client.assembler.text(text, &limits) {
                Ok(Some(packet)) => self.take(now, key, &packet, &[]),
                Ok(None) => Ok(()),
                Err(_) => Err(Violation),
            },
            Heard::Binary(bytes) => match client.assembler.binary(bytes, &limits) {
                Ok(Some(whole)) => match Packet::read(&whole.text, &limits) {
                    Ok(packet) => self.take(now, key, &packet, &whole.attachments),
                    Err(_) => Err(Violation),
                },
                Ok(None) => Ok(()),
                Err(_) => Err(Violation),
            },
            Heard::Nothing => Ok(()),
            Heard::Close => {
                self.end(key, Reason::TransportClose);
                Ok(())
            }
            Heard::Violation => Err(Violation),
        };
        if let Err(Violation) = heard {
            self.end(key, Reason::ParseError);
        }
    }

    fn take(
        &mut self,
        now: Tick,
        key: Key,
        packet: &Packet<'_>,
        attachments: &[Bytes],
    ) -> Result<(), Violation> {
        if packet.kind == PacketType::Connect {
            return self.connect(now, key, packet);
        }
        let namespace = self.rooms.namespace(packet.namespace).ok_or(Violation)?;
        let client = self.clients.get(key).ok_or(Violation)?;
        let is_of =
            |socket: &&Key| self.rooms.socket(**socket).is_some_and(|found| found.namespace == namespace);
        // Who is not in a namespace yet has nothing to say there; who was just let go may not have heard of it.
        let Some(socket) = client.sockets.iter().find(is_of).copied() else {
            return if client.connect_by.is_some() { Err(Violation) } else { Ok(()) };
        };
        let id = self.rooms.socket(socket).ok_or(Violation)?.id;
        match packet.kind {
            PacketType::Disconnect => {
                self.part_from(key, socket, Reason::ClientDisconnect);
                Ok(())
            }
            PacketType::Event | PacketType::BinaryEvent => self.event(id, packet, attachments),
            PacketType::Ack | PacketType::BinaryAck => self.ack(socket, id, packet, attachments),
            PacketType::Connect | PacketType::ConnectError => Err(Violation),
        }
    }

    fn connect(&mut self, now: Tick, key: Key, packet: &Packet<'_>) -> Result<(), Violation> {
        if !packet.data.is_empty() {
            let object: Result<&RawValue, _> = serde_json::from_str(packet.data);
            let object = object.map_err(|_error| Violation)?;
            if !object.get().starts_with('{') {
                return Err(Violation);
            }
        }
        let Some(namespace) = self.rooms.namespace(packet.namespace) else {
            let data = r#"{"message":"Invalid namespace"}"#;
            self.say(key, &control(PacketType::ConnectError, packet.namespace, data));
            return Ok(());
        };
        let client = self.clients.get(key).ok_or(Violation)?;
        let is_of =
            |socket: &Key| self.rooms.socket(*socket).is_some_and(|found| found.namespace == namespace);
        let is_asked = |asked: &Asked| asked.client == key && asked.namespace == namespace;
        if client.sockets.iter().any(is_of) || self.asked.values().any(is_asked) {
            return Err(Violation);
        }
        let id = SocketId((self.names)());
        let auth = if packet.data.is_empty() { "null" } else { packet.data };
        let mut letter = Letter::of(id, packet.namespace).raw("auth", auth).into_open();
        letter.push_str(&client.origin);
        letter.push('}');
        self.orders.letters.push(("connect", letter.into_bytes()));
        if self.is_open() {
            self.let_in(key, namespace, id);
        } else {
            self.asked.insert(id, Asked { client: key, namespace });
            self.due.push(Reverse((now + self.options.admit_within, Due::Asked(id))));
        }
        Ok(())
    }

    /// A client enters a namespace, and is told so.
    pub(super) fn let_in(&mut self, key: Key, namespace: usize, id: SocketId) -> Option<Key> {
        let client = self.clients.get_mut(key)?;
        let socket = self.rooms.enter(key, namespace, id);
        client.sockets.push(socket);
        client.connect_by = None;
        let name = self.rooms.name(namespace).to_owned();
        self.say(key, &control(PacketType::Connect, &name, &format!(r#"{{"sid":"{id}"}}"#)));
        Some(socket)
    }

    /// A client that a worker was asked about does not enter; `data` is what it is told.
    pub(super) fn refuse(&mut self, id: SocketId, data: &str) -> bool {
        let Some(asked) = self.asked.remove(&id) else { return false };
        let name = self.rooms.name(asked.namespace).to_owned();
        self.say(asked.client, &control(PacketType::ConnectError, &name, data));
        true
    }

    /// A socket leaves; its client stays.
    pub(super) fn part_from(&mut self, key: Key, socket: Key, reason: Reason) {
        if let Some(client) = self.clients.get_mut(key) {
            client.sockets.retain(|other| *other != socket);
        }
        self.forget(socket, reason);
    }

    fn event(&mut self, id: SocketId, packet: &Packet<'_>, attachments: &[Bytes]) -> Result<(), Violation> {
        let parts: Vec<&RawValue> = serde_json::from_str(packet.data).map_err(|_error| Violation)?;
        let (event, args) = parts.split_first().ok_or(Violation)?;
        match event.get().as_bytes().first() {
            Some(b'"') => {
                let name: String = serde_json::from_str(event.get()).map_err(|_error| Violation)?;
                if RESERVED.contains(&name.as_str()) {
                    return Err(Violation);
                }
            }
            Some(b'-' | b'0'..=b'9') => {}
            _ => return Err(Violation),
        }
        self.counts.heard += 1;
        let mut letter = Letter::of(id, packet.namespace).raw("event", event.get()).list("args", args);
        if let Some(ack) = packet.id {
            letter = letter.raw("ack", itoa::Buffer::new().format(ack));
        }
        self.orders.letters.push(("event", letter.attachments(attachments).finish()));
        Ok(())
    }

    fn ack(
        &mut self,
        socket: Key,
        id: SocketId,
        packet: &Packet<'_>,
        attachments: &[Bytes],
    ) -> Result<(), Violation> {
        let number = packet.id.ok_or(Violation)?;
        let args: Vec<&RawValue> = serde_json::from_str(packet.data).map_err(|_error| Violation)?;
        let Some(awaited) = self.acks.get_mut(&number) else { return Ok(()) };
        // It may have come too late, or twice.
        if !awaited.of.remove(&socket) {
            return Ok(());
        }
        let letter = Letter::of(id, packet.namespace).text("ack", &awaited.word).list("args", &args);
        self.orders.letters.push(("ack", letter.attachments(attachments).finish()));
        if awaited.of.is_empty() {
            self.acks.remove(&number);
        }
        Ok(())
    }
}

/// A packet that is no event.
fn control<'a>(kind: PacketType, namespace: &'a str, data: &'a str) -> Packet<'a> {
    Packet { kind, attachments: 0, namespace, id: None, data }
}
