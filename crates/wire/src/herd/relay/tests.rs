//! What is written is what is read; what is too short is nothing.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use remuda_herd::NodeId;

use super::Relay;

/// Bytes of whom it is for, whom it is from, links and kind.
const HEADER: usize = 18;

proptest! {
    #[test]
    fn what_is_written_is_read(
        ends in any::<(u64, u64)>(), links in any::<u8>(), kind in any::<u8>(), inside in vec(any::<u8>(), 0..100)
    ) {
        let (to, from) = (NodeId(ends.0), NodeId(ends.1));
        let relay = Relay { to, from, links, kind, payload: inside.into() };
        let mut out = BytesMut::new();
        relay.encode(&mut out);
        prop_assert_eq!(Relay::decode(out.freeze()).unwrap(), relay);
    }

    #[test]
    fn noise_is_a_message_or_too_short(noise in vec(any::<u8>(), 0..64)) {
        let is_long_enough = noise.len() >= HEADER;
        prop_assert_eq!(Relay::decode(Bytes::from(noise)).is_ok(), is_long_enough);
    }
}
