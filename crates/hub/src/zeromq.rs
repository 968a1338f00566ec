//! ZeroMQ peers: what each event of the wire means.

mod answers;
pub(crate) mod control;
pub(crate) mod mechanisms;
pub(crate) mod peer;
mod requests;

use bytes::{Bytes, BytesMut};
use remuda_bus::{Encoding, Filter, Membership, Role as BusRole};
use remuda_model::message::{Batch, Span};
use remuda_wire::zmtp::{Credentials, Event, SocketType};

use self::peer::{Peer, Role};
use crate::core::Core;
use crate::events::is_reserved;
use crate::outbox::Outbox;
use crate::table::Key;
use crate::timers::Due;

/// Takes the events out of `input`; says no when the connection has to end.
pub(crate) fn events(
    core: &mut Core,
    key: Key,
    peer: &mut Peer,
    input: &mut BytesMut,
    outbox: &mut Outbox,
) -> bool {
    if let Some((batch, from)) = peer.behind.take() {
        requests::requests(core, key, peer, batch, from, outbox);
    }
    // A peer that does not read its answers is asked for no further requests.
    while peer.behind.is_none() {
        let event = peer.wire.read(input);
        peer.speak(outbox);
        match event {
            Ok(None) => return true,
            Ok(Some(event)) => {
                if !happen(core, key, peer, event, outbox) {
                    return false;
                }
            }
            Err(error) => {
                core.figures.protocol_errors += 1;
                core.say_of(&peer.remote, &error);
                return false;
            }
        }
    }
    true
}

fn happen(core: &mut Core, key: Key, peer: &mut Peer, event: Event, outbox: &mut Outbox) -> bool {
    match event {
        Event::Authenticate(credentials) => {
            peer.user = match &credentials {
                Credentials::Plain { username, password } => core.users.authenticate(username, password),
                Credentials::Curve { public_key } => {
                    core.mechanisms.client(public_key).map(|service| core.users.user(service))
                }
            };
            let verdict = if peer.user.is_some() { Ok(()) } else { Err("400") };
            peer.wire.decide(verdict);
            if verdict.is_err() {
                core.figures.refused += 1;
                let shown = match credentials {
                    Credentials::Plain { .. } => "name and token are no service's",
                    Credentials::Curve { .. } => "the key is not in the file of keys",
                };
                core.say_of(&peer.remote, &format!("refused: {shown}"));
                peer.speak(outbox);
                return false;
            }
        }
        Event::Ready(who) => {
            core.timers.clear(key, Due::Greeting);
            return begin(core, key, peer, who.socket_type);
        }
        Event::Messages(batch) => messages(core, key, peer, batch, outbox),
        Event::Subscribe(prefix) => subscribe(core, key, peer, prefix),
        Event::Cancel(prefix) => {
            core.bus.unsubscribe(key.member(), &Filter::Prefix(prefix));
        }
        Event::Ping { .. } | Event::Pong => peer.is_doubted = false,
        Event::Failed(reason) => {
            core.say_of(&peer.remote, &format!("the peer refused us: {reason}"));
            return false;
        }
    }
    true
}

/// The peer has said what it is.
fn begin(core: &mut Core, key: Key, peer: &mut Peer, kind: SocketType) -> bool {
    peer.role = match kind {
        SocketType::Push | SocketType::Pub | SocketType::Xpub => Role::Publisher,
        SocketType::Sub | SocketType::Xsub => Role::Subscriber,
        SocketType::Pull => Role::Consumer,
        SocketType::Req | SocketType::Dealer | SocketType::Router | SocketType::Rep | SocketType::Pair => {
            Role::Asker
        }
    };
    core.timers.set(key, Due::Heartbeat, core.moment.tick + core.settings.spec.bus.heartbeat);
    let role = match peer.role {
        Role::Subscriber => BusRole::Subscriber,
        Role::Consumer => BusRole::Consumer,
        Role::Unknown | Role::Publisher | Role::Asker => return true,
    };
    if role == BusRole::Consumer && !peer.user.as_ref().is_some_and(|user| user.may_take_work()) {
        core.figures.refused += 1;
        let name = peer.user.as_ref().map_or("", |user| &user.name);
        let why = format!(
            "{name:?} may not hear all topics, and PULL gets messages of each: it gets none (SUB and calls are for it)"
        );
        // It stays connected: it would come back at once, for ever.
        core.say_of(&peer.remote, &why);
        return true;
    }
    match core.bus.join(key.member(), membership(core, peer, role)) {
        Ok(()) => {
            peer.is_member = true;
            true
        }
        Err(error) => {
            core.say_of(&peer.remote, &error);
            false
        }
    }
}

fn membership(core: &Core, peer: &Peer, role: BusRole) -> Membership {
    Membership {
        encoding: Encoding::Zmtp,
        origin: peer.origin,
        hears_itself: peer.hears_itself,
        sees_store_events: peer.user.as_ref().is_some_and(|user| user.is_known),
        role,
        queue: core.limits().zeromq,
    }
}

/// Subscribing to this is no subscription: the peer does not want to hear what its own process publishes.
const NO_ECHO: &[u8] = b"$noecho";

/// What may not be subscribed to is left out, and said in the log: ZMTP has no way to tell the peer, and libzmq would
/// connect again at once if it were cut off, for ever.
fn subscribe(core: &mut Core, key: Key, peer: &mut Peer, prefix: Bytes) {
    if prefix == NO_ECHO {
        peer.hears_itself = false;
        let membership = membership(core, peer, BusRole::Subscriber);
        if let Err(error) = core.bus.change(key.member(), membership) {
            core.say_of(&peer.remote, &error);
        }
        return;
    }
    let user = peer.user.as_ref();
    if !user.is_some_and(|user| user.may_hear(&prefix)) {
        core.figures.refused += 1;
        let (name, topic) = (user.map_or("", |user| &user.name), String::from_utf8_lossy(&prefix));
        let why =
            format!("{name:?} may not hear topics that begin with {topic:?}: the subscription is left out");
        return core.say_of(&peer.remote, &why);
    }
    // What changed before the subscription is no news to it, and was gathered without values if nobody listened.
    core.tell_changes();
    match core.bus.subscribe(key.member(), Filter::Prefix(prefix.clone())) {
        Ok(subscribed) if subscribed.is_changed => core.tell_subscribed(&prefix),
        // libzmq sends a subscription each time its application asks for it, and cancels once, for the last.
        Ok(_) => {
            core.bus.unsubscribe(key.member(), &Filter::Prefix(prefix));
        }
        Err(error) => {
            core.figures.refused += 1;
            core.say_of(&peer.remote, &format!("{error}: the subscription is left out"));
        }
    }
}

fn messages(core: &mut Core, key: Key, peer: &mut Peer, batch: Batch, outbox: &mut Outbox) {
    core.figures.messages_in += batch.messages.len() as u64;
    match peer.role {
        Role::Asker => requests::requests(core, key, peer, batch, 0, outbox),
        Role::Publisher | Role::Subscriber => {
            core.tell_changes();
            publish(core, peer, &batch);
        }
        Role::Unknown | Role::Consumer => {}
    }
}

/// Publishes what the peer may publish; the rest is counted and dropped, since a publisher has no reply to read.
fn publish(core: &mut Core, peer: &Peer, batch: &Batch) {
    let may = |topic: &[u8]| {
        !is_reserved(topic) && peer.user.as_ref().is_some_and(|user| user.access.may_publish(topic))
    };
    let is_unlimited = peer.user.as_ref().is_some_and(|user| user.access.topics.is_none());
    let suspicious = |span: &_| {
        let topic = batch.matched(span);
        is_reserved(topic) || !is_unlimited
    };
    if !batch.messages.iter().any(suspicious) {
        core.broadcast(peer.origin, batch);
        return;
    }
    for span in &batch.messages {
        if may(batch.matched(span)) {
            core.broadcast(peer.origin, &part(batch, span));
        } else {
            core.figures.refused_messages += 1;
        }
    }
}

/// One message of a batch as a batch of its own.
fn part(batch: &Batch, span: &Span) -> Batch {
    let Span { start, end, body, .. } = *span;
    Batch {
        bytes: batch.frames(span),
        messages: vec![Span { start: 0, end: end - start, body: body - start, ..*span }],
    }
}

/// One message, encoded by us.
pub(crate) fn batch_of(bytes: Bytes) -> Batch {
    let end = u32::try_from(bytes.len()).expect("a request is within the limit of a message");
    let is_long = bytes[0] & 2 != 0;
    let (body, body_len) = if is_long {
        let length = <[u8; 8]>::try_from(&bytes[1..9]).map_or(0, u64::from_be_bytes);
        (9, u32::try_from(length).unwrap_or(end))
    } else {
        (2, u32::from(bytes[1]))
    };
    let single = bytes[0] & 1 == 0;
    Batch { messages: vec![Span { start: 0, end, body, body_len, single }], bytes }
}
