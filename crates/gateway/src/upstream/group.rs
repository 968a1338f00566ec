//! One upstream: its servers, their balance, their connections.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use remuda_model::gateway::{
    Buffering, HashKey, ServicePlace, UpstreamBalance, UpstreamProtocol, UpstreamServers, UpstreamSpec,
};
use remuda_wire::http::HeadLimits;
use tokio::sync::oneshot;

use super::deadlines::Deadlines;
use super::figures::Counters;
use super::forwarded::{Forwarding, client_of};
use super::http2::Sessions;
use super::link::Link;
use super::place::{Place, PlaceError};
use super::pool::Pool;
use super::security::{Security, SecurityError};
use crate::balance::{
    BudgetOptions, EjectionOptions, Group, GroupOptions, HealthOptions, MemberId, MemberOptions, Method,
    Moment, QueueOptions, Refusal, Ticket, hash_of,
};
use crate::server::{Buffers, Request, Server, Transport};

/// Longest time a member is left alone.
const EJECTION_MAX: Duration = Duration::from_secs(300);
/// Defaults of how long a connection may take.
const CONNECT_UNIX: Duration = Duration::from_secs(1);
const CONNECT_TCP: Duration = Duration::from_secs(5);
/// Concurrency up to which [`Buffering::Auto`] keeps bodies of requests until they are whole.
const AUTO_BUFFER_MAX: u32 = 4;
/// Heads of answers: programs set large cookies, and are trusted more than clients.
const ANSWER_HEAD: HeadLimits = HeadLimits { head_max: 64 << 10, line_max: 8 << 10, fields_max: 256 };

/// Settings of an upstream that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// An address.
    #[error("use upstream {name}: {source}")]
    Place {
        /// Key of the upstream.
        name: String,
        /// What is wrong.
        source: PlaceError,
    },
    /// TLS towards its servers.
    #[error("use upstream {name}: {source}")]
    Security {
        /// Key of the upstream.
        name: String,
        /// What is wrong.
        source: SecurityError,
    },
    /// It asks for what this gateway does not do.
    #[error("use upstream {name}: {what} is not supported by this gateway")]
    Unsupported {
        /// Key of the upstream.
        name: String,
        /// What it asks for.
        what: &'static str,
    },
}

/// Who passes requests on to one group of servers.
#[derive(Debug)]
pub struct Upstream {
    pub(super) name: String,
    pub(super) spec: UpstreamSpec,
    pub(super) places: Vec<Place>,
    /// How servers show who they are; `None`: what is said to them is not hidden.
    pub(super) security: Option<Security>,
    pub(super) group: RefCell<Group>,
    pub(super) waiters: RefCell<BTreeMap<Ticket, oneshot::Sender<Result<MemberId, Refusal>>>>,
    pub(super) pool: Pool,
    pub(super) http2: Sessions,
    pub(super) deadlines: Rc<Deadlines>,
    pub(super) clock: Clock,
    pub(super) figures: Counters,
    pub(super) forwarding: Rc<Forwarding>,
    pub(super) head_limits: HeadLimits,
    server: Rc<Server>,
}

/// Moments since a process began to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(pub(super) Instant);

impl Clock {
    pub(super) fn now(self) -> Moment {
        Moment(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// What all upstreams of a process share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) server: Rc<Server>,
    pub(super) deadlines: Rc<Deadlines>,
    pub(super) clock: Clock,
    pub(super) forwarding: Rc<Forwarding>,
}

impl Upstream {
    pub(super) fn new(
        name: &str,
        spec: &UpstreamSpec,
        services: &BTreeMap<String, Vec<ServicePlace>>,
        shared: &Shared,
        seed: u64,
    ) -> Result<Rc<Self>, SettingError> {
        let unsupported = |what| SettingError::Unsupported { name: name.to_owned(), what };
        if spec.tls.is_some() && spec.proxy_protocol.is_some() {
            return Err(unsupported("the PROXY protocol before TLS"));
        }
        if spec.protocol == UpstreamProtocol::Http2 && spec.proxy_protocol.is_some() {
            return Err(unsupported("the PROXY protocol on connections of HTTP/2, which all clients share,"));
        }
        let (places, members) = members(spec, services.get(name).map_or(&[], Vec::as_slice))
            .map_err(|source| SettingError::Place { name: name.to_owned(), source })?;
        let security = spec.tls.as_ref();
        let security = security.map(|tls| Security::new(tls, spec.protocol == UpstreamProtocol::Http2));
        let security = security
            .transpose()
            .map_err(|source| SettingError::Security { name: name.to_owned(), source })?;
        let keep_max = usize::try_from(spec.keep_alive_max).unwrap_or(usize::MAX);
        Ok(Rc::new(Self {
            name: name.to_owned(),
            pool: Pool::new(places.len(), spec.keep_alive, keep_max),
            group: RefCell::new(Group::new(group_options(spec), members, seed)),
            places,
            security,
            spec: spec.clone(),
            http2: Sessions::default(),
            waiters: RefCell::default(),
            deadlines: Rc::clone(&shared.deadlines),
            clock: shared.clock,
            figures: Counters::default(),
            forwarding: Rc::clone(&shared.forwarding),
            head_limits: ANSWER_HEAD,
            server: Rc::clone(&shared.server),
        }))
    }

    /// Its key in the settings.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn buffers(&self) -> &Buffers {
        &self.server.buffers
    }

    pub(super) fn count(&self, word: &'static str) {
        self.server.figures().count(word);
    }

    pub(super) fn place(&self, member: MemberId) -> &Place {
        &self.places[member.0]
    }

    /// A new connection to a server, which has shown who it is where that is wanted.
    pub(super) async fn open(&self, place: &Place) -> io::Result<Transport> {
        let transport = place.connect(|| self.figures.backlog_full()).await?;
        match &self.security {
            None => Ok(transport),
            Some(security) => security.secure(transport, place.host()).await,
        }
    }

    pub(super) fn connect_within(&self, place: &Place) -> Duration {
        let default = if place.is_unix() { CONNECT_UNIX } else { CONNECT_TCP };
        self.spec.connect.unwrap_or(default)
    }

    /// Whether a connection is used for more than one request.
    pub(super) fn keeps_links(&self) -> bool {
        !self.spec.keep_alive.is_zero() && self.spec.proxy_protocol.is_none()
    }

    /// Whether the body of a request is kept until it is whole.
    pub(super) fn keeps_bodies(&self) -> bool {
        match self.spec.buffer_request {
            Buffering::On => true,
            Buffering::Off => false,
            Buffering::Auto => self.spec.concurrency.is_some_and(|most| most <= AUTO_BUFFER_MAX),
        }
    }

    /// The key by which `request` goes to one member rather than another.
    pub(super) fn hash(&self, request: &Request) -> Option<u64> {
        let UpstreamBalance::Hash(key) = &self.spec.balance else { return None };
        let (head, fields) = (&request.head, request.head.fields());
        match key {
            HashKey::Address => {
                let client = client_of(&self.forwarding, request.peer.address, fields)?;
                Some(hash_of(client.to_string().as_bytes()))
            }
            HashKey::Path => Some(hash_of(head.path())),
            HashKey::Header(name) => fields.get(name).map(hash_of),
            HashKey::Cookie(name) => {
                let pairs = fields.get_all("cookie").flat_map(|list| list.split(|byte| *byte == b';'));
                let mut values = pairs
                    .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
                values.next().map(hash_of)
            }
        }
    }

    /// A connection whose answer is read to its end is kept for the next request, or closed.
    pub(super) fn put_back(&self, link: Link, keeps: bool) {
        if keeps && !self.group.borrow().is_draining(link.member) {
            self.pool.give(link, self.deadlines.now());
        }
    }

    /// An answer broke off behind its head: the client's connection is cut.
    pub(super) fn tell_cut(&self, member: MemberId, why: &str) {
        self.count("upstream-body-cut");
        self.figures.warn(|| {
            log::warn!(
                "{}: {} broke off an answer in the middle of its body: {why}; the client's connection is cut",
                self.name,
                self.place(member).text()
            );
        });
    }
}

/// Where servers are, and what the balance knows of them.
fn members(
    spec: &UpstreamSpec,
    services: &[ServicePlace],
) -> Result<(Vec<Place>, Vec<MemberOptions>), PlaceError> {
    let mut places = Vec::new();
    let mut members = Vec::new();
    match &spec.servers {
        UpstreamServers::Listed(servers) => {
            for server in servers {
                places.push(Place::of_server(&server.address));
                members.push(MemberOptions { name: server.address.to_string(), weight: server.weight });
            }
        }
        UpstreamServers::Service { .. } => {
            for service in services {
                places.push(Place::of_listener(&service.address)?);
                members.push(MemberOptions::new(service.address.to_string()));
            }
        }
    }
    Ok((places, members))
}

fn group_options(spec: &UpstreamSpec) -> GroupOptions {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    GroupOptions {
        method: match &spec.balance {
            UpstreamBalance::TwoChoices => Method::Random2,
            UpstreamBalance::Latency => Method::Ewma,
            UpstreamBalance::RoundRobin => Method::RoundRobin,
            UpstreamBalance::Least => Method::Least,
            UpstreamBalance::Hash(_) => Method::Hash,
        },
        concurrency: spec.concurrency.unwrap_or(0),
        in_flight_max: size(spec.inflight_max.unwrap_or(0)),
        queue: QueueOptions { max: size(spec.queue_max), wait: spec.queue_wait },
        slow_start: spec.slow_start,
        ejection: EjectionOptions {
            failures: spec.ejection.failures,
            base: spec.ejection.time,
            max: EJECTION_MAX,
            most_percent: size(spec.ejection.max_percent),
        },
        health: spec.health.as_ref().map(|health| HealthOptions {
            every: health.every,
            timeout: health.timeout,
            rise: health.rise,
            fall: health.fall,
        }),
        budget: BudgetOptions {
            percent: spec.retry.budget_percent.into(),
            per_second: spec.retry.budget_per_second.into(),
        },
    }
}
