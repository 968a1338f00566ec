//! The table of what the API has. Router and document are both made from it.

use hyper::Method;
use remuda_daemon::LogLine;
use remuda_model::{Plan, Record, Reply, view};
use schemars::{Schema, SchemaGenerator};

use crate::body::{
    About, ActBody, Answer, EffectiveConfig, End, HoldBody, MissedEvents, MissedLines, ReleaseBody,
    ScaleBody, SignalBody, UpgradeBody,
};

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Asks and changes nothing: GET.
    Ask(Question),
    /// Changes something: POST.
    Act(Action),
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Who answers.
    About,
    /// A picture of the present.
    Status,
    /// The same in figures, for a monitor.
    Metrics,
    /// The config in force.
    Config,
    /// What applying the config file would do.
    Plan,
    /// The stream of events.
    Events,
    /// The stream of lines.
    Logs,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Reads the config anew and applies it.
    Apply,
    /// Starts services.
    Start,
    /// Stops services.
    Stop,
    /// Stops, then starts.
    Restart,
    /// New workers for old ones.
    Reload,
    /// Another number of workers.
    Scale,
    /// Lets connections wait while the workers are gone.
    Hold,
    /// Ends a hold.
    Release,
    /// A signal for workers.
    Signal,
    /// Ends everything.
    Shutdown,
    /// Opens log files anew.
    ReopenLogs,
    /// Has another program take the arbiter's place.
    Upgrade,
}

/// How the value of a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A number from 0.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// The name of a service; may be given several times.
    Services,
    /// `stdout` or `stderr`.
    Stream,
}

/// A parameter of the query.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// How its value is written.
    pub kind: ParameterKind,
    /// What it means, and what its absence means.
    pub summary: &'static str,
}

impl Route {
    /// GET asks, POST changes.
    #[must_use]
    pub fn method(&self) -> Method {
        match self.operation {
            Operation::Ask(_) => Method::GET,
            Operation::Act(_) => Method::POST,
        }
    }
}

/// Writes the schema of a body.
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a route answers when all is well.
#[derive(Debug, Clone, Copy)]
pub enum Produces {
    /// A JSON document.
    Document(SchemaOf),
    /// A text of this media type.
    Text(&'static str),
    /// A reply; the status code follows its result.
    Reply,
    /// Server-sent events: their kinds, and what their data is.
    Stream(&'static [(&'static str, SchemaOf)]),
}

/// One thing the API has.
#[derive(Debug, Clone)]
pub struct Route {
    /// What it does.
    pub operation: Operation,
    /// Its path.
    pub path: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What its query may have.
    pub parameters: &'static [Parameter],
    /// The body it takes.
    pub takes: Option<SchemaOf>,
    /// What it answers.
    pub produces: Produces,
}

/// The text format of Prometheus, as it calls itself.
pub(crate) const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    let parameters = if question == Question::Logs { LOGS } else { EVENTS };
    Route { operation: Operation::Ask(question), path, summary, parameters, takes: None, produces }
}

fn act(action: Action, path: &'static str, summary: &'static str, takes: Option<SchemaOf>) -> Route {
    let (operation, produces) = (Operation::Act(action), Produces::Reply);
    Route { operation, path, summary, parameters: WAIT, takes, produces }
}

/// Everything the API has, in the order of its document.
#[must_use]
pub fn routes() -> Vec<Route> {
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

/// The schema of every [`Produces::Reply`].
pub(crate) fn reply_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Reply>()
}

/// The schema of the answer to `wait=false`, beside the reply's.
pub(crate) fn answer_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Answer>()
}
