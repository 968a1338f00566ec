//! Sockets of the test itself.

use std::net::{TcpListener, TcpStream};

use super::owned_sockets;

#[test]
fn our_own_listener_and_both_ends_of_a_connection_are_found() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (server, _) = listener.accept().unwrap();
    let sockets = owned_sockets(std::process::id());
    assert!(sockets.iter().any(|socket| socket.listens && socket.local == Some(address)));
    let is_server = |socket: &&super::OwnedSocket| {
        socket.local == Some(address) && socket.remote == client.local_addr().ok()
    };
    assert_eq!(sockets.iter().filter(is_server).count(), 1);
    drop(server);
    assert_eq!(owned_sockets(std::process::id()).iter().filter(is_server).count(), 0);
}

#[test]
fn a_stranger_holds_none_of_ours() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    assert!(owned_sockets(child.id()).iter().all(|socket| socket.local != Some(address)));
    child.kill().unwrap();
    child.wait().unwrap();
}
