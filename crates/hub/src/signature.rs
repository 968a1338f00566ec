//! Signed requests: who asks is shown by a code over what is asked, so that it can be believed whatever carried it.
//!
//! A signed request has five frames in front of its verb: `SIGNED`, the service that signs, the time in milliseconds since
//! 1970 in decimal, 16 random bytes, and a code: HMAC-SHA-256, with the service's token as key, over each further frame
//! and these, each with its length in front as eight bytes, big end first: name, time, random bytes, then the verb and
//! what follows it. The hub takes a code once, and only within half a minute of its time. What is asked is
//! done in the name of the service that signed. The answer to a signed request is signed the same way, by the same key, and
//! so are the calls that come of a signed `SERVE`.

use bytes::BytesMut;
use hmac::{Hmac, KeyInit as _, Mac as _};
use remuda_model::ServiceName;
use remuda_model::hub::token;
use remuda_wire::zmtp::encode_message;
use sha2::Sha256;

use crate::core::Core;
use crate::zeromq::control::Asked;

/// Frames of a signature, the word `SIGNED` included.
const FRAMES: usize = 5;
const NONCE_BYTES: usize = 16;

/// A request after its signature was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened<'a> {
    pub(crate) words: &'a [&'a [u8]],
    /// The service that signed it.
    pub(crate) signer: Option<String>,
}

/// Takes the signature off a request, if it has one.
pub(crate) fn open<'a>(asked: &Asked<'a>, core: &mut Core) -> Result<Opened<'a>, String> {
    if !asked.words.first().is_some_and(|word| word.eq_ignore_ascii_case(b"SIGNED")) {
        return Ok(Opened { words: asked.words, signer: None });
    }
    if asked.words.len() <= FRAMES {
        return Err(
            "a signed request is SIGNED, a service, a time, 16 random bytes, a code, and the request"
                .to_owned(),
        );
    }
    let (signature, words) = asked.words.split_at(FRAMES);
    let [_, name, time, nonce, code] = signature else {
        return Err("a signature has five frames".to_owned());
    };
    let refused = || "the signature is not this service's".to_owned();
    let service =
        std::str::from_utf8(name).ok().and_then(|name| ServiceName::new(name).ok()).ok_or_else(refused)?;
    let at = std::str::from_utf8(time).ok().and_then(|time| time.parse::<u64>().ok());
    let at = at.ok_or_else(|| "the time of a signature is milliseconds since 1970".to_owned())?;
    let random: [u8; NONCE_BYTES] = <[u8; NONCE_BYTES]>::try_from(*nonce)
        .map_err(|error| format!("16 random bytes of a signature: {error}"))?;
    let secret = token(&core.settings.secret, service.as_str());
    let mut mac = code_over(secret.as_bytes(), &signature[1..4]);
    add(&mut mac, words);
    if mac.verify_slice(code).is_err() {
        return Err(refused());
    }
    // After the code, so that nobody else can use up a service's numbers.
    core.window
        .accept(core.moment.wall_ms, key_id(&secret), at, random)
        .map_err(|error| error.to_string())?;
    Ok(Opened { words, signer: Some(service.as_str().to_owned()) })
}

/// Encodes what the hub says to somebody who signs: `words` behind their signature, where there is a `signer`.
pub(crate) fn encode(
    core: &Core,
    signer: Option<&str>,
    envelope: &[&[u8]],
    words: &[&[u8]],
    out: &mut BytesMut,
) {
    let mut parts = envelope.to_vec();
    let Some(name) = signer else {
        parts.extend_from_slice(words);
        return encode_message(&parts, out);
    };
    let secret = token(&core.settings.secret, name);
    let time = core.moment.wall_ms.to_string();
    // Without random bytes the code is right all the same, only not another one each time.
    let nonce: [u8; NONCE_BYTES] = remuda_sys::random::bytes().unwrap_or_default();
    let mut mac = code_over(secret.as_bytes(), &[name.as_bytes(), time.as_bytes(), &nonce]);
    add(&mut mac, words);
    let code = mac.finalize().into_bytes();
    parts.extend([b"SIGNED", name.as_bytes(), time.as_bytes(), &nonce, &code]);
    parts.extend_from_slice(words);
    encode_message(&parts, out);
}

/// Which key it is, for the window: the beginning of the token, which is a code of the name.
fn key_id(token: &str) -> u64 {
    token.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn code_over(key: &[u8], frames: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of this code has any length");
    add(&mut mac, frames);
    mac
}

fn add(mac: &mut Hmac<Sha256>, frames: &[&[u8]]) {
    for frame in frames {
        mac.update(&u64::try_from(frame.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(frame);
    }
}
