//! Steering a group of listeners, on the real kernel.

use std::net::{TcpListener, TcpStream, UdpSocket};

use remuda_model::{Balance, Mode, SocketSpec};
use remuda_sys::socket::{Listener, bind_slot, queue, steer, waits};

use crate::support::spec;

fn group(listen: &str, slots: usize) -> Vec<Listener> {
    let spec = SocketSpec { mode: Mode::PerWorker, ..spec(listen) };
    let mut group: Vec<Listener> = Vec::new();
    for _ in 0..slots {
        group.push(bind_slot(&spec, group.first()).unwrap());
    }
    group
}

fn depths(group: &[Listener]) -> Vec<u32> {
    group.iter().map(|listener| queue(listener).unwrap().unwrap().depth).collect()
}

/// Connections that nobody accepts, kept open.
fn connect(group: &[Listener], count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(&group[0].address).unwrap()).collect()
}

/// With 200 throws a fair choice leaves one of four slots below 20 about once in ten million runs.
fn spread(depths: &[u32]) -> Vec<bool> {
    depths.iter().map(|depth| *depth >= 20).collect()
}

#[test]
fn a_slot_that_is_left_out_gets_nothing_new_and_keeps_what_waits() {
    for balance in [Balance::Hash, Balance::Random] {
        let group = group("127.0.0.1:0", 4);
        let _first = connect(&group, 200);
        let before = depths(&group);
        assert_eq!(spread(&before), [true; 4], "{balance:?} {before:?}");
        steer(&group, &[true, false, true, true], balance).unwrap();
        let _second = connect(&group, 200);
        let after = depths(&group);
        assert_eq!(after[1], before[1], "{balance:?}");
        let new: Vec<u32> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        assert_eq!(spread(&new), [true, false, true, true], "{balance:?} {new:?}");
        steer(&group, &[true; 4], balance).unwrap();
        let _third = connect(&group, 200);
        assert!(depths(&group)[1] >= after[1] + 20, "{balance:?}");
    }
}

#[test]
fn the_processor_chooses_one_and_the_same_slot_for_one_sender() {
    let group = group("127.0.0.1:0", 2);
    steer(&group, &[true, false], Balance::Cpu).unwrap();
    let _clients = connect(&group, 20);
    assert_eq!(depths(&group), [20, 0]);
    steer(&group, &[true; 2], Balance::Cpu).unwrap();
    let _more = connect(&group, 20);
    assert_eq!(depths(&group).iter().sum::<u32>(), 40);
}

#[test]
fn a_slot_is_kept_out_from_the_moment_it_is_bound() {
    let mut group = group("127.0.0.1:0", 1);
    let spec = SocketSpec { mode: Mode::PerWorker, ..spec("127.0.0.1:0") };
    steer(&group, &[true, false], Balance::Hash).unwrap();
    group.push(bind_slot(&spec, group.first()).unwrap());
    let _clients = connect(&group, 50);
    assert_eq!(depths(&group), [50, 0]);
}

#[test]
fn the_last_slot_can_be_emptied_and_closed_without_a_loss() {
    let mut group = group("127.0.0.1:0", 3);
    steer(&group, &[true, true, false], Balance::Hash).unwrap();
    let _clients = connect(&group, 100);
    assert!(!waits(&group[2]).unwrap());
    drop(group.pop());
    steer(&group, &[true, true], Balance::Hash).unwrap();
    let _more = connect(&group, 100);
    assert_eq!(depths(&group).iter().sum::<u32>(), 200);
    assert_eq!(spread(&depths(&group)), [true; 2]);
}

#[test]
fn if_nobody_is_live_all_get_what_is_new() {
    for balance in [Balance::Hash, Balance::Random] {
        let group = group("127.0.0.1:0", 2);
        steer(&group, &[true, false], balance).unwrap();
        steer(&group, &[false, false], balance).unwrap();
        let _clients = connect(&group, 200);
        assert_eq!(spread(&depths(&group)), [true; 2], "{balance:?}");
    }
}

#[test]
fn steering_to_all_is_nothing_new_for_a_fresh_group() {
    let group = group("[::1]:0", 2);
    steer(&group, &[true; 2], Balance::Hash).unwrap();
    steer(&group, &[true; 2], Balance::Hash).unwrap();
    steer(&[], &[], Balance::Random).unwrap();
}

#[test]
fn a_thousand_slots_with_every_other_one_left_out_can_be_steered() {
    let group = group("127.0.0.1:0", 1024);
    let live: Vec<bool> = (0..1024).map(|slot| slot % 2 == 0).collect();
    steer(&group, &live, Balance::Hash).unwrap();
    let _clients = connect(&group, 100);
    let depths = depths(&group);
    assert_eq!(depths.iter().step_by(2).sum::<u32>(), 100);
    let error = steer(&group, &[true; 1025], Balance::Random).unwrap_err();
    let address = &group[0].address;
    assert_eq!(
        error.to_string(),
        format!("steer the 1024 listeners of {address}: E2BIG (argument list too long)")
    );
}

#[test]
fn datagrams_are_steered_too() {
    let group = group("udp:127.0.0.1:0", 3);
    steer(&group, &[true, false, true], Balance::Hash).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..60 {
        sender.send_to(b"x", group[0].address.trim_start_matches("udp:")).unwrap();
    }
    let waiting: Vec<bool> = group.iter().map(|listener| waits(listener).unwrap()).collect();
    assert_eq!(waiting, [true, false, true]);
}

#[test]
fn a_queue_that_was_accepted_is_empty() {
    let group = group("127.0.0.1:0", 1);
    let _client = connect(&group, 1);
    assert!(waits(&group[0]).unwrap());
    let accepting = TcpListener::from(group[0].fd.try_clone().unwrap());
    drop(accepting.accept().unwrap());
    assert!(!waits(&group[0]).unwrap());
}
