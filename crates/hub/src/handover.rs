//! From one hub to the next, without anybody noticing: the old one stops, writes down what it has in a book, and passes it
//! on with the descriptors of its connections; the new one reads it, and goes on where the old one stopped.
//!
//! Bytes that clients send meanwhile wait in the kernel. The old hub keeps everything until the new one says that it has
//! it; should that fail it goes on itself. What both keep in the same place on disk travels by the disk, the rest in the
//! book: so a store that is durable from now on, or no longer, or elsewhere, comes along whole. Calls under way
//! fail with `worker gone`, transactions that watch keys are undone as if one had changed; both are what clients of such
//! things expect of any server, and try again. A wait for a key or a lock begins anew.
//!
//! While the disk is full nothing is handed over, since only the old hub has what the disk lacks. A new hub that finds an
//! old one, but gets nothing from it, does not serve: two hubs would mean two truths.
//!
//! | step | old | new |
//! |---|---|---|
//! | 1 | listens under a name only its user can use | connects, asks |
//! | 2 | finishes the turn, closes the journal, sends the book and all descriptors | reads them |
//! | 3 | waits | opens the journal, restores, has keys that came in the book on disk, says `taken`; nothing a client sent is carried out before |
//! | 4 | lets go, waits to be told to end | serves, says that it is ready |

mod arriving;
mod book;
mod connections;
mod give;
mod locks;
mod machines;
mod take;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use remuda_model::hub::HubSpec;

pub(crate) use give::Giving;
pub(crate) use take::{Taken, is_there, take};

/// The version of the book; another one is not understood, and the next hub begins from the disk alone.
const FORMAT: &str = "1";
/// How long each side waits for the other's next word: reading a large journal takes its time.
const WITHIN: Duration = Duration::from_secs(60);
/// Descriptors of one message.
const DESCRIPTORS: usize = 200;
/// The largest book, in bytes: queues and input of all connections, and a store that is on no disk.
const BOOK_MAX_BYTES: usize = 8 << 30;
/// Longest abstract name, less its beginning.
const NAME_MAX_BYTES: usize = 100;

/// Begins what a successor asks; behind it stands how it keeps its store ([`Keeping`]).
const ASK: &[u8] = b"hand over";
const BOOK: &[u8] = b"book";
const MORE: &[u8] = b"descriptors";
const TAKEN: &[u8] = b"taken";
/// Before the reason why nothing is handed over.
const REFUSED: &[u8] = b"refused ";
/// How long somebody who connects may take to ask: everybody else waits meanwhile.
const ASK_WITHIN: Duration = Duration::from_secs(1);

/// How a hub keeps its store: in which state folder, or in memory alone. Only where both hubs keep it in the same folder
/// do keys travel by the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keeping(Option<PathBuf>);

impl Keeping {
    pub(crate) fn of(spec: &HubSpec) -> Self {
        Self(spec.store.durable.then(|| spec.state_dir.clone()))
    }

    /// What a successor that keeps its store so asks.
    fn question(&self) -> Vec<u8> {
        let folder = self.0.as_ref().map(|folder| folder.as_os_str().as_bytes()).unwrap_or_default();
        [ASK, b"\n", folder].concat()
    }

    /// How the successor keeps its store that asks this, if it is one.
    fn asked(question: &[u8]) -> Option<Self> {
        let folder = question.strip_prefix(ASK)?.strip_prefix(b"\n")?;
        Some(Self((!folder.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(folder)))))
    }

    /// Whether keys get from a hub of this keeping to one of `other` by the disk.
    fn shares_disk(&self, other: &Self) -> bool {
        self.0.is_some() && self == other
    }
}

/// The abstract name under which the hub that has `path` listens: both ends check who is at the other.
fn name(path: &Path) -> String {
    let path = path.to_string_lossy();
    let start = path.len().saturating_sub(NAME_MAX_BYTES - "remuda-hub:".len());
    let start = (start..path.len()).find(|at| path.is_char_boundary(*at)).unwrap_or(0);
    format!("remuda-hub:{}", &path[start..])
}

/// Why a handover did not come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandoverError {
    /// Something with the link.
    #[error("{0}")]
    Link(#[from] remuda_sys::socket::LinkError),
    /// A call to the kernel.
    #[error("{0}")]
    Call(#[from] remuda_sys::CallError),
    /// The other side said something else than expected, or ended.
    #[error("the other hub did not go on: {0}")]
    Protocol(&'static str),
    /// The old hub keeps everything for now.
    #[error("the former hub goes on itself: {0}")]
    Refused(String),
    /// The disk has not taken everything, so that the successor would begin without it.
    #[error("the disk has not everything yet: {0}")]
    Disk(String),
    /// The keys came in the book, and the disk did not take them.
    #[error("what the former hub had in memory cannot be put on disk: {0}")]
    Keep(String),
    /// The locks came in the book, and the disk did not take them.
    #[error("the former hub's locks cannot be put on disk: {0}")]
    KeepLocks(String),
    /// Somebody else listens under the name of the former hub.
    #[error("user {0} listens under the name of the former hub, and is not believed")]
    Stranger(u32),
    /// The book cannot be read.
    #[error("the former hub's book cannot be read: {0}")]
    Book(String),
}
