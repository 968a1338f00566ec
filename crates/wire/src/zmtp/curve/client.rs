//! The connecting side of CURVE's handshake: HELLO out, WELCOME in, INITIATE out, READY in.

use bytes::BytesMut;
use crypto_box::SalsaBox;
use crypto_box::aead::OsRng;

use super::{COOKIE, KEY, Session, draw, long_nonce, open, seal, short_nonce, take_key, take_number};
use crate::zmtp::command::{self, HELLO, INITIATE};
use crate::zmtp::{ProtocolError, PublicKey, SecretKey};

/// Zeros that make a HELLO longer than the answer to it.
const HELLO_PADDING: [u8; 72] = [0; 72];

/// The number in the HELLO's nonce; all that follow are counted on from it.
const FIRST: u64 = 1;

/// We sent a HELLO.
pub(in crate::zmtp) struct Greeted {
    own_key: crypto_box::SecretKey,
    server: crypto_box::PublicKey,
}

/// Appends a HELLO for the server with this permanent key.
pub(in crate::zmtp) fn hello(server: &PublicKey, out: &mut BytesMut) -> Greeted {
    let own_key = crypto_box::SecretKey::generate(&mut OsRng);
    let server = crypto_box::PublicKey::from_bytes(server.0);
    let cipher = SalsaBox::new(&server, &own_key);
    let signature = seal(&cipher, &short_nonce(b"CurveZMQHELLO---", FIRST), &[0; 64]);
    let own_public = own_key.public_key();
    let number = FIRST.to_be_bytes();
    command::put(HELLO, &[&[1, 0], &HELLO_PADDING, own_public.as_bytes(), &number, &signature], out);
    Greeted { own_key, server }
}

/// We sent an INITIATE.
pub(in crate::zmtp) struct Introduced {
    session: Session,
}

impl Greeted {
    /// Reads what follows the name of a WELCOME and appends the INITIATE.
    pub(in crate::zmtp) fn initiate(
        self,
        rest: &[u8],
        permanent: &SecretKey,
        metadata: &[u8],
        out: &mut BytesMut,
    ) -> Result<Introduced, ProtocolError> {
        let malformed = ProtocolError::Malformed { command: "WELCOME", fault: "it has not 168 bytes" };
        let (drawn, sealed) = rest.split_first_chunk::<16>().ok_or(malformed.clone())?;
        let cipher = SalsaBox::new(&self.server, &self.own_key);
        let plain = open(&cipher, &long_nonce(b"WELCOME-", drawn), sealed)
            .ok_or(ProtocolError::Curve { fault: "a WELCOME is not sealed with the server's key" })?;
        let (peer_key, cookie) = take_key(&plain).ok_or(malformed.clone())?;
        if cookie.len() != COOKIE {
            return Err(malformed);
        }

        let own_public = self.own_key.public_key();
        let mut vouch = [0; KEY + KEY];
        vouch[..KEY].copy_from_slice(own_public.as_bytes());
        vouch[KEY..].copy_from_slice(self.server.as_bytes());
        let drawn = draw::<16>();
        let vouch = seal(&SalsaBox::new(&peer_key, &permanent.0), &long_nonce(b"VOUCH---", &drawn), &vouch);
        let plain = [&permanent.public_key().0, &drawn[..], &vouch, metadata].concat();

        let cipher = SalsaBox::new(&peer_key, &self.own_key);
        let number = FIRST + 1;
        let sealed = seal(&cipher, &short_nonce(b"CurveZMQINITIATE", number), &plain);
        command::put(INITIATE, &[cookie, &number.to_be_bytes(), &sealed], out);
        let session = Session {
            cipher,
            own_key: self.own_key,
            peer_key,
            is_server: false,
            next: number + 1,
            opened: 0,
        };
        Ok(Introduced { session })
    }
}

impl Introduced {
    /// Reads what follows the name of a READY: the session, and the server's metadata.
    pub(in crate::zmtp) fn ready(mut self, rest: &[u8]) -> Result<(Session, Vec<u8>), ProtocolError> {
        let (number, sealed) =
            take_number(rest).ok_or(ProtocolError::Malformed { command: "READY", fault: "it is cut off" })?;
        let metadata = open(&self.session.cipher, &short_nonce(b"CurveZMQREADY---", number), sealed)
            .ok_or(ProtocolError::Curve { fault: "a READY does not open" })?;
        self.session.opened = number;
        Ok((self.session, metadata))
    }
}
