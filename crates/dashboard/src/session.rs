//! Who has been let in, told by what the browser sends back.
//!
//! A session is a role and the moment it ends, sealed with a key that only this dashboard has and with the hash of the
//! token it began with. Nothing is kept for it: however many there are, they cost no memory; they go on when another program
//! takes the arbiter's place; and a new token for the role ends them all.

use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::keys::Keys;
use crate::token::Role;

/// A working day; then the token has to be shown again.
pub(crate) const LASTING: Duration = Duration::from_secs(12 * 3600);

/// A session of `role` that begins at `now`, seconds since 1970, as text.
pub(crate) fn begin(keys: &Keys, role: Role, now: u64) -> Option<String> {
    let ends = now.saturating_add(LASTING.as_secs());
    let seal = HEXLOWER.encode(&sealed(keys, role, ends)?.finalize().into_bytes());
    Some(format!("{role}.{ends}.{seal}"))
}

/// Whose session `text` is at `now`; `None` when it is over, or none of ours.
pub(crate) fn role_of(keys: &Keys, text: &str, now: u64) -> Option<Role> {
    let mut parts = text.split('.');
    let role = match parts.next()? {
        "view" => Role::View,
        "operate" => Role::Operate,
        _ => return None,
    };
    let ends: u64 = parts.next()?.parse().ok()?;
    let seal = HEXLOWER.decode(parts.next()?.as_bytes()).ok()?;
    let is_whole = parts.next().is_none() && now < ends;
    // The comparison takes as long for every wrong seal.
    (is_whole && sealed(keys, role, ends)?.verify_slice(&seal).is_ok()).then_some(role)
}

fn sealed(keys: &Keys, role: Role, ends: u64) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(keys.seal()).expect("a key of any length does");
    mac.update(keys.hash_of(role)?.as_bytes());
    mac.update(format!(".{role}.{ends}").as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests;
