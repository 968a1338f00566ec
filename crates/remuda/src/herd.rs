//! `remuda herd`: who belongs to the herd, from the command line.
//!
//! These commands work on the node's own folder, with or without a running hub; two of them, `join` and `renew`, ask a
//! signer over the network, and `check` asks the running hub.

mod check;
mod come;
mod failure;
mod invite;
mod place;
mod show;
mod upkeep;

use crate::arguments::{Global, HerdArguments, HerdCommand};
use crate::exit::Outcome;
use crate::screen::Screen;

pub(crate) async fn run(arguments: HerdArguments, global: &Global, screen: &mut Screen) -> Outcome {
    // It needs no folder: the hub answers.
    if let HerdCommand::Check(printing) = &arguments.command {
        return check::run(printing, global, screen).await;
    }
    let place = place::find(arguments.state, global)?;
    match arguments.command {
        HerdCommand::Check(printing) => check::run(&printing, global, screen).await,
        HerdCommand::Init(arguments) => come::init(arguments, &place, screen),
        HerdCommand::Join(arguments) => come::join(arguments, &place, screen),
        HerdCommand::Invite(arguments) => invite::run(arguments, &place, screen),
        HerdCommand::Renew(arguments) => upkeep::renew(&arguments, &place, screen),
        HerdCommand::Remove(arguments) => upkeep::remove(&arguments, &place, screen),
        HerdCommand::Rotate(arguments) => upkeep::rotate(&arguments, &place, screen),
        HerdCommand::Status(printing) => show::status(&printing, &place, screen),
        HerdCommand::Nodes(printing) => show::nodes(&printing, &place, screen),
    }
}
