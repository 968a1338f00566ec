//! The notify protocol over a real socket.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddress;
use std::os::unix::net::UnixDatagram;

use remuda_model::ExitStatus;
use remuda_sys::memfd;
use remuda_sys::notify::{NotifyField, NotifySocket, Sender, notify, notify_with, parse};

use crate::support::{Child, plan};

#[test]
fn a_datagram_names_its_sender_and_carries_its_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = NotifySocket::bind(&path).unwrap();
    assert!(socket.receive().unwrap().is_none());
    let (first, second) = (File::open("/dev/null").unwrap(), File::open("/dev/zero").unwrap());
    let state = "FDSTORE=1\nFDNAME=queue";
    notify_with(path.to_str().unwrap(), state, &[first.as_fd(), second.as_fd()]).unwrap();
    let datagram = socket.receive().unwrap().unwrap();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    assert_eq!(datagram.sender, Sender { pid: std::process::id(), uid, gid });
    let fields = [NotifyField::StoreDescriptors, NotifyField::DescriptorName("queue".into())];
    assert_eq!(parse(&datagram.text), fields);
    assert_eq!(datagram.descriptors.len(), 2);
    for fd in &datagram.descriptors {
        assert!(rustix::io::fcntl_getfd(fd).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    }
    assert!(socket.receive().unwrap().is_none());
}

#[test]
fn the_sender_is_the_child_that_spoke() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = NotifySocket::bind(&path).unwrap();
    let script = format!(
        "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', {:?})",
        path.to_str().unwrap()
    );
    let child = Child::start(&plan(&["python3", "-c", &script]));
    assert_eq!(child.wait(), ExitStatus::Code(0));
    let datagram = socket.receive().unwrap().unwrap();
    assert_eq!(datagram.sender.pid, child.0.pid);
    assert_eq!(parse(&datagram.text), [NotifyField::Ready]);
}

#[test]
fn a_datagram_that_is_too_long_is_an_error_and_leaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = NotifySocket::bind(&path).unwrap();
    let address = path.to_str().unwrap();
    let marked = memfd::with_content("too-long", b"").unwrap();
    let open = || {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        let targets = links.filter_map(|link| std::fs::read_link(link.unwrap().path()).ok());
        targets.filter(|target| target.to_string_lossy().contains("too-long")).count()
    };
    notify_with(address, &format!("STATUS={}", "x".repeat(4096)), &[marked.as_fd(); 200]).unwrap();
    notify(address, "READY=1").unwrap();
    assert_eq!(socket.receive().unwrap_err().errno, libc::EMSGSIZE);
    assert_eq!(open(), 1);
    assert_eq!(socket.receive().unwrap().unwrap().text, b"READY=1", "the next one is not lost");
}

#[test]
fn we_notify_abstract_names_too_and_never_wait() {
    let name = format!("remuda-notify-{}", std::process::id());
    let address = UnixAddress::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    notify(&format!("@{name}"), "READY=1").unwrap();
    let mut text = [0_u8; 32];
    assert_eq!(manager.recv(&mut text).unwrap(), 7);
    let full = (0..100_000).find_map(|_| notify(&format!("@{name}"), "WATCHDOG=1").err());
    assert_eq!(full.map(|error| error.errno), Some(libc::EAGAIN));
    assert!(notify("vsock:2:1", "READY=1").is_err());
}
