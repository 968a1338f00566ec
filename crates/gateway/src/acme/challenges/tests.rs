//! Tokens of authorities.

use super::*;

#[test]
fn a_token_is_base64url_and_never_leads_out_of_its_folder() {
    assert_eq!(token(b"/.well-known/acme-challenge/aZ0-_"), Some("aZ0-_"));
    let long = [PREFIX, &[b'a'; 129][..]].concat();
    for path in
        [&b"/.well-known/acme-challenge/"[..], b"/.well-known/acme-challenge/..", b"/x/aZ0", b"/", &long]
    {
        assert_eq!(token(path), None);
    }
}
