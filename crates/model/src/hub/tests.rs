//! Tokens, names and rules.

use proptest::prelude::*;

use super::{Access, HerdCheck, HerdUnreached, HubSocket, Secret, is_token, token};

fn secret() -> Secret {
    Secret::new([7; 32])
}

/// By `printf 'token:web' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…`.
#[test]
fn a_token_is_the_first_half_of_the_code_of_the_name() {
    assert_eq!(token(&secret(), "web"), "0d8e0adf4233745ab0549de83eb92165");
}

#[test]
fn a_token_opens_for_its_service_and_its_secret_only() {
    let shown = token(&secret(), "web");
    assert!(is_token(&secret(), "web", shown.as_bytes()));
    assert!(!is_token(&secret(), "web2", shown.as_bytes()));
    assert!(!is_token(&Secret::new([8; 32]), "web", shown.as_bytes()));
    assert!(!is_token(&secret(), "web", &shown.as_bytes()[..30]), "a part of it is not enough");
    assert!(!is_token(&secret(), "web", b""));
}

#[test]
fn a_secret_is_not_shown_and_reads_back() {
    let hex = secret().to_hex();
    assert_eq!(format!("{:?}", secret()), "Secret(***)");
    assert_eq!(hex.parse(), Ok(secret()));
    assert!(hex[1..].parse::<Secret>().is_err() && "x".repeat(64).parse::<Secret>().is_err());
}

#[test]
fn servers_that_a_check_asked_in_vain_are_not_counted_as_compared_with() {
    let check = |peers: u64, pending: u64, whys: &[&str]| {
        let unreached =
            whys.iter().map(|why| HerdUnreached { why: (*why).to_owned(), ..HerdUnreached::default() });
        HerdCheck { peers, pending, unreached: unreached.collect(), ..HerdCheck::default() }.compared()
    };
    assert_eq!(check(2, 0, &[]), 2);
    assert_eq!(check(2, 0, &["cut"]), 1);
    assert_eq!(check(3, 1, &["silent", "shares other keys"]), 0);
    // These were known not to be there and are not among `peers`.
    assert_eq!(check(2, 0, &["left", "lost", "suspected"]), 2);
}

#[test]
fn sockets_are_known_by_their_names() {
    for (socket, number) in
        [(HubSocket::Bus, 0), (HubSocket::Bus, 3), (HubSocket::Store, 1), (HubSocket::Pull, 0)]
    {
        assert_eq!(HubSocket::of(socket.socket_name(number).as_str()), Some(socket));
    }
    for other in ["hub", "hub-", "hub-bus-", "hub-bus-0", "hub-bus-x", "hub-bus1", "hub-pub-1", "bus"] {
        assert_eq!(HubSocket::of(other), None, "{other}");
    }
}

#[test]
fn a_rule_narrows_only_what_it_speaks_of() {
    let list = |prefix: &str| vec![prefix.to_owned()];
    assert!(Access::default().is_everything() && Access::default().may_write(b"any"));
    let cart = Access { keys: Some(list("cart:")), read_keys: list("price:"), ..Access::default() };
    assert!(cart.may_write(b"cart:1") && cart.may_read(b"cart:1") && cart.may_read(b"price:1"));
    assert!(!cart.may_write(b"price:1") && !cart.may_read(b"user:1") && !cart.may_read(b"car"));
    assert!(cart.may_publish(b"anything"));
    let chat = Access { topics: Some(list("chat.")), read_topics: list("news."), ..Access::default() };
    assert!(chat.may_publish(b"chat.a") && chat.may_subscribe(b"chat.") && chat.may_subscribe(b"news.x"));
    assert!(!chat.may_publish(b"news.x") && !chat.may_subscribe(b"") && !chat.may_subscribe(b"chat"));
    let none = Access::none();
    assert!(
        !none.may_read(b"") && !none.may_write(b"a") && !none.may_publish(b"") && !none.may_subscribe(b"")
    );
}

proptest! {
    #[test]
    fn no_text_but_the_token_opens(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert!(!is_token(&secret(), "web", &text));
    }

    #[test]
    fn a_secret_of_any_bytes_reads_back(bytes: [u8; 32]) {
        prop_assert_eq!(Secret::new(bytes).to_hex().parse(), Ok(Secret::new(bytes)));
    }
}
