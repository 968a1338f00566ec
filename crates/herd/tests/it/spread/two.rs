//! One machine, told by hand what its peers say.

use std::sync::Arc;
use std::time::Duration;

use remuda_herd::sim::messages_of;
use remuda_herd::spread::{
    Disconnected, Event, Fact, Graft, Have, HaveOrigin, Input, Known, LinkId, Message, Order, Payload,
    Spread, SpreadOptions, Up, Update,
};
use remuda_herd::{Epoch, NodeId};
use remuda_model::message::Batch;

const ME: NodeId = NodeId(10);
const PEER: NodeId = NodeId(20);

/// A machine and what it ordered.
pub(super) struct Bench {
    pub(super) machine: Spread,
    pub(super) now: Duration,
}

impl Bench {
    pub(super) fn new(options: SpreadOptions) -> Self {
        Self { machine: Spread::new(ME, Epoch(3), options, 7), now: Duration::from_secs(100) }
    }

    pub(super) fn tell(&mut self, input: Input) -> Vec<Order> {
        let mut orders = Vec::new();
        self.machine.step(self.now, input, &mut orders);
        orders
    }

    pub(super) fn up(&mut self, link: u64, peer: NodeId, is_dialled: bool) -> Vec<Order> {
        self.tell(Input::Up(Up { link: LinkId(link), peer, epoch: Epoch(1), version: 1, is_dialled }))
    }

    fn publish(&mut self, size: usize) -> Vec<Order> {
        self.tell(Input::Publish(messages_of(&[(b"t", &vec![7; size])])))
    }

    fn hear(&mut self, link: u64, message: Message) -> Vec<Order> {
        self.tell(Input::Received { link: LinkId(link), message })
    }
}

fn update(origin: NodeId, epoch: u64, sequence: u64) -> Message {
    let payload = Payload::Messages(Arc::new(messages_of(&[(b"t", b"")])));
    Message::Update(Update { origin, epoch: Epoch(epoch), sequence, skipped: 0, lost: 0, hops: 0, payload })
}

fn updates(orders: &[Order]) -> Vec<(u64, u64, u64)> {
    let sent = orders.iter().filter_map(|order| match order {
        Order::Send { message: Message::Update(update), .. } => Some(update),
        _ => None,
    });
    sent.map(|update| (update.sequence, update.skipped, update.lost)).collect()
}

fn delivered(orders: &[Order]) -> Vec<u64> {
    let delivered = orders.iter().filter_map(|order| match order {
        Order::Deliver(delivery) => Some(delivery.sequence),
        _ => None,
    });
    delivered.collect()
}

fn disconnected(orders: &[Order]) -> Vec<(u64, Disconnected)> {
    let closed = orders.iter().filter_map(|order| match order {
        Order::Disconnect { link, reason } => Some((link.0, *reason)),
        _ => None,
    });
    closed.collect()
}

fn events(orders: &[Order]) -> Vec<Event> {
    let told = orders.iter().filter_map(|order| match order {
        Order::Tell(event) => Some(event.clone()),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_link_that_writes_nothing_is_given_a_window_and_no_more() {
    let options = SpreadOptions { link_window: 10_000, ..SpreadOptions::default() };
    let mut bench = Bench::new(options);
    bench.up(1, PEER, true);
    let mut given = 0;
    for _message in 0..100 {
        given += updates(&bench.publish(1_000)).len();
    }
    assert!((9..=10).contains(&given), "{given} messages of 1 KB into 10 KB");
    let view = bench.machine.view();
    assert_eq!(view.cached_messages, 100);
    assert_eq!(view.links[0].waiting_origins, 1);
    let written = view.links[0].in_flight;
    let next = bench.tell(Input::Sent { link: LinkId(1), weight: written });
    assert_eq!(
        updates(&next).first(),
        Some(&(u64::try_from(given).unwrap() + 1, 0, 0)),
        "it goes on in order"
    );
}

#[test]
fn what_a_slow_link_is_too_far_behind_for_is_dropped_and_counted() {
    let options = SpreadOptions { link_window: 5_000, cache_bytes_max: 20_000, ..SpreadOptions::default() };
    let mut bench = Bench::new(options);
    bench.up(1, PEER, true);
    let mut sent = Vec::new();
    for _message in 0..200 {
        sent.extend(updates(&bench.publish(1_000)));
    }
    assert!(bench.machine.view().cached_bytes <= 20_000);
    loop {
        let waiting = bench.machine.view().links[0].in_flight;
        if waiting == 0 {
            break;
        }
        sent.extend(updates(&bench.tell(Input::Sent { link: LinkId(1), weight: waiting })));
    }
    let dropped = bench.machine.view().links[0].counters.dropped;
    let told_lost: u64 = sent.iter().map(|(_, _, lost)| lost).sum();
    assert!(dropped > 150, "{dropped}");
    assert_eq!(dropped, told_lost, "the peer is told of each");
    assert_eq!(u64::try_from(sent.len()).unwrap() + dropped, 200);
    assert_eq!(sent.last().unwrap().0, 200);
}

#[test]
fn a_message_that_comes_again_is_not_delivered_again() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    bench.up(2, NodeId(30), true);
    let origin = NodeId(40);
    assert_eq!(delivered(&bench.hear(1, update(origin, 1, 1))), [1]);
    assert_eq!(delivered(&bench.hear(2, update(origin, 1, 1))), [0; 0]);
    assert_eq!(delivered(&bench.hear(1, update(origin, 1, 2))), [2]);
    assert_eq!(bench.machine.counters().duplicates, 1);
}

#[test]
fn a_message_that_comes_too_early_waits_for_those_before_it() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    let origin = NodeId(40);
    bench.hear(1, update(origin, 1, 1));
    assert_eq!(delivered(&bench.hear(1, update(origin, 1, 4))), [0; 0]);
    bench.now += Duration::from_millis(300);
    let asked = bench.tell(Input::Tick);
    let graft = Graft { origin, epoch: Epoch(1), next: 2 };
    assert!(
        asked.iter().any(
            |order| matches!(order, Order::Send { message: Message::Graft(asked), .. } if *asked == graft)
        ),
        "{asked:?}"
    );
    let came: Vec<u64> =
        (2..=4).flat_map(|sequence| delivered(&bench.hear(1, update(origin, 1, sequence)))).collect();
    assert_eq!(came, [2, 3, 4]);
}

#[test]
fn a_link_that_comes_up_again_goes_on_at_once_where_its_peer_stands() {
    let mut bench = Bench::new(SpreadOptions::default());
    for _message in 0..5 {
        bench.publish(10);
    }
    assert_eq!(updates(&bench.up(1, PEER, true)), []);
    let entry = HaveOrigin { origin: ME, epoch: Epoch(3), next: 3, hops: 1, age_ms: 1_000 };
    let have = Message::Have(Have { entries: vec![entry], is_standing: true });
    assert_eq!(updates(&bench.hear(1, have)), [(3, 0, 0), (4, 0, 0), (5, 0, 0)]);
}

#[test]
fn a_new_life_of_a_node_replaces_the_old_one() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    let origin = NodeId(40);
    bench.hear(1, update(origin, 1, 1));
    assert_eq!(delivered(&bench.hear(1, update(origin, 2, 1))), [1]);
    assert_eq!(delivered(&bench.hear(1, update(origin, 1, 2))), [0; 0]);
    assert_eq!(bench.machine.counters().stale, 1);
}

#[test]
fn of_two_links_to_one_peer_the_one_made_by_the_lower_number_stays() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    assert_eq!(disconnected(&bench.up(2, PEER, false)), [(2, Disconnected::Doubled)]);
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, false);
    assert_eq!(disconnected(&bench.up(2, PEER, true)), [(1, Disconnected::Doubled)]);
    // The peer connects again before this side has noticed that the old link is dead.
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, false);
    assert_eq!(disconnected(&bench.up(2, PEER, false)), [(1, Disconnected::Doubled)]);
    assert_eq!(bench.machine.view().links.len(), 1);
}

#[test]
fn a_message_that_is_too_large_stays_and_is_told() {
    let options = SpreadOptions { update_bytes_max: 100, ..SpreadOptions::default() };
    let mut bench = Bench::new(options);
    bench.up(1, PEER, true);
    let orders = bench.publish(82);
    assert_eq!(events(&orders), [Event::TooLarge { bytes: 101 }]);
    assert_eq!(updates(&orders), []);
    assert_eq!(updates(&bench.publish(81)), [(1, 0, 0)]);
}

#[test]
fn a_node_with_an_old_state_is_told_that_a_later_life_is_known() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    let fact = Fact {
        node: ME,
        epoch: Epoch(9),
        version: 1,
        name: String::new(),
        addresses: Vec::new(),
        protocol: 1,
        links: Vec::new(),
        is_leaving: false,
    };
    assert_eq!(events(&bench.hear(1, Message::Fact(Arc::new(fact)))), [Event::Superseded(Epoch(9))]);
    let entry = HaveOrigin { origin: ME, epoch: Epoch(3), next: 50, hops: 1, age_ms: 0 };
    let have = Message::Have(Have { entries: vec![entry], is_standing: true });
    assert_eq!(events(&bench.hear(1, have.clone())), [], "the later life was told already");
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    assert_eq!(
        events(&bench.hear(1, have)),
        [Event::Superseded(Epoch(3))],
        "somebody else uses this very life"
    );
}

/// The last fact that these orders send.
fn fact_sent(orders: &[Order]) -> Option<Arc<Fact>> {
    orders.iter().rev().find_map(|order| match order {
        Order::Send { message: Message::Fact(fact), .. } => Some(Arc::clone(fact)),
        _ => None,
    })
}

#[test]
fn of_two_doubles_that_begin_the_same_life_exactly_one_hears_of_it() {
    for seed in 0..200 {
        let begin = |seed| {
            let machine = Spread::new(ME, Epoch(3), SpreadOptions::default(), seed);
            let mut bench = Bench { machine, now: Duration::from_secs(100) };
            bench.up(1, PEER, true);
            let all_known = Message::Known(Known { entries: Vec::new(), is_last: true });
            let fact =
                fact_sent(&bench.hear(1, all_known)).expect("a peer that knows nothing is told who this is");
            (bench, fact)
        };
        let ((mut one, of_one), (mut other, of_other)) = (begin(seed), begin(seed + 1000));
        let heard =
            [events(&one.hear(1, Message::Fact(of_other))), events(&other.hear(1, Message::Fact(of_one)))];
        let superseded = heard.iter().filter(|events| **events == [Event::Superseded(Epoch(3))]).count();
        assert_eq!(superseded, 1, "seed {seed}: {heard:?}");
    }
}

#[test]
fn a_next_life_that_resumes_asks_for_what_was_said_meanwhile() {
    let origin = NodeId(40);
    let mut before = Bench::new(SpreadOptions::default());
    before.up(1, PEER, true);
    before.hear(1, update(origin, 1, 1));
    let standing = before.machine.standing();
    let have = |next| {
        let entry = HaveOrigin { origin, epoch: Epoch(1), next, hops: 1, age_ms: 1_000_000 };
        Message::Have(Have { entries: vec![entry], is_standing: true })
    };

    let mut after = Bench::new(SpreadOptions::default());
    after.machine.resume(after.now, Duration::ZERO, &standing);
    after.up(1, PEER, true);
    after.hear(1, have(5));
    let came: Vec<u64> =
        (1..=5).flat_map(|sequence| delivered(&after.hear(1, update(origin, 1, sequence)))).collect();
    assert_eq!(came, [2, 3, 4, 5]);

    let mut stranger = Bench::new(SpreadOptions::default());
    stranger.up(1, PEER, true);
    stranger.hear(1, have(5));
    let came: Vec<u64> =
        (1..=5).flat_map(|sequence| delivered(&stranger.hear(1, update(origin, 1, sequence)))).collect();
    assert_eq!(came, [5], "what was said before it was there is not for it");
}

#[test]
fn a_removed_node_has_its_link_closed_and_gets_no_other() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    let closed = disconnected(&bench.tell(Input::Remove(PEER)));
    assert_eq!(closed, [(1, Disconnected::Removed)]);
    assert_eq!(disconnected(&bench.up(2, PEER, false)), [(2, Disconnected::Removed)]);
    bench.up(3, NodeId(30), true);
    assert_eq!(delivered(&bench.hear(3, update(PEER, 1, 1))), [0; 0], "nor is it heard through others");
}

#[test]
fn the_deadline_never_lies_in_the_past_after_a_step() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    for _step in 0..500 {
        bench.now = bench.machine.deadline().unwrap();
        bench.tell(Input::Tick);
        assert!(bench.machine.deadline().is_none_or(|next| next > bench.now));
        if bench.machine.view().links.is_empty() {
            return;
        }
    }
    panic!("a peer that says nothing is not given up");
}

#[test]
fn numbers_that_a_peer_makes_up_are_counted_without_end() {
    let mut bench = Bench::new(SpreadOptions::default());
    for link in [1, 2] {
        bench.up(link, PEER, true);
        let stands = |next| {
            let origin = HaveOrigin { origin: NodeId(30), epoch: Epoch(1), next, hops: 0, age_ms: u64::MAX };
            Message::Have(Have { entries: vec![origin], is_standing: true })
        };
        for _ in 0..5 {
            bench.hear(link, stands(1 << 62));
            bench.hear(link, stands(0));
        }
        bench.tell(Input::Down { link: LinkId(link) });
    }
    assert_eq!(bench.machine.counters().dropped, u64::MAX);
}

#[test]
fn messages_published_at_once_go_as_one_with_a_number_each() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    let messages: [(&[u8], &[u8]); 3] = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")];
    let first = bench.tell(Input::Publish(messages_of(&messages)));
    assert_eq!(updates(&first), [(1, 0, 0)]);
    assert_eq!(updates(&bench.publish(10)), [(4, 0, 0)]);
    let counters = bench.machine.counters();
    assert_eq!(counters.published, 4);
    let view = bench.machine.view();
    assert_eq!((view.cached_messages, view.links[0].counters.updates_sent), (4, 4));
    assert_eq!(updates(&bench.tell(Input::Publish(Batch::default()))), [], "nothing is nothing");
}

#[test]
fn what_is_dropped_skipped_or_lost_is_counted_by_the_message() {
    let options = SpreadOptions { link_window: 1, cache_bytes_max: 4_000, ..SpreadOptions::default() };
    let mut bench = Bench::new(options);
    bench.up(1, PEER, true);
    let three = || messages_of(&[(b"t", &[0; 500]), (b"t", &[0; 500]), (b"t", &[0; 500])]);
    let mut sent = Vec::new();
    for _batch in 0..10 {
        sent.extend(updates(&bench.tell(Input::Publish(three()))));
    }
    loop {
        let waiting = bench.machine.view().links[0].in_flight;
        if waiting == 0 {
            break;
        }
        sent.extend(updates(&bench.tell(Input::Sent { link: LinkId(1), weight: waiting })));
    }
    let lost: u64 = sent.iter().map(|(_, _, lost)| lost).sum();
    let view = bench.machine.view();
    let kept = u64::try_from(sent.len()).unwrap() * 3;
    assert!(lost > 0 && lost + kept == 30, "{lost} lost, {kept} sent");
    assert_eq!(view.links[0].counters.dropped, lost);
    assert_eq!(view.links[0].counters.updates_sent, kept);
}

#[test]
fn messages_that_come_together_are_told_again_as_one_and_taken_once() {
    let mut bench = Bench::new(SpreadOptions::default());
    bench.up(1, PEER, true);
    bench.up(2, NodeId(30), true);
    let three = |sequence| {
        let payload = Payload::Messages(Arc::new(messages_of(&[(b"t", b"1"), (b"t", b"2"), (b"t", b"3")])));
        let (origin, epoch) = (NodeId(40), Epoch(1));
        Message::Update(Update { origin, epoch, sequence, skipped: 0, lost: 0, hops: 0, payload })
    };
    let orders = bench.hear(1, three(1));
    assert_eq!((delivered(&orders), updates(&orders)), (vec![1], vec![(1, 0, 0)]));
    assert_eq!(delivered(&bench.hear(2, three(1))), [0; 0], "they came already");
    // The numbers 4 to 6 are missing: what comes before them waits until they are asked for.
    assert_eq!(delivered(&bench.hear(1, three(7))), [0; 0]);
    assert_eq!(delivered(&bench.hear(1, three(4))), [4]);
    assert_eq!(delivered(&bench.hear(1, three(7))), [7]);
    let counters = bench.machine.counters();
    assert_eq!((counters.received, counters.delivered, counters.duplicates, counters.holes), (9, 9, 3, 1));
}
