//! What a signer keeps beside its own: what it has signed, and what it has offered.

use crate::folder::{Folder, FolderError, Held, make_folder};
use crate::identity::InvitationId;
use crate::invitation::Invitation;
use crate::member::Issued;

const ISSUED_FILE: &str = "issued.json";
const INVITATIONS_FOLDER: &str = "invitations";

/// Nodes whose certificates a signer keeps in mind at most, far beyond the herds this is made for.
pub(super) const NODES_MAX: usize = 4096;
/// Invitations that are kept at most; expired ones make room.
pub(super) const INVITATIONS_MAX: usize = 1024;

impl Folder {
    /// What this signer has signed.
    ///
    /// # Errors
    /// The list is there and cannot be read.
    pub fn issued(&self) -> Result<Vec<Issued>, FolderError> {
        if self.file(ISSUED_FILE).exists() { self.document(ISSUED_FILE) } else { Ok(Vec::new()) }
    }

    /// Adds what this signer has just signed, in the place of what it signed for the same node before.
    ///
    /// # Errors
    /// They are too many, or it cannot be written; what was there before stands.
    pub fn keep_issued(&self, issued: Issued, now: u64, _held: &Held) -> Result<(), FolderError> {
        let mut all = self.issued()?;
        all.retain(|known| known.ends > now && known.node.id != issued.node.id);
        if all.len() >= NODES_MAX {
            return Err(FolderError::Nodes(self.file(ISSUED_FILE)));
        }
        all.push(issued);
        self.keep_document(ISSUED_FILE, &all)
    }

    /// What is remembered of an invitation; `None` for one that this signer did not make.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn invitation(&self, id: InvitationId) -> Result<Option<Invitation>, FolderError> {
        let name = invitation_file(id);
        if self.file(&name).exists() { self.document(&name).map(Some) } else { Ok(None) }
    }

    /// Keeps an invitation. A new one makes room by what has expired.
    ///
    /// # Errors
    /// Too many are open, or it cannot be written.
    pub fn keep_invitation(
        &self,
        id: InvitationId,
        invitation: &Invitation,
        now: u64,
        _held: &Held,
    ) -> Result<(), FolderError> {
        let folder = self.file(INVITATIONS_FOLDER);
        make_folder(&folder)?;
        let failed = |source| FolderError::Folder { path: folder.clone(), source };
        let mut open = 0;
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let name =
                format!("{INVITATIONS_FOLDER}/{}", entry.map_err(failed)?.file_name().to_string_lossy());
            match self.document::<Invitation>(&name) {
                Ok(known) if known.ends <= now => std::fs::remove_file(self.file(&name)).map_err(failed)?,
                // One that cannot be read is good for nobody, and for whoever looks for what happened.
                Ok(_) | Err(_) => open += 1,
            }
        }
        let name = invitation_file(id);
        if open >= INVITATIONS_MAX && !self.file(&name).exists() {
            return Err(FolderError::Invitations(folder));
        }
        self.keep_document(&name, invitation)
    }
}

fn invitation_file(id: InvitationId) -> String {
    format!("{INVITATIONS_FOLDER}/{id}.json")
}
