//! Connections before and after they are accepted.

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

use super::{Server, server_of};

/// Asks for a connection before and after it is accepted, and when its other end is closed.
fn follow<T>(connection: impl AsFd, accept: impl FnOnce() -> T) {
    let mut stranger = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let asked = |pid| server_of(pid, &connection).unwrap();
    assert_eq!(asked(std::process::id()), Server::Nobody);
    assert_eq!(asked(stranger.id()), Server::Nobody);
    let accepted = accept();
    assert_eq!(asked(std::process::id()), Server::Tree);
    assert_eq!(asked(stranger.id()), Server::Another);
    drop(accepted);
    assert_ne!(asked(std::process::id()), Server::Tree);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_tcp_connection_is_nobodys_until_it_is_accepted_and_then_its_servers() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        // A machine may be without IPv6.
        let Ok(listener) = TcpListener::bind(address) else { continue };
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        follow(client, || listener.accept().unwrap());
    }
}

#[test]
fn a_unix_connection_is_nobodys_until_it_is_accepted_and_then_its_servers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    follow(UnixStream::connect(&path).unwrap(), || listener.accept().unwrap());
}
