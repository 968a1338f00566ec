//! iroh-gossip's state machine as a node of the world, with its own defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use iroh_gossip::proto::state::MessageKind;
use iroh_gossip::proto::{
    Command, Config, Event, InEvent, Message, OutEvent, PeerData, Scope, State, Timer, TopicId,
};
use n0_future::time::Instant;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::node::{Deed, Node, Place, Told};

/// Where links are given, a node takes as many as it is given.
const GIVEN_LINKS_MAX: usize = 64;
/// And shuffles no names of others; longer than any trial.
const NEVER: Duration = Duration::from_secs(24 * 3_600);
const TOPIC: TopicId = TopicId::from_bytes([7; 32]);

/// A node.
#[derive(Debug)]
pub struct Theirs {
    state: State<Place, StdRng>,
    began: Instant,
    timers: BTreeMap<(Duration, u64), Timer<Place>>,
    tickets: u64,
    peers: BTreeSet<Place>,
}

impl Theirs {
    fn handle(&mut self, now: Duration, event: InEvent<Place>, deeds: &mut Vec<Deed<Message<Place>>>) {
        for event in self.state.handle(event, self.began + now, None) {
            match event {
                OutEvent::SendMessage(peer, message) => deeds.push(Deed::Send(peer, message)),
                OutEvent::DisconnectPeer(peer) => deeds.push(Deed::Part(peer)),
                OutEvent::ScheduleTimer(after, timer) => {
                    self.tickets += 1;
                    self.timers.insert((now + after, self.tickets), timer);
                }
                OutEvent::EmitEvent(_, Event::NeighborUp(peer)) => {
                    self.peers.insert(peer);
                }
                OutEvent::EmitEvent(_, Event::NeighborDown(peer)) => {
                    self.peers.remove(&peer);
                }
                OutEvent::EmitEvent(_, Event::Received(said)) => {
                    if let Ok(number) = said.content.as_ref().try_into() {
                        let number = u64::from_be_bytes(number);
                        deeds.push(Deed::Deliver { number, from: said.delivered_from });
                    }
                }
                OutEvent::PeerData(..) => {}
            }
        }
    }
}

impl Node for Theirs {
    type Message = Message<Place>;

    const LINKS_BY_SENDING: bool = true;

    fn new(place: Place, seed: u64, has_links: bool) -> Self {
        let mut config = Config::default();
        if has_links {
            config.membership.active_view_capacity = GIVEN_LINKS_MAX;
            config.membership.shuffle_interval = NEVER;
        }
        let state = State::new(place, PeerData::default(), config, StdRng::seed_from_u64(seed));
        let (began, timers, peers) = (Instant::now(), BTreeMap::new(), BTreeSet::new());
        let mut node = Self { state, began, timers, tickets: 0, peers };
        let mut deeds = Vec::new();
        node.handle(Duration::ZERO, InEvent::Command(TOPIC, Command::Join(Vec::new())), &mut deeds);
        node
    }

    fn step(&mut self, now: Duration, told: Told<Message<Place>>, deeds: &mut Vec<Deed<Message<Place>>>) {
        let event = match told {
            // Who made it says so; the other one hears it.
            Told::Linked { is_ours: false, .. } => return,
            Told::Linked { peer, .. } | Told::Introduced(peer) => {
                InEvent::Command(TOPIC, Command::Join(vec![peer]))
            }
            Told::Parted(peer) | Told::Unreachable(peer) => InEvent::PeerDisconnected(peer),
            Told::Heard(peer, message) => InEvent::RecvMessage(peer, message),
            Told::Say(number) => {
                let said = Bytes::copy_from_slice(&number.to_be_bytes());
                InEvent::Command(TOPIC, Command::Broadcast(said, Scope::Swarm))
            }
            Told::Woken => {
                while let Some(due) = self.timers.first_entry().filter(|due| due.key().0 <= now) {
                    let timer = due.remove();
                    self.handle(now, InEvent::TimerExpired(timer), deeds);
                }
                return;
            }
        };
        self.handle(now, event, deeds);
    }

    fn deadline(&self) -> Option<Duration> {
        self.timers.keys().next().map(|(at, _)| *at)
    }

    fn is_payload(message: &Message<Place>) -> bool {
        matches!(message.kind(), MessageKind::Data)
    }

    fn peers(&self) -> Vec<Place> {
        self.peers.iter().copied().collect()
    }
}
