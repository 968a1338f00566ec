//! `[store]`.

use std::borrow::Cow;
use std::time::Duration as Time;

use remuda_model::hub;
use remuda_model::hub::{FullPolicy, StoreAuth};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Serialize, Serializer};

use super::shape::{Shape, read_by_shape};
use super::{Duration, Field, Listen, Size};

/// Keys and values that workers share, in the protocol of Redis: `[store]`. Any of `[bus]`, `[store]` and
/// `[herd]` makes a service named `hub`, which has bus and store, and whose addresses workers find in their variables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Addresses besides `store.sock` in the runtime folder: one, or a list. Default: `127.0.0.1:0`, a free port; `[]` is
    /// none.
    pub listen: Field<Listen>,
    /// How clients of TCP addresses show who they are: `token` (`AUTH` with name and token of a service, as in
    /// `REDIS_URL`) or, where no other machine can reach them, `none`. Default: `token`.
    pub auth: Field<StoreAuth>,
    /// Keys and values take at most so much, at least 1 MiB. Default: "512MiB".
    pub memory: Field<Size>,
    /// When `memory` is full: `refuse` writes that need more, or let go of the keys `least-recently-used`, or of those
    /// with the `soonest-expiry`. Default: `refuse`.
    pub full: Field<FullPolicy>,
    /// When writes are on disk: "always" (before they are answered), "never" (when the kernel likes), or at most so long
    /// after, 10 ms to a minute. Default: "1s".
    pub fsync: Field<Fsync>,
    /// Writes are kept on disk. Default: true.
    pub durable: Field<bool>,
    /// Numbered databases (`SELECT`), at most 1024. Default: 16.
    pub databases: Field<u32>,
    /// Clients at once, at most 1000000. Default: 10000.
    pub clients_max: Field<u32>,
    /// Limits of scripts (`EVAL`).
    pub script: Option<Script>,
    /// Publish changes of keys on the bus: false, true, or "with-values": with the new values of strings up to 64 KiB.
    /// Default: "with-values".
    pub events: Field<Events>,
    /// What holds the data: `embedded`, or the URL of a server: `redis://host:6379/0`. A password may stand in it, best as
    /// `${NAME}`. Default: `embedded`.
    pub engine: Field<String>,
}

/// Limits of scripts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// One that runs longer, at most 1m, is ended; what it wrote stays. Default: "5s".
    pub time: Field<Duration>,
    /// Memory of all scripts, at least 1 MiB. Default: "64MiB".
    pub memory: Field<Size>,
}

/// When writes are on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fsync(pub hub::Fsync);

/// What is published about changes of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events(pub hub::Events);

impl Shape for Fsync {
    const EXPECTED: &'static str = "\"always\", \"never\" or a duration such as \"1s\"";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        match text {
            "always" => Ok(Self(hub::Fsync::Always)),
            "never" => Ok(Self(hub::Fsync::Never)),
            text => match text.parse() {
                Ok(Duration(Time::ZERO)) => Ok(Self(hub::Fsync::Always)),
                Ok(Duration(time)) => Ok(Self(hub::Fsync::Every(time))),
                Err(_) => Err(E::custom(format!(
                    "{text:?} is not known here; write \"always\", \"1s\" or \"never\""
                ))),
            },
        }
    }
}

impl Shape for Events {
    const EXPECTED: &'static str = "true, false or \"with-values\"";
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Ok(Self(if flag { hub::Events::Names } else { hub::Events::Off }))
    }
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        match text {
            "with-values" => Ok(Self(hub::Events::WithValues)),
            _ => Err(E::custom(format!("{text:?} is not known here; write true, false or \"with-values\""))),
        }
    }
}

impl Serialize for Fsync {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            hub::Fsync::Always => serializer.serialize_str("always"),
            hub::Fsync::Every(time) => Duration(time).serialize(serializer),
            hub::Fsync::Never => serializer.serialize_str("never"),
        }
    }
}

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            hub::Events::Off => serializer.serialize_bool(false),
            hub::Events::Names => serializer.serialize_bool(true),
            hub::Events::WithValues => serializer.serialize_str("with-values"),
        }
    }
}

impl JsonSchema for Fsync {
    fn schema_name() -> Cow<'static, str> {
        "Fsync".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "\"always\", \"never\", or a duration.", "type": "string" })
    }
}

impl JsonSchema for Events {
    fn schema_name() -> Cow<'static, str> {
        "Events".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "boolean" }, { "const": "with-values" }] })
    }
}

read_by_shape!(Fsync, Events);
