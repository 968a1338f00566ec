//! What workers send to clients.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::time::Duration;

use bytes::Bytes;
use remuda_model::Tick;
use remuda_wire::engineio::Packet as EnginePacket;
use remuda_wire::socketio::{Packet, PacketType};
use serde_json::value::RawValue;

use super::{ACKS_MAX, Awaited, Crowd, Due};
use crate::realtime::letters::{Emit, Letter, Reply, attachments, quoted};
use crate::realtime::rooms::Audience;
use crate::realtime::{Key, Outgoing};

/// Why a letter of a worker was not followed.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// It is not what such a letter has to be.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// It names a namespace the endpoint has not.
    #[error("the endpoint has no namespace {0:?}")]
    Namespace(String),
    /// An attachment is no base64.
    #[error("an attachment is not base64")]
    Attachments,
    /// No such topic.
    #[error("no letters of this kind are read")]
    Kind,
}

impl Crowd {
    /// Sends an event to those it is for.
    ///
    /// # Errors
    /// It names something there is not; nobody gets it.
    pub(super) fn emit(&mut self, now: Tick, emit: &Emit<'_>) -> Result<(), LetterError> {
        let namespace = self.rooms.namespace(&emit.namespace);
        let namespace =
            namespace.ok_or_else(|| LetterError::Namespace(emit.namespace.clone().into_owned()))?;
        let attached = attachments(&emit.attachments).ok_or(LetterError::Attachments)?;
        self.counts.emitted += 1;
        let to: Cow<'_, [String]> = match (emit.room.as_slice(), emit.sid.as_slice()) {
            (rooms, []) => Cow::Borrowed(rooms),
            ([], sids) => Cow::Borrowed(sids),
            (rooms, sids) => Cow::Owned([rooms, sids].concat()),
        };
        let heard = self.rooms.audience(namespace, &Audience { to: &to, except: &emit.except });
        if heard.is_empty() {
            return Ok(());
        }
        let id = emit.ack.as_ref().map(|word| self.await_acks(now, word, emit.timeout_ms, &heard));
        let name = quoted(&emit.event);
        let data = json_list(Some(&name), &emit.args);
        let packets = encode(PacketType::Event, &emit.namespace, id, &data, &attached);
        for socket in heard {
            if let Some(client) = self.rooms.socket(socket).map(|socket| socket.client) {
                self.send(client, &packets, emit.volatile);
            }
        }
        Ok(())
    }

    /// Notes who is to answer, and gives the number for it.
    fn await_acks(&mut self, now: Tick, word: &str, timeout_ms: Option<u64>, of: &[Key]) -> u64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.acks.insert(id, Awaited { word: word.to_owned(), of: of.iter().copied().collect() });
        let within = timeout_ms.map_or(self.options.ack_within, Duration::from_millis);
        let late = if self.acks.len() > ACKS_MAX { now } else { now + within };
        self.due.push(Reverse((late, Due::Ack(id))));
        id
    }

    /// Nobody is waited for any longer: workers are told who did not answer.
    pub(super) fn ack_is_late(&mut self, id: u64) {
        let Some(awaited) = self.acks.remove(&id) else { return };
        for socket in awaited.of {
            let Some(socket) = self.rooms.socket(socket) else { continue };
            let letter = Letter::of(socket.id, self.rooms.name(socket.namespace))
                .text("ack", &awaited.word)
                .text("error", "timed out");
            self.orders.letters.push(("ack", letter.finish()));
        }
    }

    /// Answers an event of a client.
    ///
    /// # Errors
    /// An attachment is none. A client that is not here is another gateway's, or gone.
    pub(super) fn reply(&mut self, reply: &Reply<'_>) -> Result<(), LetterError> {
        let attached = attachments(&reply.attachments).ok_or(LetterError::Attachments)?;
        let Some(socket) = self.rooms.find(&reply.sid) else { return Ok(()) };
        let Some(socket) = self.rooms.socket(socket) else { return Ok(()) };
        let (client, namespace) = (socket.client, self.rooms.name(socket.namespace));
        let data = json_list(None, &reply.args);
        let packets = encode(PacketType::Ack, namespace, Some(reply.ack), &data, &attached);
        self.send(client, &packets, false);
        Ok(())
    }
}

/// `["name",values…]`
fn json_list(first: Option<&str>, values: &[&RawValue]) -> String {
    let values = first.into_iter().chain(values.iter().map(|value| value.get()));
    let values: Vec<&str> = values.collect();
    format!("[{}]", values.join(","))
}

/// An event or an answer, with what belongs to it.
fn encode(
    kind: PacketType,
    namespace: &str,
    id: Option<u64>,
    data: &str,
    attached: &[Bytes],
) -> Vec<Outgoing> {
    let kind = match (kind, attached) {
        (kind, []) => kind,
        (PacketType::Ack, _) => PacketType::BinaryAck,
        _ => PacketType::BinaryEvent,
    };
    let mut text = Vec::new();
    Packet { kind, attachments: attached.len(), namespace, id, data }.write(&mut text);
    let text = String::from_utf8(text).expect("a packet is text");
    let mut packets = vec![Outgoing::new(&EnginePacket::Text(&text))];
    packets.extend(attached.iter().map(|bytes| Outgoing::new(&EnginePacket::Binary(Cow::Borrowed(bytes)))));
    packets
}
