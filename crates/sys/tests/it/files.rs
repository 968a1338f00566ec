//! Files, locks and users.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use remuda_sys::files::{self, Durability};
use remuda_sys::lock::{LockError, try_lock};
use remuda_sys::pipe::{self, LOG_PIPE_BYTES};
use remuda_sys::users::{LookupError, lookup_group, lookup_user, supplementary_groups};

#[test]
fn a_replaced_file_has_content_and_mode_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    files::replace(&path, b"one", 0o600, Durability::Process).unwrap();
    files::replace(&path, b"two", 0o640, Durability::Power).unwrap();
    assert_eq!(files::read(&path, 3).unwrap(), "two");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(files::read(&path, 2).unwrap_err().errno, libc::EFBIG);
}

#[test]
fn a_link_that_lies_where_the_new_file_is_made_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let (path, precious) = (folder.path().join("state"), folder.path().join("precious"));
    fs::write(&precious, "theirs").unwrap();
    symlink(&precious, folder.path().join(format!(".state.{}.tmp", std::process::id()))).unwrap();
    files::replace(&path, b"ours", 0o600, Durability::Process).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
    assert!(!fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn errors_name_the_path_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "").unwrap();
    let error = files::replace(&path, b"x", 0o600, Durability::Process).unwrap_err();
    assert!(error.to_string().starts_with(&format!("replace {}: E", path.display())), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    let missing = folder.path().join("missing");
    let expected = format!("read {}: ENOENT (no such file or directory)", missing.display());
    assert_eq!(files::read(&missing, 10).unwrap_err().to_string(), expected);
    assert!(files::write(&missing, b"x").is_err() && !missing.exists());
}

#[test]
fn a_lock_has_one_holder_who_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = try_lock(&path).unwrap();
    let held = LockError::Held { path: path.clone(), pid: Some(std::process::id()) };
    assert_eq!(try_lock(&path).unwrap_err(), held);
    drop(lock);
    try_lock(&path).unwrap();
}

#[test]
fn a_lock_whose_file_was_removed_is_not_taken_for_the_one_that_is_there_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = try_lock(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let second = try_lock(&path).unwrap();
    first.remove(&path);
    assert!(path.exists(), "the file is the second one's");
    assert!(matches!(try_lock(&path), Err(LockError::Held { .. })));
    second.remove(&path);
    assert!(!path.exists());
}

#[test]
fn a_log_pipe_is_roomy_and_only_its_reader_never_blocks() {
    let pipe = pipe::log().unwrap();
    let room = rustix::pipe::fcntl_getpipe_size(&pipe.writer).unwrap();
    assert!([LOG_PIPE_BYTES, 64 * 1024].contains(&room), "{room}");
    let nonblocking = |fd| rustix::fs::fcntl_getfl(fd).unwrap().contains(rustix::fs::OFlags::NONBLOCK);
    assert!(nonblocking(&pipe.reader) && !nonblocking(&pipe.writer));
}

#[test]
fn users_and_groups_are_found_by_name_and_number() {
    let root = lookup_user("root").unwrap();
    assert_eq!((root.uid, root.gid, root.name.as_str()), (0, 0, "root"));
    assert_eq!(lookup_user("0").unwrap(), root);
    assert_eq!(lookup_group("root"), Ok(0));
    assert_eq!(lookup_group("4242"), Ok(4242));
    let nameless = lookup_user("4242424").unwrap();
    assert_eq!((nameless.uid, nameless.gid), (4_242_424, 4_242_424));
    assert_eq!(lookup_user("no-such-user"), Err(LookupError::NoUser("no-such-user".into())));
    assert_eq!(lookup_group("no-such-group"), Err(LookupError::NoGroup("no-such-group".into())));
    assert!(supplementary_groups("root", 4242).unwrap().contains(&4242));
}
