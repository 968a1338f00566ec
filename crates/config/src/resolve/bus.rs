//! `[bus]`.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use remuda_model::hub::{BusAuth, BusSpec, Engine, EngineKind, EngineUrlError, ReplaySpec, SlowPolicy};

use super::{Resolution, or};
use crate::raw::{self, Field, Located, Span};
use crate::report::Problem;

const QUEUE: u64 = 8 << 20;
const QUEUE_MIN: u64 = 4 << 10;
const PATIENCE: Duration = Duration::from_millis(100);
/// Publishers that wait longer would look dead.
const PATIENCE_MAX: Duration = Duration::from_secs(10);
const MESSAGE_MAX: u64 = 64 << 20;
/// One message is in memory as a whole.
const MESSAGE_MOST: u64 = 1 << 30;
const PEERS_MAX: u32 = 10_000;
/// More descriptors than a process can have.
pub(super) const PEERS_MOST: u32 = 1_000_000;
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Each is looked at for each message.
const REPLAYS_MOST: usize = 64;
const REPLAY_MESSAGES: u64 = 1000;
const REPLAY_BYTES: u64 = 8 << 20;

impl Resolution<'_> {
    pub(super) fn bus(&mut self) -> BusSpec {
        let raw = self.file.bus.clone().unwrap_or_default();
        let (listen, open) = self.addresses(&raw.listen);
        let single = |this: &mut Self, field: &Field<remuda_model::Address>| match field {
            Some(written) => {
                let (address, open) = this.address(written);
                (Some(address), open)
            }
            None => (None, None),
        };
        let (pub_listen, open_pub) = single(self, &raw.pub_listen);
        let (pull_listen, open_pull) = single(self, &raw.pull_listen);
        let auth = or(&raw.auth, BusAuth::default());
        if auth == BusAuth::None {
            let hint = "write auth = \"curve\", or \"plain\" in a network that nobody listens to";
            let written = raw.auth.as_ref().and_then(|auth| auth.span.clone());
            for open in [open, open_pub, open_pull] {
                self.guarded("bus", open, written.clone(), hint);
            }
        }
        self.bus_ranges(&raw);
        BusSpec {
            listen,
            pub_listen,
            pull_listen,
            auth,
            curve_keys: self.curve_keys(&raw),
            queue: raw.queue.as_ref().map_or(QUEUE, |size| size.0),
            slow: or(&raw.slow, SlowPolicy::default()),
            patience: raw.patience.as_ref().map_or(PATIENCE, |time| time.0),
            message_max: raw.message_max.as_ref().map_or(MESSAGE_MAX, |size| size.0),
            peers_max: or(&raw.peers_max, PEERS_MAX),
            heartbeat: self.time(&raw.heartbeat, HEARTBEAT),
            replay: self.replays(&raw.replay),
            engine: self.bus_engine(raw.engine.as_ref()),
        }
    }

    fn bus_ranges(&mut self, raw: &raw::Bus) {
        self.demand(&raw.queue, |size| size.0 >= QUEUE_MIN, "a queue has room for 4KiB at least");
        self.demand(&raw.patience, |time| time.0 <= PATIENCE_MAX, "publishers wait for 10s at most");
        let fits = |size: &raw::Size| (1..=MESSAGE_MOST).contains(&size.0);
        self.demand(&raw.message_max, fits, "the largest message has from 1 byte to 1GiB");
        let peers = |count: &u32| (1..=PEERS_MOST).contains(count);
        self.demand(&raw.peers_max, peers, "there is room for 1 to 1000000 peers");
    }

    fn curve_keys(&mut self, raw: &raw::Bus) -> Option<std::path::PathBuf> {
        let wanted = or(&raw.auth, BusAuth::default()) == BusAuth::Curve;
        match &raw.curve_keys {
            Some(keys) if !wanted => {
                let message = "`curve_keys` has no effect without auth = \"curve\"";
                self.problems.push(Problem::warning(keys.span.clone(), message));
                None
            }
            Some(keys) => {
                let path = self.path(keys);
                // The text is the hub's to read: the arbiter has no use for keys.
                let found = path.metadata().map_err(|why| why.to_string());
                let is_file = found.and_then(|found| {
                    if found.is_file() { Ok(()) } else { Err("it is not a regular file".to_owned()) }
                });
                if let Err(why) = is_file {
                    let message = format!("the keys of {} cannot be used: {why}", path.display());
                    self.error(keys.span.as_ref(), message);
                }
                if path.metadata().is_ok_and(|found| found.mode() & 0o077 != 0) {
                    let message =
                        format!("others can read the keys of {}, and one of them is secret", path.display());
                    let problem = Problem::warning(keys.span.clone(), message);
                    self.problems.push(problem.hint(format!("chmod 600 {}", path.display())));
                }
                Some(path)
            }
            None if wanted => {
                let span = raw.auth.as_ref().and_then(|auth| auth.span.clone());
                let problem = Problem::error(span, "auth = \"curve\" needs a file of keys");
                self.problems.push(problem.hint("write where it is: curve_keys = \"bus.keys\""));
                None
            }
            None => None,
        }
    }

    fn replays(&mut self, written: &Field<Vec<Located<raw::Replay>>>) -> Vec<ReplaySpec> {
        let mut seen: Vec<(String, Option<Span>)> = Vec::new();
        let mut replays = Vec::new();
        for replay in written.iter().flat_map(|list| &list.value) {
            let Some(prefix) = &replay.prefix else {
                let problem = Problem::error(replay.span.clone(), "this replay has no `prefix`");
                self.problems.push(problem.hint("write which topics it keeps: prefix = \"chat.\""));
                continue;
            };
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == prefix.value) {
                let problem = Problem::error(
                    prefix.span.clone(),
                    format!("topics that begin with {:?} are kept twice", prefix.value),
                );
                self.problems.push(problem.related(first.clone(), "first here"));
            }
            seen.push((prefix.value.clone(), prefix.span.clone()));
            if replays.len() == REPLAYS_MOST {
                self.error(
                    replay.span.as_ref(),
                    format!("this replay is one too many: there are {REPLAYS_MOST} at most"),
                );
                break;
            }
            self.demand(&replay.messages, |count| *count > 0, "at least one message is kept");
            self.demand(&replay.bytes, |size| size.0 > 0, "at least one byte is kept");
            replays.push(ReplaySpec {
                prefix: prefix.value.clone(),
                messages: or(&replay.messages, REPLAY_MESSAGES),
                bytes: replay.bytes.as_ref().map_or(REPLAY_BYTES, |size| size.0),
            });
        }
        replays
    }

    /// What carries messages.
    fn bus_engine(&mut self, written: Option<&Located<String>>) -> Engine {
        let engine = self.engine(written);
        if let (Some(url), Some(written)) = (engine.external(), written)
            && !matches!(url.kind, EngineKind::Redis | EngineKind::Nats)
        {
            let problem =
                Problem::error(written.span.clone(), "this server cannot carry the bus: it keeps locks only");
            self.problems
                .push(problem.hint("write \"embedded\", \"redis://host:6379\" or \"nats://host:4222\""));
            return Engine::default();
        }
        engine
    }

    pub(super) fn engine(&mut self, written: Option<&Located<String>>) -> Engine {
        let Some(written) = written else { return Engine::default() };
        written.parse().unwrap_or_else(|why: EngineUrlError| {
            self.error(written.span.as_ref(), why.to_string());
            Engine::default()
        })
    }
}
