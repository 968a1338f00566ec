//! Sessions carried by a WebSocket, from the start or from some time on.

use std::borrow::Cow;
use std::rc::Rc;

use remuda_wire::engineio::Packet;
use remuda_wire::websocket::{CloseCode, Handshake, Limits};

use super::super::crowd::Reason;
use super::super::drive::{Conversation, Message, drive};
use super::super::session::{Carrier, Probed};
use super::Endpoint;
use super::request::Refusal;
use crate::realtime::{Key, Outgoing, Sink};
use crate::server::{Body, Connection, Request, Response, TakeOver};

impl Endpoint {
    /// A client wants a WebSocket: for the session it has, or for a new one.
    pub(super) fn upgrade(self: &Rc<Self>, request: &Request, client: Option<Key>) -> Response {
        let Ok(handshake) = Handshake::read(&request.head) else { return Refusal::BadRequest.response() };
        if let Some(client) = client {
            let may = self.crowd.borrow_mut().session(client).is_some_and(|session| session.probe());
            if !may {
                return Refusal::BadRequest.response();
            }
        } else if self.crowd.borrow().len() >= self.options.clients_max {
            return Refusal::Full.response();
        }
        let (endpoint, origin) = (Rc::clone(self), self.origin(request));
        let probe = client.map(|client| Probe { endpoint: Rc::clone(self), client });
        let mut response = accepted(&handshake);
        response.body = Body::TakeOver(TakeOver::new(move |connection| async move {
            match probe {
                Some(probe) => endpoint.carry_after(&probe, connection).await,
                None => endpoint.carry_new(connection, &origin).await,
            }
        }));
        response
    }

    async fn carry_new(self: &Rc<Self>, connection: Rc<Connection>, origin: &str) {
        let sink = Sink::new(connection);
        let opened = self.turn(|crowd, now| {
            let opened = crowd.open(now, Carrier::WebSocket, origin);
            if let Some((client, _)) = opened {
                self.line(client, |line| line.sink = Some(Rc::clone(&sink)));
            }
            opened
        });
        match opened {
            Some((client, _)) => self.carry(client, &sink).await,
            None => sink.close(Some(CloseCode::TRY_AGAIN), "full"),
        }
    }

    /// The session is tried on a second way, and changes to it when the client says so.
    async fn carry_after(self: &Rc<Self>, probe: &Probe, connection: Rc<Connection>) {
        let sink = Sink::new(connection);
        let mut carried = Carried { endpoint: Rc::clone(self), client: probe.client, is_probing: true };
        let limits = self.limits();
        let driving = drive(&sink, &self.scratch, limits, &mut carried);
        let guarded = async {
            tokio::pin!(driving);
            tokio::select! {
                () = &mut driving => {}
                () = tokio::time::sleep(self.options.probe_within) => {
                    if self.carrier(probe.client) != Some(Carrier::WebSocket) {
                        sink.close(Some(CloseCode::POLICY), "nothing came of it");
                    }
                    driving.await;
                }
            }
        };
        Box::pin(guarded).await;
        if !carried.is_probing {
            self.turn(|crowd, _now| crowd.end(probe.client, Reason::TransportClose));
        }
    }

    async fn carry(self: &Rc<Self>, client: Key, sink: &Rc<Sink>) {
        let mut carried = Carried { endpoint: Rc::clone(self), client, is_probing: false };
        drive(sink, &self.scratch, self.limits(), &mut carried).await;
        self.turn(|crowd, _now| crowd.end(client, Reason::TransportClose));
    }

    fn limits(&self) -> Limits {
        Limits { message_max: self.options.payload_max, ..Limits::default() }
    }
}

/// The answer that makes a connection a WebSocket.
pub(in crate::realtime) fn accepted(handshake: &Handshake) -> Response {
    Response::new(101)
        .field("Upgrade", "websocket")
        .field("Connection", "Upgrade")
        .field("Sec-WebSocket-Accept", &handshake.accept)
}

/// A try that is over when it is dropped, should the connection be gone before it began.
struct Probe {
    endpoint: Rc<Endpoint>,
    client: Key,
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Some(session) = self.endpoint.crowd.borrow_mut().session(self.client) {
            session.probe_over();
        }
    }
}

/// What comes on a WebSocket of a session.
struct Carried {
    endpoint: Rc<Endpoint>,
    client: Key,
    /// Whether the session goes another way so far.
    is_probing: bool,
}

impl Carried {
    fn probe(&mut self, sink: &Rc<Sink>, packet: &Packet<'_>) {
        let (endpoint, client) = (&self.endpoint, self.client);
        let probed = endpoint.crowd.borrow_mut().session(client).map(|session| session.probed(packet));
        match probed {
            Some(Probed::Answer) => {
                sink.push(Outgoing::new(&Packet::Pong("probe")).frame().clone());
                // A GET that waits has to end before the client changes over.
                endpoint.reach(client);
            }
            Some(Probed::Upgraded) => {
                self.is_probing = false;
                endpoint.line(client, |line| line.sink = Some(Rc::clone(sink)));
                endpoint.reach(client);
            }
            Some(Probed::Fail) | None => sink.close(Some(CloseCode::PROTOCOL), ""),
        }
    }
}

impl Conversation for Carried {
    fn hear(&mut self, sink: &Rc<Sink>, message: Message<'_>) {
        let packet = match message {
            Message::Text(text) => Packet::read(text),
            Message::Binary(bytes) => Ok(Packet::Binary(Cow::Borrowed(bytes))),
        };
        match packet {
            Ok(packet) if self.is_probing => self.probe(sink, &packet),
            Ok(packet) => self.endpoint.turn(|crowd, now| crowd.hear(now, self.client, &packet)),
            Err(_) if self.is_probing => sink.close(Some(CloseCode::PROTOCOL), ""),
            Err(_) => self.endpoint.turn(|crowd, _now| crowd.end(self.client, Reason::ParseError)),
        }
    }

    fn refill(&mut self, sink: &Rc<Sink>) {
        if !self.is_probing {
            self.endpoint.refill(self.client, sink);
        }
    }
}
