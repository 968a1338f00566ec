//! Heartbeats as bytes.

use std::time::Duration;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{HEARTBEAT_LIMIT_BYTES, Heartbeat, HeartbeatError, Heartbeats};
use crate::Quit;
use crate::environment::Seat;

#[test]
fn the_sender_publishes_who_where_and_when_under_its_topic() {
    let seat = Seat { service: "shop".into(), slot: 3, generation: 1 };
    let heartbeats = Heartbeats::new(&seat).interval(Duration::from_secs(1));
    assert_eq!(heartbeats.every(), Duration::from_secs(1));
    let (sent, received) = std::sync::mpsc::channel();
    let mut body = heartbeats.sender(move |topic, payload| sent.send((topic.to_owned(), payload.to_vec())));
    body(&Quit::new().unwrap()).unwrap();
    let (topic, payload) = received.recv().unwrap();
    assert_eq!(topic, "heartbeat.shop.3");
    let beat = Heartbeat::decode(&payload).unwrap();
    assert_eq!((beat.service.as_str(), beat.slot, beat.pid), ("shop", 3, std::process::id()));
    assert!(beat.at > 1_600_000_000_000, "milliseconds since 1970");
}

#[test]
fn a_long_heartbeat_is_refused_unread() {
    let padding = " ".repeat(HEARTBEAT_LIMIT_BYTES);
    let text = format!("{padding}{{\"service\":\"a\",\"slot\":0,\"pid\":1,\"at\":1}}");
    assert!(matches!(Heartbeat::decode(text.as_bytes()), Err(HeartbeatError::Long(_))));
    assert!(Heartbeat::decode(&text.as_bytes()[padding.len()..]).is_ok());
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(service in any::<String>(), slot in any::<u32>(), pid in any::<u32>(), at in any::<u64>()) {
        let beat = Heartbeat { service, slot, pid, at };
        if beat.encode().len() <= HEARTBEAT_LIMIT_BYTES {
            prop_assert_eq!(Heartbeat::decode(&beat.encode()).unwrap(), beat);
        }
    }

    #[test]
    fn a_damaged_heartbeat_is_an_answer_and_never_a_panic(at in any::<u16>(), byte in any::<u8>(), cut in 0_usize..80) {
        let beat = Heartbeat { service: "shop".into(), slot: 3, pid: 1, at: u64::from(at) };
        let mut bytes = beat.encode();
        let place = usize::from(at) % bytes.len();
        bytes[place] = byte;
        bytes.truncate(bytes.len().saturating_sub(cut));
        match Heartbeat::decode(&bytes) {
            Ok(read) => prop_assert!(read.encode().len() <= HEARTBEAT_LIMIT_BYTES),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
