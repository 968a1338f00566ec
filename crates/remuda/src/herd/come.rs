//! `init` and `join`: a server becomes a node.

use std::io::Read as _;

use remuda_model::{HerdName, NodeName};
use remuda_trust::enrolment::{self, Joining};
use remuda_trust::{Founding, Membership, TOKEN_BYTES_MAX, Token, UnixTime, found, system_clock};

use super::place::Place;
use super::show::{document, summary};
use crate::arguments::{InitHerdArguments, JoinArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::Screen;

pub(crate) fn init(arguments: InitHerdArguments, place: &Place, screen: &mut Screen) -> Outcome {
    let herd = match arguments.name {
        Some(name) => name,
        None => herd_name(place)?,
    };
    let founding =
        Founding { herd, node: node_name(arguments.node.node)?, addresses: arguments.node.addresses };
    let membership = found(&place.new_folder()?, founding, UnixTime::now())?;
    tell(&membership, arguments.printing.json, screen)?;
    screen.note("back up authority.pem, apart from this machine: without it nobody joins or is renewed");
    Ok(Exit::Done)
}

pub(crate) fn join(arguments: JoinArguments, place: &Place, screen: &mut Screen) -> Outcome {
    let text = match (&arguments.token, &arguments.file) {
        (_, Some(path)) => {
            let file = std::fs::File::open(path).map_err(|error| Failure::file("open", path, &error))?;
            read(file).map_err(|error| Failure::file("read", path, &error))?
        }
        (Some(token), None) if token != "-" => token.clone(),
        _ => read(std::io::stdin().lock())
            .map_err(|error| Failure::misuse(format!("cannot read standard input: {error}")))?,
    };
    let token: Token = text.parse()?;
    let joining = Joining {
        name: node_name(arguments.node.node)?,
        addresses: arguments.node.addresses,
        signer: arguments.signer,
    };
    let membership = enrolment::join(&place.new_folder()?, token, joining, &system_clock())?;
    tell(&membership, arguments.printing.json, screen)?;
    Ok(Exit::Done)
}

/// Text of at most the length of a token, with room for an end of line.
fn read(from: impl std::io::Read) -> std::io::Result<String> {
    let mut text = String::new();
    let limit = u64::try_from(TOKEN_BYTES_MAX * 2).unwrap_or(u64::MAX);
    from.take(limit).read_to_string(&mut text)?;
    Ok(text)
}

fn tell(membership: &Membership, json: bool, screen: &mut Screen) -> std::io::Result<()> {
    if json { screen.json(&document(membership)) } else { screen.text(&summary(membership)) }
}

fn herd_name(place: &Place) -> Result<HerdName, Failure> {
    let name = place.instance.as_deref().unwrap_or_default();
    HerdName::new(name).map_err(|error| {
        Failure::misuse(format!("{name:?} cannot name a herd: {error}")).hint("name it with --name")
    })
}

/// The name given, or the machine's without its domain.
fn node_name(given: Option<NodeName>) -> Result<NodeName, Failure> {
    if let Some(name) = given {
        return Ok(name);
    }
    let host = remuda_sys::machine::host_name();
    let first = host.split('.').next().unwrap_or_default();
    NodeName::new(first).map_err(|error| {
        Failure::misuse(format!("this machine's name {first:?} cannot name a node: {error}"))
            .hint("name it with --node")
    })
}
