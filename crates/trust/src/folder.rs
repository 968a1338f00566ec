//! Where a node keeps its keys, certificates and what it knows of the herd.
//!
//! The folder is `herd/` in the hub's state folder, and nobody but its owner sees into it:
//!
//! | file | what |
//! |---|---|
//! | `node.pem` | the node's certificates and its key; there is one, so this is a member |
//! | `trusted.pem` | the authorities that are believed |
//! | `authority.pem` | the authority's key, with signers only |
//! | `member.json` | the herd's name, addresses, other nodes |
//! | `removals` | nodes that are believed no longer |
//! | `epoch` | how often this node has started |
//! | `joining.pem` | the key of a node that has asked and was not answered yet |
//! | `issued.json` | what this signer has signed |
//! | `invitations/ID.json` | what this signer has offered |
//!
//! A file is replaced whole and is on the disk when that returns. Who changes anything holds the lock, because the hub and
//! a command may both want to.

mod failure;
mod ledger;

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remuda_herd::Epoch;
use remuda_sys::files::{self, Durability};
use remuda_sys::lock::{Lock, LockError, try_lock};
use rustls_pki_types::UnixTime;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::authority::{Authority, AuthorityError};
use crate::credentials::{Credentials, CredentialsError, NodeKey};
use crate::endpoint::{Clock, Endpoint, EndpointError};
use crate::identity::{Identity, NodeIdentity};
use crate::member::Member;
use crate::pem;
use crate::removals::Removals;
use crate::trust::{Trust, TrustError};

pub use failure::FolderError;

const NODE_FILE: &str = "node.pem";
const TRUSTED_FILE: &str = "trusted.pem";
const AUTHORITY_FILE: &str = "authority.pem";
const MEMBER_FILE: &str = "member.json";
const REMOVALS_FILE: &str = "removals";
const EPOCH_FILE: &str = "epoch";
const JOINING_FILE: &str = "joining.pem";
const LOCK_FILE: &str = "lock";

/// Longest file that is read: 4096 nodes or removals have less.
const FILE_BYTES_MAX: usize = 8 << 20;
/// Whoever holds the lock writes a few files to disk: what takes longer than this hangs.
const LOCK_WITHIN: Duration = Duration::from_secs(5);
/// The lock cannot be waited for, only tried.
const LOCK_EVERY: Duration = Duration::from_millis(10);

/// Where a node keeps what makes it one.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// A state of a folder, told from others by its files' numbers and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderStamp([Option<(u64, i64, i64)>; 3]);

/// The right to change something, until it is dropped.
#[derive(Debug)]
pub struct Held {
    _lock: Lock,
}

/// All that a node needs to speak to others.
#[derive(Debug, Clone)]
pub struct Membership {
    /// What it remembers.
    pub member: Member,
    /// Who it is.
    pub node: NodeIdentity,
    /// What it shows.
    pub credentials: Arc<Credentials>,
    /// Whom it believes.
    pub trust: Arc<Trust>,
}

impl Membership {
    /// What new sessions of this node show and believe.
    ///
    /// # Errors
    /// Key and certificate do not go together.
    pub fn endpoint(&self, clock: Clock) -> Result<Endpoint, EndpointError> {
        Endpoint::new(Arc::clone(&self.credentials), Arc::clone(&self.trust), clock)
    }

    /// Whether this node has heard that it was removed.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.trust.removals().contains(self.node.id)
    }
}

impl Folder {
    /// The folder of a node whose hub has the state folder `state`; nothing is looked at yet.
    #[must_use]
    pub fn in_state(state: &Path) -> Self {
        Self { path: state.join("herd") }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether this is a member of a herd.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.file(NODE_FILE).exists()
    }

    /// Makes the folder, for one that begins a herd.
    ///
    /// # Errors
    /// It is a member, has an authority's key, which may be the last copy, or the folder cannot be made.
    pub fn prepare_founding(&self) -> Result<Held, FolderError> {
        self.prepare(&[NODE_FILE, AUTHORITY_FILE])
    }

    /// Makes the folder, for one that joins at `now`. What an attempt that broke off has left is no obstacle, nor is a
    /// membership that was removed, as far as is known here, or whose certificate has expired: with it nobody speaks. An
    /// authority's key is one: a signer whose certificate has expired renews itself, and of one that was removed it may be
    /// the last copy.
    ///
    /// # Errors
    /// As [`Folder::prepare_founding`].
    pub fn prepare_joining(&self, now: UnixTime) -> Result<Held, FolderError> {
        let is_second_attempt = self.file(JOINING_FILE).exists();
        if self.has_expired(now) || self.open().is_ok_and(|own| own.is_removed()) {
            return self.prepare(if is_second_attempt { &[] } else { &[AUTHORITY_FILE] });
        }
        self.prepare(if is_second_attempt { &[NODE_FILE] } else { &[NODE_FILE, AUTHORITY_FILE] })
    }

    /// Whether there is a certificate that was good once.
    fn has_expired(&self, now: UnixTime) -> bool {
        let own = self.credentials();
        own.is_ok_and(|own| own.certified().not_after.as_secs() < now.as_secs())
    }

    fn prepare(&self, absent: &[&str]) -> Result<Held, FolderError> {
        make_folder(&self.path)?;
        let held = self.hold()?;
        for name in absent {
            let path = self.file(name);
            if path.symlink_metadata().is_ok() {
                return Err(FolderError::Member(path));
            }
        }
        Ok(held)
    }

    /// Takes the lock, and waits for who has it.
    ///
    /// # Errors
    /// The folder is not there, or the lock is not free after 5 s.
    pub fn hold(&self) -> Result<Held, FolderError> {
        let path = self.file(LOCK_FILE);
        let late = Instant::now() + LOCK_WITHIN;
        loop {
            match try_lock(&path) {
                Ok(lock) => return Ok(Held { _lock: lock }),
                Err(LockError::Call(error)) => return Err(error.into()),
                Err(held @ LockError::Held { .. }) if Instant::now() >= late => {
                    return Err(FolderError::Locked(held));
                }
                Err(LockError::Held { .. }) => std::thread::sleep(LOCK_EVERY),
            }
        }
    }

    /// Reads what the node needs.
    ///
    /// # Errors
    /// It is no member, or a file cannot be read.
    pub fn open(&self) -> Result<Membership, FolderError> {
        if !self.is_member() {
            return Err(FolderError::NoMember(self.path.clone()));
        }
        let credentials = self.credentials()?;
        let Identity::Node(node) = credentials.certified().identity.clone() else {
            return Err(self.damaged(NODE_FILE, "the certificate is not that of a node"));
        };
        let member: Member = self.document(MEMBER_FILE)?;
        let trust = self.trust(&member)?;
        Ok(Membership { member, node, credentials: Arc::new(credentials), trust: Arc::new(trust) })
    }

    fn credentials(&self) -> Result<Credentials, FolderError> {
        let text = self.secret(NODE_FILE)?;
        Credentials::from_pem(&text).map_err(|error: CredentialsError| self.damaged(NODE_FILE, error))
    }

    fn trust(&self, member: &Member) -> Result<Trust, FolderError> {
        let text = files::read(&self.file(TRUSTED_FILE), FILE_BYTES_MAX)?;
        let trusted = pem::read_certificates(&text).map_err(|why| self.damaged(TRUSTED_FILE, why))?;
        let mut trust = Trust::new(member.herd.clone(), trusted)
            .map_err(|error: TrustError| self.damaged(TRUSTED_FILE, error))?;
        let path = self.file(REMOVALS_FILE);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let removals =
                    Removals::decode(&bytes).map_err(|error| self.damaged(REMOVALS_FILE, error))?;
                trust.remove(removals);
                Ok(trust)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(trust),
            Err(source) => Err(FolderError::Folder { path, source }),
        }
    }

    /// Which state keys, certificates and removals are in, without reading them: another one when a file was replaced.
    #[must_use]
    pub fn stamp(&self) -> FolderStamp {
        let of = |name| {
            self.file(name).metadata().ok().map(|found| (found.ino(), found.mtime(), found.mtime_nsec()))
        };
        FolderStamp([NODE_FILE, TRUSTED_FILE, REMOVALS_FILE].map(of))
    }

    /// The authority's key, if this node is a signer.
    ///
    /// # Errors
    /// There is one and it cannot be read.
    pub fn authority(&self) -> Result<Option<Authority>, FolderError> {
        if !self.file(AUTHORITY_FILE).exists() {
            return Ok(None);
        }
        let text = self.secret(AUTHORITY_FILE)?;
        let read = Authority::from_pem(&text);
        read.map(Some).map_err(|error: AuthorityError| self.damaged(AUTHORITY_FILE, error))
    }

    /// Counts another life of this node, on disk, and says which it is.
    ///
    /// # Errors
    /// The count cannot be read or written: then a node must not speak, for its messages would be taken for old ones.
    pub fn next_epoch(&self) -> Result<Epoch, FolderError> {
        self.epoch_above(Epoch(0))
    }

    /// As [`Folder::next_epoch`], for one that learnt of a life of its own that its folder does not know: it was restored
    /// from an older copy. The new life is above `known`.
    ///
    /// # Errors
    /// As [`Folder::next_epoch`].
    pub fn epoch_above(&self, known: Epoch) -> Result<Epoch, FolderError> {
        let _held = self.hold()?;
        let path = self.file(EPOCH_FILE);
        let last = if path.exists() {
            let text = files::read(&path, FILE_BYTES_MAX)?;
            text.trim().parse::<u64>().map_err(|error| self.damaged(EPOCH_FILE, error))?
        } else {
            0
        };
        let next = last.max(known.0).saturating_add(1);
        self.replace(EPOCH_FILE, format!("{next}\n").as_bytes())?;
        Ok(Epoch(next))
    }

    /// The key of a node that asks for its first certificate: the same one until it is answered.
    ///
    /// # Errors
    /// It cannot be made, read or written.
    pub fn joining_key(&self, _held: &Held) -> Result<NodeKey, FolderError> {
        if self.file(JOINING_FILE).exists() {
            let text = self.secret(JOINING_FILE)?;
            return NodeKey::from_pem(&text).map_err(|error| self.damaged(JOINING_FILE, error));
        }
        let key = NodeKey::generate().map_err(|error| self.damaged(JOINING_FILE, error))?;
        self.replace(JOINING_FILE, key.to_pem().as_bytes())?;
        Ok(key)
    }

    /// Keeps an authority's key.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep_authority(&self, authority: &Authority, _held: &Held) -> Result<(), FolderError> {
        self.replace(AUTHORITY_FILE, authority.to_pem().as_bytes())
    }

    /// Keeps whom to believe.
    ///
    /// # Errors
    /// It cannot be written; what was there before stands.
    pub fn keep_trust(&self, trust: &Trust, _held: &Held) -> Result<(), FolderError> {
        self.replace(TRUSTED_FILE, pem::certificates(trust.authorities()).as_bytes())?;
        self.replace(REMOVALS_FILE, &trust.removals().encode())
    }

    /// Keeps what is remembered.
    ///
    /// # Errors
    /// It cannot be written; what was there before stands.
    pub fn keep_member(&self, member: &Member, _held: &Held) -> Result<(), FolderError> {
        self.keep_document(MEMBER_FILE, member)
    }

    /// Keeps key and certificates, which makes this a member: the last thing that is written.
    ///
    /// # Errors
    /// They cannot be written; what was there before stands.
    pub fn keep_credentials(&self, credentials: &Credentials, _held: &Held) -> Result<(), FolderError> {
        self.replace(NODE_FILE, credentials.to_pem().as_bytes())?;
        let joining = self.file(JOINING_FILE);
        match std::fs::remove_file(&joining) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(FolderError::Folder { path: joining, source })
            }
            _ => Ok(()),
        }
    }

    fn document<T: DeserializeOwned>(&self, name: &str) -> Result<T, FolderError> {
        let text = files::read(&self.file(name), FILE_BYTES_MAX)?;
        serde_json::from_str(&text).map_err(|error| self.damaged(name, error))
    }

    fn keep_document(&self, name: &str, document: &impl Serialize) -> Result<(), FolderError> {
        let mut text = serde_json::to_vec_pretty(document).map_err(|error| self.damaged(name, error))?;
        text.push(b'\n');
        self.replace(name, &text)
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        Ok(files::replace(&self.file(name), content, 0o600, Durability::Power)?)
    }

    /// A file with a key, which must be ours alone.
    fn secret(&self, name: &str) -> Result<String, FolderError> {
        let path = self.file(name);
        let found = std::fs::metadata(&path);
        if let Ok(found) = found
            && found.mode() & 0o077 != 0
        {
            return Err(FolderError::Exposed { path, mode: found.mode() & 0o7777 });
        }
        Ok(files::read(&path, FILE_BYTES_MAX)?)
    }

    fn damaged(&self, name: &str, why: impl ToString) -> FolderError {
        FolderError::Damaged { path: self.file(name), why: why.to_string() }
    }
}

fn make_folder(path: &Path) -> Result<(), FolderError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| FolderError::Folder { path: path.to_owned(), source })
}
