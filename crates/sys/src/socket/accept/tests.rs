//! Connections as they are taken; errors of one connection, and those of all.

use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};

use super::{accept, is_of_one_connection, send_at_once};

#[test]
fn a_connection_does_not_block_and_sends_at_once_as_its_listener_says() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(accept(&listener).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    send_at_once(&listener).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut taken, from) = accept(&listener).unwrap();
    assert_eq!(from, client.local_addr().unwrap());
    assert!(taken.nodelay().unwrap());
    assert_eq!(taken.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let flags = rustix::io::fcntl_getfd(&taken).unwrap();
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC), "no program of ours inherits it");
}

#[test]
fn what_one_connection_met_is_told_from_what_meets_all() {
    let is_of_one = |number| is_of_one_connection(&io::Error::from_raw_os_error(number));
    assert!([libc::EPROTO, libc::ECONNABORTED, libc::EHOSTUNREACH, libc::EPERM].into_iter().all(is_of_one));
    let of_all = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EINVAL, libc::EAGAIN];
    assert!(!of_all.into_iter().any(is_of_one));
}
