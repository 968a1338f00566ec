//! What the API has: what a route is. Router and document are both made from the [table](routes).

mod table;

use hyper::Method;
use remuda_model::Reply;
use schemars::{Schema, SchemaGenerator};

pub use table::routes;

use crate::body::Answer;

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
    /// The hub's figures, the herd's among them.
    Hub,
    /// Whether the shared keys are the same on all servers.
    CheckHerd,
    /// The locks that are held.
    Locks,
    /// The gateways' figures.
    Gateways,
    /// The gateways' routes.
    Routes,
    /// Which of them a request takes.
    TestRoute,
    /// Keys of the store.
    Keys,
    /// One key of the store.
    Key,
    /// The stream of the bus's messages.
    Bus,
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
    /// A string for a key of the store.
    SetKey,
    /// Deletes keys of the store.
    DeleteKeys,
    /// A message for the bus.
    Publish,
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
    /// Any text.
    Text,
    /// Any text; may be given several times.
    Texts,
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

/// The schema of every [`Produces::Reply`].
pub(crate) fn reply_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Reply>()
}

/// The schema of the answer to `wait=false`, beside the reply's.
pub(crate) fn answer_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<Answer>()
}
