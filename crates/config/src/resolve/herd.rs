//! `[herd]`.

use std::time::Duration;

use remuda_model::Address;
use remuda_model::hub::HerdSpec;

use super::{Resolution, or};
use crate::raw::{self, Field, Located};
use crate::report::Problem;

const QUEUE: u64 = 64 << 20;
const QUEUE_MIN: u64 = 64 << 10;
const HEARTBEAT: Duration = Duration::from_secs(1);
const HEARTBEAT_MIN: Duration = Duration::from_millis(100);
const HEARTBEAT_MOST: Duration = Duration::from_secs(60);
const FUTURE_MAX: Duration = Duration::from_millis(500);
const FUTURE_MOST: Duration = Duration::from_secs(60);
const TOMBSTONES: Duration = Duration::from_secs(24 * 3600);
const TOMBSTONES_MIN: Duration = Duration::from_secs(60);
const COMPARE_EVERY: Duration = Duration::from_secs(60);
const COMPARE_EVERY_MIN: Duration = Duration::from_secs(1);
/// Servers that one calls; each costs a connection.
const PEERS_MAX: usize = 64;

impl Resolution<'_> {
    pub(super) fn herd(&mut self) -> Option<HerdSpec> {
        let raw = self.file.herd.clone()?;
        // That others can reach it is what it is for, and who they are is shown by certificates.
        let listen = if raw.listen.is_some() { self.addresses(&raw.listen).0 } else { Vec::new() };
        self.only_tcp(&raw.listen);
        let advertise = raw.advertise.as_ref().and_then(|written| self.host_and_port(written));
        let peers = self.peers(&raw.peers);
        self.herd_ranges(&raw);
        Some(HerdSpec {
            listen,
            advertise,
            peers,
            discover: or(&raw.discover, false),
            mode: or(&raw.mode, remuda_model::hub::Spreading::default()),
            filter: or(&raw.filter, true),
            local_topics: prefixes(&raw.local_topics),
            keys: prefixes(&raw.keys),
            queue: raw.queue.as_ref().map_or(QUEUE, |size| size.0),
            heartbeat: self.time(&raw.heartbeat, HEARTBEAT),
            future_max: raw.future_max.as_ref().map_or(FUTURE_MAX, |time| time.0),
            tombstones: self.time(&raw.tombstones, TOMBSTONES),
            compare_every: self.time(&raw.compare_every, COMPARE_EVERY),
        })
    }

    fn herd_ranges(&mut self, raw: &raw::Herd) {
        self.demand(&raw.queue, |size| size.0 >= QUEUE_MIN, "a link's queue has room for 64KiB at least");
        let heartbeat = |time: &raw::Duration| (HEARTBEAT_MIN..=HEARTBEAT_MOST).contains(&time.0);
        self.demand(&raw.heartbeat, heartbeat, "a heartbeat comes every 100ms to 1m");
        self.demand(&raw.future_max, |time| time.0 <= FUTURE_MOST, "a clock may be ahead by 1m at most");
        let kept = |time: &raw::Duration| time.0 >= TOMBSTONES_MIN;
        self.demand(&raw.tombstones, kept, "deletions are remembered for 1m at least");
        let often = |time: &raw::Duration| time.0 >= COMPARE_EVERY_MIN;
        self.demand(&raw.compare_every, often, "stores are compared every 1s at most");
    }

    fn only_tcp(&mut self, listen: &Field<raw::Listen>) {
        for written in listen.iter().flat_map(|listen| &listen.0) {
            if !matches!(written.value, Address::Tcp(_) | Address::TcpHost { .. }) {
                let message = format!("other servers cannot reach {}", written.value);
                let span = written.span.as_ref().or(listen.as_ref().and_then(|listen| listen.span.as_ref()));
                self.error(span, message);
            }
        }
    }

    fn peers(&mut self, written: &Field<Vec<Located<String>>>) -> Vec<String> {
        let mut peers = Vec::new();
        for peer in written.iter().flat_map(|list| &list.value) {
            let Some(address) = self.host_and_port(peer) else { continue };
            if peers.contains(&address) {
                self.error(peer.span.as_ref(), format!("{address} is listed twice"));
                continue;
            }
            peers.push(address);
        }
        if peers.len() > PEERS_MAX {
            let span = written.as_ref().and_then(|list| list.span.clone());
            self.error(
                span.as_ref(),
                format!("{} peers are more than the {PEERS_MAX} that are possible", peers.len()),
            );
        }
        peers
    }

    /// An address that can be called: a host, and a port that is not 0.
    fn host_and_port(&mut self, written: &Located<String>) -> Option<String> {
        let why = match written.value.parse::<Address>() {
            Ok(Address::Tcp(at)) if at.port() == 0 => "nobody listens on port 0".to_owned(),
            Ok(Address::Tcp(at)) if at.ip().is_unspecified() => format!("{} is no server's address", at.ip()),
            Ok(Address::TcpHost { port: 0, .. }) => "nobody listens on port 0".to_owned(),
            Ok(Address::Tcp(_) | Address::TcpHost { .. }) => return Some(written.value.clone()),
            Ok(_) => "it is no TCP address".to_owned(),
            Err(_) => "it is not a host and a port".to_owned(),
        };
        let message = format!("{:?} cannot be called: {why}", written.value);
        let problem = Problem::error(written.span.clone(), message);
        self.problems.push(problem.hint("write a host and a port: \"10.0.0.2:7946\""));
        None
    }
}

fn prefixes(written: &Field<Vec<Located<String>>>) -> Vec<String> {
    written.iter().flat_map(|list| &list.value).map(|prefix| prefix.value.clone()).collect()
}
