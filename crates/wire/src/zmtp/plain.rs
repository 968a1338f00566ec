//! PLAIN (RFC 24): a name and a password, in clear.

use bytes::BytesMut;

use super::command::{self, HELLO, put_short, take_short};
use super::{Credentials, ProtocolError};

/// Appends a client's HELLO.
pub(super) fn put_hello(username: &[u8], password: &[u8], out: &mut BytesMut) {
    let mut body = BytesMut::with_capacity(2 + username.len() + password.len());
    put_short(username, &mut body);
    put_short(password, &mut body);
    command::put(HELLO, &[&body], out);
}

/// Reads what follows the name of a HELLO.
pub(super) fn read_hello(rest: &[u8]) -> Result<Credentials, ProtocolError> {
    let read = || {
        let (username, rest) = take_short(rest)?;
        let (password, rest) = take_short(rest)?;
        rest.is_empty().then(|| (username.to_vec(), password.to_vec()))
    };
    let (username, password) = read()
        .ok_or(ProtocolError::Malformed { command: "HELLO", fault: "it is not a name and a password" })?;
    Ok(Credentials::Plain { username, password })
}
