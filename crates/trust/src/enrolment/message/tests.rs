//! Requests and answers come back as they were, and what is none is refused.

use proptest::collection;
use proptest::prelude::{any, proptest};
use proptest::{prop_assert, prop_assert_eq};
use remuda_herd::NodeId;
use rustls_pki_types::CertificateDer;

use super::{Answer, Grant, Request};
use crate::member::Peer;

fn grant(chain: &[Vec<u8>], authority: Option<String>) -> Grant {
    let peer = Peer {
        id: NodeId(7),
        name: "beta".parse().unwrap(),
        addresses: vec!["[::1]:7946".parse().unwrap(), "beta.example:1".parse().unwrap()],
        signer: true,
    };
    let chain: Vec<CertificateDer<'static>> = chain.iter().map(|each| each.clone().into()).collect();
    Grant { authorities: chain.clone(), chain, peers: vec![peer; 3], removals: Vec::new(), authority }
}

proptest! {
    #[test]
    fn messages_come_back(
        request in collection::vec(any::<u8>(), 0..2048),
        signer: bool,
        why in ".{0,400}",
        chain in collection::vec(collection::vec(any::<u8>(), 0..600), 0..3),
        authority in proptest::option::of("[a-z]{1,100}"),
    ) {
        let addresses = vec!["10.0.0.1:7946".parse().unwrap()];
        let name = "alpha".parse().unwrap();
        let join = Request::Join { request: request.clone(), name, addresses: addresses.clone(), signer };
        let renew = Request::Renew { request, addresses };
        for request in [join, renew] {
            prop_assert_eq!(Request::decode(&request.encode()).unwrap(), request);
        }
        let refused = Answer::Refused(why.clone());
        let Answer::Refused(read) = Answer::decode(&refused.encode()).unwrap() else {
            panic!("another answer");
        };
        prop_assert!(why.starts_with(&read) && (read == why || read.len() > 1000));
        let granted = Answer::Granted(Box::new(grant(&chain, authority)));
        prop_assert_eq!(Answer::decode(&granted.encode()).unwrap(), granted);
    }

    #[test]
    fn bytes_of_any_kind_are_a_message_or_refused(bytes in collection::vec(any::<u8>(), 0..600)) {
        // That neither panics is what is asked.
        let _ = (Request::decode(&bytes), Answer::decode(&bytes));
    }

    #[test]
    fn a_message_that_was_changed_or_cut_is_one_or_refused(at: usize, byte: u8, cut: usize) {
        let whole = Answer::Granted(Box::new(grant(&[vec![1; 500]], None))).encode();
        let mut changed = whole.clone();
        let place = at % whole.len();
        changed[place] = byte;
        let _ = Answer::decode(&changed);
        prop_assert!(Answer::decode(&whole[..cut % whole.len()]).is_err());
    }
}
