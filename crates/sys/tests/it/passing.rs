//! Links: messages with descriptors, and how they end.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use remuda_sys::memfd;
use remuda_sys::socket::{
    Arrival, Link, LinkError, LinkListener, LinkPeer, MESSAGE_LIMIT_BYTES, PASSED_LIMIT, Sent,
};
use rustix::io::{FdFlags, fcntl_getfd};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair};

use crate::support::PATIENCE;

const SHORT: Duration = Duration::from_millis(10);

fn name(test: &str) -> String {
    format!("remuda-passing-{test}-{}", std::process::id())
}

#[expect(clippy::panic, reason = "what a test cannot go on without fails it")]
fn message(link: &Link) -> (Vec<u8>, Vec<OwnedFd>) {
    match link.receive(PATIENCE).unwrap() {
        Arrival::Message { bytes, descriptors } => (bytes, descriptors),
        Arrival::Closed => panic!("there must be a message"),
    }
}

#[test]
fn messages_arrive_whole_and_in_order_with_their_descriptors() {
    let (one, other) = Link::pair().unwrap();
    let files = ["first", "second"].map(|text| memfd::with_content(text, text.as_bytes()).unwrap());
    one.send(b"two", &[files[0].as_fd(), files[1].as_fd()], PATIENCE).unwrap();
    one.send(b"none", &[], PATIENCE).unwrap();
    drop(files);
    let (bytes, descriptors) = message(&other);
    assert_eq!(bytes, b"two");
    let contents: Vec<_> = descriptors.iter().map(|fd| memfd::content(fd, 10).unwrap()).collect();
    assert_eq!(contents, [b"first".to_vec(), b"second".to_vec()]);
    for fd in &descriptors {
        assert!(fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC));
    }
    let (bytes, descriptors) = message(&other);
    assert_eq!((bytes, descriptors.len()), (b"none".to_vec(), 0));
    assert!(other.receive_now().unwrap().is_none());
}

#[test]
fn a_message_has_its_limits() {
    let (one, other) = Link::pair().unwrap();
    let file = memfd::with_content("limits", b"").unwrap();
    let full = vec![b'x'; MESSAGE_LIMIT_BYTES];
    one.send(&full, &[file.as_fd(); PASSED_LIMIT], PATIENCE).unwrap();
    let (bytes, descriptors) = message(&other);
    assert!(bytes == full);
    assert_eq!(descriptors.len(), PASSED_LIMIT);
    let too_long = vec![b'x'; MESSAGE_LIMIT_BYTES + 1];
    assert_eq!(one.send_now(&too_long, &[]), Err(LinkError::Size));
    assert_eq!(one.send_now(b"", &[]), Err(LinkError::Size));
    assert_eq!(one.send_now(b"x", &[file.as_fd(); PASSED_LIMIT + 1]), Err(LinkError::Size));
    assert!(other.receive_now().unwrap().is_none(), "nothing of them was sent");
}

#[test]
fn a_message_that_does_not_fit_is_lost_whole_and_the_next_is_not() {
    let (one, other) = Link::pair().unwrap();
    rustix::net::send(&one, &vec![b'x'; MESSAGE_LIMIT_BYTES + 1], SendFlags::empty()).unwrap();
    one.send(b"next", &[], PATIENCE).unwrap();
    assert!(matches!(other.receive(PATIENCE), Err(LinkError::Size)));
    assert_eq!(message(&other).0, b"next");
}

#[test]
fn the_end_is_told_after_the_last_message() {
    let (one, other) = Link::pair().unwrap();
    one.send(b"last", &[], PATIENCE).unwrap();
    other.send(b"never read", &[], PATIENCE).unwrap();
    drop(one);
    assert_eq!(message(&other).0, b"last");
    assert!(matches!(other.receive(PATIENCE).unwrap(), Arrival::Closed));
    assert_eq!(other.send(b"late", &[], PATIENCE), Err(LinkError::Gone));
    assert_eq!(other.send_now(b"late", &[]), Err(LinkError::Gone));
}

#[test]
fn no_wait_is_longer_than_allowed() {
    let (one, other) = Link::pair().unwrap();
    assert!(matches!(other.receive(SHORT), Err(LinkError::Late(SHORT))));
    let message_ = vec![b'x'; MESSAGE_LIMIT_BYTES];
    let sent = (0..10_000).take_while(|_| one.send_now(&message_, &[]).unwrap() == Sent::Passed).count();
    assert!((1..10_000).contains(&sent), "the buffer has room, and an end");
    assert_eq!(one.send(&message_, &[], SHORT), Err(LinkError::Late(SHORT)));
    message(&other);
    assert_eq!(one.send_now(&message_, &[]), Ok(Sent::Passed), "there is room again");
}

#[test]
fn a_name_leads_to_who_listens_and_is_free_afterwards() {
    let name = name("name");
    assert!(Link::connect(&name, PATIENCE).unwrap().is_none(), "nobody listens");
    let listener = LinkListener::bind(&name).unwrap();
    assert_eq!(LinkListener::bind(&name).unwrap_err().errno, libc::EADDRINUSE);
    assert!(listener.accept().unwrap().is_none(), "nobody has come");
    let client = Link::connect(&name, PATIENCE).unwrap().unwrap();
    let server = listener.accept().unwrap().unwrap();
    let ours = LinkPeer { pid: std::process::id(), uid: rustix::process::geteuid().as_raw() };
    assert_eq!((client.peer().unwrap(), server.peer().unwrap()), (ours, ours));
    client.send(b"hello", &[], PATIENCE).unwrap();
    assert_eq!(message(&server).0, b"hello");
    assert!(server.receive_now().unwrap().is_none(), "an accepted link does not block either");
    drop(listener);
    assert!(Link::connect(&name, PATIENCE).unwrap().is_none());
    LinkListener::bind(&name).unwrap();
    assert_eq!(LinkListener::bind(&"x".repeat(108)).unwrap_err().errno, libc::ENAMETOOLONG);
}

#[test]
fn a_full_queue_of_connections_is_not_waited_for_long() {
    let name = name("queue");
    let _listener = LinkListener::bind(&name).unwrap();
    let connected: Vec<Link> = (0..1000).map_while(|_| Link::connect(&name, SHORT).ok().flatten()).collect();
    assert!((1..1000).contains(&connected.len()));
    assert_eq!(Link::connect(&name, SHORT).unwrap_err().errno, libc::EAGAIN);
}

#[test]
fn what_is_no_link_is_not_taken_for_one() {
    let file = memfd::with_content("no-link", b"").unwrap();
    assert!(Link::from_owned(file).is_err());
    let (stream, _other) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    assert_eq!(Link::from_owned(stream).unwrap_err().errno, libc::EPROTOTYPE);
    let (blocking, other) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let link = Link::from_owned(blocking).unwrap();
    assert!(matches!(link.receive(SHORT), Err(LinkError::Late(_))));
    drop(other);
    assert!(matches!(link.receive(SHORT).unwrap(), Arrival::Closed));
    assert!(Link::inherited(-1).is_err());
    assert!(LinkListener::inherited(1_000_000).is_err());
}
