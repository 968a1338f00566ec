//! Who a certificate is for is read in one way, or not at all.

use remuda_herd::NodeId;

use super::{Identity, IdentityError, InvitationId, NodeIdentity, number};

fn node(is_signer: bool) -> Identity {
    let (herd, name) = ("shop".parse().unwrap(), "alpha".parse().unwrap());
    Identity::Node(NodeIdentity { herd, id: NodeId(0x0123_4567_89ab_cdef), name, is_signer })
}

#[test]
fn what_is_written_is_read() {
    for identity in [node(false), node(true), Identity::Invitation(InvitationId(9))] {
        let uris = identity.uris();
        let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
        assert_eq!(Identity::of(&uris, "alpha"), Ok(identity));
    }
    assert_eq!(node(false).uris(), ["remuda://shop/0123456789abcdef"]);
    assert_eq!(Identity::Invitation(InvitationId(9)).uris(), ["remuda-invite:0000000000000009"]);
}

#[test]
fn what_is_not_written_here_is_nobody() {
    let (own, invite) = ("remuda://shop/0123456789abcdef", "remuda-invite:0000000000000009");
    for nobody in [
        &[][..],
        &[own, invite],
        &[own, own],
        &[invite, invite],
        &["remuda-role:signer"],
        &[invite, "remuda-role:signer"],
    ] {
        assert_eq!(Identity::of(nobody, "alpha"), Err(IdentityError::Nobody), "{nobody:?}");
    }
    for unknown in [
        &["https://example.org"][..],
        &[own, "https://example.org"],
        &[own, "remuda-role:king"],
        &[own, "remuda-role:signer", "remuda-role:signer"],
        &["remuda://shop"],
        &["remuda://shop/0123456789ABCDEF"],
        &["remuda://shop/123"],
        &["remuda://shop/0123456789abcdef/"],
        &["remuda://a b/0123456789abcdef"],
        &["remuda-invite:9"],
        &["REMUDA://shop/0123456789abcdef"],
    ] {
        assert!(matches!(Identity::of(unknown, "alpha"), Err(IdentityError::Unknown(_))), "{unknown:?}");
    }
    assert!(matches!(Identity::of(&[own], "not a name"), Err(IdentityError::Unknown(_))));
    assert_eq!((number("+123456789abcdef"), number("00000000000000ff")), (None, Some(255)));
}
