//! Who may ask: names with what is left of passwords and tokens.
//!
//! A token is looked up by comparing with all of them, each in the same time; a password is compared with that of its name,
//! and with that of nobody if there is no such name, so that an answer does not tell by its time who exists.

use data_encoding::BASE64;
use remuda_model::gateway::{PasswordHash, PasswordLine};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// A hash of bcrypt of no password anybody has, at the cost that `htpasswd -B` uses.
const NOBODY: &str = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";

/// Who may ask.
#[derive(Debug, Clone, Default)]
pub struct PasswordTable {
    lines: Vec<PasswordLine>,
}

/// A password to be compared; comparing may take a tenth of a second.
#[derive(Debug, Clone)]
pub struct Password {
    hash: PasswordHash,
    is_known: bool,
}

impl PasswordTable {
    /// Of these lines.
    #[must_use]
    pub fn new(lines: Vec<PasswordLine>) -> Self {
        Self { lines }
    }

    /// What the password of `name` is compared with.
    #[must_use]
    pub fn password(&self, name: &str) -> Password {
        let known = self.lines.iter().find(|line| line.name == name).map(|line| line.hash.clone());
        let is_known = known.is_some();
        Password { hash: known.unwrap_or_else(|| PasswordHash::Bcrypt(NOBODY.to_owned())), is_known }
    }

    /// Whose token this is, of those that are compared at once (`sha256:`).
    #[must_use]
    pub fn token_of(&self, token: &[u8]) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for line in &self.lines {
            if let PasswordHash::Sha256(own) = &line.hash
                && equal(own, &digest)
            {
                found = Some(line.name.as_str());
            }
        }
        found
    }

    /// What a token may have to be compared with besides, one by one, because it is kept as passwords are.
    #[must_use]
    pub fn slow(&self) -> Vec<(String, Password)> {
        let slow = self.lines.iter().filter(|line| !matches!(line.hash, PasswordHash::Sha256(_)));
        slow.map(|line| (line.name.clone(), Password { hash: line.hash.clone(), is_known: true })).collect()
    }
}

impl Password {
    /// Whether `password` is the one.
    #[must_use]
    pub fn is(&self, password: &[u8]) -> bool {
        let fits = match &self.hash {
            // Both know nothing beyond a NUL, and bcrypt nothing beyond 72 bytes.
            PasswordHash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            PasswordHash::ShaCrypt(hash) => sha_crypt(password, hash),
            PasswordHash::Sha1(hash) => {
                let digest = Sha1::digest(password);
                equal(BASE64.encode(&digest).as_bytes(), hash.as_bytes())
            }
            PasswordHash::Sha256(own) => equal(own, &Sha256::digest(password)),
        };
        fits && self.is_known
    }
}

fn sha_crypt(password: &[u8], hash: &str) -> bool {
    use sha_crypt::{PasswordHashRef, PasswordVerifier as _, ShaCrypt};
    PasswordHashRef::new(hash).is_ok_and(|hash| ShaCrypt::default().verify_password(password, hash).is_ok())
}

/// Whether two texts are the same, in a time that depends on their length alone.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
}
