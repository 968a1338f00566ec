//! Errors of one connection, and those of all.

use std::io;

use super::is_of_one_connection;

#[test]
fn what_one_connection_met_is_told_from_what_meets_all() {
    let is_of_one = |number| is_of_one_connection(&io::Error::from_raw_os_error(number));
    assert!([libc::EPROTO, libc::ECONNABORTED, libc::EHOSTUNREACH, libc::EPERM].into_iter().all(is_of_one));
    let of_all = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EINVAL, libc::EAGAIN];
    assert!(!of_all.into_iter().any(is_of_one));
}
