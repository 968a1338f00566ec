//! Sockets on the network.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddress;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use remuda_model::{Mode, SocketKind, SocketOptions, SocketSpec};
use remuda_sys::event::Interest;
use remuda_sys::socket::{
    BindError, ChangeError, Family, Queue, apply_in_place, bind, bind_slot, connections, needs_rebind, probe,
    queue,
};
use rustix::net::sockopt;

use crate::support::{spec, wait_for};

fn with(listen: &str, options: SocketOptions) -> SocketSpec {
    SocketSpec { options, ..spec(listen) }
}

#[test]
fn port_zero_becomes_a_real_port_that_answers() {
    let listener = bind(&spec("127.0.0.1:0")).unwrap();
    assert_eq!(
        (listener.kind, listener.family, listener.listening),
        (SocketKind::Stream, Family::Inet, true)
    );
    assert_eq!(listener.address, format!("127.0.0.1:{}", listener.port().unwrap()));
    TcpStream::connect(&listener.address).unwrap();
    let flags = rustix::io::fcntl_getfd(&listener.fd).unwrap();
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
}

#[test]
fn a_host_name_is_resolved() {
    let listener = bind(&spec("localhost:0")).unwrap();
    assert!(listener.internet().unwrap().ip().is_loopback());
    let error = bind(&spec("no-such-host.invalid:1")).unwrap_err();
    assert!(matches!(&error, BindError::Resolve { host, .. } if host == "no-such-host.invalid"), "{error}");
}

#[test]
fn slots_share_one_port_and_each_has_its_own_queue() {
    let spec = SocketSpec { mode: Mode::PerWorker, ..spec("127.0.0.1:0") };
    let first = bind_slot(&spec, None).unwrap();
    let others: Vec<_> = (1..4).map(|_| bind_slot(&spec, Some(&first)).unwrap()).collect();
    assert!(others.iter().all(|other| other.address == first.address && other.cookie != first.cookie));
    let clients: Vec<_> = (0..64).map(|_| TcpStream::connect(&first.address).unwrap()).collect();
    let depths: Vec<u32> =
        others.iter().chain([&first]).map(|listener| queue(listener).unwrap().unwrap().depth).collect();
    assert_eq!(depths.iter().sum::<u32>(), 64);
    assert!(depths.iter().filter(|depth| **depth > 0).count() > 1, "{depths:?}");
    drop(clients);
}

#[test]
fn slots_of_a_datagram_socket_share_one_port() {
    let spec = SocketSpec { mode: Mode::PerWorker, ..spec("udp:127.0.0.1:0") };
    let first = bind_slot(&spec, None).unwrap();
    assert!(first.address.starts_with("udp:127.0.0.1:"));
    assert_eq!(bind_slot(&spec, Some(&first)).unwrap().port(), first.port());
    assert_eq!(queue(&first), Ok(None));
}

#[test]
fn the_accept_queue_and_the_connections_are_counted() {
    let listener =
        bind(&with("127.0.0.1:0", SocketOptions { backlog: 16, ..SocketOptions::default() })).unwrap();
    assert_eq!(queue(&listener), Ok(Some(Queue { depth: 0, limit: 16 })));
    assert_eq!(connections(&listener), 0);
    let _waiting: Vec<_> = (0..5).map(|_| TcpStream::connect(&listener.address).unwrap()).collect();
    assert_eq!(queue(&listener), Ok(Some(Queue { depth: 5, limit: 16 })));
    let accepting = TcpListener::from(listener.fd.try_clone().unwrap());
    let _accepted: Vec<_> = (0..2).map(|_| accepting.accept().unwrap()).collect();
    assert_eq!(queue(&listener), Ok(Some(Queue { depth: 3, limit: 16 })));
    assert_eq!(connections(&listener), 5, "queued and accepted ones");
}

#[test]
fn connections_through_a_dual_stack_listener_are_counted() {
    let listener =
        bind(&with("[::]:0", SocketOptions { v6_only: Some(false), ..SocketOptions::default() })).unwrap();
    let before = connections(&listener);
    let four = TcpStream::connect(("127.0.0.1", listener.port().unwrap())).unwrap();
    assert_eq!(connections(&listener), before + 1);
    drop(four);
}

#[test]
fn whoever_has_the_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = bind(&spec(&address.to_string())).unwrap_err();
    let expected = format!("{address} is taken by pid {} (", std::process::id());
    assert!(error.to_string().starts_with(&expected), "{error}");

    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = bind(&spec(&format!("udp:{}", taken.local_addr().unwrap()))).unwrap_err();
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
}

#[test]
fn an_address_that_is_not_here_needs_free_bind() {
    // TEST-NET-3: no machine has it.
    let error = bind(&spec("203.0.113.7:0")).unwrap_err();
    assert!(error.to_string().contains("free_bind"), "{error}");
    let listener =
        bind(&with("203.0.113.7:0", SocketOptions { free_bind: true, ..SocketOptions::default() })).unwrap();
    assert!(listener.address.starts_with("203.0.113.7:"));
}

#[test]
fn every_option_reaches_the_socket() {
    let options = SocketOptions {
        nodelay: true,
        keepalive: true,
        keepalive_time: Some(Duration::from_secs(61)),
        keepalive_interval: Some(Duration::from_secs(7)),
        keepalive_probes: Some(3),
        nonblocking: true,
        receive_buffer: Some(40_000),
        defer_accept: Some(Duration::from_secs(1)),
        fast_open: Some(5),
        v6_only: Some(true),
        reuse_port: true,
        ..SocketOptions::default()
    };
    let listener = bind(&with("[::1]:0", options)).unwrap();
    assert!(sockopt::tcp_nodelay(&listener).unwrap());
    assert!(sockopt::socket_keepalive(&listener).unwrap());
    assert_eq!(sockopt::tcp_keepidle(&listener), Ok(Duration::from_secs(61)));
    assert_eq!(sockopt::tcp_keepintvl(&listener), Ok(Duration::from_secs(7)));
    assert_eq!(sockopt::tcp_keepcnt(&listener), Ok(3));
    assert_eq!(
        sockopt::socket_recv_buffer_size(&listener),
        Ok(80_000),
        "the kernel doubles what it is given"
    );
    assert!(sockopt::ipv6_v6only(&listener).unwrap());
    assert!(sockopt::socket_reuseport(&listener).unwrap());
    assert!(sockopt::socket_reuseaddr(&listener).unwrap());
    assert!(rustix::fs::fcntl_getfl(&listener).unwrap().contains(rustix::fs::OFlags::NONBLOCK));
}

#[test]
fn a_refused_option_is_named() {
    let device = Some("no-such-interface".into());
    let error = bind(&with("127.0.0.1:0", SocketOptions { device, ..SocketOptions::default() })).unwrap_err();
    assert!(error.to_string().contains("SO_BINDTODEVICE: "), "{error}");
    let error =
        bind(&with("unix:@remuda-test-nodelay", SocketOptions { nodelay: true, ..SocketOptions::default() }));
    assert!(error.unwrap_err().to_string().contains("TCP_NODELAY: EOPNOTSUPP"));
}

#[test]
fn options_change_on_a_live_listener() {
    let old = SocketOptions { nodelay: true, ..SocketOptions::default() };
    let listener = bind(&with("127.0.0.1:0", old.clone())).unwrap();
    let new = SocketOptions {
        backlog: 7,
        nodelay: false,
        keepalive: true,
        nonblocking: true,
        keepalive_probes: Some(4),
        ..old.clone()
    };
    assert!(needs_rebind(&listener, &old, &new).is_empty());
    apply_in_place(&listener, &old, &new).unwrap();
    assert_eq!(queue(&listener).unwrap().unwrap().limit, 7);
    assert!(!sockopt::tcp_nodelay(&listener).unwrap());
    assert!(sockopt::socket_keepalive(&listener).unwrap());
    assert!(rustix::fs::fcntl_getfl(&listener).unwrap().contains(rustix::fs::OFlags::NONBLOCK));

    let bound = SocketOptions { reuse_port: true, keepalive_probes: None, backlog: 9, ..new.clone() };
    let error = apply_in_place(&listener, &new, &bound).unwrap_err();
    let options = vec!["SO_REUSEPORT", "TCP_KEEPCNT"];
    assert_eq!(error, ChangeError::NeedsRebind { address: listener.address.clone(), options });
    assert_eq!(queue(&listener).unwrap().unwrap().limit, 7, "nothing was changed");
}

#[test]
fn an_abstract_name_is_bound_and_taken_once() {
    let name = format!("unix:@remuda-test-{}", std::process::id());
    let listener = bind(&spec(&name)).unwrap();
    assert_eq!((listener.address.as_str(), listener.family), (name.as_str(), Family::Unix));
    assert!(matches!(bind(&spec(&name)), Err(BindError::Taken { .. })));
    let address = UnixAddress::from_abstract_name(name.trim_start_matches("unix:@")).unwrap();
    let mut client = UnixStream::connect_addr(&address).unwrap();
    client.write_all(b"x").unwrap();
    wait_for(listener.as_fd(), Interest::Read);
    assert_eq!(connections(&listener), 1);
}

#[test]
fn what_others_hand_to_us_is_not_bound() {
    for listen in ["systemd:web", "fd:3"] {
        assert_eq!(bind(&spec(listen)).unwrap_err(), BindError::NotBoundHere(listen.into()));
    }
}

#[test]
fn a_privileged_port_says_what_it_needs() {
    if crate::support::is_root() {
        return;
    }
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let error = bind(&spec(&address.to_string())).unwrap_err();
    assert!(error.to_string().contains("CAP_NET_BIND_SERVICE"), "{error}");
}

#[test]
fn a_probe_names_who_has_a_port_and_takes_none_itself() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let taken = probe(&spec(&address.to_string())).unwrap_err();
    assert!(
        matches!(&taken, BindError::Taken { holder: Some(holder), .. } if holder.pid == std::process::id())
    );
    let per_worker = SocketSpec { mode: Mode::PerWorker, ..spec(&address.to_string()) };
    assert!(matches!(probe(&per_worker), Err(BindError::Taken { .. })));
    drop(holder);
    assert_eq!(probe(&spec(&address.to_string())), Ok(()));
    TcpStream::connect(address).unwrap_err();
    TcpListener::bind(address).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = datagrams.local_addr().unwrap();
    assert!(matches!(probe(&spec(&format!("udp:{address}"))), Err(BindError::Taken { .. })));
    assert_eq!(probe(&spec("systemd:web")), Ok(()), "it is handed to us, there is nothing to try");
}
