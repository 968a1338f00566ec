//! Who comes is counted once, however often it asks.

use std::time::Duration;

use remuda_herd::NodeId;
use rustls_pki_types::UnixTime;

use super::{Invitation, InvitationRefusal};

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn uses_are_counted_by_key() {
    let mut invitation = Invitation { ends: 100, uses: 2, signer: false, used: Vec::new() };
    assert_eq!(invitation.admit("a", false, NodeId(1), at(0)), Ok(NodeId(1)));
    assert_eq!(invitation.admit("a", false, NodeId(2), at(1)), Ok(NodeId(1)));
    assert_eq!(invitation.admit("b", false, NodeId(3), at(1)), Ok(NodeId(3)));
    assert_eq!(invitation.left(), 0);
    assert_eq!(invitation.admit("c", false, NodeId(4), at(1)), Err(InvitationRefusal::UsedUp));
    assert_eq!(invitation.admit("b", false, NodeId(5), at(99)), Ok(NodeId(3)));
    assert_eq!(invitation.admit("b", false, NodeId(5), at(100)), Err(InvitationRefusal::Expired));
    assert_eq!(invitation.admit("b", true, NodeId(5), at(99)), Err(InvitationRefusal::NoSigner));
}
