//! Two connections without a network between them.

use std::sync::Arc;

use bytes::{Buf as _, BytesMut};
use remuda_model::message::Batch;
use remuda_wire::zmtp::{
    AcceptMechanism, AcceptOptions, ConnectMechanism, ConnectOptions, Connection, Event, ProtocolError,
    SecretKey, SocketType, frames_of,
};

/// The frames of every message.
pub(crate) fn messages(batch: &Batch) -> Vec<Vec<Vec<u8>>> {
    let mut next = 0;
    let messages = batch
        .messages
        .iter()
        .map(|span| {
            assert_eq!(span.start, next, "spans follow each other");
            next = span.end;
            let frames: Vec<_> = frames_of(batch, span).map(<[u8]>::to_vec).collect();
            assert_eq!(frames[0], batch.matched(span));
            assert_eq!(frames.len() == 1, span.single);
            frames
        })
        .collect();
    assert_eq!(next as usize, batch.bytes.len(), "spans cover the batch");
    messages
}

/// One side, with what it has not read yet.
pub(crate) struct Side {
    pub(crate) connection: Connection,
    pub(crate) input: BytesMut,
}

impl Side {
    pub(crate) fn accept(options: AcceptOptions) -> Self {
        Self { connection: Connection::accept(Arc::new(options)), input: BytesMut::new() }
    }

    pub(crate) fn connect(options: ConnectOptions) -> Self {
        Self { connection: Connection::connect(Arc::new(options)), input: BytesMut::new() }
    }

    /// Everything it makes of `bytes`, which come in pieces of `piece` bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8], piece: usize) -> Result<Vec<Event>, ProtocolError> {
        let mut events = Vec::new();
        for chunk in bytes.chunks(piece.max(1)) {
            self.input.extend_from_slice(chunk);
            while let Some(event) = self.connection.read(&mut self.input)? {
                if let Event::Authenticate(_) = event {
                    self.connection.decide(Ok(()));
                }
                let is_last = matches!(event, Event::Failed(_));
                events.push(event);
                if is_last {
                    return Ok(events);
                }
            }
        }
        Ok(events)
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        let output = self.connection.output();
        let taken = output.to_vec();
        output.advance(taken.len());
        taken
    }
}

/// Lets both say what they have to until both are silent; answers with what each saw.
pub(crate) fn converse(
    server: &mut Side,
    client: &mut Side,
    piece: usize,
) -> Result<(Vec<Event>, Vec<Event>), ProtocolError> {
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    loop {
        let (to_client, to_server) = (server.take_output(), client.take_output());
        if to_client.is_empty() && to_server.is_empty() {
            return Ok((at_server, at_client));
        }
        at_server.extend(server.feed(&to_server, piece)?);
        at_client.extend(client.feed(&to_client, piece)?);
    }
}

pub(crate) const MECHANISMS: [&str; 3] = ["NULL", "PLAIN", "CURVE"];

/// Both sides of a mechanism; a `kind` of socket connects.
pub(crate) fn pair(mechanism: &str, kind: SocketType) -> (Side, Side) {
    let (server_key, client_key) = (SecretKey::generate(), SecretKey::generate());
    let mut connect = ConnectOptions::new(kind);
    let accept;
    (accept, connect.mechanism) = match mechanism {
        "NULL" => (AcceptMechanism::Null, ConnectMechanism::Null),
        "PLAIN" => (
            AcceptMechanism::Plain,
            ConnectMechanism::Plain { username: b"worker".to_vec(), password: b"secret".to_vec() },
        ),
        _ => (
            AcceptMechanism::Curve { secret_key: server_key.clone() },
            ConnectMechanism::Curve { server_key: server_key.public_key(), secret_key: client_key },
        ),
    };
    let accept = AcceptOptions { mechanism: accept, ..AcceptOptions::default() };
    (Side::accept(accept), Side::connect(connect))
}

/// As [`pair`], with the handshake done.
pub(crate) fn ready(mechanism: &str, kind: SocketType) -> (Side, Side) {
    let (mut server, mut client) = pair(mechanism, kind);
    converse(&mut server, &mut client, usize::MAX).unwrap();
    (server, client)
}
