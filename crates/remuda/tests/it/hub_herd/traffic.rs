//! Clients of all servers that publish, write and listen, whatever happens to the servers.
//!
//! Each server has one client that writes and one that listens. In the end messages are looked at: what each listener
//! heard of each server has to be in order, nothing twice, and nothing missing but what the servers counted, or what a
//! server that was killed could not tell any more, or could not hear.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use remuda_toolkit::client::{Heard, Hub};

use super::ledger::{Deed, Entry, Ledger};
use crate::harness::until;

/// Between a client's rounds of commands: five servers in an unoptimised build and all their links have to keep up.
const PACE: Duration = Duration::from_millis(40);
/// Rounds that are some.
const ROUNDS: u64 = 10;
/// The number of a message that is the last.
const END: u64 = u64::MAX;
/// What was told to a server so shortly before it was killed may have died with it; and who was away so shortly may not have
/// told the others yet what it wants.
const NEAR: Duration = Duration::from_secs(1);

/// What the listener of one server heard: of each server, in order.
type Account = Arc<Mutex<Vec<Vec<u64>>>>;

/// The clients.
pub(crate) struct Traffic {
    hubs: Vec<Hub>,
    began: Instant,
    is_over: Arc<AtomicBool>,
    is_heard: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Vec<Entry>>>,
    rounds: Vec<Arc<AtomicU64>>,
    accounts: Vec<Account>,
    outages: Vec<(usize, Instant, Instant)>,
}

impl Traffic {
    /// Begins, once everybody hears everybody.
    pub(crate) fn begin(hubs: &[Hub]) -> Self {
        let (is_over, is_heard) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let accounts: Vec<Account> =
            hubs.iter().map(|_| Arc::new(Mutex::new(vec![Vec::new(); hubs.len()]))).collect();
        for (hub, account) in hubs.iter().zip(&accounts) {
            let (hub, account, is_heard) = (hub.clone(), Arc::clone(account), Arc::clone(&is_heard));
            std::thread::spawn(move || listen(&hub, &account, &is_heard));
        }
        for (from, hub) in hubs.iter().enumerate() {
            until("everybody to hear the first message", || {
                hub.store().publish(b"news.rain", format!("{from} 0").as_bytes()).unwrap();
                // A pace: it is said again until all hear it, which no clock decides.
                std::thread::sleep(Duration::from_millis(5));
                accounts.iter().all(|account| !account.lock().unwrap()[from].is_empty())
            });
        }
        let rounds: Vec<Arc<AtomicU64>> = hubs.iter().map(|_| Arc::default()).collect();
        let writers = hubs.iter().zip(&rounds).enumerate().map(|(server, (hub, round))| {
            let (hub, is_over, round) = (hub.clone(), Arc::clone(&is_over), Arc::clone(round));
            std::thread::spawn(move || write(server, &hub, &is_over, &round))
        });
        let writers = writers.collect();
        let outages = Vec::new();
        Self {
            hubs: hubs.to_vec(),
            began: Instant::now(),
            is_over,
            is_heard,
            writers,
            rounds,
            accounts,
            outages,
        }
    }

    /// Waits until every writer has done some rounds more, or tried to.
    #[track_caller]
    pub(crate) fn goes_on(&self) {
        let rounds =
            || -> Vec<u64> { self.rounds.iter().map(|round| round.load(Ordering::SeqCst)).collect() };
        let before = rounds();
        until("clients to go on", || {
            rounds().iter().zip(&before).all(|(now, before)| now - before >= ROUNDS)
        });
    }

    /// A server was gone for a while: what it was told shortly before may be lost, and its listener missed something.
    pub(crate) fn note_outage(&mut self, server: usize, from: Instant) {
        self.outages.push((server, from - NEAR, Instant::now() + NEAR));
    }

    /// Ends the clients, when all is mended; what they did. `counted` are messages that the servers say were lost.
    #[track_caller]
    pub(crate) fn end(mut self, counted: impl FnOnce() -> u64) -> Ledger {
        self.is_over.store(true, Ordering::SeqCst);
        let writers = std::mem::take(&mut self.writers);
        let entries = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        let ledger = Ledger { entries };
        for (from, hub) in self.hubs.iter().enumerate() {
            until("the last message to be heard everywhere", || {
                hub.store().publish(b"news.end", format!("{from} {END}").as_bytes()).unwrap();
                // A pace, as of the first message.
                std::thread::sleep(Duration::from_millis(20));
                self.accounts.iter().all(|account| account.lock().unwrap()[from].last() == Some(&END))
            });
        }
        self.is_heard.store(true, Ordering::SeqCst);
        let counted = counted();
        let mut missing = 0;
        for (listener, account) in self.accounts.iter().enumerate() {
            for (from, heard) in account.lock().unwrap().iter().enumerate() {
                missing += self.missing(listener, from, heard, &ledger.entries[from]);
            }
        }
        assert!(missing <= counted, "{missing} messages are missing, and the servers counted {counted}");
        ledger
    }

    /// Messages that a listener should have heard from a server and did not. None came twice, or before another.
    fn missing(&self, listener: usize, from: usize, heard: &[u64], entries: &[Entry]) -> u64 {
        let numbers: Vec<u64> = heard.iter().copied().filter(|number| (1..END).contains(number)).collect();
        let unordered = numbers.windows(2).find(|pair| pair[0] >= pair[1]);
        assert!(unordered.is_none(), "server {listener} heard of server {from} out of order: {unordered:?}");
        let heard: BTreeSet<u64> = numbers.into_iter().collect();
        let is_excused = |entry: &Entry| {
            let is_near = |(server, begin, end): &(usize, Instant, Instant)| {
                (*server == listener || *server == from) && *begin <= entry.to && entry.to <= *end
            };
            self.outages.iter().any(is_near)
        };
        let mut missing = Vec::new();
        for entry in entries.iter().filter(|entry| entry.is_acknowledged && !is_excused(entry)) {
            if let Deed::Published(number) = entry.deed
                && !heard.contains(&number)
            {
                missing.push((number, entry.to - self.began));
            }
        }
        if !missing.is_empty() {
            let outages = self
                .outages
                .iter()
                .map(|(server, begin, end)| (*server, *begin - self.began, *end - self.began));
            println!(
                "server {listener} has not heard of server {from}: {missing:?}; {:?}",
                outages.collect::<Vec<_>>()
            );
        }
        u64::try_from(missing.len()).unwrap()
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.is_heard.store(true, Ordering::SeqCst);
    }
}

fn listen(hub: &Hub, account: &Account, is_heard: &AtomicBool) {
    let mut subscription = hub.subscribe([&b"news."[..]]);
    while !is_heard.load(Ordering::SeqCst) {
        match subscription.next(Duration::from_millis(50)) {
            Ok(Some(Heard::Message(message))) => {
                let text = String::from_utf8(message.payload).unwrap();
                let (from, number) = text.split_once(' ').unwrap();
                let (from, number): (usize, u64) = (from.parse().unwrap(), number.parse().unwrap());
                account.lock().unwrap()[from].push(number);
            }
            Ok(None | Some(Heard::Back | Heard::Missed(_))) => {}
            // The server is gone, and tried again at once: the outage that is noted ends with the server's, not with a pause
            // of the client's.
            Ok(Some(Heard::Away(_))) | Err(_) => {
                subscription = hub.subscribe([&b"news."[..]]);
                while subscription.connect().is_err() && !is_heard.load(Ordering::SeqCst) {
                    // A pace of calls to a server that is away; each is tried until it is back.
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
    }
}

fn write(server: usize, hub: &Hub, is_over: &AtomicBool, rounds: &AtomicU64) -> Vec<Entry> {
    let mut store = hub.store();
    let mut entries = Vec::new();
    let mut number = 0;
    while !is_over.load(Ordering::SeqCst) {
        number += 1;
        let value = format!("{server}-{number}");
        let (key, field) = (format!("s:text:{}", number % 20), format!("{}", number % 10));
        let news = format!("{server} {number}");
        let round: [(Deed, &[&[u8]]); 5] = [
            (Deed::Published(number), &[b"PUBLISH", b"news.rain", news.as_bytes()]),
            (Deed::Set(key.clone(), value.clone()), &[b"SET", key.as_bytes(), value.as_bytes()]),
            (Deed::Counted, &[b"INCR", b"s:count"]),
            (Deed::Added(value.clone()), &[b"SADD", b"s:set", value.as_bytes()]),
            (
                Deed::Set(format!("field:{field}"), value.clone()),
                &[b"HSET", b"s:hash", field.as_bytes(), value.as_bytes()],
            ),
        ];
        for (deed, command) in round {
            let from = Instant::now();
            let is_acknowledged = store.command(command).is_ok();
            entries.push(Entry { deed, from, to: Instant::now(), is_acknowledged });
        }
        rounds.store(number, Ordering::SeqCst);
        std::thread::sleep(PACE);
    }
    entries
}
