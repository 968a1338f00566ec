//! The accepting side of CURVE's handshake: HELLO in, WELCOME out, INITIATE in, READY out.
//!
//! The RFC's server keeps nothing between WELCOME and INITIATE: the cookie brings its own key back to it, sealed. Ours
//! has the connection's state anyway, and so a cookie that is drawn and compared does: it cannot be opened at all.

use bytes::BytesMut;
use crypto_box::SalsaBox;
use crypto_box::aead::OsRng;

use super::{COOKIE, KEY, Session, TAG, draw, long_nonce, open, seal, short_nonce, take_key, take_number};
use crate::zmtp::command::{self, WELCOME};
use crate::zmtp::{ProtocolError, PublicKey, SecretKey};

/// Zeros a HELLO has, so that it is longer than the answer to it (RFC 26: no amplification).
const HELLO_PADDING: usize = 72;
/// Bytes of the box in a HELLO: 64 zeros.
const HELLO_BOX: usize = TAG + 64;

/// A client that was sent a WELCOME.
pub(in crate::zmtp) struct Welcomed {
    own_key: crypto_box::SecretKey,
    client_key: crypto_box::PublicKey,
    cookie: [u8; COOKIE],
}

/// Reads what follows the name of a HELLO and appends the WELCOME.
pub(in crate::zmtp) fn welcome(
    rest: &[u8],
    permanent: &SecretKey,
    out: &mut BytesMut,
) -> Result<Welcomed, ProtocolError> {
    let malformed = |fault| ProtocolError::Malformed { command: "HELLO", fault };
    let read = || {
        let (version, rest) = rest.split_first_chunk::<2>()?;
        let (_, rest) = rest.split_at_checked(HELLO_PADDING)?;
        let (client_key, rest) = take_key(rest)?;
        let (number, sealed) = take_number(rest)?;
        (sealed.len() == HELLO_BOX).then_some((version, client_key, number, sealed))
    };
    let (version, client_key, number, sealed) = read().ok_or(malformed("it has not 200 bytes"))?;
    if *version != [1, 0] {
        return Err(malformed("its version is not 1.0"));
    }
    let cipher = SalsaBox::new(&client_key, &permanent.0);
    let signature = open(&cipher, &short_nonce(b"CurveZMQHELLO---", number), sealed);
    if signature.is_none_or(|zeros| zeros.iter().any(|&byte| byte != 0)) {
        return Err(ProtocolError::Curve { fault: "a HELLO is not sealed for this endpoint's key" });
    }

    let own_key = crypto_box::SecretKey::generate(&mut OsRng);
    let cookie = draw::<COOKIE>();
    let drawn = draw::<16>();
    let mut plain = [0; KEY + COOKIE];
    plain[..KEY].copy_from_slice(own_key.public_key().as_bytes());
    plain[KEY..].copy_from_slice(&cookie);
    let sealed = seal(&cipher, &long_nonce(b"WELCOME-", &drawn), &plain);
    command::put(WELCOME, &[&drawn, &sealed], out);
    Ok(Welcomed { own_key, client_key, cookie })
}

/// What an INITIATE proved and said.
pub(in crate::zmtp) struct Initiated {
    pub(in crate::zmtp) session: Session,
    /// The client's permanent key; it has the secret one.
    pub(in crate::zmtp) client: PublicKey,
    pub(in crate::zmtp) metadata: Vec<u8>,
}

impl Welcomed {
    /// Reads what follows the name of an INITIATE. `permanent` as it was for the HELLO.
    pub(in crate::zmtp) fn initiate(
        self,
        rest: &[u8],
        permanent: &SecretKey,
    ) -> Result<Initiated, ProtocolError> {
        let fault = |fault| ProtocolError::Curve { fault };
        let malformed = ProtocolError::Malformed { command: "INITIATE", fault: "it is cut off" };
        let (cookie, rest) = rest.split_first_chunk::<COOKIE>().ok_or(malformed.clone())?;
        if *cookie != self.cookie {
            return Err(fault("an INITIATE has another cookie than its WELCOME"));
        }
        let (number, sealed) = take_number(rest).ok_or(malformed.clone())?;
        let cipher = SalsaBox::new(&self.client_key, &self.own_key);
        let plain = open(&cipher, &short_nonce(b"CurveZMQINITIATE", number), sealed)
            .ok_or(fault("an INITIATE does not open"))?;

        let (client, rest) = take_key(&plain).ok_or(malformed.clone())?;
        let (drawn, rest) = rest.split_first_chunk::<16>().ok_or(malformed.clone())?;
        let (vouch, metadata) = rest.split_at_checked(TAG + KEY + KEY).ok_or(malformed)?;
        let vouch = open(&SalsaBox::new(&client, &self.own_key), &long_nonce(b"VOUCH---", drawn), vouch)
            .ok_or(fault("a client's vouch does not open: it has not the key it claims"))?;
        let (vouched, server) = vouch.split_at(KEY);
        if vouched != self.client_key.as_bytes() || server != permanent.0.public_key().as_bytes() {
            return Err(fault("a client's vouch is for another connection or server"));
        }
        let session = Session {
            cipher,
            own_key: self.own_key,
            peer_key: self.client_key,
            is_server: true,
            next: 1,
            opened: number,
        };
        Ok(Initiated { session, client: PublicKey(client.to_bytes()), metadata: metadata.to_vec() })
    }
}
