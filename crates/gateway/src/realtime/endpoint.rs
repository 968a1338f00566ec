//! A Socket.IO endpoint: the shell around its crowd.
//!
//! What happens is told to the crowd, and what it orders is done at once: letters go to the hub, each client for whom
//! something waits is written to, and those that are gone are let go. Messages of the hub that came together are one
//! turn: their events for a client are one write.

mod carrying;
mod polling;
mod request;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use remuda_model::Tick;
use remuda_sys::clock::boottime;
use tokio::sync::Notify;

use super::bus::{Listener, Message};
use super::crowd::{Crowd, Orders, Reason};
use super::letters::FROM_WORKERS;
use super::session::Carrier;
pub(super) use carrying::accepted;

use super::{Bus, Key, Owner, Passing, Scratch, Sink, SocketioOptions};

/// A Socket.IO endpoint.
#[derive(Debug)]
pub struct Endpoint {
    options: Rc<SocketioOptions>,
    owner: Owner,
    crowd: RefCell<Crowd>,
    lines: RefCell<HashMap<Key, Line>>,
    bus: Rc<Bus>,
    scratch: Rc<Scratch>,
    passing: Option<Rc<Passing>>,
    /// Rung when the next deadline may have come nearer.
    bell: Notify,
}

/// How a client is reached at the moment.
#[derive(Debug, Default)]
struct Line {
    sink: Option<Rc<Sink>>,
    poll: Option<Rc<PollWait>>,
}

/// A GET that waits.
#[derive(Debug, Default)]
struct PollWait {
    waker: RefCell<Option<Waker>>,
    /// Its answer, where the session is gone.
    last: RefCell<Option<Vec<u8>>>,
}

impl PollWait {
    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl Endpoint {
    /// An endpoint of this process, which is `owner` among the gateways; requests for sessions of others are passed on
    /// by `passing`. It subscribes to its topics; its clock is [`Endpoint::run`].
    #[must_use]
    pub fn new(
        options: SocketioOptions,
        owner: Owner,
        bus: Rc<Bus>,
        scratch: Rc<Scratch>,
        passing: Option<Rc<Passing>>,
    ) -> Rc<Self> {
        let options = Rc::new(options);
        let names = Box::new(|| {
            let random = remuda_sys::random::bytes().expect("the kernel gives random bytes once it is up");
            u128::from_be_bytes(random)
        });
        let endpoint = Rc::new(Self {
            crowd: RefCell::new(Crowd::new(Rc::clone(&options), owner, names)),
            options,
            owner,
            lines: RefCell::default(),
            bus,
            scratch,
            passing,
            bell: Notify::new(),
        });
        for kind in FROM_WORKERS {
            let topic = format!("{}.{kind}", endpoint.options.name);
            endpoint.bus.subscribe(topic.as_bytes(), Rc::clone(&endpoint) as Rc<dyn Listener>);
        }
        endpoint
    }

    /// What it is set to.
    #[must_use]
    pub fn options(&self) -> &SocketioOptions {
        &self.options
    }

    /// Its figures, as JSON.
    #[must_use]
    pub fn figures(&self) -> serde_json::Value {
        let crowd = self.crowd.borrow();
        let counts = crowd.counts();
        let (sockets, rooms) = crowd.sockets_and_rooms();
        serde_json::json!({
            "name": self.options.name, "clients": crowd.len(), "sockets": sockets, "rooms": rooms,
            "opened": counts.opened, "emitted": counts.emitted, "delivered": counts.delivered,
            "dropped": counts.dropped, "heard": counts.heard, "bad_letters": counts.bad_letters,
            "violations": counts.violations, "too_slow": counts.too_slow, "timed_out": counts.timed_out,
        })
    }

    /// Keeps time, until it is dropped. To be run in a task of its own.
    pub async fn run(self: Rc<Self>) {
        tokio::task::unconstrained(async move {
            loop {
                let deadline = self.crowd.borrow().deadline();
                let Some(deadline) = deadline else {
                    self.bell.notified().await;
                    continue;
                };
                let wait = deadline.since(boottime());
                if !wait.is_zero() {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.bell.notified() => continue,
                    }
                }
                self.turn(Crowd::tick_now);
            }
        })
        .await;
    }

    /// Lets all clients go, spread over `within`, so that they do not come to the others all at once.
    pub async fn drain(&self, within: Duration) {
        let clients: Vec<Key> = self.crowd.borrow().clients().collect();
        let pause = within / u32::try_from(clients.len().max(1)).unwrap_or(u32::MAX);
        let began = tokio::time::Instant::now();
        for (index, client) in clients.into_iter().enumerate() {
            let due = began + pause.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
            // The timer of the runtime knows milliseconds; less is not waited for.
            if due > tokio::time::Instant::now() + Duration::from_millis(1) {
                tokio::time::sleep_until(due).await;
            }
            self.turn(|crowd, _now| crowd.let_go(client, Reason::ShuttingDown));
        }
    }

    /// Tells the crowd what happened, and does what it orders.
    fn turn<T>(&self, act: impl FnOnce(&mut Crowd, Tick) -> T) -> T {
        let (result, orders, is_nearer) = {
            let mut crowd = self.crowd.borrow_mut();
            let before = crowd.deadline();
            let result = act(&mut crowd, boottime());
            let after = crowd.deadline();
            let is_nearer = after.is_some_and(|after| before.is_none_or(|before| after < before));
            (result, crowd.take_orders(), is_nearer)
        };
        if is_nearer {
            self.bell.notify_one();
        }
        self.carry_out(orders);
        result
    }

    fn carry_out(&self, orders: Orders) {
        for (kind, letter) in orders.letters {
            // One that does not fit is counted there.
            let _waits = self.bus.publish(format!("{}.{kind}", self.options.name).as_bytes(), &letter);
        }
        for client in orders.ready {
            self.reach(client);
        }
        for gone in orders.gone {
            let Some(line) = self.lines.borrow_mut().remove(&gone.client) else { continue };
            if let Some(poll) = line.poll {
                *poll.last.borrow_mut() = Some(gone.body);
                poll.wake();
            }
            if let Some(sink) = line.sink {
                for frame in gone.frames {
                    sink.push(frame.frame().clone());
                }
                if gone.code == remuda_wire::websocket::CloseCode::TRY_AGAIN {
                    sink.cut(gone.code, "too slow");
                } else {
                    sink.close(Some(gone.code), "");
                }
            }
        }
    }

    /// Writes to a client what waits for it, if it can be reached.
    fn reach(&self, client: Key) {
        let lines = self.lines.borrow();
        let Some(line) = lines.get(&client) else { return };
        if let Some(poll) = &line.poll {
            poll.wake();
        }
        if let Some(sink) = &line.sink {
            self.refill(client, sink);
            sink.flush();
        }
    }

    /// Moves what waits for a client to its WebSocket, if that takes it.
    fn refill(&self, client: Key, sink: &Sink) {
        if !sink.is_free() {
            return;
        }
        let mut crowd = self.crowd.borrow_mut();
        let Some(session) = crowd.session(client) else { return };
        while let Some(frame) = session.take_frame() {
            sink.push(frame.frame().clone());
        }
    }

    fn line(&self, client: Key, change: impl FnOnce(&mut Line)) {
        change(self.lines.borrow_mut().entry(client).or_default());
    }

    fn carrier(&self, client: Key) -> Option<Carrier> {
        self.crowd.borrow_mut().session(client).map(|session| session.carrier())
    }
}

impl Listener for Endpoint {
    fn hear(&self, message: &Message) {
        let Some(kind) = message.topic.strip_prefix(self.options.name.as_bytes()) else { return };
        let Some(kind) = kind.strip_prefix(b".").and_then(|kind| str::from_utf8(kind).ok()) else { return };
        if !FROM_WORKERS.contains(&kind) {
            return;
        }
        let mut crowd = self.crowd.borrow_mut();
        let is_first = crowd.counts().bad_letters == 0;
        if let Err(error) = crowd.letter(boottime(), kind, &message.payload)
            && is_first
        {
            log::warn!(
                "a message on {}.{kind} was not followed: {error}; further ones are counted (bad_letters)",
                self.options.name
            );
        }
    }

    fn settle(&self) {
        self.turn(|_crowd, _now| ());
    }
}
