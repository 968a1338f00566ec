//! `[hub]` and `[access.NAME]`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use remuda_model::{Address, Restart};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess};
use serde::{Deserialize, Serialize};

use super::service::{Account, Variable};
use super::shape::{Shape, read_by_shape};
use super::{Backoff, Duration, Field, Limits, Located, Log, Stop};

/// The worker that is the hub: `[hub]`, where there is a `[bus]`, a `[store]` or a `[herd]`. Keys that services have
/// too mean the same here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hub {
    /// Folder of what outlives the hub: the store's data, and the secret of which the tokens of services are made; it gets
    /// mode 0700, and the folder it lies in must be root's or that of whoever runs the arbiter. Default:
    /// `/var/lib/remuda/NAME/hub` for root, else `$XDG_STATE_HOME/remuda/NAME/hub`, `$HOME/.local/state/remuda/NAME/hub`
    /// or `/var/tmp/remuda-UID/NAME/hub`.
    pub state: Field<String>,
    /// Run as this user, name or number. Default: the arbiter's.
    pub user: Field<Account>,
    /// Run as this group, name or number. Default: the user's own.
    pub group: Field<Account>,
    /// Niceness, -20 to 19. Default: 0.
    pub nice: Field<i32>,
    /// `oom_score_adj`, -1000 to 1000. Default: inherited.
    pub oom_score_adjust: Field<i32>,
    /// A hub that is not ready after this long is killed; at a reload the old one stays then. Default: "1m".
    pub ready_timeout: Field<Duration>,
    /// A hub that gives no sign of life for this long is aborted and replaced. It gives none while one turn of its loop
    /// takes longer than a script may (`store.script.time`) and 10 s more. Default: "30s".
    pub watchdog: Field<Duration>,
    /// How it is stopped: a signal, or a table. Default: `TERM`, and the kill after 30 s.
    pub stop: Field<Stop>,
    /// When it gets a successor: `always`, `on-failure` or `never`. Default: `always`.
    pub restart: Field<Restart>,
    /// How fast it is retried when it fails.
    pub backoff: Field<Backoff>,
    /// Where its log lines go besides the arbiter's memory: a file, or a table. Default: nowhere.
    pub log: Field<Log>,
    /// Its variables: `[hub.env]`.
    pub env: Option<BTreeMap<Located<String>, Located<Variable>>>,
    /// Its resource limits: `[hub.limits]`.
    pub limits: Option<Limits>,
}

/// What the workers of a service may do on the hub: `[access.NAME]`, with the name of a service. A service without one
/// may do everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Prefixes of the keys they may read and write; `[]` is none. Default: all keys.
    pub keys: Field<Vec<Located<String>>>,
    /// Prefixes of further keys they may read. Default: none.
    pub read_keys: Field<Vec<Located<String>>>,
    /// Prefixes of the topics they may publish and subscribe to; `[]` is none. Default: all topics.
    pub topics: Field<Vec<Located<String>>>,
    /// Prefixes of further topics they may subscribe to. Default: none.
    pub read_topics: Field<Vec<Located<String>>>,
}

/// An address to listen on, or several.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Listen(pub Vec<Located<Address>>);

impl Shape for Listen {
    const EXPECTED: &'static str = "an address, or a list of addresses";
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        text.parse::<Address>().map(|address| Self(vec![address.into()])).map_err(E::custom)
    }
    fn from_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Self)
    }
}

impl JsonSchema for Listen {
    fn schema_name() -> Cow<'static, str> {
        "Listen".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let address = generator.subschema_for::<Address>();
        schemars::json_schema!({ "anyOf": [address, { "type": "array", "items": address }] })
    }
}

read_by_shape!(Listen);
