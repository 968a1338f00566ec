//! The control API: how an operator, a script or a dashboard speaks to a running arbiter.
//!
//! HTTP/1.1 with JSON bodies over a Unix socket; streams are server-sent events. One table ([`routes`]) says what
//! there is: the server dispatches by it, [`openapi()`] is written from it, and a test holds both to it.
//!
//! [`Api`] answers for anything [`Served`] (an arbiter's handle), [`serve`] puts it on the Unix socket; [`Client`] is the
//! other end. Who has askers of their own, a dashboard, hands their requests to the same [`Api`].

mod body;
mod client;
mod gateway;
mod hub;
mod metrics;
mod openapi;
mod percent;
mod route;
mod routing;
mod served;
mod server;
mod sse;

pub use body::{
    About, Accepted, ActBody, Answer, BusMessage, DeleteKeysBody, EffectiveConfig, End, Entry,
    GatewayFigures, GatewayRoute, HeldLock, HoldBody, KeyList, KeyValue, LockList, MissedEvents, MissedLines,
    NoBase64, PublishBody, ReleaseBody, RouteList, RouteMatch, RouteVerdict, ScaleBody, SetKeyBody,
    SignalBody, Text, UpgradeBody,
};
pub use client::{Client, ClientError, EventItem, EventStream, LogItem, LogStream, Wait};
pub use openapi::openapi;
pub use route::{Action, Operation, Parameter, ParameterKind, Produces, Question, Route, routes};
pub use routing::{RouteQuestion, Routing};
pub use served::Served;
pub use server::{Access, Api, Asker, Body, Grant, serve};
pub use sse::{Block, Parser, SseError};
