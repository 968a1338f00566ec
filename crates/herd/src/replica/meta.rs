//! What is known of a key beside its value, and how news of it are taken in.
//!
//! [`Meta::join`] is the whole of convergence: of each fact the higher mark stays, what is not newer than the base is
//! void, and of two kinds of later facts (elements of a hash, of a set, of a sorted set, counts) that stand beside each
//! other the one with the newest fact stays, on a base as new as the newest fact of the others. A count is as new as its
//! beginning, which is also what a newer base is held against: were it as new as its last step, it could outdo a fact and
//! be void all the same. So each step only raises marks, and where they end depends on the set of facts alone, not on
//! their order. `lifetime` has when a key ends, and
//! what ends with it.

mod lifetime;

use std::collections::BTreeMap;

use crate::replica::fold;
use crate::replica::mark::Mark;
use crate::replica::meta::lifetime::{ground_of, rank};
use crate::replica::page::Ground;
use crate::replica::state::{Collection, Expiry, KeyState, Shape, Share};

/// An element's address within its key.
pub(crate) type Part = (Collection, Box<[u8]>);

/// When an element was changed, and whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartMark {
    pub(crate) mark: Mark,
    pub(crate) is_live: bool,
}

/// What a key has on its base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct More {
    /// When it ends. None where it came with a whole value and is for ever, or was never said.
    pub(crate) expiry: Option<Expiry>,
    /// Whether that has come: what is not newer than its end is not here.
    pub(crate) is_over: bool,
    /// What is not newer than this ended here, and has not ended after all: others may have it.
    pub(crate) lacks: Mark,
    pub(crate) parts: BTreeMap<Part, PartMark>,
    pub(crate) shares: BTreeMap<Mark, Share>,
    /// The number at the base, which the shares are added to.
    pub(crate) number: Option<i64>,
    /// How many elements are there.
    pub(crate) live: usize,
    /// What the elements add to the digest.
    sum: u64,
    /// The newest of the elements' marks, of those too that were forgotten since: looking for it among a million elements
    /// at each change would take longer than the change.
    newest_part: Option<Mark>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) base: Mark,
    pub(crate) ground: Ground,
    pub(crate) more: Option<Box<More>>,
}

/// What came of news.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) base: bool,
    pub(crate) expiry: bool,
    pub(crate) counted: bool,
    /// Elements whose news were taken.
    pub(crate) taken: Vec<Part>,
    /// Elements that went with what they stood on, or with the key's end.
    pub(crate) voided: Vec<Part>,
    /// What had ended here has not ended after all, and has to be fetched.
    pub(crate) is_revived: bool,
}

impl Joined {
    pub(crate) fn is_nothing(&self) -> bool {
        !self.base && !self.expiry && !self.counted && self.taken.is_empty() && self.voided.is_empty()
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self { base: Mark::ZERO, ground: Ground::Gone, more: None }
    }
}

impl Meta {
    /// What clients see of it.
    pub(crate) fn shape(&self) -> Option<Shape> {
        shape(self.ground, self.more.as_deref())
    }

    /// Its newest mark.
    pub(crate) fn newest(&self) -> Mark {
        self.more.as_ref().map_or(self.base, |more| self.base.max(more.newest()))
    }

    /// The counter's value; none where there is no count, or nothing to be counted on.
    pub(crate) fn counter(&self) -> Option<i64> {
        let more = self.more.as_deref().filter(|more| more.counted().next().is_some())?;
        let base = if self.ground == Ground::Whole { more.number? } else { 0 };
        let sum: i128 = more.counted().map(|share| i128::from(share.sum)).sum();
        let value = i128::from(base) + sum;
        Some(i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Takes news in at a time of the wall clock.
    pub(crate) fn join(&mut self, state: &KeyState, wall_ms: u64) -> Joined {
        let mut joined = Joined::default();
        self.join_base(state, &mut joined);
        self.join_expiry(state, &mut joined);
        self.join_elements(state, &mut joined);
        self.join_shares(state, &mut joined);
        self.settle_kinds(&mut joined);
        self.settle_end(wall_ms, false, &mut joined);
        joined.is_revived &= self.more.as_ref().is_some_and(|more| more.lacks != Mark::ZERO);
        self.tidy();
        joined
    }

    /// Removes an element that others have seen removed.
    pub(crate) fn drop_part(&mut self, part: &Part) {
        if let Some(more) = &mut self.more {
            more.remove(part);
        }
        self.tidy();
    }

    fn join_base(&mut self, state: &KeyState, joined: &mut Joined) {
        let ground = ground_of(&state.base);
        if state.mark > self.base {
            self.raise(state.mark, joined);
            self.ground = ground;
            joined.base = true;
        } else if state.mark == self.base && state.mark != Mark::ZERO && rank(ground) > rank(self.ground) {
            self.ground = ground;
            joined.base = true;
            if ground == Ground::Gone {
                self.void_expiry(joined);
            }
        }
    }

    /// Whether somebody counts on a base whose number is not known yet.
    pub(crate) fn wants_number(&self) -> bool {
        let more = self.more.as_deref().filter(|more| !more.shares.is_empty() && more.number.is_none());
        more.is_some() && self.ground == Ground::Whole
    }

    /// Remembers the number at the base.
    pub(crate) fn set_number(&mut self, number: Option<i64>) {
        if let Some(more) = self.more.as_deref_mut() {
            more.number = number;
        }
    }

    fn join_elements(&mut self, state: &KeyState, joined: &mut Joined) {
        for element in &state.elements {
            let part = (element.collection, Box::from(&element.name[..]));
            let have = self.more.as_ref().and_then(|more| more.parts.get(&part)).map(|have| have.mark);
            if element.mark <= self.base || have.is_some_and(|have| have >= element.mark) {
                continue;
            }
            let mark = PartMark { mark: element.mark, is_live: element.value.is_some() };
            self.more.get_or_insert_default().insert(part.clone(), mark);
            joined.taken.push(part);
        }
    }

    fn join_shares(&mut self, state: &KeyState, joined: &mut Joined) {
        for share in &state.shares {
            let have = self.more.as_ref().and_then(|more| more.shares.get(&share.since_mark()));
            if share.since_mark() > self.base && have.is_none_or(|have| have.stamp < share.stamp) {
                self.more.get_or_insert_default().shares.insert(share.since_mark(), *share);
                joined.counted = true;
            }
        }
    }

    /// Of several kinds of later facts one stays.
    fn settle_kinds(&mut self, joined: &mut Joined) {
        let Some(more) = self.more.as_deref() else { return };
        if !more.parts.is_empty() && self.ground != Ground::Gone {
            self.ground = Ground::Gone;
            joined.base = true;
            self.void_expiry(joined);
        }
        let Some(more) = self.more.as_deref() else { return };
        let kinds = |more: &More| match (more.parts.first_key_value(), more.parts.last_key_value()) {
            (Some((first, _)), Some((last, _))) => first.0 != last.0 || !more.shares.is_empty(),
            _ => false,
        };
        if !kinds(more) {
            return;
        }
        let mut newest: BTreeMap<Option<Collection>, Mark> = BTreeMap::new();
        let parts = more.parts.iter().map(|(part, mark)| (Some(part.0), mark.mark));
        for (kind, mark) in parts.chain(more.shares.values().map(|share| (None, share.since_mark()))) {
            let highest = newest.entry(kind).or_insert(mark);
            *highest = mark.max(*highest);
        }
        let mut marks: Vec<Mark> = newest.into_values().collect();
        marks.sort_unstable();
        let second = marks[marks.len() - 2];
        self.raise(second, joined);
    }

    /// A new base: what is not newer is void.
    fn raise(&mut self, base: Mark, joined: &mut Joined) {
        self.base = base;
        let Some(more) = self.more.as_deref_mut() else { return };
        let void: Vec<Part> =
            more.parts.iter().filter(|(_, have)| have.mark <= base).map(|(part, _)| part.clone()).collect();
        for part in void {
            if more.remove(&part).is_some_and(|have| have.is_live) {
                joined.voided.push(part);
            }
        }
        let before = more.shares.len();
        more.shares.retain(|_, share| share.since_mark() > base);
        joined.counted |= more.shares.len() != before;
        more.number = None;
        self.void_expiry(joined);
    }

    fn tidy(&mut self) {
        let is_idle = |more: &More| {
            let has_facts = !more.parts.is_empty() || !more.shares.is_empty() || more.expiry.is_some();
            !has_facts && more.lacks == Mark::ZERO
        };
        if self.more.as_deref().is_some_and(is_idle) {
            self.more = None;
        }
    }
}

impl More {
    fn is_counter(&self) -> bool {
        self.counted().next().is_some()
    }

    /// The newest mark.
    pub(crate) fn newest(&self) -> Mark {
        let expiry = self.expiry.iter().map(|expiry| expiry.mark);
        let shares = self.shares.values().map(Share::mark);
        expiry.chain(shares).chain(self.newest_part).fold(Mark::ZERO, Mark::max)
    }

    fn insert(&mut self, part: Part, mark: PartMark) {
        self.remove(&part);
        if mark.is_live {
            self.live += 1;
            self.sum ^= part_sum(&part, mark.mark);
        }
        self.newest_part = self.newest_part.max(Some(mark.mark));
        self.parts.insert(part, mark);
    }

    fn remove(&mut self, part: &Part) -> Option<PartMark> {
        let old = self.parts.remove(part)?;
        if old.is_live {
            self.live -= 1;
            self.sum ^= part_sum(part, old.mark);
        }
        Some(old)
    }
}

/// What clients see of a key.
pub(crate) fn shape(ground: Ground, more: Option<&More>) -> Option<Shape> {
    let collection = more.filter(|more| more.live > 0).and_then(|more| more.parts.first_key_value());
    match (ground, collection) {
        (Ground::Whole, _) => Some(Shape::Whole),
        (_, Some((part, _))) => Some(Shape::Parts(part.0)),
        // A whole value that ended here, and has not ended after all, has to come first.
        // Counts on a value that ended here, and has not ended after all, are there before it is, or if nobody has it.
        (Ground::Gone | Ground::Lapsed, None) if more.is_some_and(More::is_counter) => Some(Shape::Whole),
        _ => None,
    }
}

/// What a key adds to the digest: its marks and when it ends, if it is there; zero if not.
pub(crate) fn fingerprint(name_hash: u64, base: Mark, ground: Ground, more: Option<&More>) -> u64 {
    if shape(ground, more).is_none() {
        return 0;
    }
    // The base counts where it has a value: an older deletion may have been forgotten on one of two servers.
    let base = if ground == Ground::Whole { mark_sum(base) } else { 0 };
    let more = more.map_or(0, |more| {
        let expiry = more.expiry.map_or(0, |expiry| {
            let at = expiry.at_ms.map_or(0, |at_ms| at_ms.saturating_add(1));
            fold::mix(fold::mix(1, mark_sum(expiry.mark)), at)
        });
        let shares = more.counted().fold(0, |sum, share| sum ^ fold::mix(2, mark_sum(share.mark())));
        more.sum ^ expiry ^ shares
    });
    // Never zero, which is "not there".
    fold::mix(name_hash, base ^ more) | 1
}

/// The integer whose only spelling is `text`.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}

fn mark_sum(mark: Mark) -> u64 {
    fold::mix(mark.stamp.0, mark.node.0)
}

fn part_sum(part: &Part, mark: Mark) -> u64 {
    fold::mix(fold::mix(3 + part.0 as u64, fold::bytes(&part.1)), mark_sum(mark))
}
