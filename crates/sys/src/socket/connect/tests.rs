//! Connections that are begun.

use std::net::TcpListener;
use std::time::Duration;

use super::begin_connect;
use crate::event::{Interest, Poller, Token};

#[test]
fn a_connection_is_there_when_it_can_be_written_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = begin_connect(listener.local_addr().expect("its address")).expect("a socket");
    let mut poller = Poller::new().expect("a poller");
    poller.add(&stream, Token(7), Interest::Write).expect("a watch");
    let news: Vec<_> = poller.wait(Some(Duration::from_secs(10))).expect("news").collect();
    assert!(news.iter().any(|news| news.token == Token(7) && news.writable), "{news:?}");
    assert!(stream.take_error().expect("its state").is_none());
}

#[test]
fn nobody_at_the_port_is_an_error_on_the_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let Ok(stream) = begin_connect(address) else { return };
    let mut poller = Poller::new().expect("a poller");
    poller.add(&stream, Token(7), Interest::Write).expect("a watch");
    let _ = poller.wait(Some(Duration::from_secs(10))).expect("news").count();
    assert!(stream.take_error().expect("its state").is_some());
}
