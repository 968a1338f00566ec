//! `peers`: who is there, and how the links with them are.

use remuda_model::hub::{HerdLink, HerdMember, HerdView};
use remuda_toolkit::client::{Store, Value};

use crate::arguments::{Global, Printing};
use crate::exit::{Exit, Failure, Outcome};
use crate::quantity::{age, size};
use crate::screen::Screen;
use crate::table::{Cell, Column, Table};

/// For a server that is no member.
pub(crate) const HOW_TO_JOIN: &str = "`remuda herd init` begins one, `remuda herd join` joins one";

/// Prints what the hub knows of the herd. That a server is not there, or called in vain, is the answer no.
pub(crate) async fn peers(printing: &Printing, global: &Global, screen: &mut Screen) -> Outcome {
    let mut store = super::find(global, 0).await?.store();
    let view = ask(&mut store)?;
    if printing.json {
        let document = serde_json::to_value(&view);
        screen.json(&document.map_err(|error| Failure::new(Exit::No, error.to_string()))?)?;
    } else if !view.herd.is_empty() {
        show(&view, screen)?;
    }
    if view.herd.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            format!("the hub takes no part in a herd: {}", view.trouble),
        )
        .hint(HOW_TO_JOIN));
    }
    if !view.trouble.is_empty() {
        return Err(Failure::new(Exit::No, view.trouble)
            .hint("where the folder was copied to, remove `herd` in it, and `remuda herd join` anew"));
    }
    let is_well = view.members.iter().all(|member| matches!(member.state.as_str(), "here" | "left"));
    let is_answered = view.calls.iter().all(|call| call.state != "away" || call.trouble.is_empty());
    Ok(if is_well && is_answered { Exit::Done } else { Exit::No })
}

/// What the hub says of the herd.
pub(crate) fn ask(store: &mut Store) -> Result<HerdView, Failure> {
    let unclear =
        || Failure::new(Exit::No, "the hub says of the herd what means nothing here: is it another version?");
    match store.command(&[b"HUB.HERD"])? {
        Value::Bulk(text) => serde_json::from_slice(&text).map_err(|_error| unclear()),
        _ => Err(unclear()),
    }
}

fn show(view: &HerdView, screen: &mut Screen) -> std::io::Result<()> {
    let of = |title, right, dispensable| Column { title, right, dispensable };
    let mut table = Table::new(&[
        of("NAME", false, 0),
        of("STATE", false, 0),
        of("FOR", true, 3),
        of("LINK", false, 0),
        of("ROUND TRIP", true, 1),
        of("WAITING", true, 2),
        of("SENT", true, 4),
        of("RECEIVED", true, 4),
        of("DROPPED", true, 2),
        of("ADDRESS", false, 5),
    ]);
    for member in view.members.iter().filter(|member| member.node != view.node) {
        table.row(row(member, view.links.iter().find(|link| link.node == member.node)));
    }
    let others = view.members.len().saturating_sub(1);
    let head = format!(
        "node {} of herd {}, life {}, {others} other{}, {}\n",
        view.name,
        view.herd,
        view.epoch,
        if others == 1 { "" } else { "s" },
        if view.mode == "tree" { "messages along trees" } else { "messages over all links" }
    );
    screen.text(&head)?;
    if others > 0 {
        screen.text(&table.render(screen.width()))?;
    }
    for call in view.calls.iter().filter(|call| call.state == "away" && !call.trouble.is_empty()) {
        screen.note(&format!("({} is called in vain: {})", call.address, call.trouble));
    }
    Ok(())
}

fn row(member: &HerdMember, link: Option<&HerdLink>) -> Vec<Cell> {
    let name = if member.name.is_empty() { &member.node } else { &member.name };
    let of = |text: &dyn Fn(&HerdLink) -> String| Cell::maybe(link.map(text));
    vec![
        Cell::from(name.as_str()),
        Cell::from(member.state.as_str()),
        Cell::from(age(member.lasting_ms)),
        match link {
            Some(link) => Cell::from(link.state.as_str()),
            None => Cell::from(format!("{} away", member.distance)),
        },
        Cell::maybe(link.and_then(|link| link.round_trip_us).map(round_trip)),
        of(&|link| size(link.waiting_bytes)),
        of(&|link| size(link.sent_bytes_total)),
        of(&|link| size(link.received_bytes_total)),
        of(&|link| link.dropped_total.to_string()),
        Cell::maybe(link.map(|link| link.address.clone()).or_else(|| member.addresses.first().cloned())),
    ]
}

fn round_trip(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros / 100 % 10)
}
