//! Bus, services, scripts and, where it is on no disk, the store: written down and read again.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use bytes::Bytes;
use remuda_bus::{
    Capacity, Counters, Encoding, Filter, MemberId, Membership, Origin, Role, SavedBus, SavedMember,
    SavedRing, SavedSegment, Totals,
};
use remuda_store::{Change, Class};

use remuda_herd::spread::HaveOrigin;
use remuda_herd::{Epoch, NodeId};

use super::HandoverError;
use super::book::{Pages, Record};
use crate::core::Core;
use crate::engine::{BusLink, Held};
use crate::herd::keys::{COMMAND, Saved};
use crate::locks::PassedLocks;
use crate::table::Key;

/// The record that says that the store's follow.
pub(super) const KEYS: &[u8] = b"keys";

/// Writes down what the machines have; the store only where `sends_keys`.
pub(crate) fn write(core: &Core, sends_keys: bool, pages: &mut Pages) {
    let saved = core.bus.save();
    let totals = saved.totals;
    pages.add_numbers(
        "bus",
        &[
            saved.next_sequence,
            u64::from(saved.is_backlog_kept),
            saved.backlog_dropped.0,
            saved.backlog_dropped.1,
            totals.published_messages,
            totals.published_bytes,
            totals.delivered_messages,
            totals.unheard_messages,
            totals.left_messages,
            totals.left_bytes,
            totals.left_dropped_messages,
            totals.left_dropped_bytes,
        ],
    );
    for member in &saved.members {
        write_member(member, pages);
    }
    write_messages(core, &saved, pages);
    for ((key, service), capacity) in &core.serving {
        pages.add(&[
            b"serves",
            key.number().to_string().as_bytes(),
            service,
            capacity.outstanding_max.to_string().as_bytes(),
            if capacity.is_pull { b"1" } else { b"0" },
        ]);
    }
    pages.add_numbers("calls", &[core.services.next_call().0]);
    pages.add(&[b"notifications", core.notifications.text().as_bytes()]);
    if let Some(time) = core.window.forgotten_ms() {
        pages.add(&[b"forgotten", time.to_string().as_bytes()]);
    }
    for (time, key, nonce) in core.window.remembered() {
        pages.add(&[b"nonce", time.to_string().as_bytes(), key.to_string().as_bytes(), &nonce]);
    }
    super::locks::write(core, pages);
    pages.add(&[b"epoch", core.epoch.as_bytes()]);
    write_changes(core, pages);
    for source in core.scripts.iter().flat_map(crate::script::Scripts::loaded) {
        pages.add(&[b"script", source]);
    }
    if let Some(herd) = &core.herd {
        pages.add_numbers("lived", &[u64::try_from(herd.lived().as_millis()).unwrap_or(u64::MAX)]);
    }
    for origin in core.herd.iter().flat_map(crate::herd::Herd::standing) {
        let hops = u64::from(origin.hops);
        pages.add_numbers("stood", &[origin.origin.0, origin.epoch.0, origin.next, hops, origin.age_ms]);
    }
    if sends_keys {
        // Said also where there are none: what the successor finds on disk is not to be believed.
        pages.add(&[KEYS]);
        if let Some(herd) = &core.herd {
            herd.write_keys(&mut |command| pages.add(command));
        }
        core.store.dump(core.moment, &mut |database, command| {
            let database = database.to_string();
            let mut fields: Vec<&[u8]> = vec![b"store", database.as_bytes()];
            fields.extend_from_slice(command);
            pages.add(&fields);
        });
    }
}

/// Messages that wait for consumers or for the bus's engine, and those that rings keep.
fn write_messages(core: &Core, saved: &SavedBus, pages: &mut Pages) {
    for segment in &saved.backlog {
        pages.add(&[b"backlog", segment.messages.to_string().as_bytes(), &segment.bytes]);
    }
    for Held { origin, frames } in core.engines.bus.iter().flat_map(BusLink::held) {
        pages.add(&[b"held", origin.0.to_string().as_bytes(), frames]);
    }
    for ring in &saved.rings {
        pages.add(&[b"ring", &ring.prefix, ring.gone.to_string().as_bytes()]);
        for (sequence, frames) in &ring.messages {
            pages.add(&[b"kept", sequence.to_string().as_bytes(), frames]);
        }
    }
}

/// What the store remembers of its changes, so that watchers go on where they were.
fn write_changes(core: &Core, pages: &mut Pages) {
    let (complete_after, changes) = core.store.remembered_changes();
    pages.add_numbers("changes", &[complete_after]);
    for change in changes {
        pages.add(&[
            b"change",
            change.revision.to_string().as_bytes(),
            change.database.to_string().as_bytes(),
            change.event.as_bytes(),
            &[u8::try_from(change.class.letter()).unwrap_or(b' ')],
            change.previous.unwrap_or(0).to_string().as_bytes(),
            if change.deleted { b"1" } else { b"0" },
            if change.key.is_some() { b"1" } else { b"0" },
            change.key.unwrap_or_default(),
            change.origin.map_or(0, NonZeroU64::get).to_string().as_bytes(),
        ]);
    }
}

fn write_member(member: &SavedMember, pages: &mut Pages) {
    let SavedMember { id, membership, subscriptions, queue, is_begun, counters } = member;
    let encoding = match membership.encoding {
        Encoding::Zmtp => 0,
        Encoding::Resp2 => 2,
        Encoding::Resp3 => 3,
    };
    pages.add_numbers(
        "member",
        &[
            id.0,
            encoding,
            membership.origin.0,
            u64::from(membership.hears_itself),
            u64::from(membership.sees_store_events),
            u64::from(membership.role == Role::Consumer),
            u64::from(*is_begun),
            counters.sent_messages,
            counters.sent_bytes,
            counters.dropped_messages,
            counters.dropped_bytes,
        ],
    );
    for (filter, times) in subscriptions {
        let kind: &[u8] = match filter {
            Filter::Prefix(_) => b"prefix",
            Filter::Channel(_) => b"channel",
            Filter::Pattern(_) => b"pattern",
            Filter::Shard(_) => b"shard",
            Filter::Sequenced(_) => b"sequenced",
        };
        pages.add(&[b"filter", kind, filter.text(), times.to_string().as_bytes()]);
    }
    for segment in queue {
        pages.add(&[b"segment", segment.messages.to_string().as_bytes(), &segment.bytes]);
    }
}

/// What was read of the machines.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    pub(crate) bus: SavedBus,
    pub(crate) serving: Vec<(Key, Bytes, Capacity)>,
    pub(crate) next_call: u64,
    /// Flags of `notify-keyspace-events`, which a client may have set.
    /// Messages that waited for the bus's engine.
    pub(crate) held: Vec<Held>,
    pub(crate) notifications: Option<Bytes>,
    /// Signatures that were seen: time, key, number.
    pub(crate) nonces: Vec<(u64, u64, [u8; 16])>,
    /// Nothing up to this time is taken any more.
    pub(crate) forgotten_ms: Option<u64>,
    pub(crate) scripts: Vec<Bytes>,
    /// The life of the store's contents.
    pub(crate) epoch: Option<String>,
    /// The revision after which all changes are remembered, if the former hub says it.
    pub(crate) complete_after: Option<u64>,
    pub(crate) changes: Vec<Remembered>,
    pub(crate) store: Vec<(u32, Vec<Bytes>)>,
    /// The highest turn of the former hub's table.
    pub(crate) last_turn: u32,
    /// Whether the whole store came along.
    pub(crate) has_keys: bool,
    /// What it had written down of shared keys.
    pub(crate) shared: Saved,
    /// How far the former hub was with what other servers tell.
    pub(crate) standing: Vec<HaveOrigin>,
    /// How long it was there, with those before it.
    pub(crate) lived: Duration,
    pub(crate) locks: PassedLocks,
    names: Names,
}

/// A change that the former hub remembers.
#[derive(Debug)]
pub(crate) struct Remembered {
    revision: u64,
    database: u32,
    event: &'static str,
    class: Class,
    previous: Option<u64>,
    deleted: bool,
    key: Option<Bytes>,
    origin: Option<NonZeroU64>,
}

impl Remembered {
    fn new(record: &Record, names: &mut Names) -> Result<Self, HandoverError> {
        let letter = record.field(4)?.first().copied().unwrap_or(b' ');
        Ok(Self {
            revision: record.number(1)?,
            database: u32::try_from(record.number(2)?).unwrap_or(0),
            event: names.of(record.field(3)?),
            class: Class::of_letter(letter).unwrap_or(Class::Unnamed),
            previous: Some(record.number(5)?).filter(|previous| *previous > 0),
            deleted: record.flag(6)?,
            key: record.flag(7)?.then(|| record.field(8).cloned()).transpose()?,
            origin: NonZeroU64::new(record.number(9)?),
        })
    }

    pub(crate) fn change(&self) -> Change<'_> {
        Change {
            database: self.database,
            key: self.key.as_deref(),
            event: self.event,
            class: self.class,
            revision: self.revision,
            previous: self.previous,
            deleted: self.deleted,
            origin: self.origin,
        }
    }
}

/// Names of events, which the store has for as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<Bytes, &'static str>);

impl Names {
    /// The store has some sixty; another version may have others.
    const MAX: usize = 256;
    /// In place of one too many, or of one that is no name.
    const OTHER: &'static str = "changed";

    fn of(&mut self, name: &Bytes) -> &'static str {
        if let Some(known) = self.0.get(name) {
            return known;
        }
        let is_name = self.0.len() < Self::MAX && name.len() <= 64 && name.is_ascii();
        let text = std::str::from_utf8(name).ok().filter(|_| is_name);
        let Some(text) = text else { return Self::OTHER };
        // Once a process, and each name once.
        let kept: &'static str = Box::leak(text.into());
        self.0.insert(Bytes::copy_from_slice(name), kept);
        kept
    }
}

impl Machines {
    /// Takes in a record, if it is one of the machines'. Limits of queues are those of `core`, since they may have been
    /// the reason for the change.
    pub(crate) fn read(&mut self, record: &Record, core: &Core) -> Result<(), HandoverError> {
        match record.what() {
            b"bus" => self.read_bus(record)?,
            b"member" => self.bus.members.push(member(record, core)?),
            b"filter" => {
                let filter = filter(record)?;
                self.last_member()?.subscriptions.push((filter, record.number(3)?));
            }
            b"segment" => {
                let segment = segment(record)?;
                self.last_member()?.queue.push(segment);
            }
            b"backlog" => self.bus.backlog.push(segment(record)?),
            b"held" => {
                let frames = record.field(2)?.clone();
                // The shortest there is: flags, a length, nothing.
                if frames.len() < 2 {
                    return Err(HandoverError::Book("a message that was held is none".to_owned()));
                }
                self.held.push(Held { origin: Origin(record.number(1)?), frames });
            }
            b"ring" => self.bus.rings.push(SavedRing {
                prefix: record.field(1)?.clone(),
                gone: record.number(2)?,
                messages: Vec::new(),
            }),
            b"kept" => {
                let kept = (record.number(1)?, record.field(2)?.clone());
                let ring = self.bus.rings.last_mut();
                ring.ok_or_else(|| HandoverError::Book("a message belongs to no ring".to_owned()))?
                    .messages
                    .push(kept);
            }
            b"serves" => {
                let outstanding_max = usize::try_from(record.number(3)?).unwrap_or(1);
                let capacity = Capacity { outstanding_max, is_pull: record.flag(4)? };
                self.serving.push((Key::from_number(record.number(1)?), record.field(2)?.clone(), capacity));
            }
            b"turns" => self.last_turn = u32::try_from(record.number(1)?).unwrap_or(u32::MAX),
            b"calls" => self.next_call = record.number(1)?,
            b"notifications" => self.notifications = Some(record.field(1)?.clone()),
            b"forgotten" => self.forgotten_ms = Some(record.number(1)?),
            b"nonce" => {
                let Ok(nonce) = <[u8; 16]>::try_from(record.field(3)?.as_ref()) else {
                    return Err(HandoverError::Book("a nonce has not 16 bytes".to_owned()));
                };
                self.nonces.push((record.number(1)?, record.number(2)?, nonce));
            }
            b"epoch" => self.epoch = Some(String::from_utf8_lossy(record.field(1)?).into_owned()),
            b"changes" => self.complete_after = Some(record.number(1)?),
            b"change" => {
                let change = Remembered::new(record, &mut self.names)?;
                self.changes.push(change);
            }
            b"script" => self.scripts.push(record.field(1)?.clone()),
            b"lived" => self.lived = Duration::from_millis(record.number(1)?),
            b"stood" => self.standing.push(HaveOrigin {
                origin: NodeId(record.number(1)?),
                epoch: Epoch(record.number(2)?),
                next: record.number(3)?,
                hops: u16::try_from(record.number(4)?).unwrap_or(u16::MAX),
                age_ms: record.number(5)?,
            }),
            KEYS => self.has_keys = true,
            COMMAND => drop(self.shared.read(&record.words())),
            b"store" => {
                let database = u32::try_from(record.number(1)?).unwrap_or(0);
                self.store.push((database, record.rest(2).to_vec()));
            }
            _ => super::locks::read(record, &mut self.locks)?,
        }
        Ok(())
    }

    fn last_member(&mut self) -> Result<&mut SavedMember, HandoverError> {
        let last = self.bus.members.last_mut();
        last.ok_or_else(|| HandoverError::Book("a queue belongs to no member".to_owned()))
    }

    fn read_bus(&mut self, record: &Record) -> Result<(), HandoverError> {
        self.bus.next_sequence = record.number(1)?;
        self.bus.is_backlog_kept = record.flag(2)?;
        self.bus.backlog_dropped = (record.number(3)?, record.number(4)?);
        self.bus.totals = Totals {
            published_messages: record.number(5)?,
            published_bytes: record.number(6)?,
            delivered_messages: record.number(7)?,
            unheard_messages: record.number(8)?,
            left_messages: record.number(9)?,
            left_bytes: record.number(10)?,
            // A hub of before this was counted does not say.
            left_dropped_messages: record.number(11).unwrap_or_default(),
            left_dropped_bytes: record.number(12).unwrap_or_default(),
        };
        Ok(())
    }
}

fn member(record: &Record, core: &Core) -> Result<SavedMember, HandoverError> {
    let (encoding, limits) = match record.number(2)? {
        2 => (Encoding::Resp2, core.limits().redis),
        3 => (Encoding::Resp3, core.limits().redis),
        _ => (Encoding::Zmtp, core.limits().zeromq),
    };
    Ok(SavedMember {
        id: MemberId(record.number(1)?),
        membership: Membership {
            encoding,
            origin: Origin(record.number(3)?),
            hears_itself: record.flag(4)?,
            sees_store_events: record.flag(5)?,
            role: if record.flag(6)? { Role::Consumer } else { Role::Subscriber },
            queue: limits,
        },
        subscriptions: Vec::new(),
        queue: Vec::new(),
        is_begun: record.flag(7)?,
        counters: Counters {
            sent_messages: record.number(8)?,
            sent_bytes: record.number(9)?,
            dropped_messages: record.number(10)?,
            dropped_bytes: record.number(11)?,
        },
    })
}

fn filter(record: &Record) -> Result<Filter, HandoverError> {
    let text = record.field(2)?.clone();
    Ok(match record.field(1)?.as_ref() {
        b"prefix" => Filter::Prefix(text),
        b"channel" => Filter::Channel(text),
        b"pattern" => Filter::Pattern(text),
        b"shard" => Filter::Shard(text),
        _ => Filter::Sequenced(text),
    })
}

fn segment(record: &Record) -> Result<SavedSegment, HandoverError> {
    let messages = u32::try_from(record.number(1)?).unwrap_or(0);
    Ok(SavedSegment { messages, bytes: record.field(2)?.clone() })
}
