//! Who asks.
//!
//! The file is looked at once a second at most, and read again when it changed; one that cannot be read leaves what was
//! known, and says so. Comparing a password takes a tenth of a second of a processor on purpose, so it is done beside the
//! loop, and who was right is remembered for a minute, by a digest that is made with a random key.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use data_encoding::{BASE64, BASE64_NOPAD};
use remuda_model::gateway::{AuthScheme, AuthSpec, PASSWORD_FILE_BYTES_MAX, PasswordError, password_lines};
use sha2::{Digest as _, Sha256};

use crate::routes::{Password, PasswordTable};
use crate::server::{Request, Response, error_response};

/// The file is looked at so often at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who showed the right password is believed so long without comparing again.
const BELIEVED_FOR: Duration = Duration::from_secs(60);
/// Passwords that are remembered; all are forgotten when there are more.
const BELIEVED_MAX: usize = 4096;

/// Who may ask, of one route.
#[derive(Debug)]
pub(super) struct Auth {
    path: PathBuf,
    state: RefCell<State>,
    key: [u8; 32],
}

#[derive(Debug)]
struct State {
    table: PasswordTable,
    stamp: Stamp,
    looked: Instant,
    believed: HashMap<[u8; 32], (String, Instant)>,
}

/// What differs when a file was written: its inode, length, and time of change.
type Stamp = (u64, u64, i64, i64);

/// The file of who may ask cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the file of who may ask, {path}: {why}", path = path.display())]
pub(super) struct AuthError {
    path: PathBuf,
    why: String,
}

impl Auth {
    pub(super) fn open(spec: &AuthSpec) -> Result<Self, AuthError> {
        let failed = |why: String| AuthError { path: spec.file.clone(), why };
        let (table, stamp) = read(&spec.file).map_err(failed)?;
        let key = remuda_sys::random::bytes().map_err(|error| failed(error.to_string()))?;
        let state = State { table, stamp, looked: Instant::now(), believed: HashMap::new() };
        Ok(Self { path: spec.file.clone(), state: RefCell::new(state), key })
    }

    /// The name of who sends a request.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn user(
        &self,
        request: &Request,
        spec: Option<&AuthSpec>,
    ) -> Result<String, Box<Response>> {
        self.look();
        let (scheme, realm) = spec.map_or((AuthScheme::Basic, ""), |spec| (spec.scheme, spec.realm.as_str()));
        let shown = request.head.fields().get_str("authorization").unwrap_or_default();
        let (word, shown) = shown.split_once(' ').unwrap_or((shown, ""));
        let user = match scheme {
            AuthScheme::Basic if word.eq_ignore_ascii_case("basic") => self.by_password(shown.trim()).await,
            AuthScheme::Bearer if word.eq_ignore_ascii_case("bearer") => self.by_token(shown.trim()).await,
            AuthScheme::Basic | AuthScheme::Bearer => None,
        };
        user.ok_or_else(|| {
            let (word, more) = match scheme {
                AuthScheme::Basic => ("Basic", ", charset=\"UTF-8\""),
                AuthScheme::Bearer => ("Bearer", ""),
            };
            let refusal =
                error_response(401, "Who asks has to show who they are.", request.id, Some(&request.head));
            Box::new(refusal.field("WWW-Authenticate", format!("{word} realm=\"{realm}\"{more}")))
        })
    }

    async fn by_password(&self, shown: &str) -> Option<String> {
        let bytes =
            BASE64.decode(shown.as_bytes()).or_else(|_| BASE64_NOPAD.decode(shown.as_bytes())).ok()?;
        let colon = memchr::memchr(b':', &bytes)?;
        let name = String::from_utf8(bytes[..colon].to_vec()).ok()?;
        let password = self.state.borrow().table.password(&name);
        self.compare(&bytes, vec![(name, password)], bytes[colon + 1..].to_vec()).await
    }

    async fn by_token(&self, shown: &str) -> Option<String> {
        let (known, slow) = {
            let state = self.state.borrow();
            (state.table.token_of(shown.as_bytes()).map(str::to_owned), state.table.slow())
        };
        match known {
            Some(name) => Some(name),
            None if slow.is_empty() || shown.is_empty() => None,
            None => self.compare(shown.as_bytes(), slow, shown.as_bytes().to_vec()).await,
        }
    }

    /// The first whose password this is, unless that is remembered.
    async fn compare(
        &self,
        shown: &[u8],
        with: Vec<(String, Password)>,
        password: Vec<u8>,
    ) -> Option<String> {
        let digest: [u8; 32] = Sha256::new_with_prefix(self.key).chain_update(shown).finalize().into();
        let believed = self.state.borrow().believed.get(&digest).cloned();
        if let Some((name, since)) = believed
            && since.elapsed() < BELIEVED_FOR
        {
            return Some(name);
        }
        let comparing = tokio::task::spawn_blocking(move || {
            with.into_iter().find(|(_, own)| own.is(&password)).map(|(name, _)| name)
        });
        let name = comparing.await.ok().flatten()?;
        let mut state = self.state.borrow_mut();
        if state.believed.len() >= BELIEVED_MAX {
            state.believed.clear();
        }
        state.believed.insert(digest, (name.clone(), Instant::now()));
        Some(name)
    }

    /// Reads the file again if it changed.
    fn look(&self) {
        let mut state = self.state.borrow_mut();
        if state.looked.elapsed() < LOOK_EVERY {
            return;
        }
        state.looked = Instant::now();
        if std::fs::metadata(&self.path).is_ok_and(|found| stamp(&found) == state.stamp) {
            return;
        }
        match read(&self.path) {
            Ok((table, stamp)) => {
                (state.table, state.stamp) = (table, stamp);
                state.believed.clear();
            }
            Err(why) => {
                log::warn!(
                    "the file of who may ask, {}: {why}; what was read before holds",
                    self.path.display()
                );
            }
        }
    }
}

fn read(path: &std::path::Path) -> Result<(PasswordTable, Stamp), String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if usize::try_from(found.len()).map_or(true, |len| len > PASSWORD_FILE_BYTES_MAX) {
        return Err(format!("it is larger than {PASSWORD_FILE_BYTES_MAX} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lines = password_lines(&text).map_err(|error: PasswordError| error.to_string())?;
    Ok((PasswordTable::new(lines), stamp(&found)))
}

fn stamp(found: &std::fs::Metadata) -> Stamp {
    (found.ino(), found.len(), found.mtime(), found.mtime_nsec())
}
