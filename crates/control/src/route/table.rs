//! The table of what the API has.

use std::collections::BTreeMap;

use remuda_daemon::LogLine;
use remuda_model::hub::{HerdCheck, HubMetrics};
use remuda_model::{Plan, Record, view};

use super::{Action, METRICS_TYPE, Operation, Parameter, ParameterKind, Produces, Question, Route, SchemaOf};
use crate::body::{
    About, ActBody, BusMessage, DeleteKeysBody, EffectiveConfig, End, GatewayFigures, HoldBody, KeyList,
    KeyValue, LockList, MissedEvents, MissedLines, PublishBody, ReleaseBody, RouteList, RouteMatch,
    ScaleBody, SetKeyBody, SignalBody, UpgradeBody,
};

const WAIT: &[Parameter] = &[Parameter {
    name: "wait",
    kind: ParameterKind::Boolean,
    summary: "false answers 202 at once; the outcome is then in the event stream. Default true: answers when done.",
}];

const FOLLOW: Parameter = Parameter {
    name: "follow",
    kind: ParameterKind::Boolean,
    summary: "false ends the stream when all there is has been sent. Default true.",
};

const EVENTS: &[Parameter] = &[
    Parameter {
        name: "after",
        kind: ParameterKind::Integer,
        summary: "Only events after this number; the header Last-Event-ID outranks it. Absent: those that come from \
                  now on, or with follow=false all that are kept.",
    },
    FOLLOW,
];

const LOGS: &[Parameter] = &[
    Parameter {
        name: "service",
        kind: ParameterKind::Services,
        summary: "Lines of this service; may be repeated. Absent: of all services.",
    },
    Parameter { name: "slot", kind: ParameterKind::Integer, summary: "Only lines of this slot." },
    Parameter { name: "stream", kind: ParameterKind::Stream, summary: "Only lines of this output." },
    Parameter {
        name: "since_ms",
        kind: ParameterKind::Integer,
        summary: "Only lines not older than this, milliseconds since 1970.",
    },
    Parameter {
        name: "after",
        kind: ParameterKind::Integer,
        summary: "Only lines after this number; the header Last-Event-ID outranks it.",
    },
    Parameter {
        name: "last",
        kind: ParameterKind::Integer,
        summary: "Of the lines kept so far only the last so many; 0 for those that come from now on.",
    },
    FOLLOW,
];

const DATABASE: Parameter =
    Parameter { name: "database", kind: ParameterKind::Integer, summary: "Of which database. Default 0." };

const KEYS: &[Parameter] = &[
    Parameter {
        name: "pattern",
        kind: ParameterKind::Text,
        summary: "Only keys like this, with *, ? and [a-z]. Default *.",
    },
    Parameter {
        name: "limit",
        kind: ParameterKind::Integer,
        summary: "About so many at once, from 1 to 1000. Default 200.",
    },
    Parameter {
        name: "cursor",
        kind: ParameterKind::Integer,
        summary: "Goes on where an answer said `next`. Default: from the beginning.",
    },
    DATABASE,
];

const KEY: &[Parameter] = &[
    Parameter { name: "key", kind: ParameterKind::Text, summary: "Which; either this or key_base64." },
    Parameter { name: "key_base64", kind: ParameterKind::Text, summary: "Which, where it is no text." },
    DATABASE,
];

const REQUEST: &[Parameter] = &[
    Parameter {
        name: "url",
        kind: ParameterKind::Text,
        summary: "Its URL: `https://HOST/PATH`, or `/PATH`. Must be given.",
    },
    Parameter { name: "method", kind: ParameterKind::Text, summary: "Its method. Default GET." },
    Parameter {
        name: "host",
        kind: ParameterKind::Text,
        summary: "Its host, where the URL has none. Default localhost.",
    },
    Parameter {
        name: "header",
        kind: ParameterKind::Texts,
        summary: "A header, `NAME: VALUE`; may be repeated.",
    },
    Parameter {
        name: "from",
        kind: ParameterKind::Text,
        summary: "The client's address. Default 127.0.0.1.",
    },
    Parameter {
        name: "socket",
        kind: ParameterKind::Text,
        summary: "The socket it comes in on. Default: the first of the first gateway.",
    },
];

const BUS: &[Parameter] = &[Parameter {
    name: "prefix",
    kind: ParameterKind::Text,
    summary: "Only messages whose topic begins so. Absent: all of them.",
}];

const BUS_STREAM: Produces = Produces::Stream(&[
    ("message", |generator| generator.subschema_for::<BusMessage>()),
    ("end", |generator| generator.subschema_for::<End>()),
]);

const EVENT_STREAM: Produces = Produces::Stream(&[
    ("the event's kind", |generator| generator.subschema_for::<Record>()),
    ("missed", |generator| generator.subschema_for::<MissedEvents>()),
    ("end", |generator| generator.subschema_for::<End>()),
]);

const LOG_STREAM: Produces = Produces::Stream(&[
    ("line", |generator| generator.subschema_for::<LogLine>()),
    ("missed", |generator| generator.subschema_for::<MissedLines>()),
    ("end", |generator| generator.subschema_for::<End>()),
]);

fn document(question: Question, path: &'static str, summary: &'static str, schema: SchemaOf) -> Route {
    let (operation, produces) = (Operation::Ask(question), Produces::Document(schema));
    Route { operation, path, summary, parameters: &[], takes: None, produces }
}

fn stream(question: Question, path: &'static str, summary: &'static str, produces: Produces) -> Route {
    let parameters = match question {
        Question::Logs => LOGS,
        Question::Bus => BUS,
        _ => EVENTS,
    };
    Route { operation: Operation::Ask(question), path, summary, parameters, takes: None, produces }
}

fn act(action: Action, path: &'static str, summary: &'static str, takes: Option<SchemaOf>) -> Route {
    let (operation, produces) = (Operation::Act(action), Produces::Reply);
    Route { operation, path, summary, parameters: WAIT, takes, produces }
}

/// Everything the API has, in the order of its document.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut all = of_instance();
    all.extend(of_hub());
    all.extend(of_gateways());
    all
}

/// What the API has of the hub.
fn of_hub() -> Vec<Route> {
    vec![
        document(
            Question::Hub,
            "/v1/hub",
            "Figures of the hub, and of the herd as it sees it.",
            |generator| generator.subschema_for::<HubMetrics>(),
        ),
        document(
            Question::CheckHerd,
            "/v1/herd/check",
            "Compares the shared keys with all other servers of the herd; answers when that is done, or after 10 s with \
             what is known by then.",
            |generator| generator.subschema_for::<HerdCheck>(),
        ),
        document(Question::Locks, "/v1/locks", "The locks that are held.", |generator| {
            generator.subschema_for::<LockList>()
        }),
        Route {
            parameters: KEYS,
            ..document(Question::Keys, "/v1/store/keys", "Keys of the hub's store.", |generator| {
                generator.subschema_for::<KeyList>()
            })
        },
        Route {
            parameters: KEY,
            ..document(
                Question::Key,
                "/v1/store/key",
                "A key of the hub's store, with its value.",
                |generator| generator.subschema_for::<KeyValue>(),
            )
        },
        act(
            Action::SetKey,
            "/v1/store/set",
            "Gives a key of the hub's store a string.",
            Some(|generator| generator.subschema_for::<SetKeyBody>()),
        ),
        act(
            Action::DeleteKeys,
            "/v1/store/delete",
            "Deletes keys of the hub's store.",
            Some(|generator| generator.subschema_for::<DeleteKeysBody>()),
        ),
        stream(
            Question::Bus,
            "/v1/bus",
            "Messages of the hub's bus from now on, as server-sent events.",
            BUS_STREAM,
        ),
        act(
            Action::Publish,
            "/v1/bus/publish",
            "Publishes a message on the hub's bus.",
            Some(|generator| generator.subschema_for::<PublishBody>()),
        ),
    ]
}

/// What the API has of the gateways.
fn of_gateways() -> Vec<Route> {
    vec![
        document(Question::Gateways, "/v1/gateways", "Figures of the gateways, by service.", |generator| {
            generator.subschema_for::<BTreeMap<String, GatewayFigures>>()
        }),
        document(
            Question::Routes,
            "/v1/gateways/routes",
            "The routes of the gateways, in the order of the file.",
            |generator| generator.subschema_for::<RouteList>(),
        ),
        Route {
            parameters: REQUEST,
            ..document(
                Question::TestRoute,
                "/v1/gateways/route",
                "Which route a request takes, and why not the others; nothing is sent to anybody.",
                |generator| generator.subschema_for::<RouteMatch>(),
            )
        },
    ]
}

/// What the API has of the arbiter.
fn of_instance() -> Vec<Route> {
    let targets: Option<SchemaOf> = Some(|generator| generator.subschema_for::<ActBody>());
    vec![
        document(Question::About, "/v1", "Who answers.", |generator| generator.subschema_for::<About>()),
        document(
            Question::Status,
            "/v1/status",
            "Services, workers and sockets as they are now.",
            |generator| generator.subschema_for::<view::Instance>(),
        ),
        Route {
            operation: Operation::Ask(Question::Metrics),
            path: "/v1/metrics",
            summary: "Figures of services, queues and the arbiter, in the text format of Prometheus.",
            parameters: &[],
            takes: None,
            produces: Produces::Text(METRICS_TYPE),
        },
        document(
            Question::Config,
            "/v1/config",
            "The config in force, with every default and no secret.",
            |generator| generator.subschema_for::<EffectiveConfig>(),
        ),
        document(Question::Plan, "/v1/plan", "What applying the config file would do now.", |generator| {
            generator.subschema_for::<Plan>()
        }),
        act(Action::Apply, "/v1/apply", "Reads the config anew and applies it, whole or not at all.", None),
        act(Action::Start, "/v1/start", "Starts services; done when their workers are ready.", targets),
        act(Action::Stop, "/v1/stop", "Stops services; done when their workers are gone.", targets),
        act(Action::Restart, "/v1/restart", "Stops, then starts; sockets stay open.", targets),
        act(Action::Reload, "/v1/reload", "New workers for old ones, without a gap.", targets),
        act(
            Action::Scale,
            "/v1/scale",
            "Another number of workers for a service.",
            Some(|generator| generator.subschema_for::<ScaleBody>()),
        ),
        act(
            Action::Hold,
            "/v1/hold",
            "Lets new connections wait while the workers of a service are gone, for a bounded time; done when they are.",
            Some(|generator| generator.subschema_for::<HoldBody>()),
        ),
        act(
            Action::Release,
            "/v1/release",
            "Starts a held service again; done when its workers are ready.",
            Some(|generator| generator.subschema_for::<ReleaseBody>()),
        ),
        act(
            Action::Signal,
            "/v1/signal",
            "A signal for workers.",
            Some(|generator| generator.subschema_for::<SignalBody>()),
        ),
        act(Action::Shutdown, "/v1/shutdown", "Stops everything and ends the arbiter.", None),
        act(
            Action::Upgrade,
            "/v1/upgrade",
            "Has another program take the arbiter's place; done when it is about to. The events `instance-upgraded` \
             and `upgrade-failed` tell what came of it.",
            Some(|generator| generator.subschema_for::<UpgradeBody>()),
        ),
        act(Action::ReopenLogs, "/v1/logs/reopen", "Opens log files anew, after a rotation by others.", None),
        stream(Question::Events, "/v1/events", "What happens, as server-sent events.", EVENT_STREAM),
        stream(Question::Logs, "/v1/logs", "What workers write, as server-sent events.", LOG_STREAM),
    ]
}
