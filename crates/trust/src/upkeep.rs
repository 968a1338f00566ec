//! What is done to a herd on one node's own disk, without asking anybody: beginning it, inviting, removing, renewing and
//! rotating by a signer.

use std::sync::Arc;
use std::time::Duration;

use remuda_herd::NodeId;
use remuda_model::{HerdName, NodeName};
use remuda_sys::{CallError, random};
use rustls_pki_types::UnixTime;

use crate::authority::{Authority, AuthorityError, Subject};
use crate::folder::{Folder, FolderError, Held, Membership};
use crate::identity::{Identity, InvitationId, NodeIdentity};
use crate::invitation::{INVITATION_USES_MAX, Invitation};
use crate::member::{Address, Issued, Member, Peer};
use crate::removals::Removal;
use crate::token::Token;
use crate::trust::{Trust, TrustError};
use crate::when::{INVITATION_LIFE_MAX, INVITATION_LIFE_MIN, after};

/// Why something was not done. What was there before stands.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The key that signs.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] CallError),
    /// The authorities do not go together.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// This node does not hold the authority's key.
    #[error("this node holds no key of the herd's authority; ask one that does")]
    NoSigner,
    /// An invitation would last too long or too short.
    #[error("an invitation lasts from {} s to 7 days", INVITATION_LIFE_MIN.as_secs())]
    Life,
    /// An invitation for too many, or for nobody.
    #[error("an invitation is for 1 to {INVITATION_USES_MAX} nodes")]
    Uses,
    /// Nobody could be reached.
    #[error("it is not known where this node listens, so nobody who is invited could find it")]
    NoAddress,
    /// A node does not remove itself.
    #[error("a node does not remove itself; ask another signer")]
    Myself,
    /// One rotation at a time.
    #[error("two authorities are believed already; finish that rotation first")]
    Rotating,
    /// There is nothing to finish.
    #[error("one authority is believed; there is no rotation to finish")]
    NotRotating,
    /// This node would lock itself out.
    #[error("this node's own certificate is still from the old authority: {0}; renew it first")]
    NotRenewed(String),
}

/// A herd that begins.
#[derive(Debug, Clone)]
pub struct Founding {
    /// Its name.
    pub herd: HerdName,
    /// The name of its first node.
    pub node: NodeName,
    /// Where that listens.
    pub addresses: Vec<Address>,
}

/// Begins a herd: an authority, and the first node, which is a signer.
///
/// # Errors
/// This node belongs to a herd already, or nothing can be written.
pub fn found(folder: &Folder, founding: Founding, now: UnixTime) -> Result<Membership, UpkeepError> {
    let held = folder.prepare_founding()?;
    let authority = Authority::create(&founding.herd, now)?;
    let id = NodeId(u64::from_be_bytes(random::bytes()?));
    let node = NodeIdentity { herd: founding.herd.clone(), id, name: founding.node, is_signer: true };
    let credentials = authority.make(&Subject::node(node), now)?;
    let trust = Trust::new(founding.herd.clone(), vec![authority.certificate().clone()])?;
    let member = Member { herd: founding.herd, addresses: founding.addresses, peers: Vec::new() };
    folder.keep_trust(&trust, &held)?;
    folder.keep_member(&member, &held)?;
    folder.keep_authority(&authority, &held)?;
    folder.keep_credentials(&credentials, &held)?;
    Ok(folder.open()?)
}

/// What is offered.
#[derive(Debug, Clone)]
pub struct InvitationWish {
    /// How long, from [`INVITATION_LIFE_MIN`] to [`INVITATION_LIFE_MAX`].
    pub life: Duration,
    /// For how many nodes.
    pub uses: u32,
    /// Whether they may have the authority's key.
    pub signer: bool,
    /// Where this node is to be reached; the addresses it remembers when empty.
    pub addresses: Vec<Address>,
}

/// Makes an invitation. It is on disk when this returns.
///
/// # Errors
/// This node is no signer, or what is wished for is out of bounds.
pub fn invite(
    folder: &Folder,
    wish: InvitationWish,
    now: UnixTime,
) -> Result<(InvitationId, Token), UpkeepError> {
    if !(INVITATION_LIFE_MIN..=INVITATION_LIFE_MAX).contains(&wish.life) {
        return Err(UpkeepError::Life);
    }
    if !(1..=INVITATION_USES_MAX).contains(&wish.uses) {
        return Err(UpkeepError::Uses);
    }
    let membership = folder.open()?;
    let addresses =
        if wish.addresses.is_empty() { membership.member.addresses.clone() } else { wish.addresses };
    if addresses.is_empty() {
        return Err(UpkeepError::NoAddress);
    }
    let held = folder.hold()?;
    let authority = folder.authority()?.ok_or(UpkeepError::NoSigner)?;
    let id = InvitationId(u64::from_be_bytes(random::bytes()?));
    let credentials = authority.invite(id, wish.life, now)?;
    let invitation = Invitation {
        ends: after(now, wish.life).as_secs(),
        uses: wish.uses,
        signer: wish.signer,
        used: Vec::new(),
    };
    folder.keep_invitation(id, &invitation, now.as_secs(), &held)?;
    let token = Token {
        herd: membership.member.herd.clone(),
        signer: membership.node.id,
        addresses,
        authorities: membership.trust.authorities().to_vec(),
        credentials,
    };
    Ok((id, token))
}

/// Removes a node from the herd, as far as this node is concerned; the removal is for the others too.
///
/// # Errors
/// This node is no signer, is the one to be removed, or nothing can be written.
pub fn remove(folder: &Folder, node: NodeId, now: UnixTime) -> Result<Removal, UpkeepError> {
    let (held, membership) = held_open(folder)?;
    if membership.node.id == node {
        return Err(UpkeepError::Myself);
    }
    let authority = folder.authority()?.ok_or(UpkeepError::NoSigner)?;
    let removal = authority.remove(node, now)?;
    let mut trust = Trust::clone(&membership.trust);
    trust.forget_expired(now);
    trust.remove([removal.clone()]);
    folder.keep_trust(&trust, &held)?;
    Ok(removal)
}

/// Takes in removals that another node knows, as far as an authority signed them. `None` when nothing was new; otherwise
/// what sessions that come are to believe, and by which those that go on are to be judged anew.
///
/// # Errors
/// The folder cannot be read or written; what was there before stands.
pub fn learn(
    folder: &Folder,
    removals: Vec<Removal>,
    now: UnixTime,
) -> Result<Option<Membership>, UpkeepError> {
    let held = folder.hold()?;
    let membership = folder.open()?;
    let mut trust = Trust::clone(&membership.trust);
    let lasting = removals.into_iter().filter(|removal| removal.until.as_secs() > now.as_secs());
    if trust.remove(lasting) == 0 {
        return Ok(None);
    }
    trust.forget_expired(now);
    folder.keep_trust(&trust, &held)?;
    Ok(Some(Membership { trust: Arc::new(trust), ..membership }))
}

/// Renews this node's own certificate, with a new key, by the authority's key that it holds. Who holds that key is a signer,
/// so the certificate says so, also where the key was put there by hand.
///
/// # Errors
/// It is no signer, or nothing can be written.
pub fn renew_here(folder: &Folder, now: UnixTime) -> Result<Membership, UpkeepError> {
    let (held, membership) = held_open(folder)?;
    let authority = folder.authority()?.ok_or(UpkeepError::NoSigner)?;
    let node = NodeIdentity { is_signer: true, ..membership.node };
    let credentials = authority.make(&Subject::node(node), now)?;
    folder.keep_credentials(&credentials, &held)?;
    Ok(folder.open()?)
}

/// Makes the authority's successor. It signs from now on; both are believed until [`finish_rotation`].
///
/// # Errors
/// This node is no signer, a rotation is under way, or nothing can be written.
pub fn rotate(folder: &Folder, now: UnixTime) -> Result<Membership, UpkeepError> {
    let (held, membership) = held_open(folder)?;
    if membership.trust.authorities().len() > 1 {
        return Err(UpkeepError::Rotating);
    }
    let authority = folder.authority()?.ok_or(UpkeepError::NoSigner)?;
    let next = authority.successor(&membership.member.herd, now)?;
    let credentials = next.make(&Subject::node(membership.node.clone()), now)?;
    let both = std::iter::once(next.certificate()).chain(membership.trust.authorities());
    let mut trust = Trust::new(membership.member.herd.clone(), both.cloned().collect())?;
    trust.remove(membership.trust.removals().iter().cloned());
    folder.keep_trust(&trust, &held)?;
    folder.keep_authority(&next, &held)?;
    folder.keep_credentials(&credentials, &held)?;
    Ok(folder.open()?)
}

/// Believes the newest authority only. Nodes whose certificates are still from the old one are strangers from now on.
/// Removals that only the old one signed are forgotten: their nodes have no other certificates.
///
/// # Errors
/// There is only one, this node's own certificate is from the old one, or nothing can be written.
pub fn finish_rotation(folder: &Folder, now: UnixTime) -> Result<Membership, UpkeepError> {
    let (held, membership) = held_open(folder)?;
    let [newest, _] = membership.trust.authorities() else { return Err(UpkeepError::NotRotating) };
    let mut trust = Trust::new(membership.member.herd.clone(), vec![newest.clone()])?;
    trust
        .verify(membership.credentials.chain(), now)
        .map_err(|error| UpkeepError::NotRenewed(error.to_string()))?;
    trust.remove(membership.trust.removals().iter().cloned());
    folder.keep_trust(&trust, &held)?;
    Ok(folder.open()?)
}

/// The folder's lock, and what it says while it is held: what is written later is written over nothing newer.
fn held_open(folder: &Folder) -> Result<(Held, Membership), FolderError> {
    // Where there is no member there may be no folder to lock.
    folder.open()?;
    let held = folder.hold()?;
    Ok((held, folder.open()?))
}

/// Writes down what was signed for a node.
pub(crate) fn note_issued(
    folder: &Folder,
    credentials: &[rustls_pki_types::CertificateDer<'static>],
    addresses: Vec<Address>,
    now: UnixTime,
    held: &Held,
) -> Result<(), UpkeepError> {
    let Some(certified) = credentials.first().and_then(|own| crate::Certified::read(own).ok()) else {
        return Ok(());
    };
    let Identity::Node(node) = certified.identity else { return Ok(()) };
    let peer = Peer { id: node.id, name: node.name, addresses, signer: node.is_signer };
    let issued = Issued { node: peer, serial: certified.serial, ends: certified.not_after.as_secs() };
    Ok(folder.keep_issued(issued, now.as_secs(), held)?)
}
