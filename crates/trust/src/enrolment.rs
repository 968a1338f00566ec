//! Asking a signer for a certificate, and being asked: one request, one answer, over a session of its own.
//!
//! Both ends stand here as loops over a blocking socket, with a deadline for the whole conversation: the joining end is what
//! `remuda herd join` and `renew` do, the signing end serves where no hub runs. A hub has its own loop, and does the same with
//! [`Session`] and [`admission::answer`].

mod message;
mod stream;

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use remuda_model::NodeName;
use rustls::AlertDescription;
use rustls_pki_types::UnixTime;

use crate::admission::{self, Outcome};
use crate::authority::{Authority, AuthorityError};
use crate::credentials::{CredentialsError, NodeKey};
use crate::endpoint::{Clock, Endpoint, EndpointError};
use crate::folder::{Folder, FolderError, Held, Membership};
use crate::identity::{Identity, NodeIdentity};
use crate::member::{ADDRESSES_MAX, Address, Member, Peer};
use crate::session::{Event, Session, SessionError, SessionOptions};
use crate::token::Token;
use crate::trust::{Trust, TrustError, Unverified};

pub use message::{ANSWER_KIND, Answer, Grant, REQUEST_KIND, Request};
pub use stream::Broken;
use stream::Conversation;

/// So long for all of it, of which most is two syncs of the signer's disk. As long as a session's handshake may take,
/// and as much again.
pub const CONVERSATION_WITHIN: Duration = Duration::from_secs(20);
/// So long for one address to answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Most host addresses that one name is tried by.
const HOSTS_MAX: usize = 8;

/// Sessions in which a certificate is asked for: small frames, and few.
#[must_use]
pub fn session_options() -> SessionOptions {
    SessionOptions {
        frame_max: message::BYTES_MAX,
        outgoing_max: message::BYTES_MAX,
        ..SessionOptions::default()
    }
}

/// Why a certificate was not got. What was there before stands; after `join`, the key that was asked for is kept for
/// the next attempt.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// No signer could be reached.
    #[error("no signer can be reached{}", tried(.0))]
    Unreachable(Vec<(Address, String)>),
    /// The conversation with one broke off.
    #[error("with the signer at {address}: {source}")]
    Broken {
        /// Where.
        address: Address,
        /// Why.
        #[source]
        source: Broken,
    },
    /// The signer says no.
    #[error("the signer at {address} refuses: {why}")]
    Refused {
        /// Where.
        address: Address,
        /// Its words.
        why: String,
    },
    /// It said something else than was asked.
    #[error("the signer at {address} answered what cannot be used: {why}")]
    Unusable {
        /// Where.
        address: Address,
        /// What is wrong.
        why: String,
    },
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The key.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Whom to believe.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Sessions.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// No signer is known.
    #[error("this node knows no other signer's address; name one with --from")]
    NoSigner,
    /// It is too late for this node.
    #[error(
        "this node's certificate has expired, and no signer renews one that has: have the node removed on a signer \
         (`remuda herd remove`), and join anew with an invitation (`remuda herd join -`); its keys and settings stay"
    )]
    Expired,
    /// It is too late for this invitation.
    #[error("the invitation expired {} s ago; have another one made with `remuda herd invite`", .0.as_secs())]
    Late(Duration),
    /// The clock of this machine cannot be read.
    #[error("the clock cannot be read")]
    Clock,
}

fn tried(tried: &[(Address, String)]) -> String {
    tried.iter().map(|(address, why)| format!("; {address}: {why}")).collect()
}

/// How a node joins.
#[derive(Debug, Clone)]
pub struct Joining {
    /// Its name.
    pub name: NodeName,
    /// Where it will listen.
    pub addresses: Vec<Address>,
    /// Whether it wants the authority's key, which the invitation must allow.
    pub signer: bool,
}

/// Becomes a node by an invitation.
///
/// # Errors
/// This node belongs to a herd already, was not removed from it, and its certificate has not expired; the invitation has;
/// no signer can be reached, or it refuses.
pub fn join(
    folder: &Folder,
    token: Token,
    joining: Joining,
    clock: &Clock,
) -> Result<Membership, EnrolmentError> {
    let held = folder.prepare_joining(now(clock)?)?;
    let until = token.credentials.certified().not_after;
    let key = folder.joining_key(&held)?;
    let trust = Arc::new(token.trust()?);
    let endpoint = Endpoint::new(Arc::new(token.credentials), Arc::clone(&trust), Arc::clone(clock))?;
    let request = Request::Join {
        request: key.request()?,
        name: joining.name,
        addresses: joining.addresses.clone(),
        signer: joining.signer,
    };
    let asked = ask(&endpoint, Some(token.signer), &token.addresses, &request);
    let (address, grant) = match asked {
        Err(EnrolmentError::Broken { source, .. }) if is_too_late(&source) && until < now(clock)? => {
            let late = now(clock)?.as_secs().saturating_sub(until.as_secs());
            return Err(EnrolmentError::Late(Duration::from_secs(late)));
        }
        asked => asked?,
    };
    let addresses = joining.addresses;
    let got = Got { folder, held: &held, herd: trust, address, now: now(clock)? };
    got.keep(grant, key, addresses)?;
    Ok(folder.open()?)
}

/// Has this node's certificate renewed by another node, which is a signer: at `from`, or where one is known to be.
///
/// # Errors
/// The certificate has expired, no signer can be reached, or it refuses.
pub fn renew(folder: &Folder, from: Option<&Address>, clock: &Clock) -> Result<Membership, EnrolmentError> {
    let membership = folder.open()?;
    if membership.credentials.certified().not_after.as_secs() < now(clock)?.as_secs() {
        return Err(EnrolmentError::Expired);
    }
    let known = membership.member.peers.iter().filter(|peer: &&Peer| peer.signer);
    let addresses: Vec<Address> = match from {
        Some(address) => vec![address.clone()],
        None => known.flat_map(|peer| peer.addresses.iter().cloned()).collect(),
    };
    if addresses.is_empty() {
        return Err(EnrolmentError::NoSigner);
    }
    let endpoint =
        Endpoint::new(Arc::clone(&membership.credentials), Arc::clone(&membership.trust), Arc::clone(clock))?;
    let key = NodeKey::generate()?;
    let addresses_here = membership.member.addresses.clone();
    let request = Request::Renew { request: key.request()?, addresses: addresses_here.clone() };
    let (address, grant) = ask(&endpoint, None, &addresses, &request)?;
    let held = folder.hold()?;
    // Removals may have been learnt during the conversation.
    let herd = folder.open()?.trust;
    let got = Got { folder, held: &held, herd, address, now: now(clock)? };
    got.keep(grant, key, addresses_here)?;
    Ok(folder.open()?)
}

fn now(clock: &Clock) -> Result<UnixTime, EnrolmentError> {
    clock.current_time().ok_or(EnrolmentError::Clock)
}

/// Asks the first of `addresses` that answers.
fn ask(
    endpoint: &Endpoint,
    wanted: Option<remuda_herd::NodeId>,
    addresses: &[Address],
    request: &Request,
) -> Result<(Address, Grant), EnrolmentError> {
    let mut failed = Vec::new();
    for address in addresses {
        let stream = match connect(address) {
            Ok(stream) => stream,
            Err(why) => {
                failed.push((address.clone(), why));
                continue;
            }
        };
        let broken = |source| EnrolmentError::Broken { address: address.clone(), source };
        let session = Session::connect(endpoint, wanted, None, session_options(), Duration::ZERO)
            .map_err(|error| broken(error.into()))?;
        let mut talk = Conversation::new(stream, session, CONVERSATION_WITHIN);
        return match converse(&mut talk, request).map_err(broken)? {
            Answer::Granted(grant) => Ok((address.clone(), *grant)),
            Answer::Refused(why) => Err(EnrolmentError::Refused { address: address.clone(), why }),
        };
    }
    Err(EnrolmentError::Unreachable(failed))
}

/// Whether a signer takes our certificate for an expired one. Its clock decides, for ours may be the one that is wrong.
fn is_too_late(broken: &Broken) -> bool {
    matches!(broken, Broken::Session(SessionError::Refused(AlertDescription::CertificateExpired)))
}

fn converse(talk: &mut Conversation, request: &Request) -> Result<Answer, Broken> {
    let Event::Ready(peer) = talk.next()? else { return Err(Broken::Unexpected) };
    if !matches!(&peer.certified.identity, Identity::Node(NodeIdentity { is_signer: true, .. })) {
        return Err(Broken::NoSigner);
    }
    talk.say(REQUEST_KIND, &request.encode())?;
    match talk.next()? {
        Event::Frame(frame) if frame.kind == ANSWER_KIND => {
            talk.finish();
            Ok(Answer::decode(&frame.payload).map_err(SessionError::from)?)
        }
        Event::Closed => Err(Broken::Session(SessionError::Cut)),
        Event::Ready(_) | Event::Frame(_) => Err(Broken::Unexpected),
    }
}

fn connect(address: &Address) -> Result<TcpStream, String> {
    let hosts = address.as_str().to_socket_addrs().map_err(|error| error.to_string())?;
    let mut why = "the name has no address".to_owned();
    for host in hosts.take(HOSTS_MAX) {
        match TcpStream::connect_timeout(&host, CONNECT_WITHIN) {
            Ok(stream) => return Ok(stream),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// What a signer gave, about to be kept.
struct Got<'a> {
    folder: &'a Folder,
    held: &'a Held,
    herd: Arc<Trust>,
    address: Address,
    now: UnixTime,
}

impl Got<'_> {
    fn unusable(&self, why: impl ToString) -> EnrolmentError {
        EnrolmentError::Unusable { address: self.address.clone(), why: why.to_string() }
    }

    /// Looks whether all of it goes together, then writes it, the node's own certificate last.
    fn keep(self, mut grant: Grant, key: NodeKey, addresses: Vec<Address>) -> Result<(), EnrolmentError> {
        let herd = self.herd.herd().clone();
        let mut trust = Trust::new(herd.clone(), grant.authorities)?;
        trust.remove(self.herd.removals().iter().cloned());
        trust.remove(grant.removals);
        trust.verify(&grant.chain, self.now).map_err(|error: Unverified| self.unusable(error))?;
        let public = key.pair.public_key_raw().to_vec();
        let credentials = key.with(grant.chain)?;
        if credentials.public_key().map_err(|error| self.unusable(error))? != public {
            return Err(self.unusable("the certificate is for another key"));
        }
        let authority = grant.authority.as_deref().map(Authority::from_pem).transpose();
        let authority = authority.map_err(|error: AuthorityError| self.unusable(error))?;
        if let Some(signer) = grant.peers.first_mut()
            && signer.addresses.len() < ADDRESSES_MAX
            && !signer.addresses.contains(&self.address)
        {
            // It may not know itself how it is reached; from here it was this way, and renewal goes the same.
            signer.addresses.push(self.address.clone());
        }
        let member = Member { herd, addresses, peers: grant.peers };
        self.folder.keep_trust(&trust, self.held)?;
        self.folder.keep_member(&member, self.held)?;
        if let Some(authority) = authority {
            self.folder.keep_authority(&authority, self.held)?;
        }
        self.folder.keep_credentials(&credentials, self.held)?;
        Ok(())
    }
}

/// Serves one connection of somebody who asks for a certificate, and says what became of it.
///
/// # Errors
/// The peer is refused, or the conversation broke off.
pub fn serve(
    stream: TcpStream,
    folder: &Folder,
    endpoint: &Arc<Endpoint>,
    within: Duration,
) -> Result<Outcome, Broken> {
    let session = Session::accept_requests(Arc::clone(endpoint), session_options(), Duration::ZERO);
    let mut talk = Conversation::new(stream, session, within);
    let Event::Ready(asker) = talk.next()? else { return Err(Broken::Unexpected) };
    let Event::Frame(frame) = talk.next()? else { return Err(Broken::Unexpected) };
    if frame.kind != REQUEST_KIND {
        return Err(Broken::Unexpected);
    }
    let now = endpoint.clock().current_time().ok_or(Broken::Clock)?;
    let (answer, outcome) = admission::answer(folder, &asker.certified, &frame.payload, now);
    talk.say(ANSWER_KIND, &answer.encode())?;
    talk.finish();
    Ok(outcome)
}
