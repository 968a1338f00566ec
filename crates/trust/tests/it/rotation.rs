//! One authority follows another, while the herd goes on.

use remuda_trust::enrolment;
use remuda_trust::{UpkeepError, finish_rotation, rotate};

use crate::harness::{Node, Pair, at, clock_at};

#[track_caller]
fn speak(client: &Node, server: &Node) {
    for (client, server) in [(client, server), (server, client)] {
        let mut pair = Pair::of(client, server, 10);
        pair.run();
        assert!(pair.client.is_ready() && pair.server.is_ready(), "{:?} {:?}", pair.client, pair.server);
    }
}

#[test]
fn nodes_that_know_only_the_old_authority_speak_with_those_of_the_new_one() {
    let alpha = Node::founder("shop", "alpha");
    let (beta, gamma) = (alpha.joined("beta"), alpha.joined("gamma"));
    assert!(matches!(finish_rotation(&alpha.folder, at(1)), Err(UpkeepError::NotRotating)));
    rotate(&alpha.folder, at(1)).unwrap();
    assert!(matches!(rotate(&alpha.folder, at(1)), Err(UpkeepError::Rotating)));
    speak(&beta, &alpha);

    let signer = alpha.serve(1, 2);
    enrolment::renew(&beta.folder, Some(&signer.address()), &clock_at(2)).unwrap();
    drop(signer.outcomes());
    assert_eq!(beta.membership().trust.authorities().len(), 2);
    speak(&beta, &gamma);
    let delta = alpha.joined("delta");
    speak(&delta, &gamma);

    finish_rotation(&alpha.folder, at(3)).unwrap();
    assert_eq!(alpha.membership().trust.authorities().len(), 1);
    speak(&beta, &alpha);
    let mut pair = Pair::of(&gamma, &alpha, 10);
    pair.run();
    assert!(pair.server.error.is_some() && !pair.server.is_ready(), "gamma was not renewed");
    // Who renews after the end knows the new one only.
    let signer = alpha.serve(1, 4);
    let beta_now = enrolment::renew(&beta.folder, Some(&signer.address()), &clock_at(4)).unwrap();
    drop(signer.outcomes());
    assert_eq!(beta_now.trust.authorities(), alpha.membership().trust.authorities());
    assert!(matches!(rotate(&beta.folder, at(5)), Err(UpkeepError::NoSigner)));
    rotate(&alpha.folder, at(5)).unwrap();
    speak(&beta, &alpha);
}

#[test]
fn a_second_signer_gets_the_new_key_when_it_is_renewed_by_the_first() {
    let alpha = Node::founder("shop", "alpha");
    let second = alpha.joined_as("second", true);
    rotate(&alpha.folder, at(1)).unwrap();
    let signer = alpha.serve(1, 2);
    enrolment::renew(&second.folder, Some(&signer.address()), &clock_at(2)).unwrap();
    drop(signer.outcomes());
    finish_rotation(&alpha.folder, at(3)).unwrap();
    finish_rotation(&second.folder, at(3)).unwrap();
    let third = second.joined("third");
    speak(&third, &alpha);
}

#[test]
fn a_node_does_not_finish_a_rotation_that_would_lock_it_out() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let old = std::fs::read(beta.path().join("node.pem")).unwrap();
    rotate(&alpha.folder, at(1)).unwrap();
    let signer = alpha.serve(1, 2);
    enrolment::renew(&beta.folder, Some(&signer.address()), &clock_at(2)).unwrap();
    drop(signer.outcomes());
    std::fs::write(beta.path().join("node.pem"), old).unwrap();
    assert!(matches!(finish_rotation(&beta.folder, at(3)), Err(UpkeepError::NotRenewed(_))));
    assert_eq!(beta.membership().trust.authorities().len(), 2);
}

#[test]
fn sessions_with_certificates_of_an_authority_that_is_believed_no_longer_end() {
    let alpha = Node::founder("shop", "alpha");
    let (beta, gamma) = (alpha.joined("beta"), alpha.joined("gamma"));
    rotate(&alpha.folder, at(1)).unwrap();
    let signer = alpha.serve(1, 2);
    enrolment::renew(&beta.folder, Some(&signer.address()), &clock_at(2)).unwrap();
    drop(signer.outcomes());
    let (mut renewed, mut old) = (Pair::of(&beta, &alpha, 3), Pair::of(&gamma, &alpha, 3));
    for pair in [&mut renewed, &mut old] {
        pair.run();
        assert!(pair.server.is_ready());
        assert_eq!(pair.server.session.recheck(&alpha.membership().trust), Ok(()));
    }
    finish_rotation(&alpha.folder, at(4)).unwrap();
    let trust = alpha.membership().trust;
    assert_eq!(renewed.server.session.recheck(&trust), Ok(()));
    assert!(old.server.session.recheck(&trust).is_err(), "nobody believes who signed it");
    assert!(old.server.session.send(1, b"x").is_err());
}

#[test]
fn removals_survive_a_rotation_for_as_long_as_the_old_authority_is_believed() {
    let alpha = Node::founder("shop", "alpha");
    let beta = alpha.joined("beta");
    let gone = beta.membership().node.id;
    remuda_trust::remove(&alpha.folder, gone, at(0)).unwrap();
    rotate(&alpha.folder, at(1)).unwrap();
    assert!(alpha.membership().trust.removals().contains(gone));
    let mut pair = Pair::of(&beta, &alpha, 10);
    pair.run();
    assert!(!pair.server.is_ready());
    finish_rotation(&alpha.folder, at(2)).unwrap();
    let mut pair = Pair::of(&beta, &alpha, 10);
    pair.run();
    assert!(!pair.server.is_ready(), "its certificate is from an authority that nobody believes");
}
