//! Who belongs to the herd, and how its servers speak so that nobody else can.
//!
//! The herd has an authority: a key that signs. Each node has a certificate of its own from it, which names the herd and the
//! node; two nodes that meet show each other theirs in the handshake of TLS 1.3, and only then says anybody a word. Who is
//! new shows an invitation instead, which is a certificate too: so there is no door at which a stranger is listened to.
//!
//! - [`Identity`]: what a certificate says of whom it belongs to. [`Authority`] signs it, [`Trust`] believes it or not:
//!   there are [`Removals`], signed as well, that spread from node to node.
//! - [`Token`] is an invitation as one line of text; [`admission`] is what a signer does with one that is shown to it,
//!   [`enrolment`] is both ends of that conversation.
//! - [`Folder`] is where a node keeps all of it.
//! - [`Endpoint`] holds what new sessions show and believe; [`Session`] is one of them, without sockets and without a clock:
//!   bytes and times go in, frames come out.

pub mod admission;
mod authority;
mod codec;
mod credentials;
mod endpoint;
pub mod enrolment;
mod folder;
mod identity;
mod invitation;
mod member;
mod pem;
mod removals;
pub mod session;
mod token;
mod trust;
mod upkeep;
mod verifier;
mod when;

pub use authority::{Authority, AuthorityError, Subject};
pub use codec::Malformed;
pub use credentials::{Credentials, CredentialsError, NodeKey};
pub use endpoint::{Clock, Endpoint, EndpointError, Protocol, system_clock};
pub use folder::{Folder, FolderError, FolderStamp, Held, Membership};
pub use identity::{Certified, Identity, IdentityError, InvitationId, NodeIdentity};
pub use invitation::{INVITATION_USES_MAX, Invitation, InvitationRefusal, Use};
pub use member::{ADDRESSES_MAX, Address, AddressError, Issued, Member, PEERS_MAX, Peer};
pub use removals::{REMOVALS_MAX, Removal, Removals};
pub use rustls_pki_types::UnixTime;
pub use session::Session;
pub use token::{TOKEN_BYTES_MAX, Token, TokenError};
pub use trust::{AUTHORITIES_MAX, Distrust, Trust, TrustError, Unverified, fingerprint};
pub use upkeep::{
    Founding, InvitationWish, UpkeepError, finish_rotation, found, invite, learn, remove, renew_here, rotate,
};
pub use when::{
    AUTHORITY_LIFE, CLOCK_SLACK, INVITATION_LIFE_MAX, INVITATION_LIFE_MIN, NODE_LIFE, is_due_for_renewal,
};
