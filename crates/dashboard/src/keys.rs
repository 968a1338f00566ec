//! Who is let in: the hash of one token for each role, and the key that seals sessions.

use data_encoding::HEXLOWER;
use remuda_sys::CallError;
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::token::{Hash, Role, Token};

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file cannot be read or written, or there are no random bytes.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The file is something else.
    #[error("{path} is not what the dashboard keeps its tokens in: {why}; remove it, and new ones are made")]
    Foreign {
        /// Its path.
        path: String,
        /// Why not.
        why: String,
    },
}

/// The keys of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    view: Option<Hash>,
    operate: Option<Hash>,
    /// Seals sessions; 32 bytes in hexadecimal digits.
    seal: String,
}

impl Keys {
    /// The keys kept in `place`; `None` when there are none yet.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn read(place: &Place) -> Result<Option<Self>, KeysError> {
        let Some(text) = place.tokens()? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| KeysError::Foreign {
            path: place.tokens_path().display().to_string(),
            why: error.to_string(),
        })
    }

    /// Makes a token for `role` in the place of the one there was: that one, and sessions begun with it, are of no use
    /// any more.
    ///
    /// # Errors
    /// [`KeysError`]; what there was is still good.
    pub fn renew(place: &Place, role: Role) -> Result<Token, KeysError> {
        place.make()?;
        let mut keys = match Self::read(place)? {
            Some(keys) => keys,
            None => {
                Self { view: None, operate: None, seal: HEXLOWER.encode(&remuda_sys::random::bytes::<32>()?) }
            }
        };
        let token = Token::new()?;
        *keys.slot(role) = Some(token.hash());
        let text = serde_json::to_string(&keys).expect("its keys are texts");
        place.keep_tokens(&text)?;
        Ok(token)
    }

    /// Whose token this is. Takes as long for every wrong one.
    pub(crate) fn role_of(&self, token: &str) -> Option<Role> {
        let hash = Hash::of(token);
        let is = |known: &Option<Hash>| known.as_ref().is_some_and(|known| known.is(&hash));
        match (is(&self.operate), is(&self.view)) {
            (true, _) => Some(Role::Operate),
            (_, true) => Some(Role::View),
            _ => None,
        }
    }

    pub(crate) fn hash_of(&self, role: Role) -> Option<&Hash> {
        match role {
            Role::View => self.view.as_ref(),
            Role::Operate => self.operate.as_ref(),
        }
    }

    pub(crate) fn seal(&self) -> &[u8] {
        self.seal.as_bytes()
    }

    fn slot(&mut self, role: Role) -> &mut Option<Hash> {
        match role {
            Role::View => &mut self.view,
            Role::Operate => &mut self.operate,
        }
    }
}
