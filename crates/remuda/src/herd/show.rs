//! `status` and `nodes`: what this node knows, from its own disk.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use remuda_trust::{Folder, Membership, Peer, UnixTime, fingerprint, is_due_for_renewal};
use serde_json::{Value, json};

use super::place::Place;
use crate::arguments::Printing;
use crate::exit::{Exit, Failure, Outcome};
use crate::quantity::{age, date_and_time};
use crate::screen::{BAD, NOTICE, Screen, paint};
use crate::table::{Cell, Column, Table};

pub(crate) fn status(printing: &Printing, place: &Place, screen: &mut Screen) -> Outcome {
    let folder = place.folder()?;
    let membership = folder.open()?;
    let (now, ends) = (UnixTime::now().as_secs(), membership.credentials.certified().not_after.as_secs());
    if printing.json {
        screen.json(&document(&membership))?;
    } else {
        screen.text(&summary(&membership))?;
    }
    if membership.is_removed() {
        let label = paint(BAD, "error:");
        screen.note(&format!("{label} this node was removed from the herd: nobody speaks with it"));
        if folder.authority()?.is_some() {
            let path = folder.path().join("authority.pem");
            screen
                .note(&format!("move the authority's key, {}, to where you keep its backup", path.display()));
        }
        screen.note("an invitation of a signer and `remuda herd join -` here make it a new node");
        return Ok(Exit::No);
    }
    if ends <= now {
        screen.note(&format!("{} its certificate has expired: nobody speaks with it", paint(BAD, "error:")));
        return Ok(Exit::No);
    }
    if is_due(&membership) {
        let left = age((ends - now).saturating_mul(1000));
        screen.note(&format!(
            "{} its certificate ends in {left}; `remuda herd renew` renews it",
            paint(NOTICE, "warning:")
        ));
    }
    Ok(Exit::Done)
}

fn is_due(membership: &Membership) -> bool {
    let certified = membership.credentials.certified();
    is_due_for_renewal(certified.not_before, certified.not_after, UnixTime::now())
}

/// A point in time for programs: RFC 3339.
fn moment(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// A point in time for people.
fn date(time: UnixTime) -> String {
    date_and_time(time.as_secs().saturating_mul(1000), &TimeZone::system())
}

/// What a node is, for programs.
pub(crate) fn document(membership: &Membership) -> Value {
    let certified = membership.credentials.certified();
    let trust = &membership.trust;
    json!({
        "herd": membership.node.herd,
        "node": membership.node.id.to_string(),
        "name": membership.node.name,
        "signer": membership.node.is_signer,
        "is_removed": membership.is_removed(),
        "addresses": membership.member.addresses,
        "authorities": trust.authorities().iter().map(fingerprint).collect::<Vec<_>>(),
        "certificate": {
            "serial": certified.serial,
            "from": moment(certified.not_before),
            "until": moment(certified.not_after),
            "due": is_due(membership),
        },
        "removed": trust.removals().iter().map(|removal| removal.node.to_string()).collect::<Vec<_>>(),
    })
}

/// What a node is, for people.
pub(crate) fn summary(membership: &Membership) -> String {
    let node = &membership.node;
    let role = if node.is_signer { ", a signer" } else { "" };
    let state = if membership.is_removed() { ", removed from it" } else { "" };
    let mut text = format!("node {} of herd {}{role}{state}\n", node.name, node.herd);
    let mut line = |label: &str, value: &str| text.push_str(&format!("  {label:<12} {value}\n"));
    line("number", &node.id.to_string());
    for address in &membership.member.addresses {
        line("address", address.as_str());
    }
    let until = membership.credentials.certified().not_after;
    line("certificate", &format!("until {}", date(until)));
    for authority in membership.trust.authorities() {
        line("authority", &format!("SHA-256 {}", fingerprint(authority)));
    }
    if membership.trust.authorities().len() > 1 {
        line("", "(one authority follows another: `remuda herd rotate --finish` ends that)");
    }
    let removed = membership.trust.removals().len();
    if removed > 0 {
        line("removed", &format!("{removed} {}", if removed == 1 { "node" } else { "nodes" }));
    }
    text
}

/// Other nodes that this one signed for or was told of, removed ones too.
pub(crate) fn known(folder: &Folder, membership: &Membership) -> Result<Vec<Peer>, Failure> {
    let mut known: Vec<Peer> = folder.issued()?.into_iter().map(|issued| issued.node).collect();
    for peer in &membership.member.peers {
        if known.iter().all(|other| other.id != peer.id) {
            known.push(peer.clone());
        }
    }
    known.retain(|peer| peer.id != membership.node.id);
    known.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(known)
}

pub(crate) fn nodes(printing: &Printing, place: &Place, screen: &mut Screen) -> Outcome {
    let folder = place.folder()?;
    let membership = folder.open()?;
    let own = Peer {
        id: membership.node.id,
        name: membership.node.name.clone(),
        addresses: membership.member.addresses.clone(),
        signer: membership.node.is_signer,
    };
    let removals = membership.trust.removals();
    let state = |peer: &Peer| match peer.id {
        id if id == own.id && removals.contains(id) => "this node, removed",
        id if id == own.id => "this node",
        id if removals.contains(id) => "removed",
        _ => "",
    };
    let all = std::iter::once(own.clone()).chain(known(&folder, &membership)?);
    if printing.json {
        for peer in all {
            screen.json(&json!({
                "node": peer.id.to_string(),
                "name": peer.name,
                "addresses": peer.addresses,
                "signer": peer.signer,
                "own": peer.id == own.id,
                "removed": removals.contains(peer.id),
            }))?;
        }
        return Ok(Exit::Done);
    }
    let column = |title, dispensable| Column { title, right: false, dispensable };
    let columns =
        [column("NAME", 0), column("NUMBER", 0), column("ROLE", 1), column("ADDRESSES", 2), column("", 0)];
    let mut table = Table::new(&columns);
    for peer in all {
        let addresses: Vec<&str> = peer.addresses.iter().map(remuda_trust::Address::as_str).collect();
        table.row(vec![
            Cell::from(peer.name.as_str()),
            Cell::from(peer.id.to_string()),
            Cell::from(if peer.signer { "signer" } else { "" }),
            Cell::maybe(Some(addresses.join(" ")).filter(|text| !text.is_empty())),
            Cell::from(state(&peer)),
        ]);
    }
    screen.text(&table.render(screen.width()))?;
    Ok(Exit::Done)
}
