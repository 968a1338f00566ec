//! What a signer does when somebody asks it for a certificate.
//!
//! Who asks is known from the handshake: an invitation may ask to become a node, a node may ask to be renewed, and nobody
//! may ask for anything else. What is asked is one message and what is answered is one ([`Request`], [`Answer`]); all that
//! changes is on disk before the answer is given. Nothing here has a socket: the loop that has them calls [`answer`].

use remuda_herd::NodeId;
use remuda_sys::{CallError, random};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::Malformed;
use crate::authority::{Authority, AuthorityError, Subject, request_public_key};
use crate::enrolment::{Answer, Grant, Request};
use crate::folder::{Folder, FolderError, Held, Membership};
use crate::identity::{Certified, Identity, InvitationId, NodeIdentity};
use crate::invitation::InvitationRefusal;
use crate::member::{Address, PEERS_MAX, Peer};
use crate::trust::{Distrust, digest_text};
use crate::upkeep::{UpkeepError, note_issued};

/// What became of a request, for whoever keeps a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A node came by an invitation.
    Joined(NodeIdentity),
    /// A node has a new certificate.
    Renewed(NodeIdentity),
    /// Nothing was given; this is why.
    Refused(String),
}

/// Why nothing is given.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// It is not for us to know more.
    #[error("this invitation is not known here; it is taken only by the signer that made it")]
    UnknownInvitation,
    #[error(transparent)]
    Invitation(#[from] InvitationRefusal),
    #[error("a certificate of a node does not ask to join, nor an invitation to be renewed")]
    WrongAsker,
    #[error("the name {0} is taken by node {1}; take another one, or remove that node first")]
    Name(String, NodeId),
    #[error("this node holds no key of the herd's authority{}", hint(.0))]
    NoSigner(Vec<Peer>),
    #[error(transparent)]
    Distrust(#[from] Distrust),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the signer cannot sign: {0}")]
    Authority(#[from] AuthorityError),
    #[error("the signer cannot write down what it signs: {0}")]
    Upkeep(#[from] UpkeepError),
    #[error("the signer: {0}")]
    Folder(#[from] FolderError),
    #[error("the signer: {0}")]
    Random(#[from] CallError),
}

fn hint(signers: &[Peer]) -> String {
    signers.first().map(|signer| format!("; {} does", signer.name)).unwrap_or_default()
}

/// Answers the request that `asker`, whose certificate has been verified, made at `now`.
#[must_use]
pub fn answer(folder: &Folder, asker: &Certified, request: &[u8], now: UnixTime) -> (Answer, Outcome) {
    match decide(folder, asker, request, now) {
        Ok((grant, outcome)) => (Answer::Granted(Box::new(grant)), outcome),
        Err(refusal) => {
            let why = refusal.to_string();
            (Answer::Refused(why.clone()), Outcome::Refused(why))
        }
    }
}

fn decide(
    folder: &Folder,
    asker: &Certified,
    request: &[u8],
    now: UnixTime,
) -> Result<(Grant, Outcome), Refusal> {
    let request = Request::decode(request)?;
    let held = folder.hold()?;
    let membership = folder.open()?;
    // The session was judged by what was known when it began.
    membership.trust.judge_identity(&asker.identity)?;
    let Some(authority) = folder.authority()? else {
        let signers = membership.member.peers.into_iter().filter(|peer| peer.signer).collect();
        return Err(Refusal::NoSigner(signers));
    };
    let signer = Signer { folder, held: &held, membership: &membership, authority: &authority, now };
    match (&asker.identity, &request) {
        (Identity::Invitation(id), Request::Join { request, name, addresses, signer: wants_to_sign }) => {
            let key = digest_text(&request_public_key(request)?, usize::MAX);
            signer.is_free(name.as_str(), *id, &key)?;
            let id = signer.admit(*id, &key, *wants_to_sign)?;
            let herd = membership.member.herd.clone();
            let node = NodeIdentity { herd, id, name: name.clone(), is_signer: *wants_to_sign };
            Ok((signer.grant(&node, request, addresses)?, Outcome::Joined(node)))
        }
        (Identity::Node(node), Request::Renew { request, addresses }) => {
            Ok((signer.grant(node, request, addresses)?, Outcome::Renewed(node.clone())))
        }
        (Identity::Node(_), Request::Join { .. }) | (Identity::Invitation(_), Request::Renew { .. }) => {
            Err(Refusal::WrongAsker)
        }
    }
}

/// A signer about to answer, with its folder locked.
struct Signer<'a> {
    folder: &'a Folder,
    held: &'a Held,
    membership: &'a Membership,
    authority: &'a Authority,
    now: UnixTime,
}

impl Signer<'_> {
    /// No other node that this signer knows has the name.
    fn is_free(&self, name: &str, invitation: InvitationId, key: &str) -> Result<(), Refusal> {
        let known = self.folder.invitation(invitation)?;
        let again = known.and_then(|known| known.node_of(key));
        let own = &self.membership.node;
        let taken = if own.name.as_str() == name {
            Some(own.id)
        } else {
            self.peers()?.into_iter().find(|peer| peer.name.as_str() == name).map(|peer| peer.id)
        };
        match taken {
            Some(id) if Some(id) != again => Err(Refusal::Name(name.to_owned(), id)),
            _ => Ok(()),
        }
    }

    /// Uses an invitation, on disk.
    fn admit(&self, id: InvitationId, key: &str, wants_to_sign: bool) -> Result<NodeId, Refusal> {
        let mut invitation = self.folder.invitation(id)?.ok_or(Refusal::UnknownInvitation)?;
        let fresh = NodeId(u64::from_be_bytes(random::bytes()?));
        let before = invitation.clone();
        let node = invitation.admit(key, wants_to_sign, fresh, self.now)?;
        self.membership.trust.judge_node(node)?;
        if invitation != before {
            self.folder.keep_invitation(id, &invitation, self.now.as_secs(), self.held)?;
        }
        Ok(node)
    }

    fn grant(&self, node: &NodeIdentity, request: &[u8], addresses: &[Address]) -> Result<Grant, Refusal> {
        let subject = Subject::node(node.clone());
        let chain: Vec<CertificateDer<'static>> = self.authority.sign_request(request, &subject, self.now)?;
        note_issued(self.folder, &chain, addresses.to_vec(), self.now, self.held)?;
        let mut peers = self.peers()?;
        let own = &self.membership.node;
        peers.retain(|peer| peer.id != node.id && peer.id != own.id);
        peers.insert(
            0,
            Peer {
                id: own.id,
                name: own.name.clone(),
                addresses: self.membership.member.addresses.clone(),
                signer: true,
            },
        );
        peers.truncate(PEERS_MAX);
        Ok(Grant {
            chain,
            authorities: self.membership.trust.authorities().to_vec(),
            peers,
            removals: self.membership.trust.removals().iter().cloned().collect(),
            authority: node.is_signer.then(|| self.authority.to_pem()),
        })
    }

    /// Nodes that this signer knows and that were not removed, signers first.
    fn peers(&self) -> Result<Vec<Peer>, Refusal> {
        let mut peers: Vec<Peer> = self.folder.issued()?.into_iter().map(|issued| issued.node).collect();
        for peer in &self.membership.member.peers {
            if peers.iter().all(|known| known.id != peer.id) {
                peers.push(peer.clone());
            }
        }
        peers.retain(|peer| !self.membership.trust.removals().contains(peer.id));
        peers.sort_by_key(|peer| !peer.signer);
        Ok(peers)
    }
}
