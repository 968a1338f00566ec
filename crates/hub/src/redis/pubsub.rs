//! `SUBSCRIBE`, `PUBLISH` and their kin, and our `BUS.*` beside them: the bus as Redis clients know it.

use std::collections::BTreeSet;

use remuda_bus::{Filter, FilterKind};
use remuda_store::Mode;
use remuda_wire::resp::Writer;

use super::Flow;
use super::own::Verb;
use super::session::Session;
use super::text::{is, number, printable, subcommand_refused};
use crate::core::Core;
use crate::core::broadcast::Pair;
use crate::events::is_reserved;

/// The three kinds of subscription that Redis has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Channel,
    Pattern,
    Shard,
}

impl Sort {
    /// What a command of the family is about.
    pub(crate) fn of_verb(verb: Verb) -> Self {
        match verb {
            Verb::PSubscribe | Verb::PUnsubscribe => Self::Pattern,
            Verb::SSubscribe | Verb::SUnsubscribe => Self::Shard,
            _ => Self::Channel,
        }
    }

    fn words(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Channel => (b"subscribe", b"unsubscribe"),
            Self::Pattern => (b"psubscribe", b"punsubscribe"),
            Self::Shard => (b"ssubscribe", b"sunsubscribe"),
        }
    }

    fn filter(self, name: &[u8]) -> Filter {
        match self {
            Self::Channel => Filter::Channel(name.to_vec().into()),
            Self::Pattern => Filter::Pattern(name.to_vec().into()),
            Self::Shard => Filter::Shard(name.to_vec().into()),
        }
    }

    fn of(self, session: &mut Session) -> &mut BTreeSet<Vec<u8>> {
        match self {
            Self::Channel => &mut session.channels,
            Self::Pattern => &mut session.patterns,
            Self::Shard => &mut session.shards,
        }
    }

    /// What confirmations count: shard channels apart from the rest.
    fn count(self, session: &Session) -> i64 {
        let count = match self {
            Self::Shard => session.shards.len(),
            Self::Channel | Self::Pattern => session.subscriptions(),
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }
}

pub(crate) fn subscribe(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    sort: Sort,
    names: &[&[u8]],
) {
    if let Some(name) = names.iter().find(|name| !may_hear(session, sort, name)) {
        return out.error(&refused(name));
    }
    session.is_confirming = true;
    for name in names {
        if sort.of(session).insert(name.to_vec())
            && let Err(error) = core.subscribe(session, sort.filter(name))
        {
            sort.of(session).remove(*name);
            return out.error(&format!("ERR {error}"));
        }
        out.push(3);
        out.bulk(sort.words().0);
        out.bulk(name);
        out.integer(sort.count(session));
    }
}

/// Whether the user of `session` may hear topics that match `name`: for a pattern its fixed beginning has to be allowed.
fn may_hear(session: &Session, sort: Sort, name: &[u8]) -> bool {
    let Some(user) = &session.user else { return false };
    let fixed = match sort {
        Sort::Pattern => &name[..name.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(name.len())],
        Sort::Channel | Sort::Shard => name,
    };
    user.may_hear(fixed)
}

fn refused(topic: &[u8]) -> String {
    let topic = printable(topic);
    format!("NOPERM No permissions to access the '{topic}' channel used as an argument to the command")
}

pub(crate) fn unsubscribe(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    sort: Sort,
    names: &[&[u8]],
) {
    let all: Vec<Vec<u8>> = match names {
        [] => sort.of(session).iter().cloned().collect(),
        names => names.iter().map(|name| name.to_vec()).collect(),
    };
    if all.is_empty() {
        out.push(3);
        out.bulk(sort.words().1);
        out.null();
        return out.integer(sort.count(session));
    }
    for name in all {
        if sort.of(session).remove(&name) {
            core.unsubscribe(session, &sort.filter(&name));
        }
        out.push(3);
        out.bulk(sort.words().1);
        out.bulk(&name);
        out.integer(sort.count(session));
    }
}

/// Publishes; says how many heard it, or why not.
pub(crate) fn publish_to(
    core: &mut Core,
    session: &mut Session,
    sort: Sort,
    topic: &[u8],
    payload: &[u8],
) -> Result<i64, String> {
    if !may_publish(session, topic) {
        return Err(refused(topic));
    }
    let pair = Pair { is_shard: sort == Sort::Shard, topic, payload };
    let receivers = core.publish(session, pair).map_err(|error| format!("ERR {error}"))?;
    Ok(i64::try_from(receivers).unwrap_or(i64::MAX))
}

pub(crate) fn publish(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    sort: Sort,
    (topic, payload): (&[u8], &[u8]),
    mode: Mode,
) -> Flow {
    let pair = Pair { is_shard: sort == Sort::Shard, topic, payload };
    // Inside a transaction nobody can wait: what is answered there is how many listen here.
    if mode == Mode::Normal
        && may_publish(session, topic)
        && let Some(published) = core.publish_counted(session, pair)
    {
        return match published {
            Ok(()) => Flow::Wait,
            Err(error) => {
                out.error(&format!("ERR {error}"));
                Flow::Go
            }
        };
    }
    match publish_to(core, session, sort, topic, payload) {
        Ok(receivers) => out.integer(receivers),
        Err(error) => out.error(&error),
    }
    Flow::Go
}

fn may_publish(session: &Session, topic: &[u8]) -> bool {
    session.user.as_ref().is_some_and(|user| user.access.may_publish(topic)) && !is_reserved(topic)
}

/// `PUBSUB CHANNELS|SHARDCHANNELS|NUMSUB|SHARDNUMSUB|NUMPAT`: of what the client may hear; of anything else it is told as
/// little as if nobody listened.
pub(crate) fn pubsub(core: &Core, session: &Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let what = command[1];
    let names = |kind, sort, out: &mut Writer<'_>| {
        let mut channels = core.bus.names(kind, command.get(2).copied());
        channels.retain(|channel| may_hear(session, sort, channel));
        out.array(channels.len());
        for channel in channels {
            out.bulk(&channel);
        }
    };
    let counts = |kind, sort, out: &mut Writer<'_>| {
        out.array((command.len() - 2) * 2);
        for name in &command[2..] {
            let heard = if may_hear(session, sort, name) { core.bus.listeners(kind, name) } else { 0 };
            out.bulk(name);
            out.integer(i64::try_from(heard).unwrap_or(i64::MAX));
        }
    };
    if is(what, "CHANNELS") && command.len() <= 3 {
        names(FilterKind::Channel, Sort::Channel, out);
    } else if is(what, "SHARDCHANNELS") && command.len() <= 3 {
        names(FilterKind::Shard, Sort::Shard, out);
    } else if is(what, "NUMSUB") {
        counts(FilterKind::Channel, Sort::Channel, out);
    } else if is(what, "SHARDNUMSUB") {
        counts(FilterKind::Shard, Sort::Shard, out);
    } else if is(what, "NUMPAT") && command.len() == 2 {
        out.integer(i64::try_from(patterns(core, session)).unwrap_or(i64::MAX));
    } else {
        let known = ["channels", "numpat", "numsub", "shardchannels", "shardnumsub"];
        out.error(&subcommand_refused("pubsub", &known, what));
    }
}

fn patterns(core: &Core, session: &Session) -> usize {
    if session.user.as_ref().is_some_and(|user| user.is_unrestricted()) {
        return core.bus.patterns();
    }
    let patterns = core.bus.names(FilterKind::Pattern, None);
    patterns.iter().filter(|pattern| may_hear(session, Sort::Pattern, pattern)).count()
}

/// `BUS.SUBSCRIBE prefix [AFTER sequence]`: messages with their sequence numbers, from where the client was.
pub(crate) fn subscribe_sequenced(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    command: &[&[u8]],
) {
    let (prefix, after) = match command {
        [_, prefix] => (*prefix, None),
        [_, prefix, word, after] if is(word, "AFTER") => {
            match number(after).and_then(|after| u64::try_from(after).ok()) {
                Some(after) => (*prefix, Some(after)),
                None => return out.error("ERR the sequence number is not a whole number from 0"),
            }
        }
        _ => return out.error("ERR syntax error"),
    };
    if !session.user.as_ref().is_some_and(|user| user.may_hear(prefix)) {
        return out.error("NOPERM this user may not hear topics with this prefix");
    }
    if session.sequenced.insert(prefix.to_vec())
        && let Err(error) = core.subscribe(session, Filter::Sequenced(prefix.to_vec().into()))
    {
        session.sequenced.remove(prefix);
        return out.error(&format!("ERR {error}"));
    }
    session.is_confirming = true;
    out.push(3);
    out.bulk(b"bussubscribe");
    out.bulk(prefix);
    out.integer(i64::try_from(core.bus.last_sequence()).unwrap_or(i64::MAX));
    if let Some(after) = after {
        core.catch_up.push((session.key, prefix.to_vec(), after));
    }
}

pub(crate) fn unsubscribe_sequenced(
    core: &mut Core,
    session: &mut Session,
    out: &mut Writer<'_>,
    prefix: &[u8],
) {
    if session.sequenced.remove(prefix) {
        core.unsubscribe(session, &Filter::Sequenced(prefix.to_vec().into()));
    }
    out.push(3);
    out.bulk(b"busunsubscribe");
    out.bulk(prefix);
    out.integer(i64::try_from(session.sequenced.len()).unwrap_or(i64::MAX));
}

/// `BUS.REPLAY prefix after`: what the ring still has, as `[lost, [[sequence, topic, payload] …]]`; `lost` is null when
/// nothing is missing.
pub(crate) fn replay(core: &Core, session: &Session, out: &mut Writer<'_>, command: &[&[u8]]) {
    let Some(after) = number(command[2]).and_then(|after| u64::try_from(after).ok()) else {
        return out.error("ERR the sequence number is not a whole number from 0");
    };
    if !session.user.as_ref().is_some_and(|user| user.may_replay(command[1])) {
        return out.error("NOPERM this user may not hear topics with this prefix");
    }
    let replay = core.bus.replay(command[1], after);
    out.array(2);
    match replay.lost {
        Some(lost) => out.integer(i64::try_from(lost).unwrap_or(i64::MAX)),
        None => out.null(),
    }
    let messages: Vec<_> = replay.collect();
    out.array(messages.len());
    for message in messages {
        out.array(3);
        out.integer(i64::try_from(message.sequence).unwrap_or(i64::MAX));
        out.bulk(message.topic);
        out.bulk(&message.payload);
    }
}

/// `BUS.ECHO ON|OFF`: whether the client hears what it published itself.
pub(crate) fn echo(core: &mut Core, session: &mut Session, out: &mut Writer<'_>, wish: &[u8]) {
    session.hears_itself = match wish {
        wish if is(wish, "ON") => true,
        wish if is(wish, "OFF") => false,
        _ => return out.error("ERR BUS.ECHO takes ON or OFF"),
    };
    core.speaks(session);
    out.simple("OK");
}
