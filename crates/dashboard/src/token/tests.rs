//! Tokens are not guessed and not shown.

use super::{Hash, Token};

#[test]
fn two_tokens_differ_have_256_bits_and_are_not_shown() {
    let (one, two) = (Token::new().unwrap(), Token::new().unwrap());
    assert_ne!(one.as_str(), two.as_str());
    assert_eq!(data_encoding::BASE64URL_NOPAD.decode(one.as_str().as_bytes()).unwrap().len(), 32);
    assert!(!format!("{one:?}").contains(one.as_str()));
}

#[test]
fn a_hash_is_that_of_its_own_token_alone() {
    let token = Token::new().unwrap();
    assert!(token.hash().is(&Hash::of(token.as_str())));
    assert!(!token.hash().is(&Hash::of("")));
    assert!(!token.hash().is(&Token::new().unwrap().hash()));
}
