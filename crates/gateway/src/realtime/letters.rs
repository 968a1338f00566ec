//! What workers and an endpoint tell each other over the bus, as JSON.
//!
//! A letter is one message on a topic of the endpoint: `NAME.emit`, `NAME.event` and so on. What an event carries is
//! handed on as it came: a gateway reads as much of it as it needs to know whom it is for.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::SocketId;

/// What workers tell an endpoint; the last word of the topic.
pub(super) const FROM_WORKERS: [&str; 7] = ["emit", "join", "leave", "close", "reply", "accept", "refuse"];

/// An event for clients.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Emit<'a> {
    /// Its name.
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    /// What it carries. Default nothing.
    #[serde(default, borrow)]
    pub(super) args: Vec<&'a RawValue>,
    /// Default `/`.
    #[serde(default = "root", borrow)]
    pub(super) namespace: Cow<'a, str>,
    /// Clients in these rooms.
    #[serde(default, deserialize_with = "one_or_many", alias = "rooms")]
    pub(super) room: Vec<String>,
    /// These clients. With neither rooms nor clients: everybody in the namespace.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) sid: Vec<String>,
    /// But not those in these rooms, nor these clients.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) except: Vec<String>,
    /// Whether clients that are not ready for it at once do without it.
    #[serde(default)]
    pub(super) volatile: bool,
    /// With it, each client is asked for an answer, which comes with this word as `NAME.ack`.
    #[serde(default)]
    pub(super) ack: Option<String>,
    /// How long answers are waited for.
    #[serde(default)]
    pub(super) timeout_ms: Option<u64>,
    /// Bytes in base64, for the placeholders `{"_placeholder":true,"num":0}` in `args`.
    #[serde(default, borrow)]
    pub(super) attachments: Vec<Cow<'a, str>>,
}

/// The answer to an event of a client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply<'a> {
    /// Whose event it was.
    #[serde(borrow)]
    pub(super) sid: Cow<'a, str>,
    /// The number the event had.
    pub(super) ack: u64,
    /// What is answered.
    #[serde(default, borrow)]
    pub(super) args: Vec<&'a RawValue>,
    /// As in [`Emit`].
    #[serde(default, borrow)]
    pub(super) attachments: Vec<Cow<'a, str>>,
}

/// Clients that enter or leave rooms, or are let go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steer {
    /// These clients.
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) sid: Vec<String>,
    /// The rooms they enter or leave; for `close`, clients in them are let go as well.
    #[serde(default, deserialize_with = "one_or_many", alias = "rooms")]
    pub(super) room: Vec<String>,
    /// For `close` with rooms: of which namespace. Default `/`.
    #[serde(default = "root_owned")]
    pub(super) namespace: String,
    /// For `close`: whether the whole connection ends, and not this namespace alone.
    #[serde(default)]
    pub(super) whole: bool,
}

/// A client is let in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept<'a> {
    /// Which.
    #[serde(borrow)]
    pub(super) sid: Cow<'a, str>,
    /// Rooms it enters at once.
    #[serde(default, deserialize_with = "one_or_many", alias = "rooms")]
    pub(super) room: Vec<String>,
}

/// A client is not let in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refuse<'a> {
    /// Which.
    #[serde(borrow)]
    pub(super) sid: Cow<'a, str>,
    /// What it is told. Default `not authorized`.
    #[serde(default, borrow)]
    pub(super) message: Option<Cow<'a, str>>,
    /// Anything more.
    #[serde(default, borrow)]
    pub(super) data: Option<&'a RawValue>,
}

fn root<'a>() -> Cow<'a, str> {
    Cow::Borrowed("/")
}

fn root_owned() -> String {
    "/".into()
}

/// A text, or a list of texts.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::One(one) => vec![one],
        Texts::Many(many) => many,
    })
}

/// Attachments from base64; `None` if one is none.
pub(super) fn attachments(texts: &[Cow<'_, str>]) -> Option<Vec<Bytes>> {
    texts.iter().map(|text| BASE64.decode(text.as_bytes()).ok().map(Bytes::from)).collect()
}

/// `"text"`, as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A letter that an endpoint writes.
#[derive(Debug)]
pub(super) struct Letter {
    text: String,
}

impl Letter {
    /// About a socket.
    pub(super) fn of(sid: SocketId, namespace: &str) -> Self {
        Self { text: format!(r#"{{"sid":"{sid}","namespace":{}"#, quoted(namespace)) }
    }

    /// Adds a field whose value is JSON already.
    pub(super) fn raw(mut self, name: &str, json: &str) -> Self {
        // Writing to a string does not fail.
        let _written = write!(self.text, r#","{name}":{json}"#);
        self
    }

    /// Adds a text.
    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.raw(name, &quoted(text))
    }

    /// Adds a list of values.
    pub(super) fn list(self, name: &str, values: &[&RawValue]) -> Self {
        let values: Vec<&str> = values.iter().map(|value| value.get()).collect();
        self.raw(name, &format!("[{}]", values.join(",")))
    }

    /// Adds attachments, if there are any.
    pub(super) fn attachments(self, attachments: &[Bytes]) -> Self {
        if attachments.is_empty() {
            return self;
        }
        let texts: Vec<String> =
            attachments.iter().map(|bytes| format!("\"{}\"", BASE64.encode(bytes))).collect();
        self.raw("attachments", &format!("[{}]", texts.join(",")))
    }

    /// The whole but its last brace, for who adds more.
    pub(super) fn into_open(self) -> String {
        self.text
    }

    /// The whole.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.text.push('}');
        self.text.into_bytes()
    }
}
