//! Who asked for what: for each filter the seats of those who did, for each seat its filters.

use std::collections::BTreeMap;

use bytes::Bytes;
use foldhash::fast::FixedState;
use indexmap::IndexMap;

use crate::filter::{Filter, FilterKind, SubscribeError, Subscribed};
use crate::member::Encoding;
use crate::options::BusOptions;
use crate::prefix_tree::PrefixTree;
use crate::reserved::Reserved;

/// Whatever the options say, prefixes are no longer: the tree is as deep as its longest.
pub(crate) const SUBSCRIPTION_BYTES_CEILING: usize = 8 * 1024;

/// Seats of Redis members, by what they speak.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    pub(crate) resp2: Vec<u32>,
    pub(crate) resp3: Vec<u32>,
}

pub(crate) type Table<K, V> = IndexMap<K, V, FixedState>;

/// All subscriptions.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    pub(crate) prefixes: PrefixTree<Vec<u32>>,
    pub(crate) sequenced: PrefixTree<Listeners>,
    pub(crate) channels: Table<Bytes, Listeners>,
    pub(crate) patterns: Table<Bytes, Listeners>,
    pub(crate) shards: Table<Bytes, Listeners>,
    /// By seat.
    members: BTreeMap<u32, Subscriber>,
    count: usize,
    /// Prefixes by their length, to know the longest.
    prefix_lengths: BTreeMap<usize, usize>,
    sequenced_count: usize,
    /// Patterns that mean "begins with this", by the length of that, to know the longest; one for each seat.
    begin_lengths: BTreeMap<usize, usize>,
    /// All other patterns, one for each seat.
    intricate_count: usize,
    /// How many filters ask for topics of each reserved family.
    reserved: [usize; Reserved::ALL.len()],
    /// Which filters were added and taken away since somebody asked, if anybody does.
    asked: Option<Vec<(Filter, bool)>>,
    /// Goes up with each change, so that what was worked out before it is known to be old.
    version: u64,
}

#[derive(Debug)]
struct Subscriber {
    encoding: Encoding,
    /// How often each filter was subscribed.
    filters: Table<Filter, u64>,
    /// How many filters there are of each kind.
    kinds: BTreeMap<FilterKind, usize>,
}

impl Subscriptions {
    pub(crate) fn new(hash_seed: u64, is_relayed: bool) -> Self {
        let state = FixedState::with_seed(hash_seed);
        Self {
            prefixes: PrefixTree::default(),
            sequenced: PrefixTree::default(),
            channels: Table::with_hasher(state.clone()),
            patterns: Table::with_hasher(state.clone()),
            shards: Table::with_hasher(state),
            members: BTreeMap::new(),
            count: 0,
            prefix_lengths: BTreeMap::new(),
            sequenced_count: 0,
            begin_lengths: BTreeMap::new(),
            intricate_count: 0,
            reserved: [0; Reserved::ALL.len()],
            asked: is_relayed.then(Vec::new),
            version: 1,
        }
    }

    /// Takes what was added (true) and taken away since the last call, in order.
    pub(crate) fn take_asked(&mut self) -> Vec<(Filter, bool)> {
        self.asked.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Length of the longest prefix of ZMTP members.
    pub(crate) fn longest_prefix(&self) -> usize {
        self.prefix_lengths.last_key_value().map_or(0, |(length, _)| *length)
    }

    /// Whether any Redis member listens to topics.
    pub(crate) fn has_listeners(&self) -> bool {
        !self.channels.is_empty() || !self.patterns.is_empty() || self.sequenced_count > 0
    }

    /// How many bytes of a topic its listeners can look at; `None`: all there are.
    pub(crate) fn topic_bytes_seen(&self) -> Option<usize> {
        let looks_at_all = !self.channels.is_empty() || self.sequenced_count > 0 || self.intricate_count > 0;
        (!looks_at_all).then(|| self.begin_lengths.last_key_value().map_or(0, |(length, _)| *length))
    }

    /// Whether somebody asks for topics of this family.
    pub(crate) fn has_reserved(&self, family: Reserved) -> bool {
        self.reserved[family as usize] > 0
    }

    /// Who sits there may subscribe from now on.
    pub(crate) fn enter(&mut self, seat: u32, encoding: Encoding) {
        let filters = Table::with_hasher(self.channels.hasher().clone());
        self.members.insert(seat, Subscriber { encoding, filters, kinds: BTreeMap::new() });
    }

    /// Who sits there takes part in another way, and speaks this version of what it spoke.
    pub(crate) fn speak(&mut self, seat: u32, encoding: Encoding) {
        // Routes say also who sees what.
        self.version += 1;
        let Some(subscriber) = self.members.get_mut(&seat).filter(|one| one.encoding != encoding) else {
            return;
        };
        subscriber.encoding = encoding;
        let filters: Vec<Filter> = subscriber.filters.keys().cloned().collect();
        // Nobody gets or loses any of them.
        let asked = self.asked.take();
        for filter in filters {
            self.unlist(seat, &filter);
            self.list(seat, filter, encoding);
        }
        self.asked = asked;
    }

    /// Ends all subscriptions of who sat there.
    pub(crate) fn leave(&mut self, seat: u32) {
        self.version += 1;
        let Some(subscriber) = self.members.remove(&seat) else { return };
        self.count -= subscriber.filters.len();
        for filter in subscriber.filters.keys() {
            self.unlist(seat, filter);
        }
    }

    /// The filters of who sits there, and how often each was subscribed.
    pub(crate) fn of(&self, seat: u32) -> impl Iterator<Item = (&Filter, u64)> {
        let subscriber = self.members.get(&seat);
        subscriber
            .into_iter()
            .flat_map(|subscriber| subscriber.filters.iter().map(|(filter, count)| (filter, *count)))
    }

    /// How many filters who sits there has.
    pub(crate) fn count_of(&self, seat: u32) -> usize {
        self.members.get(&seat).map_or(0, |subscriber| subscriber.filters.len())
    }

    pub(crate) fn add(
        &mut self,
        seat: u32,
        filter: Filter,
        times: u64,
        options: &BusOptions,
    ) -> Result<Subscribed, SubscribeError> {
        let kind = filter.kind();
        let Some(subscriber) = self.members.get_mut(&seat) else { return Err(SubscribeError::Unfit(kind)) };
        if (subscriber.encoding == Encoding::Zmtp) != (kind == FilterKind::Prefix) {
            return Err(SubscribeError::Unfit(kind));
        }
        if let Some(count) = subscriber.filters.get_mut(&filter) {
            *count = count.saturating_add(times);
            return Ok(Subscribed { count: subscriber.acknowledged(kind), is_changed: false });
        }
        let bytes_max = options.subscription_bytes_max.min(SUBSCRIPTION_BYTES_CEILING);
        if filter.text().len() > bytes_max {
            return Err(SubscribeError::TooLong { bytes: filter.text().len(), bytes_max });
        }
        if subscriber.filters.len() >= options.subscriptions_per_member_max {
            return Err(SubscribeError::TooMany(subscriber.filters.len()));
        }
        if self.count >= options.subscriptions_max {
            return Err(SubscribeError::Full(self.count));
        }
        *subscriber.kinds.entry(kind).or_default() += 1;
        let filter = filter.compact();
        subscriber.filters.insert(filter.clone(), times);
        let subscribed = Subscribed { count: subscriber.acknowledged(kind), is_changed: true };
        let encoding = subscriber.encoding;
        self.count += 1;
        self.version += 1;
        self.list(seat, filter, encoding);
        Ok(subscribed)
    }

    pub(crate) fn remove(&mut self, seat: u32, filter: &Filter) -> Subscribed {
        let kind = filter.kind();
        let Some(subscriber) = self.members.get_mut(&seat) else {
            return Subscribed { count: 0, is_changed: false };
        };
        let is_changed = match subscriber.filters.get_mut(filter) {
            None => false,
            Some(count) if kind == FilterKind::Prefix && *count > 1 => {
                *count -= 1;
                false
            }
            Some(_last) => true,
        };
        if is_changed {
            subscriber.filters.swap_remove(filter);
            subscriber.kinds.entry(kind).and_modify(|count| *count -= 1);
        }
        let subscribed = Subscribed { count: subscriber.acknowledged(kind), is_changed };
        if is_changed {
            self.count -= 1;
            self.version += 1;
            self.unlist(seat, filter);
        }
        subscribed
    }

    fn list(&mut self, seat: u32, filter: Filter, encoding: Encoding) {
        if let Some(asked) = &mut self.asked {
            asked.push((filter.clone(), true));
        }
        if let Some(family) = Reserved::of(filter.text()) {
            self.reserved[family as usize] += 1;
        }
        let table = match filter {
            Filter::Prefix(prefix) => {
                *self.prefix_lengths.entry(prefix.len()).or_default() += 1;
                self.prefixes.entry(&prefix).push(seat);
                return;
            }
            Filter::Sequenced(prefix) => {
                self.sequenced_count += 1;
                self.sequenced.entry(&prefix).of(encoding).push(seat);
                return;
            }
            Filter::Channel(channel) => self.channels.entry(channel),
            Filter::Pattern(pattern) => {
                match beginning(&pattern) {
                    Some(length) => *self.begin_lengths.entry(length).or_default() += 1,
                    None => self.intricate_count += 1,
                }
                self.patterns.entry(pattern)
            }
            Filter::Shard(channel) => self.shards.entry(channel),
        };
        table.or_default().of(encoding).push(seat);
    }

    fn unlist(&mut self, seat: u32, filter: &Filter) {
        if let Some(asked) = &mut self.asked {
            asked.push((filter.clone(), false));
        }
        if let Some(family) = Reserved::of(filter.text()) {
            self.reserved[family as usize] -= 1;
        }
        let (table, text) = match filter {
            Filter::Prefix(prefix) => {
                count_down(&mut self.prefix_lengths, prefix.len());
                return self.prefixes.change(prefix, |seats| {
                    take_off(seats, seat);
                    seats.is_empty()
                });
            }
            Filter::Sequenced(prefix) => {
                self.sequenced_count -= 1;
                return self.sequenced.change(prefix, |listeners| listeners.take_off(seat));
            }
            Filter::Channel(channel) => (&mut self.channels, channel),
            Filter::Pattern(pattern) => {
                match beginning(pattern) {
                    Some(length) => count_down(&mut self.begin_lengths, length),
                    None => self.intricate_count -= 1,
                }
                (&mut self.patterns, pattern)
            }
            Filter::Shard(channel) => (&mut self.shards, channel),
        };
        if table.get_mut(text).is_some_and(|listeners| listeners.take_off(seat)) {
            table.swap_remove(text);
        }
    }
}

impl Subscriber {
    fn acknowledged(&self, kind: FilterKind) -> usize {
        let of = |kind| self.kinds.get(&kind).copied().unwrap_or_default();
        match kind {
            FilterKind::Channel | FilterKind::Pattern => of(FilterKind::Channel) + of(FilterKind::Pattern),
            FilterKind::Prefix | FilterKind::Shard | FilterKind::Sequenced => of(kind),
        }
    }
}

impl Listeners {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.resp2.len() + self.resp3.len()
    }

    fn of(&mut self, encoding: Encoding) -> &mut Vec<u32> {
        if encoding == Encoding::Resp3 { &mut self.resp3 } else { &mut self.resp2 }
    }

    /// Takes a seat off; says whether none is left.
    fn take_off(&mut self, seat: u32) -> bool {
        take_off(&mut self.resp2, seat);
        take_off(&mut self.resp3, seat);
        self.len() == 0
    }
}

/// The length of what a topic must begin with, where that is all `pattern` asks: `news.*` asks for five bytes.
fn beginning(pattern: &[u8]) -> Option<usize> {
    let plain = pattern.strip_suffix(b"*")?;
    plain.iter().all(|byte| !matches!(byte, b'*' | b'?' | b'[' | b'\\')).then_some(plain.len())
}

fn count_down(lengths: &mut BTreeMap<usize, usize>, length: usize) {
    if let Some(count) = lengths.get_mut(&length) {
        *count -= 1;
        if *count == 0 {
            lengths.remove(&length);
        }
    }
}

fn take_off(seats: &mut Vec<u32>, seat: u32) {
    if let Some(place) = seats.iter().position(|at| *at == seat) {
        seats.swap_remove(place);
    }
}
