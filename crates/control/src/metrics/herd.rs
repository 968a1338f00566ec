//! Figures of the herd, as the hub tells them.

use remuda_model::hub::{HerdCounters, HerdKeys, HerdLink, HerdView};

use super::{COUNTER, GAUGE, Kind, Line, Page};

/// States of nodes, each of which is told even when no node is in it.
const STATES: [&str; 4] = ["here", "suspected", "lost", "left"];

/// What stands behind `remuda_hub_herd_link_`, its kind, its meaning, and how a link's value is found.
type LinkFamily = (&'static str, Kind, &'static str, fn(&HerdLink) -> u64);

/// All figures of the herd.
pub(super) fn herd(page: &mut Page, view: &HerdView) {
    let is_member = u64::from(view.trouble.is_empty());
    page.family(
        "remuda_hub_herd_member",
        GAUGE,
        "Whether this server is a member of a herd.",
        [(&[], is_member)],
    );
    if is_member == 0 {
        return;
    }
    let nodes = STATES.map(|state| {
        let count = view.members.iter().filter(|member| member.state == state).count();
        ([("state", state.to_owned())], count)
    });
    page.family("remuda_hub_herd_nodes", GAUGE, "Nodes that are known, this one among them.", nodes);
    links(page, &view.links);
    let keys = view.keys.as_ref().map(keys).unwrap_or_default();
    let own = [
        ("links", GAUGE, "Links with other servers.", u64::try_from(view.links.len()).unwrap_or(u64::MAX)),
        ("kept_bytes", GAUGE, "Bytes of messages kept for servers that are behind.", view.kept_bytes),
    ];
    page.lines("remuda_hub_herd_", own.into_iter().chain(counters(&view.counters)).chain(keys));
}

fn links(page: &mut Page, links: &[HerdLink]) {
    let families: [LinkFamily; 8] = [
        ("up", GAUGE, "Whether signs of life come over the link.", |link| u64::from(link.state == "up")),
        ("round_trip_microseconds", GAUGE, "Round trip; 0 until it is measured.", |link| {
            link.round_trip_us.unwrap_or_default()
        }),
        ("waiting_bytes", GAUGE, "Bytes the kernel has not taken.", |link| link.waiting_bytes),
        ("sent_messages_total", COUNTER, "Messages sent over the link.", |link| link.sent_messages_total),
        ("received_messages_total", COUNTER, "Messages that came over the link.", |link| {
            link.received_messages_total
        }),
        ("sent_bytes_total", COUNTER, "Bytes sent, before encryption.", |link| link.sent_bytes_total),
        ("received_bytes_total", COUNTER, "Bytes that came, after decryption.", |link| {
            link.received_bytes_total
        }),
        ("dropped_messages_total", COUNTER, "Messages the link was too far behind for.", |link| {
            link.dropped_total
        }),
    ];
    for (name, kind, help, of) in families {
        let each =
            links.iter().map(|link| ([("node", link.node.clone()), ("name", link.name.clone())], of(link)));
        page.family(&format!("remuda_hub_herd_link_{name}"), kind, help, each);
    }
}

fn counters(it: &HerdCounters) -> Vec<Line> {
    vec![
        ("published_total", COUNTER, "Messages and changes of this server.", it.published_total),
        ("received_total", COUNTER, "Those of others that came, each once.", it.received_total),
        ("delivered_total", COUNTER, "Messages given to subscribers here.", it.delivered_total),
        ("duplicates_total", COUNTER, "Messages that came again.", it.duplicates_total),
        ("skipped_total", COUNTER, "Messages nobody here or behind wanted.", it.skipped_total),
        ("lost_total", COUNTER, "Messages that no server has any more.", it.lost_total),
        ("dropped_total", COUNTER, "Messages links were too far behind for.", it.dropped_total),
        ("kept_here_total", COUNTER, "Messages too large to be told to others.", it.kept_here_total),
        ("links_up_total", COUNTER, "Links that came up.", it.links_up_total),
        ("links_down_total", COUNTER, "Links that went.", it.links_down_total),
        ("refused_total", COUNTER, "Connections of strangers that were refused.", it.refused_total),
    ]
}

fn keys(it: &HerdKeys) -> Vec<Line> {
    vec![
        ("keys", GAUGE, "Keys that are shared.", it.keys),
        ("keys_deleted", GAUGE, "Deleted keys that are remembered.", it.deleted),
        ("keys_waiting", GAUGE, "Changes from the future that wait.", it.waiting),
        ("keys_made_total", COUNTER, "Changes of shared keys made here.", it.made_total),
        ("keys_taken_total", COUNTER, "Changes of others that were taken.", it.taken_total),
        (
            "keys_concurrent_overwrites_total",
            COUNTER,
            "Writes of this server that another one's at the same time overwrote.",
            it.concurrent_overwrites_total,
        ),
        ("keys_quarantined_total", COUNTER, "Changes that came from the future.", it.quarantined_total),
        ("keys_refused_total", COUNTER, "Changes of others that were refused.", it.refused_total),
        ("keys_oversized_total", COUNTER, "Writes of keys too large to be shared.", it.oversized_total),
        ("keys_synced_total", COUNTER, "Comparisons with other servers completed.", it.synced_total),
        ("keys_repaired_total", COUNTER, "Keys that comparisons brought up to date.", it.repaired_total),
    ]
}
