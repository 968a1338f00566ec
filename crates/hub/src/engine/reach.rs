//! How a hub begins with engines: reached before it takes over from another hub, or while it serves already.
//!
//! A hub that follows another one reaches its engines first: the former serves meanwhile, and no client hears that an
//! engine is away which is not. If it cannot, it ends, and the former goes on: a wrong password in a new config changes
//! nothing. A hub that follows none serves at once what needs no engine, and is ready when its engines are there, or after
//! [`READY_WITHIN`] without them.

use std::time::Duration;

use remuda_bus::Bus;
use remuda_model::Tick;
use remuda_model::hub::Events;
use remuda_sys::clock;
use remuda_sys::event::{Interest, Poller, Readiness};
use remuda_toolkit::{Notifier, Quit};

use super::bus_news::News;
use super::line::Line;
use super::{BUS, BusLink, Engines, Gateway, LOCKS, RESOLVER, STORE};
use crate::error::HubError;
use crate::hub::{Hub, moment};

/// A hub whose engines are not there by then is ready without them: what needs them is refused, all else works.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of one read; engines say little before they are asked for something.
const READ_BYTES: usize = 16 * 1024;

impl Engines {
    /// Has the resolver's answers watched.
    pub(crate) fn watch(&self, poller: &Poller) -> Result<(), HubError> {
        if let Some(resolver) = &self.resolver {
            poller.add(resolver, RESOLVER, Interest::Read)?;
        }
        Ok(())
    }

    /// Waits until all engines are there, or until `quit` says otherwise. `poller` watches both; `bus` has no members yet.
    ///
    /// # Errors
    /// One is not there after [`READY_WITHIN`].
    pub(crate) fn reach(&mut self, poller: &mut Poller, quit: &Quit, bus: &mut Bus) -> Result<(), HubError> {
        let until = clock::boottime() + READY_WITHIN;
        let mut scratch = vec![0; READ_BYTES];
        while !self.are_reached() && !quit.is_asked() {
            let now = clock::boottime();
            if now >= until {
                return Err(HubError::Engine(self.refusals()));
            }
            self.step(now, poller);
            let due = self
                .every_line()
                .filter(|line| !line.is_up())
                .filter_map(|line| line.due(Duration::ZERO))
                .min();
            let due = due.map_or(until, |due| due.min(until));
            let news: Vec<Readiness> = poller.wait(Some(due.since(now)))?.collect();
            let now = clock::boottime();
            for news in news {
                self.hear(news, now, poller, &mut scratch, bus);
            }
        }
        Ok(())
    }

    fn every_line(&self) -> impl Iterator<Item = &Line> {
        let lines = self.bus.iter().map(|bus| &bus.line).chain(self.store.iter().map(|store| &store.line));
        lines.chain(self.locks.iter().map(|locks| &locks.line))
    }

    /// Why those that are not up are not.
    fn refusals(&self) -> String {
        let away: Vec<String> = self.every_line().filter(|line| !line.is_up()).map(Line::refusal).collect();
        away.join("; ")
    }

    /// Does what is due, and writes.
    fn step(&mut self, now: Tick, poller: &Poller) {
        let Self { bus, store, locks, resolver, .. } = self;
        let Some(resolver) = resolver else { return };
        if let Some(link) = locks {
            link.line.step(now, poller, resolver);
            link.check(now, poller);
        }
        if let Some(link) = bus {
            link.line.step(now, poller, resolver);
            if let Err(error) = link.flush(poller) {
                link.fail(&error, now);
            }
        }
        if let Some(store) = store {
            store.line.step(now, poller, resolver);
            if let Err(error) = store.line.flush(poller) {
                store.line.fail(&error, now);
            }
        }
    }

    fn hear(&mut self, news: Readiness, now: Tick, poller: &Poller, scratch: &mut [u8], bus: &mut Bus) {
        match (news.token, &mut self.bus, &mut self.store) {
            (RESOLVER, ..) => self.resolved(now, poller),
            (LOCKS, ..) => {
                if let Some(link) = &mut self.locks {
                    link.hear(news, now, scratch);
                }
            }
            (BUS, Some(link), _) => {
                if let Err(error) = greet_bus(link, news, now, scratch, bus) {
                    link.fail(&error, now);
                }
            }
            (STORE, _, Some(store)) => {
                if let Err(error) = greet_store(store, news, now, scratch, bus) {
                    store.line.fail(&error, now);
                }
            }
            _ => {}
        }
    }

    /// Names were resolved.
    pub(crate) fn resolved(&mut self, now: Tick, poller: &Poller) {
        let Self { bus, store, locks, resolver, .. } = self;
        let Some(resolver) = resolver else { return };
        for (who, found) in resolver.found() {
            let line = match (&mut *bus, &mut *store, &mut *locks) {
                (Some(bus), ..) if who == BUS.0 => &mut bus.line,
                (_, Some(store), _) if who == STORE.0 => &mut store.line,
                (.., Some(locks)) if who == LOCKS.0 => &mut locks.line,
                _ => continue,
            };
            line.resolved(found, now, poller);
        }
    }
}

fn greet_bus(
    link: &mut BusLink,
    news: Readiness,
    now: Tick,
    scratch: &mut [u8],
    bus: &mut Bus,
) -> Result<(), String> {
    if !link.hear(news, now, scratch)? {
        return Ok(());
    }
    while let Some(news) = link.read(bus)? {
        if let News::Greeted = news {
            link.greeted(now);
        }
    }
    Ok(())
}

fn greet_store(
    store: &mut Gateway,
    news: Readiness,
    now: Tick,
    scratch: &mut [u8],
    bus: &mut Bus,
) -> Result<(), String> {
    store.hear_line(news, now, scratch, bus, Events::Off)
}

impl Hub {
    /// Says that the hub is ready as soon as its engines are there, or [`READY_WITHIN`] after it began without them.
    pub(crate) fn be_ready(&mut self, notifier: Notifier) {
        self.core.moment = moment();
        self.core.engines.ready = Some((notifier, self.core.began + READY_WITHIN));
        self.drive_engines();
        self.say_ready();
    }

    pub(crate) fn say_ready(&mut self) {
        let Some((_, by)) = &self.core.engines.ready else { return };
        let are_there = self.core.engines.are_reached();
        if !are_there && *by > self.core.moment.tick {
            return;
        }
        let Some((notifier, _)) = self.core.engines.ready.take() else { return };
        if !are_there {
            let seconds = READY_WITHIN.as_secs();
            self.core.say(&format!(
                "an engine is not there after {seconds} s: the hub serves without it until it is"
            ));
        }
        // Whoever does not listen to us is no reason not to serve.
        if let Err(error) = notifier.ready() {
            self.core.say(&error);
        }
    }
}
