//! A route as the table it came from.

use std::collections::BTreeMap;

use remuda_model::gateway::{
    Action, ConditionSpec, CorsSpec, Expected, FilesSpec, HeaderName, HeaderRules, KeySpec, LimitKey,
    ParameterKind, ParameterSpec, RateLimitSpec, RequestSpec, ResponseCheck, RouteSpec, RouteTimeouts,
    ServerSentSpec, SocketIoSpec, SubrequestSpec, Template, TopicSpec, WebSocketSpec,
};

use super::super::{path, some, time};
use super::{compress, texts};
use crate::raw::{self, Field, Located};

pub(in super::super) fn route(spec: &RouteSpec) -> Located<raw::Route> {
    let methods: Vec<_> = spec.methods.iter().map(|method| method.as_str()).collect();
    let methods = if methods.is_empty() { String::new() } else { format!("{} ", methods.join("|")) };
    let mut raw = raw::Route {
        pattern: some(format!("{methods}{}", spec.pattern)),
        host: texts(spec.hosts.iter().map(|host| host.as_str())),
        name: some(spec.name.clone()),
        summary: spec.summary.clone().and_then(some),
        description: spec.description.clone().and_then(some),
        tags: texts(spec.tags.iter().map(String::as_str)),
        documented: some(spec.documented),
        responses: table(spec.responses.iter().map(|(status, words)| (status.to_string(), words.clone()))),
        request: request(&spec.request),
        params: parameters(&spec.parameters),
        auth: spec.auth.as_ref().and_then(|auth| {
            some(raw::Auth::Table(raw::AuthTable {
                scheme: some(auth.scheme),
                file: path(&auth.file),
                realm: some(auth.realm.clone()),
            }))
        }),
        limit: spec.limit.as_ref().and_then(limit),
        cors: spec.cors.as_ref().and_then(cors),
        before: spec.before.as_ref().and_then(subrequest),
        alter: spec.alter.as_ref().and_then(subrequest),
        response: spec.response.as_ref().and_then(response),
        rewrite: spec.rewrite.as_ref().and_then(template),
        request_headers: headers(&spec.request_headers),
        response_headers: headers(&spec.response_headers),
        timeout: timeouts(&spec.timeouts),
        compress: spec.compress.as_ref().and_then(compress),
        cache: cache(spec),
        access_log: some(spec.access_log),
        ..raw::Route::default()
    };
    conditions(&spec.conditions, &mut raw);
    action(&spec.action, &mut raw);
    raw.into()
}

fn action(action: &Action, raw: &mut raw::Route) {
    match action {
        Action::Files(spec) => raw.files = files(spec),
        Action::Proxy(spec) => raw.to = some(format!("{}{}", spec.upstream, spec.base)),
        Action::Redirect(spec) => raw.redirect = some(format!("{} {}", spec.status, spec.to)),
        Action::Respond(spec) => {
            raw.respond = some(raw::Respond::Table(raw::RespondTable {
                status: some(spec.status),
                body: template(&spec.body).filter(|body| !body.is_empty()),
                content_type: some(spec.content_type.clone()),
            }));
        }
        Action::Topic(spec) => raw.topic = topic(spec),
        Action::ServerSent(spec) => raw.sse = server_sent(spec),
        Action::WebSocket(spec) => raw.websocket = websocket(spec),
        Action::SocketIo(spec) => raw.socketio = socketio(spec),
        Action::Key(spec) => raw.key = key(spec),
        Action::Page(page) => raw.page = some(*page),
    }
}

fn conditions(conditions: &[ConditionSpec], raw: &mut raw::Route) {
    let expected = |expected: &Expected| match expected {
        Expected::Present => raw::Expected::There(true),
        Expected::Absent => raw::Expected::There(false),
        Expected::Like(text) => raw::Expected::Like(text.clone()),
    };
    for condition in conditions {
        let (table, name, like) = match condition {
            ConditionSpec::Header(name, like) => (&mut raw.headers, name.as_str(), like),
            ConditionSpec::Query(name, like) => (&mut raw.query, name.as_str(), like),
            ConditionSpec::Cookie(name, like) => (&mut raw.cookies, name.as_str(), like),
            ConditionSpec::Source(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                raw.source = texts(ranges.iter().map(String::as_str));
                continue;
            }
            ConditionSpec::Secure(secure) => {
                raw.scheme = some(if *secure { "https".to_owned() } else { "http".to_owned() });
                continue;
            }
            ConditionSpec::Socket(names) => {
                raw.socket = texts(names.iter().map(|name| name.as_str()));
                continue;
            }
        };
        table.get_or_insert_default().insert(name.into(), expected(like).into());
    }
}

fn files(spec: &FilesSpec) -> Field<raw::Files> {
    let pages = spec.error_pages.iter().map(|(status, file)| (status.to_string(), file.clone()));
    some(raw::Files::Table(raw::FilesTable {
        root: path(&spec.root),
        // None at all is something else than the default.
        index: some(raw::Texts(spec.index.iter().map(|name| name.as_str().into()).collect())),
        listing: some(spec.listing),
        fallback: spec.fallback.clone().and_then(some),
        error_pages: table(pages),
        precompressed: some(spec.precompressed.iter().map(|encoding| (*encoding).into()).collect()),
        dot_files: some(spec.dot_files),
        links: some(spec.links),
        cache: some(spec.cache),
        types: table(spec.types.iter().cloned()),
    }))
}

fn topic(spec: &TopicSpec) -> Field<raw::Topic> {
    some(raw::Topic::Table(raw::TopicTable {
        topic: template(&spec.topic),
        via: some(spec.via),
        publish: some(spec.publish),
        heartbeat: time(spec.stream.heartbeat),
        patience: time(spec.stream.patience),
        queue: some(raw::Size(spec.stream.queue)),
        slow: some(spec.stream.slow),
        message_max: some(raw::Size(spec.stream.message_max)),
        origins: texts(spec.stream.origins.iter().map(String::as_str)),
    }))
}

fn server_sent(spec: &ServerSentSpec) -> Field<raw::ServerSent> {
    some(raw::ServerSent::Table(raw::ServerSentTable {
        topics: texts(spec.topics.iter().map(Template::as_str)),
        resume: some(spec.resume),
        retry: spec.retry.and_then(time),
        named: some(spec.named),
        heartbeat: time(spec.stream.heartbeat),
        queue: some(raw::Size(spec.stream.queue)),
        slow: some(spec.stream.slow),
        origins: texts(spec.stream.origins.iter().map(String::as_str)),
    }))
}

fn websocket(spec: &WebSocketSpec) -> Field<raw::WebSocket> {
    some(raw::WebSocket::Table(raw::WebSocketTable {
        topics: texts(spec.topics.iter().map(Template::as_str)),
        publish: spec.publish.as_ref().and_then(template),
        binary: some(spec.binary),
        protocols: texts(spec.protocols.iter().map(String::as_str)),
        heartbeat: time(spec.stream.heartbeat),
        patience: time(spec.stream.patience),
        queue: some(raw::Size(spec.stream.queue)),
        slow: some(spec.stream.slow),
        message_max: some(raw::Size(spec.stream.message_max)),
        origins: texts(spec.stream.origins.iter().map(String::as_str)),
    }))
}

fn socketio(spec: &SocketIoSpec) -> Field<raw::SocketIo> {
    some(raw::SocketIo::Table(raw::SocketIoTable {
        name: some(spec.name.clone()),
        namespaces: texts(spec.namespaces.iter().map(String::as_str)),
        transports: some(spec.transports.iter().map(|transport| (*transport).into()).collect()),
        ping_interval: time(spec.ping_interval),
        ping_timeout: time(spec.ping_timeout),
        payload_max: some(raw::Size(spec.payload_max)),
        connect_timeout: time(spec.connect_timeout),
        upgrade_timeout: time(spec.upgrade_timeout),
        ack_timeout: time(spec.ack_timeout),
        queue: some(raw::Size(spec.queue)),
        slow: some(spec.slow),
        sessions_max: some(spec.sessions_max),
        rooms_max: some(spec.rooms_max),
        origins: texts(spec.origins.iter().map(String::as_str)),
        admission: some(spec.admission),
    }))
}

fn key(spec: &KeySpec) -> Field<raw::Key> {
    some(raw::Key::Table(raw::KeyTable {
        key: template(&spec.key),
        database: some(spec.database),
        content_type: some(spec.content_type.clone()),
        expire: spec.expire.and_then(time),
        max: some(raw::Size(spec.max)),
    }))
}

fn request(spec: &RequestSpec) -> Field<raw::Request> {
    if *spec == RequestSpec::default() {
        return None;
    }
    some(raw::Request::Table(raw::RequestTable {
        types: texts(spec.types.iter().map(String::as_str)),
        max: spec.max.and_then(|size| some(raw::Size(size))),
        required: some(spec.required),
        schema: spec.schema.as_ref().and_then(|schema| path(&schema.path)),
        headers: names(&spec.headers),
        description: spec.description.clone().and_then(some),
    }))
}

fn response(spec: &ResponseCheck) -> Field<raw::Response> {
    some(raw::Response::Table(raw::ResponseTable {
        types: texts(spec.types.iter().map(String::as_str)),
        schema: spec.schema.as_ref().and_then(|schema| path(&schema.path)),
        otherwise: some(spec.otherwise),
    }))
}

fn parameters(specs: &[ParameterSpec]) -> Option<BTreeMap<Located<String>, Located<raw::Parameter>>> {
    let all: BTreeMap<_, _> =
        specs.iter().map(|spec| (spec.name.as_str().into(), parameter(spec).into())).collect();
    Some(all).filter(|all| !all.is_empty())
}

fn parameter(spec: &ParameterSpec) -> raw::Parameter {
    let word = |word: &str| some(word.to_owned());
    let text = |text: &String| some(raw::Bound::Text(text.clone()));
    let whole = |number: Option<i64>| number.and_then(|number| some(raw::Bound::Whole(number)));
    let length = |number: Option<u64>| number.and_then(|number| some(raw::Bound::Text(number.to_string())));
    let bare = raw::ParameterTable {
        place: some(spec.place),
        required: some(spec.required),
        default: spec.default.as_ref().and_then(text),
        description: spec.description.clone().and_then(some),
        ..raw::ParameterTable::default()
    };
    raw::Parameter::Table(match &spec.kind {
        ParameterKind::String { min, max, pattern } => raw::ParameterTable {
            kind: word("string"),
            min: length(*min),
            max: length(*max),
            pattern: pattern.clone().and_then(some),
            ..bare
        },
        ParameterKind::Int { min, max } => {
            raw::ParameterTable { kind: word("int"), min: whole(*min), max: whole(*max), ..bare }
        }
        ParameterKind::Number { min, max } => raw::ParameterTable {
            kind: word("number"),
            min: min.as_ref().and_then(text),
            max: max.as_ref().and_then(text),
            ..bare
        },
        ParameterKind::Bool => raw::ParameterTable { kind: word("bool"), ..bare },
        ParameterKind::Uuid => raw::ParameterTable { kind: word("uuid"), ..bare },
        ParameterKind::Date => raw::ParameterTable { kind: word("date"), ..bare },
        ParameterKind::Enum(values) => {
            raw::ParameterTable { values: texts(values.iter().map(String::as_str)), ..bare }
        }
    })
}

fn limit(spec: &RateLimitSpec) -> Field<raw::RateLimit> {
    let key = match &spec.key {
        LimitKey::Address => "address".to_owned(),
        LimitKey::Route => "route".to_owned(),
        LimitKey::Host => "host".to_owned(),
        LimitKey::User => "user".to_owned(),
        LimitKey::Header(name) => format!("header:{name}"),
        LimitKey::Cookie(name) => format!("cookie:{name}"),
    };
    let (rate, burst) = (some(spec.rate.to_string()), some(spec.burst));
    some(raw::RateLimit::Table(raw::RateLimitTable { rate, burst, key: some(key) }))
}

fn cors(spec: &CorsSpec) -> Field<raw::Cors> {
    some(raw::Cors::Table(Box::new(raw::CorsTable {
        origins: texts(spec.origins.iter().map(String::as_str)),
        methods: texts(spec.methods.iter().map(|method| method.as_str())),
        headers: names(&spec.headers),
        expose: names(&spec.expose),
        credentials: some(spec.credentials),
        max_age: time(spec.max_age),
    })))
}

fn subrequest(spec: &SubrequestSpec) -> Field<raw::Subrequest> {
    some(raw::Subrequest::Table(raw::SubrequestTable {
        to: some(spec.upstream.clone()),
        path: template(&spec.path),
        timeout: time(spec.timeout),
        body: some(spec.body),
        headers: names(&spec.headers),
        refuse: spec.refuse.and_then(some),
    }))
}

fn headers(rules: &HeaderRules) -> Option<raw::Headers> {
    if rules.is_empty() {
        return None;
    }
    let pairs = |pairs: &[(HeaderName, Template)]| {
        table(pairs.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned())))
    };
    Some(raw::Headers { set: pairs(&rules.set), add: pairs(&rules.add), remove: names(&rules.remove) })
}

fn timeouts(spec: &RouteTimeouts) -> Field<raw::RouteTimeout> {
    if *spec == RouteTimeouts::default() {
        return None;
    }
    some(raw::RouteTimeout::Table(raw::RouteTimeoutTable {
        first_byte: spec.first_byte.and_then(time),
        idle: spec.idle.and_then(time),
        total: spec.total.and_then(time),
    }))
}

fn cache(spec: &RouteSpec) -> Field<raw::Cache> {
    let rules = table(spec.cache.iter().map(|rule| (rule.paths.clone(), rule.value.clone())))?;
    some(raw::Cache::Paths(rules))
}

fn table(pairs: impl Iterator<Item = (String, String)>) -> Option<raw::TextTable> {
    let table: raw::TextTable = pairs.map(|(name, value)| (name.into(), value.into())).collect();
    Some(table).filter(|table| !table.is_empty())
}

fn template(template: &Template) -> Field<String> {
    some(template.as_str().to_owned())
}

fn names(names: &[HeaderName]) -> Field<raw::Texts> {
    texts(names.iter().map(HeaderName::as_str))
}
