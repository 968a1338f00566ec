//! Users and groups by name or number, as the system's name service knows them.

use std::ffi::{CStr, CString, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Name service records longer than this are refused.
const RECORD_LIMIT_BYTES: usize = 1 << 20;
/// `NGROUPS_MAX` of Linux.
const GROUPS_LIMIT: usize = 65_536;

/// The user this process acts as.
#[must_use]
pub fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// Its name; the number as text when only a number is known.
    pub name: String,
    /// Its home; `/` when only a number is known.
    pub home: PathBuf,
    /// Its shell; `/bin/sh` when only a number is known.
    pub shell: PathBuf,
}

/// Why there is no such user or group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No user has that name.
    #[error("there is no user {0:?} on this machine")]
    NoUser(String),
    /// No group has that name.
    #[error("there is no group {0:?} on this machine")]
    NoGroup(String),
    /// The name service failed; nothing is known about the name.
    #[error("look up {name:?}: {}", crate::errno::describe(*errno))]
    Failed {
        /// Who was looked for.
        name: String,
        /// The error number.
        errno: i32,
    },
}

/// Runs a `get…_r` call with a buffer that grows while the call says `ERANGE`. The call returns its error number.
fn with_buffer(
    name: &str,
    mut call: impl FnMut(&mut [libc::c_char]) -> libc::c_int,
) -> Result<(), LookupError> {
    let mut buffer = vec![0; 1024];
    loop {
        match call(&mut buffer) {
            0 => return Ok(()),
            libc::ERANGE if buffer.len() < RECORD_LIMIT_BYTES => buffer = vec![0; buffer.len() * 4],
            libc::EINTR => {}
            // getpwnam_r(3): these numbers also mean "not found".
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(()),
            errno => return Err(LookupError::Failed { name: name.into(), errno }),
        }
    }
}

fn owned(text: *const libc::c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: non-null strings of a filled record end with NUL and live as long as the caller's buffer.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

fn account(record: &libc::passwd) -> Account {
    Account {
        uid: record.pw_uid,
        gid: record.pw_gid,
        name: String::from_utf8_lossy(&owned(record.pw_name)).into_owned(),
        home: PathBuf::from(OsString::from_vec(owned(record.pw_dir))),
        shell: PathBuf::from(OsString::from_vec(owned(record.pw_shell))),
    }
}

fn find_user(key: &str, number: Option<u32>) -> Result<Option<Account>, LookupError> {
    let Ok(name) = CString::new(key) else { return Ok(None) };
    let mut found = None;
    with_buffer(key, |buffer| {
        let mut record = MaybeUninit::<libc::passwd>::uninit();
        let mut result = std::ptr::null_mut();
        let (data, size) = (buffer.as_mut_ptr(), buffer.len());
        let status = match number {
            // SAFETY: all pointers are valid for the call, and `size` is the buffer's true size.
            Some(uid) => unsafe { libc::getpwuid_r(uid, record.as_mut_ptr(), data, size, &raw mut result) },
            // SAFETY: as above; `name` ends with NUL.
            None => unsafe {
                libc::getpwnam_r(name.as_ptr(), record.as_mut_ptr(), data, size, &raw mut result)
            },
        };
        if status == 0 && !result.is_null() {
            // SAFETY: a non-null result says that the record was filled; its strings point into `buffer`.
            found = Some(account(unsafe { record.assume_init_ref() }));
        }
        status
    })?;
    Ok(found)
}

/// The user of that name or number. A number that no record knows is a user without a name, as containers have.
///
/// # Errors
/// No such name, or the name service failed.
pub fn lookup_user(user: &str) -> Result<Account, LookupError> {
    let number = user.parse::<u32>().ok();
    if let Some(account) = find_user(user, number)? {
        return Ok(account);
    }
    let uid = number.ok_or_else(|| LookupError::NoUser(user.into()))?;
    Ok(Account { uid, gid: uid, name: user.into(), home: "/".into(), shell: "/bin/sh".into() })
}

/// The number of the group of that name or number; a number need not be known to anybody.
///
/// # Errors
/// No such name, or the name service failed.
pub fn lookup_group(group: &str) -> Result<u32, LookupError> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    let name = CString::new(group).ok().ok_or_else(|| LookupError::NoGroup(group.into()))?;
    let mut found = None;
    with_buffer(group, |buffer| {
        let mut record = MaybeUninit::<libc::group>::uninit();
        let mut result = std::ptr::null_mut();
        let (data, size) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: all pointers are valid for the call, `size` is the buffer's true size, `name` ends with NUL.
        let status =
            unsafe { libc::getgrnam_r(name.as_ptr(), record.as_mut_ptr(), data, size, &raw mut result) };
        if status == 0 && !result.is_null() {
            // SAFETY: a non-null result says that the record was filled.
            found = Some(unsafe { record.assume_init_ref() }.gr_gid);
        }
        status
    })?;
    found.ok_or_else(|| LookupError::NoGroup(group.into()))
}

/// All groups of `user`, with `primary` among them: what initgroups(3) would set.
///
/// # Errors
/// The user has more groups than Linux allows.
pub fn supplementary_groups(user: &str, primary: u32) -> Result<Vec<u32>, LookupError> {
    let failed = || LookupError::Failed { name: user.into(), errno: libc::EINVAL };
    let name = CString::new(user).ok().ok_or_else(failed)?;
    let mut groups = vec![0; 64];
    loop {
        let mut count = libc::c_int::try_from(groups.len()).ok().ok_or_else(failed)?;
        // SAFETY: `count` is the number of elements `groups` has room for; `name` ends with NUL.
        let status =
            unsafe { libc::getgrouplist(name.as_ptr(), primary, groups.as_mut_ptr(), &raw mut count) };
        let wanted = usize::try_from(count).unwrap_or(0);
        if status >= 0 {
            groups.truncate(wanted);
            return Ok(groups);
        }
        if groups.len() >= GROUPS_LIMIT {
            return Err(failed());
        }
        groups = vec![0; wanted.max(groups.len() * 2).min(GROUPS_LIMIT)];
    }
}
