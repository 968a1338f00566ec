//! The bus beside a naive model: lists of members, each with a list of filters, and every message held against all.

use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use remuda_bus::{Bus, BusOptions, Encoding, Filter, MemberId, Membership, Origin};
use remuda_model::glob_matches;

use crate::world::{batch, read, subscriber};

#[derive(Debug, Clone)]
enum Step {
    Join(u64, Encoding, bool, bool),
    Leave(u64),
    Subscribe(u64, Filter),
    Unsubscribe(u64, Filter),
    Publish(u64, Vec<Vec<String>>),
    Read(u64, usize),
}

struct Member {
    id: u64,
    membership: Membership,
    /// As often as subscribed; in the order the bus has them.
    filters: Vec<(Filter, u64)>,
    expected: Vec<u8>,
}

#[derive(Default)]
struct Model {
    members: Vec<Member>,
    patterns: Vec<(Bytes, usize)>,
    sequence: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0_u64..6;
    let text = || {
        prop_oneof![
            8 => "[ab.]{0,3}".prop_map(Bytes::from),
            1 => Just(Bytes::from("store.")),
            1 => Just(Bytes::from("store.a")),
        ]
    };
    let filter = move || {
        prop_oneof![
            9 => text().prop_map(Filter::Prefix),
            3 => text().prop_map(Filter::Channel),
            3 => "[ab.*?]{0,3}".prop_map(|glob| Filter::Pattern(glob.into())),
            1 => Just(Filter::Pattern("store.*".into())),
            3 => text().prop_map(Filter::Sequenced),
        ]
    };
    let topic = prop_oneof!["[ab.]{0,4}", "[ab]{1,2} [ab]{0,2}", Just("store.a".to_owned())];
    let frames = (topic, prop::collection::vec("[xy]{0,3}", 0..3)).prop_map(|(topic, mut rest)| {
        rest.insert(0, topic);
        rest
    });
    let encoding =
        prop_oneof![2 => Just(Encoding::Zmtp), 1 => Just(Encoding::Resp2), 1 => Just(Encoding::Resp3)];
    prop_oneof![
        2 => (id(), encoding, any::<bool>(), any::<bool>()).prop_map(|(id, encoding, hears, sees)| Step::Join(id, encoding, hears, sees)),
        1 => id().prop_map(Step::Leave),
        6 => (id(), filter()).prop_map(|(id, filter)| Step::Subscribe(id, filter)),
        2 => (id(), filter()).prop_map(|(id, filter)| Step::Unsubscribe(id, filter)),
        5 => (id(), prop::collection::vec(frames, 0..5)).prop_map(|(origin, messages)| Step::Publish(origin, messages)),
        2 => (id(), 0_usize..60).prop_map(|(id, bytes)| Step::Read(id, bytes)),
    ]
}

impl Model {
    fn member(&mut self, id: u64) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    fn subscribe(&mut self, id: u64, filter: &Filter) {
        let Some(member) = self.member(id) else { return };
        if let Some((_, times)) = member.filters.iter_mut().find(|(known, _)| known == filter) {
            *times += 1;
            return;
        }
        member.filters.push((filter.clone(), 1));
        if let Filter::Pattern(pattern) = filter {
            match self.patterns.iter_mut().find(|(known, _)| known == pattern) {
                Some((_, count)) => *count += 1,
                None => self.patterns.push((pattern.clone(), 1)),
            }
        }
    }

    fn unsubscribe(&mut self, id: u64, filter: &Filter) {
        let Some(member) = self.member(id) else { return };
        let Some(place) = member.filters.iter().position(|(known, _)| known == filter) else { return };
        if matches!(filter, Filter::Prefix(_)) && member.filters[place].1 > 1 {
            member.filters[place].1 -= 1;
            return;
        }
        member.filters.swap_remove(place);
        self.drop_pattern(filter);
    }

    fn drop_pattern(&mut self, filter: &Filter) {
        let Filter::Pattern(pattern) = filter else { return };
        let place = self.patterns.iter().position(|(known, _)| known == pattern).unwrap();
        self.patterns[place].1 -= 1;
        if self.patterns[place].1 == 0 {
            self.patterns.swap_remove(place);
        }
    }

    fn leave(&mut self, id: u64) {
        let Some(place) = self.members.iter().position(|member| member.id == id) else { return };
        let member = self.members.remove(place);
        member.filters.iter().for_each(|(filter, _)| self.drop_pattern(filter));
    }

    /// Returns how often the message is received.
    fn publish(&mut self, origin: u64, frames: &[String]) -> u64 {
        let first = &frames[0];
        let (topic, payload) = match first.split_once(' ') {
            Some((topic, payload)) if frames.len() == 1 => (topic, payload.to_owned()),
            _ => (first.as_str(), frames[1..].concat()),
        };
        // Whoever asks for everything does not mean the store's changes.
        let is_reserved = topic.starts_with("store.");
        let meant = |asked: &Bytes| !is_reserved || asked.starts_with(b"store.");
        let mut received = 0;
        for member in &mut self.members {
            let Membership { encoding, origin: own, hears_itself, sees_store_events, .. } = member.membership;
            if (own.0 == origin && !hears_itself) || (is_reserved && !sees_store_events) {
                continue;
            }
            let has = |wanted: &Filter| member.filters.iter().any(|(filter, _)| filter == wanted);
            let mut out = Vec::new();
            if encoding == Encoding::Zmtp {
                let fits = |(filter, _): &(Filter, u64)| {
                    meant(filter.text()) && first.as_bytes().starts_with(filter.text())
                };
                if member.filters.iter().any(fits) {
                    out.push(batch(&[frames]).bytes.to_vec());
                }
            } else {
                let mark = if encoding == Encoding::Resp3 { '>' } else { '*' };
                let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
                let end = bulk(topic) + &bulk(&payload);
                if has(&Filter::Channel(Bytes::copy_from_slice(topic.as_bytes()))) {
                    out.push(format!("{mark}3\r\n{}{end}", bulk("message")).into_bytes());
                }
                for (pattern, _) in &self.patterns {
                    let is_meant = meant(pattern);
                    if is_meant
                        && has(&Filter::Pattern(pattern.clone()))
                        && glob_matches(pattern, topic.as_bytes())
                    {
                        let pattern = bulk(std::str::from_utf8(pattern).unwrap());
                        out.push(format!("{mark}4\r\n{}{pattern}{end}", bulk("pmessage")).into_bytes());
                    }
                }
                let fits = |(filter, _): &(Filter, u64)| matches!(filter, Filter::Sequenced(prefix) if meant(prefix) && topic.as_bytes().starts_with(prefix));
                if member.filters.iter().any(fits) {
                    out.push(
                        format!("{mark}4\r\n{}:{}\r\n{end}", bulk("busmessage"), self.sequence + 1)
                            .into_bytes(),
                    );
                }
            }
            received += out.len() as u64;
            member.expected.extend(out.concat());
        }
        self.sequence += 1;
        received
    }
}

proptest! {
    #[test]
    fn every_member_gets_what_the_model_says_in_that_order(steps in prop::collection::vec(step(), 0..120)) {
        let mut bus = Bus::new(BusOptions::default());
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Join(id, encoding, hears_itself, sees_store_events) => {
                    let membership = Membership { hears_itself, sees_store_events, ..subscriber(encoding, id) };
                    if bus.join(MemberId(id), membership.clone()).is_ok() {
                        model.members.push(Member { id, membership, filters: Vec::new(), expected: Vec::new() });
                    }
                }
                Step::Leave(id) => {
                    bus.leave(MemberId(id));
                    model.leave(id);
                }
                Step::Subscribe(id, filter) => {
                    if bus.subscribe(MemberId(id), filter.clone()).is_ok() {
                        model.subscribe(id, &filter);
                    }
                }
                Step::Unsubscribe(id, filter) => {
                    bus.unsubscribe(MemberId(id), &filter);
                    model.unsubscribe(id, &filter);
                }
                Step::Publish(origin, messages) => {
                    let published = bus.publish(Origin(origin), &batch(&messages));
                    prop_assert_eq!(published.first_sequence, model.sequence + 1);
                    let received: u64 = messages.iter().map(|frames| model.publish(origin, frames)).sum();
                    prop_assert_eq!(published.receivers, received);
                }
                Step::Read(id, bytes) => {
                    let read = read(&mut bus, id, bytes);
                    if let Some(member) = model.member(id) {
                        let expected: Vec<u8> = member.expected.drain(..read.len()).collect();
                        prop_assert_eq!(read, expected);
                    }
                }
            }
        }
        for member in &model.members {
            prop_assert_eq!(read(&mut bus, member.id, usize::MAX), &member.expected[..]);
            let filters: usize = bus.subscriptions(MemberId(member.id)).count();
            prop_assert_eq!(filters, member.filters.len());
        }
        prop_assert_eq!(bus.view().queued_bytes, 0);
        prop_assert_eq!(bus.view().subscriptions, model.members.iter().map(|member| member.filters.len()).sum::<usize>());
    }
}
