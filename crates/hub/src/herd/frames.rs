//! What came over a connection with another server, and what it means.

use bytes::BytesMut;
use remuda_herd::replica;
use remuda_herd::spread::{Input, Message, SpreadOptions, Up};
use remuda_trust::enrolment::REQUEST_KIND;
use remuda_trust::session::{Event, Frame, SessionOptions};
use remuda_trust::{Identity, Protocol, Removals};

use super::clerk::Done;
use super::peer::{LAST_PING, Part, PeerSession, kind, link_of};
use crate::complaints::Complaint;
use crate::core::Core;
use crate::stream::Remote;
use crate::table::Key;
use crate::timers::Due;

/// Does what the input says; false when the connection is to end.
pub(crate) fn events(
    core: &mut Core,
    key: Key,
    peer: &mut PeerSession,
    input: &mut BytesMut,
    remote: &Remote,
) -> bool {
    if peer.part == Part::Unknown
        && let Some(herd) = &mut core.herd
    {
        herd.strangers.spoke(key);
    }
    loop {
        let fed = peer.feed(input);
        let mut has_news = false;
        loop {
            match peer.session.next_event() {
                Ok(None) => break,
                Ok(Some(event)) => {
                    has_news = true;
                    if let Err(why) = event_of(core, key, peer, event, remote) {
                        return refuse(core, key, peer, why);
                    }
                    if peer.part == Part::Leaving {
                        // What it says now is nothing to us any more; it is read so that it can be closed in order.
                        input.clear();
                        return true;
                    }
                }
                Err(error) => return refuse(core, key, peer, error.to_string()),
            }
        }
        match fed {
            Err(why) => return refuse(core, key, peer, why),
            Ok(has_fed) if input.is_empty() || !(has_fed || has_news) => return true,
            Ok(_) => {}
        }
    }
}

/// The connection ends; what tells the peer why has a moment to go.
fn refuse(core: &mut Core, key: Key, peer: &mut PeerSession, why: String) -> bool {
    core.timers.set(key, Due::Greeting, core.moment.tick + super::carry::CLOSE_WITHIN);
    peer.trouble.get_or_insert(why);
    false
}

fn event_of(
    core: &mut Core,
    key: Key,
    peer: &mut PeerSession,
    event: Event,
    remote: &Remote,
) -> Result<(), String> {
    match event {
        Event::Closed => Err("it closed the link".to_owned()),
        Event::Ready(counterpart) => {
            core.timers.clear(key, Due::Greeting);
            if let Some(herd) = &mut core.herd {
                herd.strangers.left(key);
            }
            match (counterpart.protocol, counterpart.hello, &counterpart.certified.identity) {
                (Protocol::Herd, Some((hello, agreement)), Identity::Node(node)) => {
                    let up = Up {
                        link: link_of(key),
                        peer: node.id,
                        epoch: hello.epoch,
                        version: agreement.version,
                        is_dialled: peer.dial.is_some(),
                    };
                    log::info!("linked with node {} at {remote}", node.name);
                    peer.part = Part::Node(node.id);
                    core.link_up(key, up, peer);
                    Ok(())
                }
                _ => {
                    peer.part = Part::Asker { has_asked: false };
                    core.timers.set(key, Due::Greeting, core.moment.tick + super::ASKED_WITHIN);
                    Ok(())
                }
            }
        }
        Event::Frame(frame) => frame_of(core, key, peer, frame),
    }
}

fn frame_of(core: &mut Core, key: Key, peer: &mut PeerSession, frame: Frame) -> Result<(), String> {
    let now = core.moment.tick;
    match &mut peer.part {
        Part::Unknown | Part::Leaving => Ok(()),
        Part::Asker { has_asked } => {
            if std::mem::replace(has_asked, true) || frame.kind != REQUEST_KIND {
                return Err("it asked what is no question to a signer".to_owned());
            }
            let asker = peer.session.peer().map(|asker| asker.certified.clone());
            let (Some(herd), Some(asker)) = (&mut core.herd, asker) else { return Ok(()) };
            herd.clerk.answer(key, asker, frame.payload)
        }
        Part::Node(_) if frame.kind < remuda_wire::herd::OTHERS_FROM => {
            let bytes_max = SpreadOptions::default().update_bytes_max;
            let message = remuda_wire::herd::decode(frame.kind, frame.payload, bytes_max)
                .map_err(|error| format!("it said what means nothing: {error}"))?;
            peer.is_asked &= !matches!(message, Message::Pong(LAST_PING));
            if let Some(herd) = &mut core.herd {
                herd.step(now, Input::Received { link: link_of(key), message });
            }
            Ok(())
        }
        Part::Node(node) if frame.kind < kind::REMOVALS => {
            let bytes_max = SessionOptions::default().frame_max;
            let message = remuda_wire::herd::replica::decode(frame.kind, frame.payload, bytes_max)
                .map_err(|error| format!("it said what means nothing: {error}"))?;
            core.step_keys(replica::Input::Message(*node, message));
            Ok(())
        }
        Part::Node(_) if frame.kind == kind::REMOVALS => {
            let removals = Removals::decode(&frame.payload)
                .map_err(|error| format!("it said what means nothing: {error}"))?;
            if let Some(herd) = &mut core.herd {
                herd.hear_of_removals(removals);
            }
            Ok(())
        }
        Part::Node(_) if frame.kind == remuda_wire::herd::relay::KIND => core.hear_relay(frame.payload),
        // What a newer version says beside what was agreed on.
        Part::Node(_) => Ok(()),
    }
}

impl Core {
    /// The two know each other.
    fn link_up(&mut self, key: Key, up: Up, peer: &mut PeerSession) {
        let now = self.moment.tick;
        let Some(herd) = &mut self.herd else { return };
        let Some(inside) = &mut herd.inside else { return };
        let (node, is_first) = (up.peer, !inside.is_linked(up.peer));
        inside.links.insert(key, up.peer);
        if let Some(dial) = peer.dial {
            inside.dials.answered(dial, up.peer);
        }
        let removals = inside.membership.trust.removals();
        if !removals.is_empty() {
            // A link that takes no frame now takes none of the machine's either, and is closed for that.
            let _ = peer.send_frame(kind::REMOVALS, &removals.encode());
        }
        herd.step(now, Input::Up(up));
        if is_first {
            self.keys_reach(node, true);
        }
    }

    /// A connection with another server has ended.
    pub(crate) fn lose_peer(&mut self, key: Key, peer: &mut PeerSession, remote: &Remote) {
        let now = self.moment.tick;
        let why = peer.trouble.take().or_else(|| peer.session.end().err().map(|error| error.to_string()));
        let why = why.unwrap_or_else(|| "it ended the connection".to_owned());
        let Some(herd) = &mut self.herd else { return };
        herd.strangers.left(key);
        let Some(inside) = &mut herd.inside else { return };
        let node = inside.links.remove(&key);
        if let Some(node) = node {
            inside.dials.is_free(node, now);
        }
        let lost = node.filter(|node| !inside.is_linked(*node));
        // That a link is gone is said below.
        let is_quiet = matches!(peer.part, Part::Leaving | Part::Node(_));
        let sought = peer.dial.and_then(|dial| inside.dials.failed(dial, &why, now, is_quiet));
        match &peer.part {
            Part::Node(_) => {
                log::warn!("the link with {remote} is gone: {why}");
                herd.step(now, Input::Down { link: link_of(key) });
            }
            Part::Unknown => {
                if let Some(node) = sought {
                    herd.step(now, Input::Unreachable(node));
                } else if peer.dial.is_none() {
                    herd.refused += 1;
                    let sort = if peer.is_removal { Complaint::HerdRemoval } else { Complaint::Conduct };
                    self.complain_of(sort, remote, &format!("no link: {why}"));
                }
            }
            Part::Asker { .. } | Part::Leaving => {}
        }
        if let Some(node) = lost {
            self.keys_reach(node, false);
        }
    }

    /// Something was done that waited for the disk.
    pub(crate) fn herd_done(&mut self) -> Vec<Done> {
        self.herd.as_mut().map(|herd| herd.clerk.done()).unwrap_or_default()
    }
}
