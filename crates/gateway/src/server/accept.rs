//! Taking connections, and what is done when there is no room for more.
//!
//! What cannot be taken waits in the listener's queue, where another worker may take it: nobody is refused who could be
//! served in a moment. Room is made by closing connections that have waited longest for a request.

use std::cell::RefCell;
use std::fs::File;
use std::future::{Future, poll_fn};
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use remuda_sys::socket::is_of_one_connection;
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;

use super::begin::{self, Guest};
use super::patience::SWEEP_EVERY;
use super::{Handler, Listener, Peer, Server, Transport, introduction};

/// How long nothing is accepted when there is no room, until it is looked again, unless a connection ends before.
const PAUSE: Duration = Duration::from_millis(100);
/// Idle connections closed at once to make room.
const SHED_AT_ONCE: usize = 16;
/// Tasks of ended connections that are let go for each new one: more than one, so that none are left over. Until then they
/// keep their memory, and where each connection has one request, half a second is ten thousand of them.
const LET_GO_AT_ONCE: usize = 2;
/// What a client is told that cannot be served and would otherwise wait for nothing.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 24\r\nContent-Type: text/plain\r\n\
    Retry-After: 1\r\nConnection: close\r\n\r\n503 Service Unavailable\n";

/// Tasks of connections; the server's run owns them.
type Tasks = Rc<RefCell<JoinSet<()>>>;

impl Server {
    /// Accepts on `listeners` and serves with `handler` until `quit` is there; then lets all connections come to their
    /// end, for `drain_within` at most. What is not done by then is cut.
    ///
    /// To be run in a [`LocalSet`](tokio::task::LocalSet).
    pub async fn run<H: Handler>(
        self: &Rc<Self>,
        listeners: Vec<Listener>,
        handler: Rc<H>,
        quit: impl Future<Output = ()>,
        drain_within: Duration,
    ) {
        let tasks = Tasks::default();
        let mut accepting = JoinSet::new();
        let doors: Vec<_> = listeners.into_iter().map(|listener| Door::new(self, listener)).collect();
        let accept = async {
            let mut all: Vec<_> = doors.iter().map(|door| Box::pin(door.accept(&handler, &tasks))).collect();
            poll_fn(|context| {
                for one in &mut all {
                    let _never = one.as_mut().poll(context);
                }
                Poll::<()>::Pending
            })
            .await;
        };
        accepting.spawn_local(sweep(Rc::clone(self), Rc::clone(&tasks)));
        tokio::select! {
            () = quit => {}
            () = accept => {}
        }
        drop(doors);
        self.drain.begin();
        if tokio::time::timeout(drain_within, self.all_done()).await.is_err() {
            self.figures.count("cut-at-end");
            self.patience.cut();
            // A turn for those who notice; the others end with the process.
            tokio::task::yield_now().await;
        }
        accepting.shutdown().await;
    }

    async fn all_done(&self) {
        while self.open() > 0 {
            let freed = self.freed.notified();
            if self.open() == 0 {
                break;
            }
            freed.await;
        }
    }
}

/// Looks at all connections again and again, and lets go what is left of those that have ended.
async fn sweep(server: Rc<Server>, tasks: Tasks) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        server.patience.sweep(&server.limits, server.drain.has_begun());
        while tasks.borrow_mut().try_join_next().is_some() {}
    }
}

/// A listener with what it needs to be honest when descriptors run out.
struct Door {
    server: Rc<Server>,
    listener: Listener,
    /// A descriptor that is kept for the moment when there is no other.
    reserve: RefCell<Option<File>>,
    /// Whether connections begin with the PROXY protocol.
    is_introduced: bool,
}

impl Door {
    fn new(server: &Rc<Server>, listener: Listener) -> Self {
        let is_introduced = server.limits.introduced.iter().any(|name| **name == **listener.name());
        Self { server: Rc::clone(server), listener, reserve: RefCell::new(reserve()), is_introduced }
    }

    async fn accept<H: Handler>(&self, handler: &Rc<H>, tasks: &Tasks) {
        loop {
            // However many come, those that were taken have their turns.
            consume_budget().await;
            match self.listener.accept().await {
                Ok((transport, peer)) => {
                    self.wait_for_room().await;
                    self.take(transport, peer, handler, tasks);
                }
                Err(error) if is_of_one_connection(&error) => {}
                // Nobody comes here any more, because everything ends; or somebody shut it down who should not have, and
                // it will listen again.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => tokio::time::sleep(PAUSE).await,
                Err(error) => self.no_descriptors(&error).await,
            }
        }
    }

    fn take<H: Handler>(&self, transport: Transport, peer: Peer, handler: &Rc<H>, tasks: &Tasks) {
        if !self.server.admit(&peer) {
            self.server.figures.count("too-many-of-one-address");
            return;
        }
        let (server, handler) = (Rc::clone(&self.server), Rc::clone(handler));
        let (tls, is_introduced) = (self.listener.tls().cloned(), self.is_introduced);
        let mut tasks = tasks.borrow_mut();
        for _ in 0..LET_GO_AT_ONCE {
            if tasks.try_join_next().is_none() {
                break;
            }
        }
        tasks.spawn_local(async move {
            let peer = if is_introduced {
                introduction::receive(&transport, &server, peer).await
            } else {
                Some(peer)
            };
            if let Some(peer) = peer {
                begin::serve(Guest::new(server, peer), transport, tls, handler).await;
            }
        });
    }

    /// Where there are too many connections, those that do nothing go first. One that was accepted waits meanwhile, and
    /// the others in the queue.
    async fn wait_for_room(&self) {
        if self.server.open() >= self.server.limits.connections_max {
            self.server.figures.count("too-many-connections");
        }
        while self.server.open() >= self.server.limits.connections_max {
            let freed = self.server.freed.notified();
            self.server.patience.shed(1);
            let _elapsed = tokio::time::timeout(PAUSE, freed).await;
        }
    }

    /// The kernel gives no descriptor. One client is told so, with the one that was kept, unless others can be closed.
    async fn no_descriptors(&self, error: &io::Error) {
        if is_new(&self.server) {
            log::warn!(
                "accept a connection on {}: {error}; none is accepted for a moment",
                self.listener.name()
            );
        }
        self.server.figures.count("out-of-descriptors");
        let freed = self.server.freed.notified();
        if self.server.patience.shed(SHED_AT_ONCE) == 0
            && self.reserve.take().is_some()
            && let Ok(Ok((transport, _))) = tokio::time::timeout(PAUSE, self.listener.accept()).await
        {
            // A socket that was just made has room for this much.
            let _written = poll_fn(|context| transport.poll_write(context, NO_ROOM)).await;
        }
        let _elapsed = tokio::time::timeout(PAUSE, freed).await;
        if self.reserve.borrow().is_none() {
            self.reserve.replace(reserve());
        }
    }
}

/// Whether it is told for the first time: once is enough for a log, the figures have the rest.
fn is_new(server: &Server) -> bool {
    !server.figures.tell().events.contains_key("out-of-descriptors")
}

fn reserve() -> Option<File> {
    File::open("/dev/null").ok()
}
