//! This server as a member of the herd: links with others, messages that spread, keys that are shared.
//!
//! Who is there and what goes where is decided by machines ([`remuda_herd`]), who may speak is decided by certificates
//! ([`remuda_trust`]); here are the sockets, the bus and the store that these work on. All of it runs in the hub's loop;
//! names are resolved and files are read by threads.
//!
//! | module | what it holds |
//! |---|---|
//! | `dial`, `peer` | getting there, and one connection |
//! | `strangers` | those who called, and have not shown who they are |
//! | `drive`, `carry`, `frames` | the loop's turn, what the machine orders, what peers say |
//! | `topics` | messages as they travel, and which are wanted |
//! | `keys`, `held`, `shelf`, `touch` | keys that are shared |
//! | `relay` | what is said to servers that there is no link with |
//! | `clerk`, `folder` | keys and certificates |
//! | `rival` | another server with this one's number |
//! | `leave` | another hub of this server follows |
//! | `report` | what operators see |

pub(crate) mod carry;
pub(crate) mod clerk;
mod dial;
mod drive;
mod folder;
pub(crate) mod frames;
mod held;
pub(crate) mod keys;
mod leave;
pub(crate) mod peer;
mod relay;
mod report;
mod rival;
mod shelf;
mod strangers;
mod topics;
pub(crate) mod touch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use remuda_bus::Origin;
use remuda_herd::spread::{HaveOrigin, Input, Mode, Order, Payload, Spread, SpreadOptions};
use remuda_herd::{Epoch, NodeId};
use remuda_model::Tick;
use remuda_model::hub::{HerdSpec, HubSpec, Spreading};
use remuda_model::message::Batch;
use remuda_store::Moment;
use remuda_sys::event::Token;
use remuda_trust::session::{Hello, Versions};
use remuda_trust::{Endpoint, Folder, FolderStamp, Membership, system_clock};

use self::clerk::Clerk;
use self::dial::Dials;
use self::keys::{Saved, SharedKeys};
use self::relay::Relays;
use self::rival::Rival;
use self::strangers::Strangers;
use self::topics::{Gathered, Wanted};
use self::touch::Gone;
use crate::core::Core;
use crate::engine::resolver::Resolver;
use crate::error::HubError;
use crate::table::Key;

/// Tokens of what belongs to the herd and is no connection.
pub(crate) const RESOLVER: Token = Token(3);
pub(crate) const CLERK: Token = Token(4);

/// Connections with other servers at once, less those of strangers, who have places of their own: a server has some
/// dozens of links at most.
pub(crate) const SERVERS_MAX: usize = 256;
/// With so many nobody who calls is let in, so that there is room for calls of our own.
pub(crate) const ACCEPTED_MAX: usize = 192;
/// Somebody who asks a signer has so long for the question.
pub(crate) const ASKED_WITHIN: Duration = Duration::from_secs(10);
/// Changes of what is wanted are gathered for so long before others are told.
const TOLD_EVERY: Duration = Duration::from_millis(20);

/// This server's part in the herd.
#[derive(Debug)]
pub(crate) struct Herd {
    folder: Folder,
    addresses: Vec<String>,
    seed: u64,
    pub(crate) resolver: Resolver,
    pub(crate) clerk: Clerk,
    wanted: Wanted,
    told_at: Tick,
    /// The state of the folder that was read last, and when it is looked at again.
    stamp: FolderStamp,
    look_at: Tick,
    renew_at: Tick,
    /// Why it takes no part.
    trouble: String,
    /// Whether a life could not begin though it is a member: that is tried again.
    is_unborn: bool,
    rival: Rival,
    strangers: Strangers,
    /// Where a former hub of this server stood.
    standing: Vec<HaveOrigin>,
    /// How long it was there.
    lived: Duration,
    pub(crate) inside: Option<Box<Inside>>,
    /// What a Redis client has published in this turn, and who it was.
    published: Gathered,
    publisher: Origin,
    refused: u64,
    relays: Relays,
    /// What was written down of shared keys, until there is a member to take it.
    pub(crate) saved: Saved,
    /// Keys that went by themselves since the journal was told last.
    pub(crate) gone: Vec<Gone>,
    /// Whether somebody is owed answers about keys for which there may be room now.
    is_awake: bool,
}

/// What a member has.
#[derive(Debug)]
pub(crate) struct Inside {
    membership: Membership,
    endpoint: Arc<Endpoint>,
    epoch: Epoch,
    spread: Spread,
    orders: Vec<Order>,
    dials: Dials,
    /// Connections that are links of the machine.
    links: BTreeMap<Key, NodeId>,
    /// Shared keys, where there are any.
    keys: Option<SharedKeys>,
}

/// The clock that the machines and sessions have: since the machine started, going forward only.
pub(crate) fn time(now: Tick) -> Duration {
    Duration::from_millis(now.0)
}

impl Herd {
    /// Takes part, if the folder says that this server is a member. `addresses` are those its listeners have.
    pub(crate) fn new(spec: &HubSpec, bound: Vec<String>, seed: u64) -> Result<Option<Self>, HubError> {
        let Some(herd) = &spec.herd else { return Ok(None) };
        let folder = Folder::in_state(&spec.state_dir);
        let addresses = herd.advertise.clone().map_or(bound, |address| vec![address]);
        Ok(Some(Self {
            clerk: Clerk::new(folder.clone())?,
            resolver: Resolver::new()?,
            wanted: Wanted::new(spec.bus.replay.iter().map(|ring| ring.prefix.as_str())),
            told_at: Tick::default(),
            stamp: folder.stamp(),
            folder,
            addresses,
            seed,
            look_at: Tick::default(),
            renew_at: Tick::default(),
            trouble: String::new(),
            is_unborn: false,
            rival: Rival::default(),
            strangers: Strangers::default(),
            standing: Vec::new(),
            lived: Duration::ZERO,
            inside: None,
            published: Gathered::default(),
            publisher: Origin(0),
            refused: 0,
            relays: Relays::default(),
            saved: Saved::default(),
            gone: Vec::new(),
            is_awake: false,
        }))
    }

    /// Where the former hub of this server stood, whose subscribers are ours now.
    pub(crate) fn resume_from(&mut self, standing: Vec<HaveOrigin>, lived: Duration) {
        (self.standing, self.lived) = (standing, lived);
    }

    /// What this server is called in the herd, once it is a member.
    pub(crate) fn node_name(&self) -> Option<&str> {
        self.inside.as_ref().map(|inside| inside.membership.node.name.as_str())
    }

    /// Where this hub stands, for the one that follows.
    pub(crate) fn standing(&self) -> Vec<HaveOrigin> {
        self.inside.as_ref().map(|inside| inside.spread.standing()).unwrap_or_default()
    }

    /// How long this server is there, whatever hubs it had.
    pub(crate) fn lived(&self) -> Duration {
        self.inside.as_ref().map(|inside| inside.spread.lived()).unwrap_or_default()
    }

    /// When something is due.
    pub(crate) fn due(&self) -> Option<Tick> {
        let news = self.wanted.is_news.then(|| self.told_at + TOLD_EVERY);
        let inside = self.inside.as_ref();
        let machine = inside.and_then(|inside| inside.spread.deadline());
        // Rounded up: a turn that comes too early finds nothing to do.
        let machine =
            machine.map(|at| Tick(u64::try_from(at.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)));
        let dials = inside.and_then(|inside| inside.dials.due());
        let keys = inside.and_then(|inside| inside.keys.as_ref());
        let keys = keys.map(|keys| Tick(keys.replica.deadline_tick_ms()));
        [Some(self.look_at), news.filter(|_| inside.is_some()), machine, dials, keys, self.rival.due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether orders wait to be carried out.
    pub(crate) fn has_orders(&self) -> bool {
        let Some(inside) = &self.inside else { return self.is_awake || self.has_relays() };
        let has_letters = inside.keys.as_ref().is_some_and(|keys| !keys.letters.is_empty());
        self.is_awake
            || has_letters
            || self.has_relays()
            || !inside.orders.is_empty()
            || !self.published.is_empty()
    }

    /// Tells the machine something, behind what was published.
    pub(crate) fn step(&mut self, now: Tick, input: Input) {
        self.tell_published(now);
        if let Some(inside) = &mut self.inside {
            inside.spread.step(time(now), input, &mut inside.orders);
        }
    }

    /// Tells the machine what a Redis client has published so far.
    pub(crate) fn tell_published(&mut self, now: Tick) {
        if let Some(batch) = self.published.take()
            && let Some(inside) = &mut self.inside
        {
            inside.spread.step(time(now), Input::Publish(batch), &mut inside.orders);
        }
    }

    /// Gathers what one Redis client publishes in a turn. What several publish does not go together: whoever sees the wire
    /// learns from the length of what is compressed how much one says what the other says.
    fn gather(&mut self, now: Tick, publisher: Origin, topic: &[u8], payload: &[u8]) {
        if self.publisher != publisher || self.published.len() >= Payload::TOGETHER_MAX {
            self.tell_published(now);
            self.publisher = publisher;
        }
        self.published.add_pair(topic, payload);
    }

    /// A new life begins.
    fn enter(
        &mut self,
        hub: &HubSpec,
        membership: Membership,
        epoch: Epoch,
        moment: Moment,
    ) -> Result<(), String> {
        let now = moment.tick;
        let Some(spec) = &hub.herd else { return Ok(()) };
        let endpoint = membership.endpoint(system_clock()).map_err(|error| error.to_string())?;
        let node = &membership.node;
        let mut addresses = self.addresses.clone();
        if addresses.is_empty() {
            addresses = membership.member.addresses.iter().map(ToString::to_string).collect();
        }
        let options = options(spec, node.name.as_str().to_owned(), addresses);
        let mut spread = Spread::new(node.id, epoch, options, self.seed ^ epoch.0);
        let mut orders = Vec::new();
        spread.resume(time(now), self.lived, &std::mem::take(&mut self.standing));
        for removal in membership.trust.removals().iter() {
            spread.step(time(now), Input::Remove(removal.node), &mut orders);
        }
        for peer in membership.member.peers.iter().filter(|_| spec.discover) {
            let addresses = peer.addresses.iter().map(ToString::to_string).collect();
            spread.step(time(now), Input::Introduce { node: peer.id, addresses }, &mut orders);
        }
        log::info!("node {} of herd {}, life {epoch}", node.name, node.herd);
        let has_keys = !spec.keys.is_empty() && hub.store.engine.external().is_none();
        let keys = has_keys.then(|| {
            let saved = std::mem::take(&mut self.saved);
            SharedKeys::new(spec, node.id, epoch, moment, self.seed.rotate_left(29), saved)
        });
        self.wanted.is_news = true;
        self.trouble.clear();
        self.is_unborn = false;
        self.inside = Some(Box::new(Inside {
            dials: Dials::new(&spec.peers, self.seed.rotate_left(17) ^ epoch.0),
            endpoint: Arc::new(endpoint),
            membership,
            epoch,
            spread,
            orders,
            links: BTreeMap::new(),
            keys,
        }));
        Ok(())
    }
}

impl Inside {
    /// What is said of this node first.
    fn hello(&self, wall_ms: u64) -> Hello {
        let node = &self.membership.node;
        Hello {
            versions: Versions { lowest: Spread::PROTOCOL, highest: Spread::PROTOCOL },
            herd: node.herd.clone(),
            node: node.id,
            name: node.name.clone(),
            epoch: self.epoch,
            features: 0,
            clock_ms: wall_ms,
        }
    }

    fn is_linked(&self, node: NodeId) -> bool {
        self.links.values().any(|linked| *linked == node)
    }
}

/// How the machine takes part: times are multiples of the heartbeat, as its defaults are of one second.
fn options(spec: &HerdSpec, name: String, addresses: Vec<String>) -> SpreadOptions {
    let beat = spec.heartbeat;
    SpreadOptions {
        name,
        addresses,
        mode: match spec.mode {
            Spreading::Auto => Mode::Auto,
            Spreading::Flood => Mode::Flood,
            Spreading::Tree => Mode::Tree,
        },
        is_filtering: spec.filter,
        is_discovering: spec.discover,
        cache_bytes_max: usize::try_from(spec.queue).unwrap_or(usize::MAX),
        ping_every: beat,
        suspect_after: beat * 5 / 2,
        down_after: beat * 8,
        down_after_least: beat * 4,
        ..SpreadOptions::default()
    }
}

impl Core {
    /// A message of a Redis client goes to the other servers.
    pub(crate) fn spread_pair(&mut self, publisher: Origin, topic: &[u8], payload: &[u8]) {
        let now = self.moment.tick;
        let Some((herd, kept)) = self.spreading() else { return };
        if !topics::is_local(topic, kept) {
            herd.gather(now, publisher, topic, payload);
        }
    }

    /// Messages of a ZeroMQ peer go to the other servers.
    pub(crate) fn spread_batch(&mut self, batch: &Batch) {
        let now = self.moment.tick;
        let Some((herd, kept)) = self.spreading() else { return };
        for stretch in topics::travelling(batch, kept) {
            let mut batch = batch.stretch(stretch);
            if batch.bytes.len() < topics::SHARED_MIN {
                batch.bytes = Bytes::copy_from_slice(&batch.bytes);
            }
            herd.step(now, Input::Publish(batch));
        }
    }

    /// The herd, where this server takes part, and which topics stay here.
    fn spreading(&mut self) -> Option<(&mut Herd, &[String])> {
        let kept = &self.settings.spec.herd.as_ref()?.local_topics;
        let herd = self.herd.as_mut().filter(|herd| herd.inside.is_some())?;
        Some((herd, kept))
    }
}
