//! A route, ready to be walked.

use std::cell::RefCell;
use std::rc::Rc;

use jsonschema::Validator;
use remuda_model::gateway::{
    Action, Admission, GatewaySettings, RouteSpec, SchemaSpec, StreamSpec, TopicSpec,
};
use remuda_toolkit::daemon::AnyError;

use super::auth::Auth;
use super::keys::Store;
use super::schema::compile;
use crate::compress::{Compressor, Packers};
use crate::files::Files;
use crate::realtime::{Channel, ChannelOptions, Endpoint, SocketioOptions, Switchboard};
use crate::routes::{Cors, ParameterCheck, RateLimiter};

/// A route, ready to be walked.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) parameters: Option<ParameterCheck>,
    pub(super) request_schema: Option<Validator>,
    pub(super) response_schema: Option<Validator>,
    pub(super) limiter: Option<RefCell<RateLimiter>>,
    pub(super) auth: Option<Auth>,
    pub(super) cors: Option<Cors>,
    /// `None`: answers go as they are.
    pub(super) compressor: Option<Compressor>,
    pub(super) means: Means,
}

/// What an action needs besides its spec.
#[derive(Debug)]
pub(super) enum Means {
    /// Nothing.
    Nothing,
    Files(Box<Files>),
    /// A built-in page that never changes.
    Page(bytes::Bytes),
    Channel(Rc<Channel>),
    SocketIo(Rc<Endpoint>),
    Keys(Rc<Store>),
}

impl Plan {
    pub(super) fn new(
        spec: &RouteSpec,
        settings: &GatewaySettings,
        switchboard: Option<&Rc<Switchboard>>,
        packers: &Packers,
    ) -> Result<Self, AnyError> {
        let schema = |schema: Option<&SchemaSpec>| schema.map(compile).transpose();
        let limiter = spec.limit.as_ref().map(|limit| {
            RefCell::new(RateLimiter::new(limit.rate, limit.burst, settings.spec.limits.rate_keys))
        });
        let compress = spec.compress.as_ref().unwrap_or(&settings.spec.compress);
        Ok(Self {
            parameters: (!spec.parameters.is_empty()).then(|| ParameterCheck::new(spec)),
            request_schema: schema(spec.request.schema.as_ref())?,
            response_schema: schema(spec.response.as_ref().and_then(|check| check.schema.as_ref()))?,
            limiter,
            auth: spec.auth.as_ref().map(Auth::open).transpose()?,
            cors: spec.cors.as_ref().map(|cors| Cors::new(cors, &spec.methods)),
            compressor: (!compress.encodings.is_empty()).then(|| Compressor::new(compress, packers)),
            means: means(spec, settings, switchboard)?,
        })
    }
}

fn means(
    spec: &RouteSpec,
    settings: &GatewaySettings,
    switchboard: Option<&Rc<Switchboard>>,
) -> Result<Means, AnyError> {
    let hub = || switchboard.ok_or("this route needs the hub, which this service may not use");
    Ok(match &spec.action {
        Action::Files(files) => Means::Files(Box::new(Files::open((**files).clone())?)),
        Action::Page(page) => super::act::fixed_page(*page, settings).map_or(Means::Nothing, Means::Page),
        Action::Topic(topic) => Means::Channel(hub()?.channel(topic_options(topic))),
        Action::ServerSent(spec) => Means::Channel(hub()?.channel(ChannelOptions::from(spec))),
        Action::WebSocket(spec) => Means::Channel(hub()?.channel(ChannelOptions::from(spec))),
        Action::SocketIo(spec) => {
            let options = SocketioOptions::from(&**spec);
            let options = match spec.admission {
                Admission::Open => options,
                Admission::Worker => options.admitted_by_worker(),
            };
            Means::SocketIo(hub()?.socketio(options))
        }
        Action::Key(key) => {
            let hub =
                settings.hub.as_ref().ok_or("this route needs the store, which this service may not use")?;
            Means::Keys(Store::new(hub.clone(), key.database))
        }
        Action::Proxy(_) | Action::Redirect(_) | Action::Respond(_) => Means::Nothing,
    })
}

fn topic_options(spec: &TopicSpec) -> ChannelOptions {
    let stream: StreamSpec = spec.stream.clone();
    ChannelOptions { stream, resume: true, ..ChannelOptions::default() }
}
