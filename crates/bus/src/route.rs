//! Who gets the messages of a topic, worked out once and remembered.
//!
//! Topics repeat, so that most messages find their route by one hash. The routes remembered are few and live in fixed
//! places; one that has been worked out before the last change of a subscription, or for another topic, is worked out
//! again in the same memory: a steady flow of messages allocates nothing.
//!
//! What a route depends on is its key: no more of the message than some subscription can look at. While nobody but ZMTP
//! members listens, that is as many bytes as the longest prefix has, and while these all subscribe to everything, none. The
//! same goes for Redis members who all ask for what begins with something, as `__key*` does.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use remuda_model::glob_matches;
use remuda_model::message::Span;

use crate::frames::Content;
use crate::members::Members;
use crate::push::{Form, Version};
use crate::reserved::Reserved;
use crate::ring::Ring;
use crate::subscriptions::{Listeners, Subscriptions};

/// Routes remembered; a power of two. Each takes 4 bytes for each member on it.
const PLACES: usize = 256;
/// Keys longer than this are not remembered beyond one batch: comparing them would cost what matching them does.
const KEY_MAX: usize = 1024;

/// What the subscriptions of this moment look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    /// Bytes of the first frame.
    pub(crate) frame_bytes: usize,
    /// Bytes of the topic.
    pub(crate) topic_bytes: usize,
}

/// What of a message decides who gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    bytes: &'a [u8],
    topic_len: usize,
    reserved: Option<Reserved>,
}

/// Who gets the messages of a topic.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// Of which version of the subscriptions it is; 0: of none.
    version: u64,
    key: Vec<u8>,
    topic_len: usize,
    pub(crate) reserved: Option<Reserved>,
    /// Seats that get the frames.
    pub(crate) frames: Vec<u32>,
    listeners: Vec<u32>,
    pub(crate) pushes: Vec<Push>,
    /// Rings that keep the message, as places among the rings.
    pub(crate) rings: Vec<usize>,
    /// Whether somebody gets several pushes of one message, so that they have to go out message by message.
    pub(crate) is_interleaved: bool,
}

/// One encoding of a message and who gets it.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) form: Form,
    pub(crate) version: Version,
    from: usize,
    to: usize,
}

/// The routes remembered.
#[derive(Debug)]
pub(crate) struct Routes {
    places: Vec<Route>,
    hash: FixedState,
    marks: Marks,
}

/// Which seats are on a list already; by seat, the number of the list.
#[derive(Debug, Default)]
struct Marks {
    seen: Vec<u64>,
    heard: Vec<u64>,
    list: u64,
}

impl<'a> Key<'a> {
    /// The key of the message at `span` of `bytes`.
    pub(crate) fn of(bytes: &'a [u8], span: &Span, sight: Sight) -> Self {
        let frame = &bytes[span.body as usize..][..span.body_len as usize];
        let reserved = Reserved::of(frame);
        let seen = frame.len().min(sight.frame_bytes);
        // Bytes behind those that are looked at change nothing, nor does how many there are.
        let topic = &frame[..frame.len().min(sight.topic_bytes)];
        let topic_len =
            if span.single { memchr::memchr(b' ', topic).unwrap_or(topic.len()) } else { topic.len() };
        Self { bytes: &frame[..seen.max(topic_len)], topic_len, reserved }
    }
}

impl Route {
    /// Seats that get `push`.
    pub(crate) fn listeners(&self, push: &Push) -> &[u32] {
        &self.listeners[push.from..push.to]
    }

    fn is_for(&self, key: &Key<'_>, version: u64) -> bool {
        self.version == version
            && self.topic_len == key.topic_len
            && self.reserved == key.reserved
            && self.key == key.bytes
    }
}

impl Routes {
    pub(crate) fn new(hash_seed: u64) -> Self {
        let places = std::iter::repeat_with(Route::default).take(PLACES + 1).collect();
        Self { places, hash: FixedState::with_seed(hash_seed), marks: Marks::default() }
    }

    /// The route at a place [`Routes::find`] has named.
    pub(crate) fn at(&self, place: usize) -> &Route {
        &self.places[place]
    }

    /// Where the route for `key`, which is that of the message at `span` of `bytes`, stands until the next call.
    pub(crate) fn find(
        &mut self,
        key: &Key<'_>,
        (bytes, span): (&[u8], &Span),
        subscriptions: &Subscriptions,
        members: &Members,
        rings: &[Ring],
    ) -> usize {
        let place = self.place(key);
        let version = subscriptions.version();
        let route = &mut self.places[place];
        if place == PLACES || !route.is_for(key, version) {
            route.version = version;
            route.key.clear();
            route.key.extend_from_slice(if place == PLACES { &[] } else { key.bytes });
            route.topic_len = key.topic_len;
            route.reserved = key.reserved;
            let frame = &bytes[span.body as usize..][..span.body_len as usize];
            let topic = Content::at(bytes, span).topic;
            route.build(frame, topic, subscriptions, members, rings, &mut self.marks);
        }
        place
    }

    fn place(&self, key: &Key<'_>) -> usize {
        if key.bytes.len() > KEY_MAX {
            return PLACES;
        }
        let mut hasher = self.hash.build_hasher();
        hasher.write(key.bytes);
        hasher.write_usize(key.topic_len);
        hasher.write_u8(key.reserved.map_or(0, |family| family.mark()[0]));
        usize::try_from(hasher.finish() % PLACES as u64).expect("it is below the number of places")
    }
}

impl Route {
    fn build(
        &mut self,
        frame: &[u8],
        topic: &[u8],
        subscriptions: &Subscriptions,
        members: &Members,
        rings: &[Ring],
        marks: &mut Marks,
    ) {
        self.frames.clear();
        self.listeners.clear();
        self.pushes.clear();
        self.rings.clear();
        self.is_interleaved = false;
        let reserved = self.reserved;
        let at_least = reserved.map_or(0, |family| family.mark().len());
        let sees = |seat: u32| {
            reserved.is_none() || members.at(seat).is_some_and(|member| member.membership.sees_store_events)
        };
        marks.begin();
        subscriptions.prefixes.visit(frame, at_least, |seats| {
            self.frames.extend(seats.iter().filter(|seat| marks.see(**seat) && sees(**seat)));
        });
        self.rings.extend((0..).zip(rings).filter(|(_, ring)| ring.covers(topic)).map(|(place, _)| place));
        if !subscriptions.has_listeners() {
            return;
        }
        if let Some(listeners) = subscriptions.channels.get(topic) {
            self.add(&Form::Message, listeners, marks, sees);
        }
        for (pattern, listeners) in &subscriptions.patterns {
            let is_meant = reserved.is_none_or(|family| pattern.starts_with(family.mark()));
            if is_meant && glob_matches(pattern, topic) {
                self.add(&Form::PatternMessage(pattern.clone()), listeners, marks, sees);
            }
        }
        // A seat has prefixes or listens, never both, so that those seen need no new list.
        for version in [Version::Resp2, Version::Resp3] {
            let from = self.listeners.len();
            subscriptions.sequenced.visit(topic, at_least, |listeners| {
                let seats = listeners.speaking(version).iter();
                self.listeners.extend(seats.filter(|seat| marks.see(**seat) && sees(**seat)));
            });
            self.close(Form::Sequenced, version, from, marks);
        }
    }

    fn add(&mut self, form: &Form, listeners: &Listeners, marks: &mut Marks, sees: impl Fn(u32) -> bool) {
        for version in [Version::Resp2, Version::Resp3] {
            let from = self.listeners.len();
            self.listeners.extend(listeners.speaking(version).iter().filter(|seat| sees(**seat)));
            self.close(form.clone(), version, from, marks);
        }
    }

    fn close(&mut self, form: Form, version: Version, from: usize, marks: &mut Marks) {
        let to = self.listeners.len();
        if from == to {
            return;
        }
        for seat in &self.listeners[from..to] {
            self.is_interleaved |= !marks.hear(*seat);
        }
        self.pushes.push(Push { form, version, from, to });
    }
}

impl Listeners {
    /// Those who speak that version.
    pub(crate) fn speaking(&self, version: Version) -> &[u32] {
        match version {
            Version::Resp2 => &self.resp2,
            Version::Resp3 => &self.resp3,
        }
    }
}

impl Marks {
    /// Begins new lists.
    fn begin(&mut self) {
        self.list += 1;
    }

    /// Marks a seat as seen; false when it was.
    fn see(&mut self, seat: u32) -> bool {
        mark(&mut self.seen, seat, self.list)
    }

    /// Marks a seat as hearing; false when it was.
    fn hear(&mut self, seat: u32) -> bool {
        mark(&mut self.heard, seat, self.list)
    }
}

fn mark(marks: &mut Vec<u64>, seat: u32, list: u64) -> bool {
    let seat = seat as usize;
    if seat >= marks.len() {
        marks.resize(seat + 1, 0);
    }
    std::mem::replace(&mut marks[seat], list) != list
}
