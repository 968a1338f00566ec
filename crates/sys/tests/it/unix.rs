//! Unix sockets in the file system.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use remuda_model::{SocketKind, SocketOptions, SocketSpec, UnixOwner};
use remuda_sys::socket::{
    BindError, Place, Queue, apply_in_place, bind, connections, peer_process, peer_user, probe, queue,
};
use remuda_sys::users::effective_user;

use crate::support::{is_root, spec};

fn at(path: &Path) -> SocketSpec {
    spec(&format!("unix:{}", path.display()))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_socket_file_has_its_mode_and_answers_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    let options = SocketOptions { file_mode: 0o620, ..SocketOptions::default() };
    let listener = bind(&SocketSpec { options: options.clone(), ..at(&path) }).unwrap();
    assert_eq!(mode(&path), 0o620);
    assert_eq!(listener.address, format!("unix:{}", path.display()));
    let client = UnixStream::connect(&path).unwrap();
    assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(path.as_path()));
    assert_eq!(connections(&listener), 1);
    assert_eq!(queue(&listener), Ok(Some(Queue { depth: 1, limit: 2048 })));

    apply_in_place(&listener, &options, &SocketOptions { file_mode: 0o600, backlog: 3, ..options.clone() })
        .unwrap();
    assert_eq!((mode(&path), queue(&listener).unwrap().unwrap().limit), (0o600, 3));
}

#[test]
fn a_dead_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind by the dead");
    let listener = bind(&at(&path)).unwrap();
    UnixStream::connect(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else lies about");
    drop(listener);
}

#[test]
fn a_live_socket_is_refused_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    let alive = UnixListener::bind(&path).unwrap();
    assert!(matches!(bind(&at(&path)), Err(BindError::Taken { .. })));
    let datagrams = folder.path().join("log.sock");
    let _alive_too = UnixDatagram::bind(&datagrams).unwrap();
    assert!(matches!(bind(&at(&datagrams)), Err(BindError::Taken { .. })), "of another type, yet alive");
    UnixStream::connect(&path).unwrap();
    drop(alive);
}

#[test]
fn a_live_socket_with_a_full_queue_is_still_alive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    let options = SocketOptions { backlog: 0, ..SocketOptions::default() };
    let _alive = bind(&SocketSpec { options, ..at(&path) }).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    assert!(matches!(bind(&at(&path)), Err(BindError::Taken { .. })));
}

#[test]
fn a_foreign_file_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious");
    fs::write(&file, "data").unwrap();
    let link = folder.path().join("link");
    symlink(&file, &link).unwrap();
    let inner = folder.path().join("folder");
    fs::create_dir(&inner).unwrap();
    for path in [&file, &link, &inner] {
        assert_eq!(bind(&at(path)).unwrap_err(), BindError::Foreign { path: path.clone() });
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "data");
    assert!(link.is_symlink() && inner.is_dir());
}

#[test]
fn only_our_own_file_is_unlinked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    let first = bind(&at(&path)).unwrap().file.unwrap();
    let second = bind(&at(&path)).unwrap();
    assert_eq!(first.unlink_if_ours(), Ok(false), "the path is a successor's by now");
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(second.file.unwrap().unlink_if_ours(), Ok(true));
    assert!(!path.exists());
}

#[test]
fn a_missing_folder_or_owner_is_named_and_nothing_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/web.sock");
    assert_eq!(bind(&at(&path)).unwrap_err(), BindError::NoFolder { path });
    let path = folder.path().join("web.sock");
    let owner = UnixOwner { user: Some("no-such-user".into()), group: None };
    let options = SocketOptions { owner, ..SocketOptions::default() };
    let error = bind(&SocketSpec { options, ..at(&path) }).unwrap_err();
    assert!(error.to_string().contains("there is no user \"no-such-user\""), "{error}");
    assert!(!path.exists());
    let long = folder.path().join("x".repeat(120));
    assert!(matches!(bind(&at(&long)), Err(BindError::TooLong(_))));
}

#[test]
fn the_file_gets_its_owner() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.sock");
    let owner = UnixOwner { user: Some("65534".into()), group: Some("4".into()) };
    let options = SocketOptions { owner, ..SocketOptions::default() };
    let _listener = bind(&SocketSpec { options, ..at(&path) }).unwrap();
    let status = rustix::fs::stat(&path).unwrap();
    assert_eq!((status.st_uid, status.st_gid), (65_534, 4));
}

#[test]
fn datagram_and_seqpacket_sockets_are_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let datagram = bind(&spec(&format!("unix-dgram:{}", path("a")))).unwrap();
    assert_eq!((datagram.kind, datagram.listening), (SocketKind::Datagram, false));
    let packets = bind(&spec(&format!("unix-seqpacket:{}", path("b")))).unwrap();
    assert_eq!((packets.kind, packets.listening), (SocketKind::Seqpacket, true));
    assert!(rustix::io::fcntl_getfd(packets.as_fd()).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
}

#[test]
fn a_probe_tells_a_live_socket_from_a_dead_one_and_disturbs_neither() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.sock");
    assert_eq!(probe(&at(&path)), Ok(()));
    assert!(!path.exists(), "a probe makes no file");
    let alive = UnixListener::bind(&path).unwrap();
    alive.set_nonblocking(true).unwrap();
    assert!(matches!(probe(&at(&path)), Err(BindError::Taken { .. })));
    assert!(alive.accept().is_err(), "nobody has connected");
    let client = UnixStream::connect(&path).unwrap();
    let accepted = alive.accept().unwrap();
    drop(alive);
    assert_eq!(probe(&at(&path)), Ok(()), "connections that live on do not hold the name");
    assert!(path.exists(), "a probe removes no file");
    drop((client, accepted));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(probe(&at(&file)), Err(BindError::Foreign { .. })));
    assert!(matches!(probe(&at(&folder.path().join("none/x"))), Err(BindError::NoFolder { .. })));
}

/// Set in the process that this test makes of its own program.
const INSIDE: &str = "SYS_TEST_INSIDE";

#[test]
fn a_peer_in_a_pid_namespace_that_we_do_not_see_is_process_0() {
    if std::env::var_os(INSIDE).is_some() {
        let connection = std::io::stdin();
        assert_eq!(peer_process(connection.as_fd()), Some((0, effective_user())));
        return assert_eq!(peer_user(connection.as_fd()), Some(effective_user()));
    }
    let (one, other) = UnixStream::pair().unwrap();
    assert_eq!(peer_process(&one), Some((std::process::id(), effective_user())));
    if !is_root() {
        return;
    }
    // The same end of the same connection, looked at by the first process of a namespace of its own.
    let name = "unix::a_peer_in_a_pid_namespace_that_we_do_not_see_is_process_0";
    let inside = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(INSIDE, "1")
        .stdin(OwnedFd::from(one))
        .output()
        .unwrap();
    assert!(inside.status.success(), "{}", String::from_utf8_lossy(&inside.stdout));
    drop(other);
}

#[test]
fn a_socket_without_a_peer_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let datagrams = UnixDatagram::bind(folder.path().join("log.sock")).unwrap();
    assert_eq!(peer_process(&datagrams), None);
    assert_eq!(peer_user(fs::File::open("/dev/null").unwrap()), None);
}

/// Names in `folder`, in order.
fn names(folder: &Path) -> Vec<String> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = all.collect();
    names.sort();
    names
}

#[test]
fn a_file_that_was_removed_is_put_back_by_its_spare_for_each_kind_of_socket() {
    for scheme in ["unix", "unix-dgram", "unix-seqpacket"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.sock");
        let listener = bind(&spec(&format!("{scheme}:{}", path.display()))).unwrap();
        let file = listener.file.clone().unwrap();
        file.keep_spare().unwrap();
        file.keep_spare().unwrap();
        assert_eq!(names(folder.path()), [".web.sock.remuda", "web.sock"]);
        assert_eq!(file.put_back().unwrap(), Place::Kept);
        fs::remove_file(&path).unwrap();
        assert_eq!(file.put_back().unwrap(), Place::PutBack);
        assert_eq!(file.put_back().unwrap(), Place::Kept);
        match scheme {
            "unix" => drop(UnixStream::connect(&path).unwrap()),
            "unix-dgram" => UnixDatagram::unbound().unwrap().connect(&path).unwrap(),
            _ => assert!(matches!(bind(&at(&path)), Err(BindError::Taken { .. }))),
        }
        assert!(file.spare().unlink_if_ours().unwrap() && file.unlink_if_ours().unwrap());
        assert_eq!(names(folder.path()), [] as [&str; 0]);
    }
}

#[test]
fn what_somebody_else_has_put_at_the_path_or_at_the_spare_name_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (path, spare) = (folder.path().join("web.sock"), folder.path().join(".web.sock.remuda"));
    let listener = bind(&at(&path)).unwrap();
    let file = listener.file.as_ref().unwrap();

    fs::write(&spare, "precious").unwrap();
    assert!(file.keep_spare().is_err());
    assert_eq!(fs::read_to_string(&spare).unwrap(), "precious");
    fs::remove_file(&spare).unwrap();
    let alive = UnixListener::bind(&spare).unwrap();
    assert!(file.keep_spare().unwrap_err().to_string().contains("EADDRINUSE"));
    UnixStream::connect(&spare).unwrap();
    drop(alive);
    file.keep_spare().unwrap();

    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert_eq!(file.put_back().unwrap(), Place::Taken);
    fs::remove_file(&spare).unwrap();
    assert!(file.keep_spare().is_err(), "the stranger's file is not the one to keep");
    assert_eq!(names(folder.path()), ["web.sock"]);
    fs::remove_file(&path).unwrap();
    assert!(file.put_back().is_err(), "without a name it cannot be put back");
}
