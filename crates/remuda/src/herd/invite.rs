//! `invite`: an invitation on standard output, and if wanted somebody who waits for those who come.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use remuda_trust::admission::Outcome as Admitted;
use remuda_trust::enrolment::{CONVERSATION_WITHIN, serve};
use remuda_trust::{Address, Folder, InvitationId, InvitationWish, UnixTime, invite, system_clock};

use super::place::Place;
use crate::arguments::InviteArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::quantity::date_and_time;
use crate::screen::Screen;

/// A listener cannot be waited for with an end, only asked: this often.
const ACCEPT_EVERY: Duration = Duration::from_millis(50);

pub(crate) fn run(arguments: InviteArguments, place: &Place, screen: &mut Screen) -> Outcome {
    let folder = place.folder()?;
    let listener = arguments.listen.map(listen).transpose()?;
    let mut addresses = arguments.addresses;
    if let (Some((_, at)), true) = (&listener, addresses.is_empty())
        && !at.ip().is_unspecified()
    {
        addresses
            .push(at.to_string().parse::<Address>().map_err(|error| Failure::misuse(error.to_string()))?);
    }
    let wish =
        InvitationWish { life: arguments.ttl, uses: arguments.uses, signer: arguments.signer, addresses };
    let now = UnixTime::now();
    let (id, token) = invite(&folder, wish, now)?;
    screen.text(&format!("{token}\n"))?;
    let ends = Duration::from_secs(now.as_secs()).saturating_add(arguments.ttl);
    let until = date_and_time(u64::try_from(ends.as_millis()).unwrap_or(u64::MAX), &TimeZone::system());
    let nodes = if arguments.uses == 1 { "one node".to_owned() } else { format!("{} nodes", arguments.uses) };
    let kind = if arguments.signer { ", as signers if they ask" } else { "" };
    screen.note(&format!("(for {nodes}{kind}, until {until}; who has it can join: give it to nobody else)"));
    match listener {
        Some((listener, at)) => wait(&listener, at, &folder, id, arguments.ttl, screen),
        None => Ok(Exit::Done),
    }
}

fn listen(at: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = TcpListener::bind(at).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok((listener, at))
    });
    bound.map_err(|error| {
        Failure::new(Exit::No, format!("cannot listen on {at}: {error}"))
            .hint("where a hub of this node listens already, it admits who joins by itself")
    })
}

/// Serves one after the other until all have come: exit 0, or the time is over: exit 1.
fn wait(
    listener: &TcpListener,
    at: SocketAddr,
    folder: &Folder,
    id: InvitationId,
    life: Duration,
    screen: &mut Screen,
) -> Outcome {
    screen.note(&format!("(waiting on {at})"));
    let membership = folder.open()?;
    let endpoint = membership.endpoint(system_clock());
    let endpoint = Arc::new(endpoint.map_err(|error| Failure::new(Exit::No, error.to_string()))?);
    let late = Instant::now() + life;
    while folder.invitation(id)?.is_some_and(|invitation| invitation.left() > 0) {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(_) if Instant::now() >= late => {
                return Err(Failure::new(Exit::No, "the invitation has expired, and not all have come"));
            }
            // What else can go wrong with one connection is no reason not to wait for the next.
            Err(_) => {
                std::thread::sleep(ACCEPT_EVERY);
                continue;
            }
        };
        let served = stream.set_nonblocking(false).map_err(Into::into);
        let served = served.and_then(|()| serve(stream, folder, &endpoint, CONVERSATION_WITHIN));
        screen.note(&match served {
            Ok(Admitted::Joined(node)) => format!("(node {} joined from {peer}: {})", node.name, node.id),
            Ok(Admitted::Renewed(node)) => format!("(node {} was renewed)", node.name),
            Ok(Admitted::Refused(why)) => format!("({peer} was refused: {why})"),
            Err(error) => format!("({peer}: {error})"),
        });
    }
    Ok(Exit::Done)
}
