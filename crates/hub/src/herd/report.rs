//! The herd as operators see it.

use std::collections::BTreeMap;
use std::time::Duration;

use remuda_herd::NodeId;
use remuda_herd::spread::{LinkState, LinkView, MemberView, Standing};
use remuda_model::Tick;
use remuda_model::hub::{HerdCall, HerdCounters, HerdLink, HerdMember, HerdView};

use super::dial::{Dial, Phase};
use super::{Herd, Inside};
use crate::connection::Protocol;
use crate::core::Core;
use crate::hub::Hub;
use crate::table::Key;

impl Core {
    /// A node as people know it.
    pub(super) fn name_of(&self, node: NodeId) -> String {
        match self.bare_name_of(node) {
            name if name.is_empty() => format!("node {node}"),
            name => format!("node {name}"),
        }
    }

    /// The name of a node; empty when it is not known.
    pub(super) fn bare_name_of(&self, node: NodeId) -> String {
        let inside = self.herd.as_ref().and_then(|herd| herd.inside.as_ref());
        let name = inside.and_then(|inside| inside.spread.name_of(node));
        name.unwrap_or_default().to_owned()
    }
}

impl Herd {
    /// Lines for `INFO`.
    pub(crate) fn lines(&self, now: Tick) -> Vec<(String, String)> {
        let Some(inside) = &self.inside else {
            return vec![
                ("herd_member".to_owned(), "0".to_owned()),
                ("herd_trouble".to_owned(), self.trouble.clone()),
            ];
        };
        let view = inside.spread.view();
        let counters = counters(self, inside);
        let here = view.members.iter().filter(|member| member.standing == Standing::Here).count();
        let mut lines = vec![
            ("herd_member", "1".to_owned()),
            ("herd_trouble", self.rival_trouble(now).unwrap_or_default()),
            ("herd_name", inside.membership.node.herd.to_string()),
            ("herd_node", view.me.to_string()),
            ("herd_node_name", inside.membership.node.name.to_string()),
            ("herd_epoch", view.epoch.to_string()),
            ("herd_nodes", view.members.len().to_string()),
            ("herd_nodes_here", here.to_string()),
            ("herd_links", view.links.len().to_string()),
            ("herd_published", counters.published_total.to_string()),
            ("herd_received", counters.received_total.to_string()),
            ("herd_lost", counters.lost_total.to_string()),
            ("herd_dropped", counters.dropped_total.to_string()),
        ];
        if let Some(keys) = &inside.keys {
            let keys = keys.view();
            lines.push(("herd_keys", keys.keys.to_string()));
            lines.push(("herd_keys_digest", keys.digest));
            lines.push(("herd_concurrent_overwrites", keys.concurrent_overwrites_total.to_string()));
        }
        lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Hub {
    /// The herd as this server sees it; `None` where the config asks for none.
    pub(crate) fn herd_view(&self) -> Option<HerdView> {
        let herd = self.core.herd.as_ref()?;
        let Some(inside) = &herd.inside else {
            return Some(HerdView { trouble: herd.trouble.clone(), ..HerdView::default() });
        };
        let view = inside.spread.view();
        let names: BTreeMap<NodeId, String> =
            view.members.iter().map(|member| (member.node, member.name.clone())).collect();
        Some(HerdView {
            herd: inside.membership.node.herd.to_string(),
            node: view.me.to_string(),
            name: inside.membership.node.name.to_string(),
            epoch: view.epoch.0,
            mode: if view.is_tree { "tree" } else { "flood" }.to_owned(),
            trouble: herd.rival_trouble(self.core.moment.tick).unwrap_or_default(),
            members: view.members.iter().map(member).collect(),
            links: view.links.iter().map(|view| self.herd_link(view, &names)).collect(),
            calls: inside.dials.iter().map(|dial| call(inside, dial)).collect(),
            counters: counters(herd, inside),
            kept_messages: whole(view.cached_messages),
            kept_bytes: whole(view.cached_bytes),
            keys: inside.keys.as_ref().map(super::SharedKeys::view),
        })
    }

    fn herd_link(&self, view: &LinkView, names: &BTreeMap<NodeId, String>) -> HerdLink {
        let connection = self.connections.get(Key::from_number(view.link.0));
        let dialled = connection.is_some_and(
            |connection| matches!(&connection.protocol, Protocol::Herd(peer) if peer.dial.is_some()),
        );
        HerdLink {
            node: view.peer.to_string(),
            name: names.get(&view.peer).cloned().unwrap_or_default(),
            address: connection.map(|connection| connection.remote.to_string()).unwrap_or_default(),
            dialled,
            state: match view.state {
                LinkState::Up => "up",
                LinkState::Suspect => "suspect",
                LinkState::Down => "down",
            }
            .to_owned(),
            version: view.version,
            age_ms: millis(view.age),
            silence_ms: millis(view.silence),
            round_trip_us: view.round_trip.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            waiting_bytes: whole(view.in_flight),
            waiting_origins: whole(view.waiting_origins),
            sent_messages_total: view.counters.updates_sent,
            received_messages_total: view.counters.updates_received,
            duplicates_total: view.counters.duplicates,
            sent_bytes_total: view.counters.bytes_sent,
            received_bytes_total: view.counters.bytes_received,
            dropped_total: view.counters.dropped,
        }
    }
}

fn member(view: &MemberView) -> HerdMember {
    HerdMember {
        node: view.node.to_string(),
        name: view.name.clone(),
        epoch: view.epoch.0,
        state: match view.standing {
            Standing::Here => "here",
            Standing::Suspected => "suspected",
            Standing::Lost => "lost",
            Standing::Left => "left",
        }
        .to_owned(),
        lasting_ms: millis(view.lasting),
        addresses: view.addresses.clone(),
        distance: view.distance,
        sequence: view.sequence,
    }
}

fn call(inside: &Inside, dial: &Dial) -> HerdCall {
    let is_linked = dial.node.is_some_and(|node| inside.is_linked(node));
    HerdCall {
        address: dial.address.clone(),
        node: dial.node.map(|node| node.to_string()).unwrap_or_default(),
        state: match dial.phase {
            _ if is_linked => "linked",
            Phase::Away { .. } => "away",
            Phase::Resolving | Phase::Connected { .. } => "connecting",
        }
        .to_owned(),
        trouble: if is_linked { String::new() } else { dial.trouble.clone() },
        attempts_total: dial.attempts,
    }
}

fn counters(herd: &Herd, inside: &Inside) -> HerdCounters {
    let counters = inside.spread.counters();
    // Numbers are what nodes say they are, up to the largest there is.
    let links = inside.spread.view().links;
    let dropped = links.iter().map(|link| link.counters.dropped).fold(counters.dropped, u64::saturating_add);
    HerdCounters {
        published_total: counters.published,
        received_total: counters.received,
        delivered_total: counters.delivered,
        duplicates_total: counters.duplicates,
        skipped_total: counters.skipped,
        lost_total: counters.lost,
        dropped_total: dropped,
        kept_here_total: counters.too_large,
        links_up_total: counters.links_up,
        links_down_total: counters.links_down,
        refused_total: herd.refused,
        relayed_total: herd.relays.passed_on,
        relays_dropped_total: herd.relays.dropped,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
