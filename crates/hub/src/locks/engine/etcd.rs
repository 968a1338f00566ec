//! Locks at an etcd, exact: a key that is made where there is none, with a lease of its own.
//!
//! A lock is the key `remuda/lock/NAME`; its value is the owner, its fence the revision that made it, which grows over all
//! of etcd. etcd ends leases by steady clocks, and not before their time, whoever leads: in whole seconds, and two at
//! least, so a lock whose holder died may be free later than asked, and never earlier.
//!
//! What is spoken is etcd's JSON over HTTP. One question is several requests; each finds the lease in the key, so any hub
//! can renew and give back what another acquired. A lease that is left over, because a connection was lost on the way, ends
//! by itself.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use data_encoding::BASE64;
use remuda_model::hub::EngineUrl;
use remuda_store::{EngineAnswer, EngineAsk};
use remuda_wire::post::{Response, encode_post, take_response};
use serde_json::{Value, json};

use super::{Said, millis};

/// Longest body of an answer: one key at most is in it.
const BODY_MAX_BYTES: usize = 64 << 10;
/// What keys of locks begin with.
const PREFIX: &[u8] = b"remuda/lock/";
/// Most characters of what a server says that is no etcd.
const SHOWN_MAX_CHARS: usize = 200;

/// What the next answer is to.
#[derive(Debug)]
enum Sent {
    Login,
    Greeting,
    Ping,
    /// Is there a key?
    Look {
        name: Arc<[u8]>,
        seconds: u64,
        owner: Arc<[u8]>,
    },
    /// A lease for a key that is to be made.
    Grant {
        name: Arc<[u8]>,
        owner: Arc<[u8]>,
    },
    Make {
        lease: String,
    },
    /// A lease of no use any more is given back; then this is the answer.
    Revoke(Option<EngineAnswer>),
    /// The key of a renewal.
    Find {
        name: Arc<[u8]>,
        fence: u64,
        seconds: u64,
    },
    KeepAlive {
        name: Arc<[u8]>,
        fence: u64,
        seconds: u64,
        old: String,
    },
    /// A lease that lasts longer, for a key that is there.
    Longer {
        name: Arc<[u8]>,
        fence: u64,
        old: String,
    },
    Move {
        old: String,
        new: String,
    },
    Delete,
}

/// The conversation.
#[derive(Debug, Default)]
pub(super) struct Etcd {
    host: String,
    /// Of a login; etcd forgets it in time, and then the connection is made anew.
    token: Option<String>,
    sent: VecDeque<Sent>,
}

impl Etcd {
    pub(super) fn greet(&mut self, address: &EngineUrl, out: &mut BytesMut) {
        self.host = address.to_string().trim_start_matches("etcd://").to_owned();
        self.token = None;
        self.sent.clear();
        match (&address.user, &address.password) {
            (Some(name), Some(password)) => {
                self.post(
                    "auth/authenticate",
                    &json!({"name": name, "password": password}),
                    Sent::Login,
                    out,
                );
            }
            _ => self.post("maintenance/status", &json!({}), Sent::Greeting, out),
        }
    }

    pub(super) fn ping(&mut self, out: &mut BytesMut) {
        self.post("maintenance/status", &json!({}), Sent::Ping, out);
    }

    pub(super) fn ask(&mut self, ask: &EngineAsk, out: &mut BytesMut) {
        match ask {
            EngineAsk::Acquire { name, ttl, owner } => {
                let (name, owner) = (Arc::clone(name), Arc::clone(owner));
                let body = json!({"key": key(&name), "keys_only": true});
                self.post("kv/range", &body, Sent::Look { name, seconds: seconds(*ttl), owner }, out);
            }
            EngineAsk::Renew { name, fence, ttl } => {
                let body =
                    if_of(name, *fence, &json!([{"request_range": {"key": key(name), "keys_only": true}}]));
                let (name, fence) = (Arc::clone(name), *fence);
                self.post("kv/txn", &body, Sent::Find { name, fence, seconds: seconds(*ttl) }, out);
            }
            EngineAsk::Release { name, fence } => {
                let then = json!([
                    {"request_range": {"key": key(name), "keys_only": true}},
                    {"request_delete_range": {"key": key(name)}},
                ]);
                self.post("kv/txn", &if_of(name, *fence, &then), Sent::Delete, out);
            }
        }
    }

    fn post(&mut self, path: &str, body: &Value, sent: Sent, out: &mut BytesMut) {
        let token = self.token.as_deref().map(|token| ("Authorization", token));
        let fields: Vec<_> = token.into_iter().collect();
        encode_post(&self.host, &format!("/v3/{path}"), &fields, body.to_string().as_bytes(), out);
        self.sent.push_back(sent);
    }

    pub(super) fn read(&mut self, input: &mut BytesMut, out: &mut BytesMut) -> Result<Option<Said>, String> {
        loop {
            let taken = take_response(input, BODY_MAX_BYTES).map_err(|error| error.to_string())?;
            let Some(Response { status, body }) = taken else { return Ok(None) };
            let sent = self.sent.pop_front().ok_or("it answered what it was not asked")?;
            let document: Value = serde_json::from_slice(&body).unwrap_or_default();
            if status != 200 || document.get("error").is_some() {
                match self.failed(sent, status, &document, &body)? {
                    Some(said) => return Ok(Some(said)),
                    None => continue,
                }
            }
            if let Some(said) = self.replied(sent, &document, out)? {
                return Ok(Some(said));
            }
        }
    }

    /// An error: of the question, or of the whole connection.
    fn failed(&self, sent: Sent, status: u16, document: &Value, body: &[u8]) -> Result<Option<Said>, String> {
        // What the gateway of another version calls it.
        let words = ["message", "error"].iter().find_map(|name| document.get(name)?.as_str());
        let why = words.map_or_else(
            || String::from_utf8_lossy(body).trim().chars().take(SHOWN_MAX_CHARS).collect(),
            str::to_owned,
        );
        match sent {
            Sent::Login | Sent::Greeting => Err(format!("it refuses us: {why} ({status})")),
            Sent::Ping => Ok(Some(Said::Alive)),
            // A lease that is gone already is as good as given back.
            Sent::Revoke(answer) => Ok(answer.map(Said::Answer)),
            // etcd forgets logins.
            _ if self.token.is_some() && matches!(status, 401) => {
                Err(format!("it has forgotten our login: {why}"))
            }
            _ => {
                let why =
                    format!("the engine of the locks: {why} ({status}); whether it was done is not known")
                        .into();
                Ok(Some(Said::Answer(EngineAnswer::Failed { why })))
            }
        }
    }

    fn replied(&mut self, sent: Sent, document: &Value, out: &mut BytesMut) -> Result<Option<Said>, String> {
        let done = |is_done| Ok(Some(Said::Answer(EngineAnswer::Done { is_done })));
        match sent {
            Sent::Login => {
                self.token = Some(text(document, "/token")?);
                self.post("maintenance/status", &json!({}), Sent::Greeting, out);
            }
            Sent::Greeting => {
                text(document, "/version")
                    .map_err(|_no_version| "it does not greet as an etcd does".to_owned())?;
                return Ok(Some(Said::Greeted));
            }
            Sent::Ping => return Ok(Some(Said::Alive)),
            Sent::Look { name, seconds, owner } => {
                if document.pointer("/kvs/0").is_some() {
                    return Ok(Some(Said::Answer(EngineAnswer::Taken { left: None })));
                }
                self.grant(seconds, Sent::Grant { name, owner }, out);
            }
            Sent::Grant { name, owner } => {
                let lease = text(document, "/ID")?;
                let put = json!([{"request_put": {"key": key(&name), "value": BASE64.encode(&owner), "lease": lease}}]);
                self.post("kv/txn", &if_of(&name, 0, &put), Sent::Make { lease }, out);
            }
            Sent::Make { .. } if is_met(document) => {
                let fence = number(document, "/header/revision")?;
                return Ok(Some(Said::Answer(EngineAnswer::Acquired { fence })));
            }
            Sent::Make { lease } => self.revoke(&lease, Some(EngineAnswer::Taken { left: None }), out),
            Sent::Revoke(answer) => return Ok(answer.map(Said::Answer)),
            Sent::Find { .. } if !is_met(document) => return done(false),
            Sent::Find { name, fence, seconds } => {
                let old = text(document, "/responses/0/response_range/kvs/0/lease")?;
                self.post(
                    "lease/keepalive",
                    &json!({"ID": old}),
                    Sent::KeepAlive { name, fence, seconds, old },
                    out,
                );
            }
            Sent::KeepAlive { name, fence, seconds, old } => match number(document, "/result/TTL") {
                Ok(ttl) if ttl >= seconds => return done(true),
                Ok(ttl) if ttl > 0 => self.grant(seconds, Sent::Longer { name, fence, old }, out),
                _ => return done(false),
            },
            Sent::Longer { name, fence, old } => {
                let new = text(document, "/ID")?;
                let put = json!([{"request_put": {"key": key(&name), "ignore_value": true, "lease": new}}]);
                self.post("kv/txn", &if_of(&name, fence, &put), Sent::Move { old, new }, out);
            }
            Sent::Move { old, new } => {
                let is_done = is_met(document);
                let answer = EngineAnswer::Done { is_done };
                self.revoke(if is_done { &old } else { &new }, Some(answer), out);
            }
            Sent::Delete if !is_met(document) => return done(false),
            Sent::Delete => {
                let answer = EngineAnswer::Done { is_done: true };
                match text(document, "/responses/0/response_range/kvs/0/lease") {
                    Ok(lease) => self.revoke(&lease, Some(answer), out),
                    Err(_) => return Ok(Some(Said::Answer(answer))),
                }
            }
        }
        Ok(None)
    }

    fn grant(&mut self, seconds: u64, sent: Sent, out: &mut BytesMut) {
        self.post("lease/grant", &json!({"TTL": seconds.to_string()}), sent, out);
    }

    fn revoke(&mut self, lease: &str, answer: Option<EngineAnswer>, out: &mut BytesMut) {
        self.post("lease/revoke", &json!({"ID": lease}), Sent::Revoke(answer), out);
    }
}

/// etcd's leases are whole seconds.
fn seconds(ttl: std::time::Duration) -> u64 {
    millis(ttl).div_ceil(1000)
}

fn key(name: &[u8]) -> String {
    BASE64.encode(&[PREFIX, name].concat())
}

/// What is done if the key of `name` was made by the revision `fence`; by none: if there is no such key.
fn if_of(name: &[u8], fence: u64, then: &Value) -> Value {
    let condition = json!({"key": key(name), "target": "CREATE", "result": "EQUAL", "create_revision": fence.to_string()});
    json!({"compare": [condition], "success": then})
}

fn is_met(document: &Value) -> bool {
    document.get("succeeded").and_then(Value::as_bool).unwrap_or_default()
}

fn text(document: &Value, place: &str) -> Result<String, String> {
    let found = document.pointer(place).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("its answer has no {place}"))
}

/// Whole numbers are texts in its JSON.
fn number(document: &Value, place: &str) -> Result<u64, String> {
    text(document, place)?.parse().map_err(|_not_a_number| format!("{place} of its answer is no number"))
}
