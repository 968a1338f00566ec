//! Nodes come, stay and go; and who has no right to does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use remuda_herd::NodeId;
use remuda_trust::admission::{self, Outcome};
use remuda_trust::enrolment::{self, Answer, EnrolmentError, Joining, Request};
use remuda_trust::{
    Certified, Clock, Folder, Identity, InvitationWish, NodeKey, Removal, Removals, Token, UpkeepError,
    is_due_for_renewal, renew_here,
};

use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;

use crate::harness::{DAY, Node, Pair, at, clock_at};

#[track_caller]
fn refusal(result: Result<remuda_trust::Membership, EnrolmentError>) -> String {
    result.map(|_| ()).unwrap_err().to_string()
}

/// What somebody asks who wants to be called `name`.
fn asks_to_join(request: Vec<u8>, name: &str) -> Request {
    Request::Join { request, name: name.parse().unwrap(), addresses: Vec::new(), signer: false }
}

/// An invitation for one, of a signer that is asked without a wire.
fn unused(signer: &Node) -> Token {
    signer.invite("127.0.0.1:1".parse().unwrap(), 1, false).parse().unwrap()
}

#[test]
fn a_node_joins_by_an_invitation_and_knows_the_herd() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let (founder, member) = (alpha.membership(), beta.membership());
    assert_eq!((member.node.name.as_str(), member.node.herd.as_str()), ("beta", "shop"));
    assert!(founder.node.is_signer && !member.node.is_signer);
    assert_ne!(member.node.id, founder.node.id);
    assert_eq!(member.trust.authorities(), founder.trust.authorities());
    assert_eq!(member.member.peers[0].id, founder.node.id);
    assert!(member.member.peers[0].signer);
    assert_eq!(member.member.peers[0].addresses.len(), 1, "the signer is found again where it was");
    assert!(beta.folder.authority().unwrap().is_none(), "only a signer has the key");
    let gamma = alpha.joined("gamma");
    let known: Vec<_> = gamma.membership().member.peers.iter().map(|peer| peer.name.to_string()).collect();
    assert_eq!(known, ["alpha", "beta"]);
    let mut pair = Pair::of(&gamma, &beta, 0);
    pair.run();
    assert!(pair.client.is_ready() && pair.server.is_ready());
}

#[test]
fn an_invitation_is_used_once_or_as_often_as_it_says() {
    let alpha = Node::founder("shop", "alpha");
    let signer = alpha.serve(4, 0);
    let (once, twice) = (alpha.invite(signer.address, 1, false), alpha.invite(signer.address, 2, false));
    Node::empty().join(&once, "beta", 0).unwrap();
    let second = Node::empty();
    let said = refusal(second.join(&once, "gamma", 0));
    assert!(said.contains("the invitation has been used"), "{said}");
    assert!(!second.folder.is_member());
    second.join(&twice, "gamma", 0).unwrap();
    Node::empty().join(&twice, "delta", 0).unwrap();
    let outcomes = signer.outcomes();
    assert!(matches!(&outcomes[1], Ok(Outcome::Refused(why)) if why.contains("used")), "{outcomes:?}");
}

#[test]
fn who_did_not_get_the_answer_asks_again_and_is_the_same_node() {
    let alpha = Node::founder("shop", "alpha");
    let token = unused(&alpha);
    let asker = token.credentials.certified();
    let key = NodeKey::generate().unwrap();
    let ask = |key: &NodeKey, name: &str| {
        let request = asks_to_join(key.request().unwrap(), name);
        admission::answer(&alpha.folder, asker, &request.encode(), at(0))
    };
    let number = |answer: &Answer| match answer {
        Answer::Granted(grant) => match Certified::read(&grant.chain[0]).unwrap().identity {
            Identity::Node(node) => node.id,
            other @ Identity::Invitation(_) => panic!("{other:?}"),
        },
        Answer::Refused(why) => panic!("{why}"),
    };
    let (first, _) = ask(&key, "beta");
    let (again, _) = ask(&key, "beta");
    assert_eq!(number(&first), number(&again));
    let (other, _) = ask(&NodeKey::generate().unwrap(), "gamma");
    assert!(matches!(other, Answer::Refused(why) if why.contains("has been used")));
}

#[test]
fn an_invitation_expires_for_the_handshake_and_for_the_record() {
    let alpha = Node::founder("shop", "alpha");
    let signer = alpha.serve(1, 3601);
    let text = alpha.invite(signer.address, 1, false);
    let said = refusal(Node::empty().join(&text, "beta", 3601));
    assert!(said.contains("expired"), "{said}");
    assert!(signer.outcomes()[0].is_err(), "refused in the handshake");
    // A signer whose clock was set back since then still has the record.
    let token: Token = text.parse().unwrap();
    let request = asks_to_join(NodeKey::generate().unwrap().request().unwrap(), "beta");
    let (answer, _) =
        admission::answer(&alpha.folder, token.credentials.certified(), &request.encode(), at(3600));
    assert!(matches!(answer, Answer::Refused(why) if why.contains("expired")));
}

#[test]
fn an_invitation_of_another_herd_or_another_signer_is_refused() {
    let (alpha, other) = (Node::founder("shop", "alpha"), Node::founder("shop", "omega"));
    let signer = alpha.serve(1, 0);
    let said = refusal(Node::empty().join(&other.invite(signer.address, 1, false), "beta", 0));
    assert!(said.contains("the peer is refused"), "the joiner does not believe the signer: {said}");
    assert!(signer.outcomes()[0].is_err());

    let second = alpha.joined_as("second", true);
    let signer = second.serve(1, 0);
    let said = refusal(Node::empty().join(&alpha.invite(signer.address, 1, false), "beta", 0));
    assert!(said.contains("was expected"), "{said}");
    drop(signer.outcomes());
    let token = unused(&alpha);
    let request = asks_to_join(NodeKey::generate().unwrap().request().unwrap(), "beta");
    let (answer, _) =
        admission::answer(&second.folder, token.credentials.certified(), &request.encode(), at(0));
    assert!(matches!(answer, Answer::Refused(why) if why.contains("not known here")));
}

#[test]
fn a_node_does_not_join_and_an_invitation_is_not_renewed() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let request = NodeKey::generate().unwrap().request().unwrap();
    let join = asks_to_join(request.clone(), "gamma");
    let renew = Request::Renew { request, addresses: Vec::new() };
    let token = unused(&alpha);
    let node = beta.membership();
    for (asker, request) in [(node.credentials.certified(), &join), (token.credentials.certified(), &renew)] {
        let (answer, outcome) = admission::answer(&alpha.folder, asker, &request.encode(), at(0));
        assert!(matches!(answer, Answer::Refused(why) if why.contains("does not ask")));
        assert!(matches!(outcome, Outcome::Refused(_)));
    }
    let (answer, _) = admission::answer(&beta.folder, node.credentials.certified(), &renew.encode(), at(0));
    assert!(matches!(answer, Answer::Refused(why) if why.contains("alpha does")), "beta cannot sign");
}

#[test]
fn a_request_that_was_tampered_with_is_not_signed_and_costs_no_use() {
    let alpha = Node::founder("shop", "alpha");
    let token = unused(&alpha);
    let good = NodeKey::generate().unwrap().request().unwrap();
    let ask = |request: Vec<u8>| {
        let request = asks_to_join(request, "beta");
        admission::answer(&alpha.folder, token.credentials.certified(), &request.encode(), at(0)).0
    };
    // What is signed begins behind three bytes of a header. Between it and the signature stand 15 bytes that name the
    // algorithm and begin the signature; they are not signed and are read kindly, and the key is what it was.
    let signed = 3 + 2 + usize::from(good[4]);
    let between = signed..signed + 15;
    for index in (0..good.len()).filter(|index| !between.contains(index)) {
        let mut bad = good.clone();
        bad[index] ^= 1;
        assert!(matches!(ask(bad), Answer::Refused(_)), "byte {index}: {good:02x?}");
    }
    assert!(matches!(ask(vec![0x30; 5000]), Answer::Refused(_)));
    let Identity::Invitation(id) = token.credentials.certified().identity else { panic!("{token:?}") };
    assert_eq!(alpha.folder.invitation(id).unwrap().unwrap().left(), 1);
    assert!(matches!(ask(good), Answer::Granted(_)));
}

#[test]
fn a_name_is_one_nodes_until_that_is_removed() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let signer = alpha.serve(3, 0);
    let text = alpha.invite(signer.address, 1, false);
    let again = Node::empty();
    assert!(refusal(again.join(&text, "beta", 0)).contains("the name beta is taken"));
    assert!(refusal(again.join(&text, "alpha", 0)).contains("the name alpha is taken"));
    remuda_trust::remove(&alpha.folder, beta.membership().node.id, at(0)).unwrap();
    again.join(&text, "beta", 0).unwrap();
    assert!(again.membership().trust.removals().contains(beta.membership().node.id));
    drop(signer.outcomes());
}

#[test]
fn a_signer_is_made_only_where_both_sides_want_it() {
    let alpha = Node::founder("shop", "alpha");
    let signer = alpha.serve(3, 0);
    let plain = alpha.invite(signer.address, 1, false);
    let offered = alpha.invite(signer.address, 2, true);
    let said = refusal(Node::empty().join_as(&plain, "beta", true, 0));
    assert!(said.contains("not one for a signer"), "{said}");
    let modest = Node::empty();
    assert!(!modest.join_as(&offered, "beta", false, 0).unwrap().node.is_signer);
    assert!(modest.folder.authority().unwrap().is_none());
    let second = Node::empty();
    assert!(second.join_as(&offered, "gamma", true, 0).unwrap().node.is_signer);
    drop(signer.outcomes());
    // It does what the first one does.
    let third = second.joined("delta");
    let mut pair = Pair::of(&third, &alpha, 0);
    pair.run();
    assert!(pair.client.is_ready() && pair.server.is_ready());
}

#[test]
fn a_node_that_is_given_the_authoritys_key_from_a_backup_carries_the_herd_on() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let backup = std::fs::read(alpha.path().join("authority.pem")).unwrap();
    drop(alpha);
    let file = beta.path().join("authority.pem");
    std::fs::write(&file, backup).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(renew_here(&beta.folder, at(1)).unwrap().node.is_signer);
    let gamma = beta.joined("gamma");
    let mut pair = Pair::of(&gamma, &beta, 1);
    pair.run();
    assert!(pair.client.is_ready() && pair.server.is_ready());
}

#[test]
fn a_node_is_renewed_with_a_new_key_by_any_signer_and_keeps_its_number() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let before = beta.membership();
    let certified = before.credentials.certified();
    let is_due = |day: u64| is_due_for_renewal(certified.not_before, certified.not_after, at(day * DAY));
    assert!(!is_due(59) && is_due(61));
    // Alpha is renewed by itself: its own certificate would have expired by then too.
    renew_here(&alpha.folder, at(60 * DAY)).unwrap();
    let signer = alpha.serve(1, 61 * DAY);
    let after = enrolment::renew(&beta.folder, Some(&signer.address()), &clock_at(61 * DAY)).unwrap();
    assert!(matches!(signer.outcomes().pop(), Some(Ok(Outcome::Renewed(_)))));
    assert_eq!(after.node, before.node);
    assert_ne!(after.credentials.certified().serial, certified.serial);
    assert_ne!(after.credentials.key().to_pem(), before.credentials.key().to_pem());
    let mut pair = Pair::of(&beta, &alpha, 140 * DAY);
    pair.run();
    assert!(pair.client.is_ready() && pair.server.is_ready());
}

#[test]
fn a_node_whose_certificate_has_expired_is_told_to_join_anew_and_may_where_it_is() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let before = beta.membership().node.id;
    let late = 91 * DAY;
    renew_here(&alpha.folder, at(60 * DAY)).unwrap();
    let said = refusal(enrolment::renew(&beta.folder, None, &clock_at(late)));
    assert!(said.contains("has expired") && said.contains("remuda herd join"), "{said}");
    beta.folder.prepare_joining(at(89 * DAY)).unwrap_err();
    beta.folder.prepare_joining(at(late)).unwrap();
    remuda_trust::remove(&alpha.folder, before, at(late)).unwrap();
    let signer = alpha.serve(1, late);
    let token = alpha.invite_at(signer.address, 1, false, late).parse::<Token>().unwrap();
    let joining = Joining { name: "beta".parse().unwrap(), addresses: Vec::new(), signer: false };
    let after = enrolment::join(&beta.folder, token, joining, &clock_at(late)).unwrap();
    assert_ne!(after.node.id, before, "it is a new node");
    alpha.folder.prepare_joining(at(200 * DAY)).unwrap_err();
}

#[test]
fn a_node_that_knows_that_it_was_removed_joins_anew_where_it_is() {
    let alpha = Node::founder("shop", "alpha");
    let (beta, gamma) = (alpha.joined("beta"), alpha.joined("gamma"));
    let before = beta.membership().node.id;
    remuda_trust::remove(&alpha.folder, before, at(1)).unwrap();
    beta.folder.prepare_joining(at(1)).unwrap_err();
    for told in [&beta, &gamma] {
        let mut trust = remuda_trust::Trust::clone(&told.membership().trust);
        trust.remove(alpha.membership().trust.removals().iter().cloned());
        told.folder.keep_trust(&trust, &told.folder.hold().unwrap()).unwrap();
    }
    assert!(beta.membership().is_removed() && !gamma.membership().is_removed());
    gamma.folder.prepare_joining(at(1)).unwrap_err();
    let signer = alpha.serve(1, 1);
    let token = alpha.invite_at(signer.address, 1, false, 1).parse::<Token>().unwrap();
    let joining = Joining { name: "beta".parse().unwrap(), addresses: Vec::new(), signer: false };
    let after = enrolment::join(&beta.folder, token, joining, &clock_at(1)).unwrap();
    assert!(after.node.id != before && !after.is_removed(), "it is a new node");
    let mut pair = Pair::of(&beta, &alpha, 2);
    pair.run();
    assert!(pair.client.is_ready() && pair.server.is_ready());
    // It is a member again.
    beta.folder.prepare_joining(at(2)).unwrap_err();
}

#[test]
fn the_key_of_an_authority_is_not_overwritten_where_a_signer_was_removed() {
    let alpha = Node::founder("shop", "alpha");
    let membership = alpha.membership();
    let mut trust = remuda_trust::Trust::clone(&membership.trust);
    let authority = alpha.folder.authority().unwrap().unwrap();
    trust.remove([authority.remove(membership.node.id, at(1)).unwrap()]);
    alpha.folder.keep_trust(&trust, &alpha.folder.hold().unwrap()).unwrap();
    assert!(alpha.membership().is_removed());
    let said = alpha.folder.prepare_joining(at(1)).unwrap_err().to_string();
    assert!(said.contains("authority.pem"), "{said}");
}

#[test]
fn a_removed_node_is_not_renewed_even_by_a_signer_that_learns_of_it_late() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let signer = alpha.serve(2, 0);
    remuda_trust::remove(&alpha.folder, beta.membership().node.id, at(0)).unwrap();
    // The serving endpoint is older than the removal; the folder is not.
    let said = refusal(enrolment::renew(&beta.folder, Some(&signer.address()), &clock_at(0)));
    assert!(said.contains("was removed from the herd"), "{said}");
    let late = alpha.serve(1, 0);
    let said = refusal(enrolment::renew(&beta.folder, Some(&late.address()), &clock_at(0)));
    assert!(said.contains("this node was removed"), "{said}");
    assert!(late.outcomes()[0].is_err());
    drop(std::net::TcpStream::connect(signer.address).unwrap());
    drop(signer.outcomes());
}

#[test]
fn a_removal_is_believed_by_signature_and_forgotten_in_time() {
    let alpha = Node::founder("shop", "alpha");
    let (beta, gamma) = (alpha.joined("beta"), alpha.joined("gamma"));
    let removal = remuda_trust::remove(&alpha.folder, beta.membership().node.id, at(0)).unwrap();
    let mut trust = remuda_trust::Trust::clone(&gamma.membership().trust);
    let mut other = removal.clone();
    other.node = alpha.membership().node.id;
    assert_eq!(trust.remove([other]), 0, "the signature is for another node");
    let mut longer = removal.clone();
    longer.until = at(10_000 * DAY);
    assert_eq!(trust.remove([longer]), 0, "and for that time only");
    let stranger = Node::founder("shop", "omega");
    assert_eq!(remuda_trust::Trust::clone(&stranger.membership().trust).remove([removal.clone()]), 0);
    assert_eq!((trust.remove([removal.clone()]), trust.remove([removal])), (1, 0));
    assert_eq!(trust.removals().digest(), alpha.membership().trust.removals().digest());
    assert_eq!(trust.forget_expired(at(90 * DAY)), 0, "a certificate of that day may be valid still");
    assert_eq!(trust.forget_expired(at(91 * DAY)), 1);
    // What one node knows, another takes from its bytes, and keeps.
    let known = alpha.membership().trust.removals().encode();
    let learn = || remuda_trust::learn(&gamma.folder, Removals::decode(&known).unwrap(), at(1)).unwrap();
    assert!(learn().unwrap().trust.removals().contains(beta.membership().node.id));
    assert!(learn().is_none(), "it is on disk already");
    let old = remuda_trust::remove(&alpha.folder, NodeId(7), at(1)).unwrap();
    let late = remuda_trust::learn(&gamma.folder, vec![old], at(100 * DAY)).unwrap();
    assert!(late.is_none(), "its time is over");
    let error = remuda_trust::remove(&alpha.folder, alpha.membership().node.id, at(0)).unwrap_err();
    assert!(matches!(error, UpkeepError::Myself));
}

#[test]
fn nobody_at_the_address_is_told_with_the_address_and_leaves_nothing_lost() {
    let alpha = Node::founder("shop", "alpha");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = alpha.invite(free, 1, false);
    let node = Node::empty();
    let said = refusal(node.join(&text, "beta", 0));
    assert!(said.contains("no signer can be reached") && said.contains(&free.to_string()), "{said}");
    assert!(!node.folder.is_member());
    let listener = alpha.serve(1, 0);
    node.join(&alpha.invite(listener.address, 1, false), "beta", 0).unwrap();
    drop(listener.outcomes());
    let twice = refusal(node.join(&text, "beta", 0));
    assert!(twice.contains("nothing was overwritten"), "{twice}");
}

#[test]
fn a_join_that_broke_off_goes_on_where_it_was() {
    let alpha = Node::founder("shop", "alpha");
    let signer = alpha.serve(2, 0);
    let text = alpha.invite(signer.address, 1, true);
    let node = Node::empty();
    let first = node.join_as(&text, "beta", true, 0).unwrap().node.id;
    // As after a crash just before the last file was written: the key that asked is there, and no certificate.
    let pem = std::fs::read_to_string(node.path().join("node.pem")).unwrap();
    let key = &pem[pem.find("-----BEGIN PRIVATE").unwrap()..];
    std::fs::rename(node.path().join("node.pem"), node.path().join("joining.pem")).unwrap();
    std::fs::write(node.path().join("joining.pem"), key).unwrap();
    assert!(node.path().join("authority.pem").exists());
    assert_eq!(node.join_as(&text, "beta", true, 0).unwrap().node.id, first);
    assert!(!node.path().join("joining.pem").exists());
    drop(signer.outcomes());
}

#[test]
fn invitations_have_bounds() {
    let alpha = Node::founder("shop", "alpha");
    let wish = |life, uses| InvitationWish {
        life: Duration::from_secs(life),
        uses,
        signer: false,
        addresses: vec!["127.0.0.1:7946".parse().unwrap()],
    };
    let invite = |wish| remuda_trust::invite(&alpha.folder, wish, at(0)).map(|_| ());
    assert!(matches!(invite(wish(9, 1)), Err(UpkeepError::Life)));
    assert!(matches!(invite(wish(8 * DAY, 1)), Err(UpkeepError::Life)));
    assert!(matches!(invite(wish(60, 0)), Err(UpkeepError::Uses)));
    assert!(matches!(invite(wish(60, 1001)), Err(UpkeepError::Uses)));
    let nowhere = InvitationWish { addresses: Vec::new(), ..wish(60, 1) };
    assert!(matches!(invite(nowhere), Err(UpkeepError::NoAddress)));
    let beta = alpha.joined("beta");
    let other = remuda_trust::invite(&beta.folder, wish(60, 1), at(0));
    assert!(matches!(other, Err(UpkeepError::NoSigner)));
}

/// A clock that is looked at in the middle of a conversation: then the node hears of a removal.
#[derive(Debug)]
struct Meanwhile {
    folder: Folder,
    removal: Removal,
    has_learnt: AtomicBool,
}

impl TimeProvider for Meanwhile {
    fn current_time(&self) -> Option<UnixTime> {
        if !self.has_learnt.swap(true, Ordering::Relaxed) {
            remuda_trust::learn(&self.folder, vec![self.removal.clone()], at(2)).unwrap();
        }
        Some(at(2))
    }
}

#[test]
fn a_removal_that_is_learnt_during_a_renewal_stays() {
    let alpha = Node::founder("shop", "alpha");
    let (beta, gamma) = (alpha.joined("beta"), alpha.joined("gamma"));
    let gone = gamma.membership().node.id;
    let other = alpha.joined_as("other", true);
    let removal = remuda_trust::remove(&other.folder, gone, at(1)).unwrap();
    let signer = alpha.serve(1, 2);
    let clock: Clock =
        Arc::new(Meanwhile { folder: beta.folder.clone(), removal, has_learnt: AtomicBool::new(false) });
    enrolment::renew(&beta.folder, Some(&signer.address()), &clock).unwrap();
    drop(signer.outcomes());
    assert!(beta.membership().trust.removals().contains(gone));
}
