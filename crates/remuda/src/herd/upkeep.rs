//! `renew`, `remove` and `rotate`.

use remuda_herd::NodeId;
use remuda_trust::{
    Folder, Membership, Peer, UnixTime, enrolment, finish_rotation, renew_here, system_clock,
};
use serde_json::json;

use super::place::Place;
use super::show::{document, known, summary};
use crate::arguments::{RemoveArguments, RenewArguments, RotateArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::{NOTICE, Screen, paint};

pub(crate) fn renew(arguments: &RenewArguments, place: &Place, screen: &mut Screen) -> Outcome {
    let folder = place.folder()?;
    let is_signer = folder.authority()?.is_some();
    let membership = match &arguments.from {
        None if is_signer => renew_here(&folder, UnixTime::now())?,
        from => enrolment::renew(&folder, from.as_ref(), &system_clock())?,
    };
    tell(&membership, arguments.printing.json, screen)
}

pub(crate) fn rotate(arguments: &RotateArguments, place: &Place, screen: &mut Screen) -> Outcome {
    let folder = place.folder()?;
    if arguments.finish {
        return tell(&finish_rotation(&folder, UnixTime::now())?, arguments.printing.json, screen);
    }
    let membership = remuda_trust::rotate(&folder, UnixTime::now())?;
    let done = tell(&membership, arguments.printing.json, screen)?;
    screen.note("next: back up authority.pem anew");
    screen.note("then, on each other node, signers first: `remuda herd renew --from` this node's address");
    screen.note("when all have been renewed, on each node: `remuda herd rotate --finish`");
    Ok(done)
}

fn tell(membership: &Membership, json: bool, screen: &mut Screen) -> Outcome {
    if json {
        screen.json(&document(membership))?;
    } else {
        screen.text(&summary(membership))?;
    }
    Ok(Exit::Done)
}

pub(crate) fn remove(arguments: &RemoveArguments, place: &Place, screen: &mut Screen) -> Outcome {
    let folder = place.folder()?;
    let membership = folder.open()?;
    let node = meant(&arguments.node, &folder, &membership)?;
    remuda_trust::remove(&folder, node.0, UnixTime::now())?;
    if arguments.printing.json {
        screen.json(&json!({"removed": node.0.to_string()}))?;
    } else {
        screen.line(&format!("{} is removed; other nodes learn of it from this one", arguments.node))?;
    }
    if node.1 {
        let warning = "it was a signer and has the authority's key: it can make itself a new node";
        screen.note(&format!("{} {warning}", paint(NOTICE, "warning:")));
        screen.note("`remuda herd rotate` makes a new key, and is not done before it is finished");
    }
    Ok(Exit::Done)
}

/// The node that is meant, and whether it signs.
fn meant(text: &str, folder: &Folder, membership: &Membership) -> Result<(NodeId, bool), Failure> {
    let known = known(folder, membership)?;
    let is_meant = |peer: &&Peer| peer.name.as_str() == text || peer.id.to_string() == text;
    let found: Vec<&Peer> = known.iter().filter(is_meant).collect();
    match found.as_slice() {
        [one] => Ok((one.id, one.signer)),
        [] if membership.node.name.as_str() == text => Ok((membership.node.id, true)),
        // A number need not be known here: the node may have come by another signer.
        [] => match number(text) {
            Some(id) => Ok((id, false)),
            None => {
                Err(Failure::new(Exit::Refused, format!("there is no node {text:?} that this one knows"))
                    .hint("`remuda herd nodes` lists them; a node is removed by its number too"))
            }
        },
        _ => Err(Failure::misuse(format!("several nodes are named {text:?}"))
            .hint("`remuda herd nodes` shows their numbers; name the one you mean by that")),
    }
}

fn number(text: &str) -> Option<NodeId> {
    let number = u64::from_str_radix(text, 16).ok().map(NodeId)?;
    (number.to_string() == text).then_some(number)
}
