//! What the folder says, now and when it changes: who this node is, whom it believes, who was removed.
//!
//! Commands work on the folder beside the hub, so it is looked at every now and then; what has changed is read by a thread.

use std::sync::Arc;
use std::time::Duration;

use remuda_herd::Epoch;
use remuda_herd::spread::Input;
use remuda_trust::admission::Outcome;
use remuda_trust::enrolment::ANSWER_KIND;
use remuda_trust::{CLOCK_SLACK, Membership, Removal, UnixTime, is_due_for_renewal, system_clock};

use super::clerk::{Done, be_born};
use super::dial::Dials;
use super::peer::{Part, kind};
use super::rival::{Outbid, Rival};
use super::{Herd, carry};
use crate::complaints::Complaint;
use crate::connection::Protocol;
use crate::core::Core;
use crate::hub::Hub;
use crate::table::Key;
use crate::timers::Due;

/// The folder is looked at so often: three files' times.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between attempts to have a certificate renewed: it lasts for weeks after it is due. One that lasts shorter is tried to be
/// renewed some times before its end.
const RENEW_EVERY: Duration = Duration::from_secs(3600);
/// Servers that are asked whether they are signers when those that are known to be do not answer.
const ASKED_MAX: usize = 16;
/// Attempts, at least, in the third of a certificate's life in which it is renewed.
const RENEWALS_MIN: u64 = 10;

/// How long to wait after an attempt to renew a certificate.
fn again(not_before: UnixTime, not_after: UnixTime) -> Duration {
    let life = not_after.as_secs().saturating_sub(not_before.as_secs()).saturating_sub(CLOCK_SLACK.as_secs());
    Duration::from_secs(life / 3 / RENEWALS_MIN).clamp(LOOK_EVERY, RENEW_EVERY)
}

impl Core {
    /// The first life of this process, before it serves.
    pub(crate) fn begin_in_herd(&mut self) {
        let Some(herd) = &mut self.herd else { return };
        herd.stamp = herd.folder.stamp();
        if !herd.folder.is_member() {
            herd.trouble = "this server is no member of a herd".to_owned();
            log::warn!(
                "[herd] is set and this server is no member of a herd yet: `remuda herd init` begins one, `remuda herd join` joins one"
            );
            return;
        }
        let entered = be_born(&herd.folder, Epoch(0))
            .and_then(|(membership, epoch)| herd.enter(&self.settings.spec, *membership, epoch, self.moment));
        if let Err(why) = entered {
            log::error!("take part in the herd: {why}");
            herd.trouble = why;
            herd.is_unborn = true;
        }
        self.begin_keys();
    }
}

impl Herd {
    /// Has the folder read, if it is another than it was.
    pub(super) fn look(&mut self, now: remuda_model::Tick) -> Option<String> {
        if self.look_at > now {
            return None;
        }
        self.look_at = now + LOOK_EVERY;
        let stamp = self.folder.stamp();
        let begun = if self.inside.is_none() {
            let is_other = std::mem::replace(&mut self.stamp, stamp) != stamp;
            if !((is_other || std::mem::take(&mut self.is_unborn)) && self.folder.is_member()) {
                return None;
            }
            let begun = self.clerk.be_born(Epoch(0));
            self.is_unborn = begun.is_err();
            begun
        } else if self.stamp != stamp {
            self.stamp = stamp;
            self.clerk.read()
        } else {
            return self.renew(now);
        };
        begun.err()
    }

    fn renew(&mut self, now: remuda_model::Tick) -> Option<String> {
        let inside = self.inside.as_ref()?;
        let membership = &inside.membership;
        let certified = membership.credentials.certified();
        if self.renew_at > now
            || !is_due_for_renewal(certified.not_before, certified.not_after, UnixTime::now())
        {
            return None;
        }
        self.renew_at = now + again(certified.not_before, certified.not_after);
        let is_signer = membership.node.is_signer;
        let here = inside.spread.view().members.into_iter().filter(|member| member.distance > 0);
        let addresses = here.flat_map(|member| member.addresses).filter_map(|address| address.parse().ok());
        let others = addresses.take(ASKED_MAX).collect();
        self.clerk.renew(is_signer, others).err()
    }

    /// Another node knows of removals; those that are new here are written down.
    pub(super) fn hear_of_removals(&mut self, removals: Vec<Removal>) {
        let Some(inside) = &self.inside else { return };
        let known = inside.membership.trust.removals();
        if removals.iter().any(|removal| !known.contains(removal.node))
            && let Err(why) = self.clerk.learn(removals)
        {
            log::warn!("write down who was removed from the herd: {why}");
        }
    }
}

/// What somebody has to do who copied a folder.
const ON_THE_COPY: &str = "where the folder was copied to, remove `herd` in it and join anew";

impl Herd {
    /// What is wrong where a second server has this one's number.
    pub(super) fn rival_trouble(&self, now: remuda_model::Tick) -> Option<String> {
        let node = &self.inside.as_ref()?.membership.node;
        let goes_on = if self.rival.has_won() {
            "this one takes no part any more until its hub is started again"
        } else {
            "each begins a life above the other's, later each time, until one gives up"
        };
        let both = format!("two servers use number {} of herd {} ({})", node.id, node.herd, node.name);
        self.rival.is_there(now).then(|| format!("{both}: a state folder was copied; {goes_on}"))
    }
}

impl Hub {
    /// Something was done by a thread.
    pub(crate) fn hear_clerk(&mut self) {
        for done in self.core.herd_done() {
            match done {
                Done::Answered { to, answer, outcome } => {
                    match outcome {
                        Outcome::Joined(node) => log::info!("node {} joins the herd", node.name),
                        Outcome::Renewed(node) => log::info!("node {} has a new certificate", node.name),
                        Outcome::Refused(why) => log::warn!("a certificate was refused: {why}"),
                    }
                    self.answer_asker(to, &answer.encode());
                }
                Done::Read(Ok(membership)) => self.believe(*membership),
                Done::Born(Ok((membership, epoch))) => self.be_born_again(*membership, epoch),
                Done::Renewed(Ok(())) => log::info!("the certificate of this node was renewed"),
                Done::Born(Err(why)) => {
                    if let Some(herd) = &mut self.core.herd {
                        herd.rival.failed(self.core.moment.tick);
                        if herd.inside.is_none() {
                            herd.trouble.clone_from(&why);
                            herd.is_unborn = true;
                        }
                    }
                    self.complain(&why);
                }
                Done::Read(Err(why)) | Done::Renewed(Err(why)) => self.complain(&why),
            }
        }
    }

    pub(super) fn complain(&mut self, why: &str) {
        if self.core.complaints.may_say(Complaint::HerdFolder, self.core.moment.tick) {
            self.core.say(&format!("the keys of the herd: {why}"));
        }
    }

    fn answer_asker(&mut self, to: Key, answer: &[u8]) {
        let Some(connection) = self.connections.get_mut(to) else { return };
        let Protocol::Herd(peer) = &mut connection.protocol else { return };
        // Who does not take the answer asks again.
        let _ = peer.send_frame(ANSWER_KIND, answer);
        peer.part = Part::Leaving;
        self.core.timers.set(to, Due::Greeting, self.core.moment.tick + carry::CLOSE_WITHIN);
        self.mark(to);
    }

    /// Keys, certificates or removals are others than before: sessions are judged anew.
    fn believe(&mut self, membership: Membership) {
        let now = self.core.moment.tick;
        let endpoint = match membership.endpoint(system_clock()) {
            Ok(endpoint) => Arc::new(endpoint),
            Err(error) => return self.complain(&error.to_string()),
        };
        let Some(herd) = &mut self.core.herd else { return };
        let Some(inside) = &mut herd.inside else { return };
        let is_another = membership.node.id != inside.membership.node.id;
        let known = inside.membership.trust.removals();
        let removed: Vec<_> = membership
            .trust
            .removals()
            .iter()
            .map(|removal| removal.node)
            .filter(|node| !known.contains(*node))
            .collect();
        inside.endpoint = endpoint;
        inside.membership = membership.clone();
        if is_another {
            // Another node begins in this folder.
            herd.rival = Rival::default();
            if let Err(why) = herd.clerk.be_born(Epoch(0)) {
                self.complain(&why);
            }
            return;
        }
        for node in &removed {
            herd.step(now, Input::Remove(*node));
        }
        let removals = membership.trust.removals().encode();
        for key in self.connections.keys() {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            let Protocol::Herd(peer) = &mut connection.protocol else { continue };
            let is_removed = matches!(&peer.part, Part::Node(node) if removed.contains(node));
            if is_removed && peer.session.waiting() == 0 {
                // It is told, so that it need not guess why nobody speaks with it; but nothing else that waits is.
                let told = peer.send_frame(kind::REMOVALS, &removals);
                let _ = told.is_ok() && peer.write(&mut connection.stream).is_ok();
            }
            if let Err(error) = peer.session.recheck(&membership.trust) {
                peer.trouble = Some(error.to_string());
                connection.closing = true;
                self.core.timers.set(key, Due::Greeting, now + carry::CLOSE_WITHIN);
            } else if peer.is_link() && !removed.is_empty() {
                // As at its beginning.
                let _ = peer.send_frame(kind::REMOVALS, &removals);
            }
            self.mark(key);
        }
    }

    /// A life of this node after this one is known elsewhere.
    pub(super) fn outbid(&mut self, epoch: Epoch) {
        let now = self.core.moment.tick;
        let Some(herd) = &mut self.core.herd else { return };
        let outbid = herd.rival.outbid(epoch, now);
        match outbid {
            Outbid::Nothing => {}
            Outbid::Once => log::warn!(
                "the herd knows a life of this node after this one ({epoch}): its folder was restored from an older copy, \
                 or copied; a new life begins above it"
            ),
            Outbid::Again { is_news: false } => {}
            Outbid::Again { is_news: true } | Outbid::TooOften => {
                if let Some(trouble) = herd.rival_trouble(now) {
                    log::error!("{trouble}; {ON_THE_COPY}");
                }
            }
        }
        if outbid != Outbid::TooOften {
            return;
        }
        if let Some(inside) = &mut herd.inside {
            inside.dials = Dials::default();
        }
        for key in self.connections.keys() {
            self.end_for(key, "another server has this one's number");
        }
    }

    /// A new life of this node: all links are made anew.
    fn be_born_again(&mut self, membership: Membership, epoch: Epoch) {
        for key in self.connections.keys() {
            self.end_for(key, "this node begins a new life");
        }
        let Some(herd) = &mut self.core.herd else { return };
        herd.lived = herd.lived();
        herd.rival.begun();
        herd.standing = herd.standing();
        if let Some(keys) = herd.inside.as_ref().and_then(|inside| inside.keys.as_ref()) {
            herd.saved = keys.save();
        }
        if let Err(why) = herd.enter(&self.core.settings.spec, membership, epoch, self.core.moment) {
            self.complain(&why);
        }
        self.core.begin_keys();
    }
}
