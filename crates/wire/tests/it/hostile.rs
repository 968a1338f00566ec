//! Noise, and transcripts with faults: no panic, no endless loop, and no memory for what did not come.

use bytes::BytesMut;
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use remuda_wire::resp::{self, CommandParser, ValueParser};
use remuda_wire::zmtp::{AcceptOptions, ConnectOptions, Limits, SocketType};

use super::golden::{RECORDINGS, recording};
use super::wire::{MECHANISMS, Side, pair, ready};

/// Feeds a side whatever comes, until it has enough.
fn endure(side: &mut Side, bytes: &[u8], piece: usize) {
    let _whatever = side.feed(bytes, piece);
    assert!(side.input.len() <= bytes.len());
    assert!(side.connection.wanted() <= Limits::default().message_max as usize + 64);
    assert!(side.take_output().len() < 16 << 10);
}

fn spoil(bytes: &mut Vec<u8>, faults: &[(prop::sample::Index, u8, u8)]) {
    for (place, kind, value) in faults {
        let place = place.index(bytes.len() + 1);
        match kind % 3 {
            0 if place < bytes.len() => bytes[place] = *value,
            1 => bytes.insert(place, *value),
            _ => bytes.truncate(place.max(1)),
        }
    }
}

proptest! {
    // Each case shakes hands, and X25519 without optimization is slow.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn noise_is_endured_by_zmtp(bytes in prop::collection::vec(any::<u8>(), 0..2000), piece in 1_usize..500) {
        for mechanism in MECHANISMS {
            let (mut server, mut client) = pair(mechanism, SocketType::Sub);
            endure(&mut server, &bytes, piece);
            endure(&mut client, &bytes, piece);
            let (mut server, mut client) = ready(mechanism, SocketType::Xsub);
            endure(&mut server, &bytes, piece);
            endure(&mut client, &bytes, piece);
        }
    }

    #[test]
    fn spoilt_transcripts_are_endured(
        which in any::<prop::sample::Index>(),
        faults in prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..6),
        piece in 1_usize..100,
    ) {
        let (kind, text) = RECORDINGS[which.index(RECORDINGS.len())];
        let mut bytes = recording(text);
        spoil(&mut bytes, &faults);
        endure(&mut Side::accept(AcceptOptions::default()), &bytes, piece);
        endure(&mut Side::connect(ConnectOptions::new(kind)), &bytes, piece);
    }

    #[test]
    fn spoilt_handshakes_of_every_mechanism_are_endured(
        faults in prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..4),
        turn in 0_usize..4,
    ) {
        for mechanism in MECHANISMS {
            let (mut server, mut client) = pair(mechanism, SocketType::Dealer);
            for step in 0..4 {
                let mut said = client.take_output();
                if step == turn && !said.is_empty() {
                    spoil(&mut said, &faults);
                }
                let _whatever = server.feed(&said, 11);
                let _whatever = client.feed(&server.take_output(), 11);
            }
        }
    }

    #[test]
    fn noise_is_endured_by_resp(
        mut bytes in prop::collection::vec(prop::sample::select(b"*$:+-_,#(!=%~>|\r\n0123456789\"'\\x abinf".to_vec()), 0..300),
        piece in 1_usize..50,
    ) {
        let mut parser = CommandParser::new(resp::Limits::default());
        let mut arguments = Vec::new();
        let mut input = BytesMut::new();
        let mut ends = false;
        for chunk in bytes.chunks(piece) {
            input.extend_from_slice(chunk);
            while !ends {
                match parser.parse(&mut input, &mut arguments) {
                    Ok(Some(len)) => {
                        assert!(len > 0 && arguments.iter().all(|place| place.end <= len));
                        let _taken = input.split_to(len);
                    }
                    Ok(None) => break,
                    Err(_) => ends = true,
                }
            }
        }
        let mut parser = ValueParser::new(resp::Limits::default());
        bytes.truncate(250);
        let mut rest = &bytes[..];
        while let Ok(Some((_, len))) = parser.parse(rest) {
            assert!(len > 0);
            rest = &rest[len..];
        }
    }
}
