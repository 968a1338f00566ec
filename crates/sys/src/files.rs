//! Small files, with the path in every error.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::CallError;

/// Reads a text of at most `limit` bytes.
///
/// # Errors
/// The file cannot be read, is no UTF-8 (`EINVAL`) or longer than `limit` (`EFBIG`).
pub fn read(path: &Path, limit: usize) -> Result<String, CallError> {
    let attempt = || format!("read {}", path.display());
    let file = File::open(path).map_err(|error| CallError::new(attempt(), error))?;
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    file.take(bound).read_to_end(&mut content).map_err(|error| CallError::new(attempt(), error))?;
    if content.len() > limit {
        return Err(CallError::new(attempt(), rustix::io::Errno::FBIG));
    }
    String::from_utf8(content).ok().ok_or_else(|| CallError::new(attempt(), rustix::io::Errno::INVAL))
}

/// Writes to a file that is there already, in one call, as control files of the kernel want it.
///
/// # Errors
/// The file cannot be opened or refuses the text.
pub fn write(path: &Path, content: &[u8]) -> Result<(), CallError> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(content))
        .map_err(|error| CallError::new(format!("write {}", path.display()), error))
}

/// Whether a replaced file is on disk when the call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Old or new after a crash of this process; the kernel writes when it likes.
    Process,
    /// Old or new after a power failure too: file and folder are synced.
    Power,
}

/// Replaces `path` by a file with `content` and `mode`: a reader sees the old or the new, never a part.
///
/// # Errors
/// A step failed; the old file is untouched and the temporary one removed.
pub fn replace(path: &Path, content: &[u8], mode: u32, durability: Durability) -> Result<(), CallError> {
    let temporary = temporary_beside(path);
    let result = write_new(&temporary, content, mode, durability).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = result {
        // What matters is the first failure; a leftover temporary file is replaced by the next call.
        drop(fs::remove_file(&temporary));
        return Err(CallError::new(format!("replace {}", path.display()), error));
    }
    if durability == Durability::Power {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| CallError::new(format!("sync {}", folder.display()), error))?;
    }
    Ok(())
}

fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn write_new(path: &Path, content: &[u8], mode: u32, durability: Durability) -> std::io::Result<()> {
    // One that a crash left behind goes; whatever else has the name, such as a link of somebody who may write here
    // too, is never written through.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    file.write_all(content)?;
    if durability == Durability::Power { file.sync_all() } else { Ok(()) }
}

/// Whether this process may create files in `folder`, as far as modes and owners say.
#[must_use]
pub fn is_writable_folder(folder: &Path) -> bool {
    use rustix::fs::Access;
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
