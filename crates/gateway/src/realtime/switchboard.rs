//! All that is realtime in a process: one connection to the hub, the way to the other gateways, and the endpoints.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use remuda_toolkit::client::Address;
use tokio::task::JoinSet;

use super::{Bus, Channel, ChannelOptions, Endpoint, Feeds, Owner, Passing, Scratch, SocketioOptions};
use crate::server::{Handler, Server, http1};

/// Which gateway process this is, among those of its service.
#[derive(Debug, Clone)]
pub struct Place {
    /// A number no other of them has.
    pub owner: Owner,
    /// What the names of their sockets begin with, in the abstract namespace; the same for all of them.
    pub prefix: String,
}

/// All that is realtime in a process. Its tasks end with it.
#[derive(Debug)]
pub struct Switchboard {
    server: Rc<Server>,
    place: Option<Place>,
    bus: Rc<Bus>,
    feeds: Rc<Feeds>,
    scratch: Rc<Scratch>,
    passing: Option<Rc<Passing>>,
    endpoints: RefCell<Vec<Rc<Endpoint>>>,
    tasks: RefCell<JoinSet<()>>,
}

impl Switchboard {
    /// For the process of `server`, with the hub at `hub`. Without a place, requests of other processes' sessions are
    /// refused. When the server drains, clients are let go over `drain_within`. To be made in a
    /// [`LocalSet`](tokio::task::LocalSet).
    #[must_use]
    pub fn new(
        server: &Rc<Server>,
        hub: Address,
        node: &str,
        place: Option<Place>,
        drain_within: Duration,
    ) -> Rc<Self> {
        let bus = Bus::new(hub);
        let seed = remuda_sys::random::bytes().map_or(0, u64::from_le_bytes);
        let passing =
            place.as_ref().map(|place| Passing::new(&place.prefix, remuda_sys::users::effective_user()));
        let this = Rc::new(Self {
            server: Rc::clone(server),
            place,
            feeds: Feeds::new(Rc::clone(&bus), node),
            scratch: Rc::default(),
            passing,
            endpoints: RefCell::default(),
            tasks: RefCell::default(),
            bus,
        });
        let draining = Rc::downgrade(&this);
        let server = Rc::clone(server);
        let mut tasks = this.tasks.borrow_mut();
        tasks.spawn_local(Rc::clone(&this.bus).run(seed));
        tasks.spawn_local(async move {
            server.drain().begun().await;
            if let Some(this) = draining.upgrade() {
                this.drain(drain_within).await;
            }
        });
        drop(tasks);
        this
    }

    /// The connection to the hub.
    #[must_use]
    pub fn bus(&self) -> &Rc<Bus> {
        &self.bus
    }

    /// The buffer clients read into.
    #[must_use]
    pub fn scratch(&self) -> &Rc<Scratch> {
        &self.scratch
    }

    /// A Socket.IO endpoint.
    pub fn socketio(&self, options: SocketioOptions) -> Rc<Endpoint> {
        let owner = self.place.as_ref().map_or(Owner(0), |place| place.owner);
        let endpoint = Endpoint::new(
            options,
            owner,
            Rc::clone(&self.bus),
            Rc::clone(&self.scratch),
            self.passing.as_ref().map(Rc::clone),
        );
        self.tasks.borrow_mut().spawn_local(Rc::clone(&endpoint).run());
        self.endpoints.borrow_mut().push(Rc::clone(&endpoint));
        endpoint
    }

    /// A plain WebSocket or a stream of events.
    pub fn channel(&self, options: ChannelOptions) -> Rc<Channel> {
        Channel::new(options, Rc::clone(&self.bus), Rc::clone(&self.feeds), Rc::clone(&self.scratch))
    }

    /// Serves with `handler` what other gateways pass on to this one.
    pub fn take_passed<H: Handler>(&self, handler: Rc<H>) {
        let (Some(place), Some(passing)) = (&self.place, &self.passing) else { return };
        let serve = Rc::new(move |connection| {
            let serving = http1::serve(connection, Rc::clone(&handler));
            Box::pin(serving) as std::pin::Pin<Box<dyn Future<Output = ()>>>
        });
        let taking = Rc::clone(passing).take(place.owner, Rc::clone(&self.server), serve);
        self.tasks.borrow_mut().spawn_local(async move {
            if let Err(error) = taking.await {
                log::warn!(
                    "requests of sessions of this gateway cannot be passed to it: {error}; clients that poll may have to \
                     begin anew"
                );
            }
        });
    }

    /// Its figures, as JSON.
    #[must_use]
    pub fn figures(&self) -> serde_json::Value {
        let bus = self.bus.counts();
        let endpoints: Vec<_> = self.endpoints.borrow().iter().map(|endpoint| endpoint.figures()).collect();
        serde_json::json!({
            "hub": {
                "connected": self.bus.is_connected(), "connections": bus.connected, "heard": bus.heard,
                "published": bus.published, "dropped": bus.dropped, "missed": bus.missed, "refused": bus.refused,
            },
            "socketio": endpoints,
            "streams": self.feeds.figures(),
        })
    }

    /// Its figures as one list: each number by the words that lead to it, an endpoint's name among them.
    #[must_use]
    pub fn figures_by_path(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        flatten("", &self.figures(), &mut all);
        all
    }

    async fn drain(&self, within: Duration) {
        // Some of the time is for the last of them to go.
        let within = within.mul_f64(0.8);
        let mut draining = JoinSet::new();
        for endpoint in self.endpoints.borrow().iter().map(Rc::clone) {
            draining.spawn_local(async move { endpoint.drain(within).await });
        }
        self.feeds.drain(within).await;
        while draining.join_next().await.is_some() {}
    }
}

fn flatten(path: &str, value: &serde_json::Value, all: &mut BTreeMap<String, u64>) {
    let below = |word: &str| if path.is_empty() { word.to_owned() } else { format!("{path}.{word}") };
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(word, value)| flatten(&below(word), value, all));
        }
        serde_json::Value::Array(items) => {
            for item in items {
                let name = item.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
                flatten(&below(name), item, all);
            }
        }
        serde_json::Value::Bool(is_so) => *all.entry(path.to_owned()).or_insert(0) += u64::from(*is_so),
        other => {
            // A name is part of the path.
            let Some(number) = other.as_u64() else { return };
            *all.entry(path.to_owned()).or_insert(0) += number;
        }
    }
}
