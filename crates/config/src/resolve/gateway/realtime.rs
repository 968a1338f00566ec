//! Actions that stream to clients as it happens, and keys of the store.

use std::time::Duration;

use remuda_model::gateway::{
    Action, KeySpec, Method, ServerSentSpec, SocketIoSpec, StreamSpec, Template, TopicSpec, Via,
    WebSocketSpec,
};

use super::route::Frame;
use super::{listed, span_of};
use crate::raw::{self, Field, Located, Span};
use crate::report::Problem;
use crate::resolve::{Resolution, or};

/// Largest queue and message of one client.
const CLIENT_BYTES_MOST: u64 = 64 << 20;
/// Methods that a key takes.
const KEY_METHODS: [&str; 4] = ["GET", "HEAD", "PUT", "DELETE"];

impl Resolution<'_> {
    /// What is streamed comes from the hub.
    pub(super) fn realtime_needs_hub(&mut self, word: &str, place: Option<&Span>) {
        let wants = ["topic", "sse", "websocket", "socketio", "key"].contains(&word);
        if wants && !self.has_hub() {
            let what = if word == "key" { "keys are in" } else { "messages come by" };
            let problem =
                Problem::error(place.cloned(), format!("`{word}`: {what} the hub, and there is none"));
            self.problems.push(problem.hint("write [bus] or [store]: each makes a hub"));
        }
    }

    pub(super) fn realtime(&mut self, frame: &Frame<'_>, methods: &[Method]) -> Option<Action> {
        let raw = frame.raw;
        if let Some(topic) = &raw.topic {
            return self.topic(topic, frame).map(Action::Topic);
        }
        if let Some(sse) = &raw.sse {
            return self.server_sent(sse, frame).map(Action::ServerSent);
        }
        if let Some(websocket) = &raw.websocket {
            return self.websocket(websocket, frame).map(Action::WebSocket);
        }
        if let Some(socketio) = &raw.socketio {
            return self.socketio(socketio).map(|spec| Action::SocketIo(Box::new(spec)));
        }
        self.key(raw.key.as_ref()?, frame, methods).map(Action::Key)
    }

    fn topic(&mut self, raw: &Located<raw::Topic>, frame: &Frame<'_>) -> Option<TopicSpec> {
        let table = match &raw.value {
            raw::Topic::Text(text) => {
                raw::TopicTable { topic: Some(raw.with(text.clone())), ..raw::TopicTable::default() }
            }
            raw::Topic::Table(table) => table.clone(),
        };
        let Some(topic) = &table.topic else {
            self.error(raw.span.as_ref(), "this table names no `topic`");
            return None;
        };
        let default = StreamSpec::default();
        Some(TopicSpec {
            topic: self.topic_name(topic, frame),
            via: or(&table.via, Via::Auto),
            publish: or(&table.publish, false),
            stream: StreamSpec {
                heartbeat: self.time(&table.heartbeat, default.heartbeat),
                patience: self.time(&table.patience, default.patience),
                queue: self.client_bytes(&table.queue, default.queue),
                slow: or(&table.slow, default.slow),
                message_max: self.client_bytes(&table.message_max, default.message_max),
                origins: self.origins(&table.origins),
            },
        })
    }

    fn server_sent(&mut self, raw: &Located<raw::ServerSent>, frame: &Frame<'_>) -> Option<ServerSentSpec> {
        let table = match &raw.value {
            raw::ServerSent::Text(text) => raw::ServerSentTable {
                topics: Some(raw.with(raw::Texts(vec![raw.with(text.clone())]))),
                ..raw::ServerSentTable::default()
            },
            raw::ServerSent::Table(table) => table.clone(),
        };
        if listed(&table.topics).is_empty() {
            self.error(raw.span.as_ref(), "a stream of events has `topics`");
            return None;
        }
        let default = StreamSpec::default();
        Some(ServerSentSpec {
            topics: self.topic_names(&table.topics, frame),
            resume: or(&table.resume, true),
            retry: Some(self.time(&table.retry, Duration::from_secs(2))),
            named: or(&table.named, false),
            stream: StreamSpec {
                heartbeat: self.time(&table.heartbeat, default.heartbeat),
                queue: self.client_bytes(&table.queue, default.queue),
                slow: or(&table.slow, default.slow),
                origins: self.origins(&table.origins),
                ..default
            },
        })
    }

    fn websocket(&mut self, raw: &Located<raw::WebSocket>, frame: &Frame<'_>) -> Option<WebSocketSpec> {
        let table = match &raw.value {
            raw::WebSocket::Text(text) => raw::WebSocketTable {
                topics: Some(raw.with(raw::Texts(vec![raw.with(text.clone())]))),
                ..raw::WebSocketTable::default()
            },
            raw::WebSocket::Table(table) => table.clone(),
        };
        if listed(&table.topics).is_empty() && table.publish.is_none() {
            let problem =
                Problem::error(raw.span.clone(), "this WebSocket has neither `topics` nor `publish`");
            self.problems.push(problem.hint("write what clients get: topics = [\"news.\"], or where what they send goes: publish = \"chat\""));
            return None;
        }
        for text in listed(&table.protocols) {
            self.header_name(&text);
        }
        let default = StreamSpec::default();
        Some(WebSocketSpec {
            topics: self.topic_names(&table.topics, frame),
            publish: table.publish.as_ref().map(|topic| self.topic_name(topic, frame)),
            binary: or(&table.binary, false),
            protocols: listed(&table.protocols).into_iter().map(|text| text.value).collect(),
            stream: StreamSpec {
                heartbeat: self.time(&table.heartbeat, default.heartbeat),
                patience: self.time(&table.patience, default.patience),
                queue: self.client_bytes(&table.queue, default.queue),
                slow: or(&table.slow, default.slow),
                message_max: self.client_bytes(&table.message_max, default.message_max),
                origins: self.origins(&table.origins),
            },
        })
    }

    fn socketio(&mut self, raw: &Located<raw::SocketIo>) -> Option<SocketIoSpec> {
        let table = match &raw.value {
            raw::SocketIo::Text(text) => {
                raw::SocketIoTable { name: Some(raw.with(text.clone())), ..raw::SocketIoTable::default() }
            }
            raw::SocketIo::Table(table) => table.clone(),
        };
        let Some(name) = &table.name else {
            self.error(raw.span.as_ref(), "an endpoint of Socket.IO has a `name`: its topics begin with it");
            return None;
        };
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
        {
            self.error(
                name.span.as_ref(),
                format!(
                    "{:?} cannot be what topics begin with: write letters, digits, \"-\", \"_\" and \".\"",
                    name.value
                ),
            );
        }
        let default = SocketIoSpec::new(name);
        let namespaces: Vec<String> =
            listed(&table.namespaces).iter().map(|text| self.namespace(text)).collect();
        if table.transports.as_ref().is_some_and(|list| list.is_empty()) {
            self.error(span_of(&table.transports).as_ref(), "at least one transport is needed");
        }
        let transports = table.transports.as_ref().map(|list| list.iter().map(|item| item.value).collect());
        let some = |count: &u32| (1..=super::COUNT_MOST).contains(count);
        self.demand(&table.sessions_max, some, "there is room for 1 to 10000000 sessions");
        self.demand(&table.rooms_max, some, "there is room for 1 to 10000000 rooms");
        Some(SocketIoSpec {
            namespaces: if namespaces.is_empty() { default.namespaces } else { namespaces },
            transports: transports.unwrap_or(default.transports),
            ping_interval: self.time(&table.ping_interval, default.ping_interval),
            ping_timeout: self.time(&table.ping_timeout, default.ping_timeout),
            payload_max: self.client_bytes(&table.payload_max, default.payload_max),
            connect_timeout: self.time(&table.connect_timeout, default.connect_timeout),
            upgrade_timeout: self.time(&table.upgrade_timeout, default.upgrade_timeout),
            ack_timeout: self.time(&table.ack_timeout, default.ack_timeout),
            queue: self.client_bytes(&table.queue, default.queue),
            slow: or(&table.slow, default.slow),
            sessions_max: or(&table.sessions_max, default.sessions_max),
            rooms_max: or(&table.rooms_max, default.rooms_max),
            origins: self.origins(&table.origins),
            admission: or(&table.admission, default.admission),
            name: default.name,
        })
    }

    fn namespace(&mut self, text: &Located<String>) -> String {
        if !text.starts_with('/') || text.contains([',', '?', ' ']) {
            let message = format!("{:?} is no namespace: write \"/\", \"/admin\"", text.value);
            self.error(text.span.as_ref(), message);
        }
        text.value.clone()
    }

    fn key(&mut self, raw: &Located<raw::Key>, frame: &Frame<'_>, methods: &[Method]) -> Option<KeySpec> {
        let table = match &raw.value {
            raw::Key::Text(text) => {
                raw::KeyTable { key: Some(raw.with(text.clone())), ..raw::KeyTable::default() }
            }
            raw::Key::Table(table) => table.clone(),
        };
        let Some(key) = &table.key else {
            self.error(raw.span.as_ref(), "this table names no `key`");
            return None;
        };
        if let Some(other) = methods.iter().find(|method| !KEY_METHODS.contains(&method.as_str())) {
            let problem = Problem::error(span_of(&frame.raw.pattern), format!("a key has no {other}"));
            self.problems.push(problem.hint("a key is read by GET, written by PUT, and removed by DELETE"));
        }
        if key.is_empty() {
            self.error(key.span.as_ref(), "a key is not empty");
        }
        let content_type = table.content_type.clone().unwrap_or_else(|| "application/octet-stream".into());
        if !content_type.contains('/') || !super::is_header_value(&content_type) {
            self.error(content_type.span.as_ref(), format!("{:?} is no type of a body", content_type.value));
        }
        let get = || Method::new("GET").ok().into_iter().collect();
        Some(KeySpec {
            key: self.template(key, &frame.parameters),
            database: or(&table.database, 0),
            methods: if methods.is_empty() { get() } else { methods.to_vec() },
            content_type: content_type.value,
            expire: self.optional_time(&table.expire),
            max: self.client_bytes(&table.max, 1 << 20),
        })
    }

    fn client_bytes(&mut self, field: &Field<raw::Size>, default: u64) -> u64 {
        let fits = |size: &raw::Size| (1..=CLIENT_BYTES_MOST).contains(&size.0);
        self.demand(field, fits, "for one client this is from 1 byte to 64MiB");
        field.as_ref().map_or(default, |size| size.0)
    }

    fn topic_names(&mut self, texts: &Field<raw::Texts>, frame: &Frame<'_>) -> Vec<Template> {
        listed(texts).iter().map(|text| self.topic_name(text, frame)).collect()
    }

    fn topic_name(&mut self, text: &Located<String>, frame: &Frame<'_>) -> Template {
        if text.is_empty() {
            let problem = Problem::error(
                text.span.clone(),
                "a topic is not empty: all topics would be told to everybody",
            );
            self.problems.push(problem.hint("name the topics by what they begin with: \"news.\""));
        }
        self.template(text, &frame.parameters)
    }
}
