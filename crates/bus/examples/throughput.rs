//! What a delivery costs: nanoseconds for each message and each of its receivers.
//!
//! Publishes messages of 100 bytes, in batches as a busy connection gives them and one by one, to a growing number of
//! members, which read at once. Run it as `cargo run --release -p remuda-bus --example throughput`.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use remuda_bus::{
    Bus, BusOptions, Encoding, Filter, MemberId, Membership, Origin, Overflow, QueueLimits, Role,
    SubscribeError,
};
use remuda_model::message::{Batch, Span};

const BODY_BYTES: u32 = 100;
const MEASURED: Duration = Duration::from_millis(300);

/// Who listens, and to what.
struct Case {
    name: &'static str,
    encoding: Encoding,
    filter: Filter,
    /// Subscriptions of each member to other topics.
    others: u32,
    /// Whether messages have 16 topics in turn instead of one.
    is_mixed: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prefix = || Filter::Prefix(Bytes::from_static(b"tpc."));
    let case = |name, encoding, filter, others, is_mixed| Case { name, encoding, filter, others, is_mixed };
    let cases = [
        case("zmtp, everything", Encoding::Zmtp, Filter::Prefix(Bytes::new()), 0, false),
        case("zmtp, prefix", Encoding::Zmtp, prefix(), 0, false),
        case("zmtp, prefix, 16 topics in turn", Encoding::Zmtp, prefix(), 0, true),
        case("zmtp, prefix among 10 others each", Encoding::Zmtp, prefix(), 10, true),
        case("resp3, channel", Encoding::Resp3, Filter::Channel(Bytes::from_static(b"tpc.00")), 0, false),
        case(
            "resp2, pattern, 16 topics in turn",
            Encoding::Resp2,
            Filter::Pattern(Bytes::from_static(b"tpc.*")),
            0,
            true,
        ),
        case("resp3, sequenced", Encoding::Resp3, Filter::Sequenced(Bytes::from_static(b"tpc.")), 0, false),
    ];
    println!("ns per delivery             batch size: {:>16} {:>8}", 600, 1);
    for case in &cases {
        for fan_out in [1, 8, 64, 1000] {
            let batched = measure(case, fan_out, 600)?;
            let single = measure(case, fan_out, 1)?;
            println!("{:<36} x{fan_out:<5} {batched:>12.1} {single:>8.1}", case.name);
        }
    }
    Ok(())
}

fn measure(case: &Case, fan_out: u64, messages: u32) -> Result<f64, Box<dyn std::error::Error>> {
    let mut bus = Bus::new(BusOptions::default());
    for member in 0..fan_out {
        join(&mut bus, case, MemberId(member))?;
    }
    let batch = batch_of(messages, case.is_mixed);
    let mut awake = Vec::new();
    let mut deliveries = 0_u64;
    let mut spent = Duration::ZERO;
    while spent < MEASURED {
        let begun = Instant::now();
        // Writes are seldom for one message each where messages are that many.
        for _again in 0..600_u32.div_ceil(messages * 20) {
            deliveries += bus.publish(Origin(0), &batch).receivers;
        }
        spent += begun.elapsed();
        bus.take_awake(&mut awake);
        for member in awake.drain(..) {
            let waiting = bus.slices(member).map(<[u8]>::len).sum();
            bus.written(member, waiting);
        }
    }
    assert_eq!(bus.view().queued_bytes, 0, "everything was read");
    Ok(spent.as_secs_f64() * 1e9 / deliveries as f64)
}

fn join(bus: &mut Bus, case: &Case, id: MemberId) -> Result<(), Box<dyn std::error::Error>> {
    let membership = Membership {
        encoding: case.encoding,
        origin: Origin(id.0 + 1),
        hears_itself: true,
        sees_store_events: false,
        role: Role::Subscriber,
        queue: QueueLimits::new(Overflow::DropOldest),
    };
    bus.join(id, membership)?;
    bus.subscribe(id, case.filter.clone())?;
    (0..case.others)
        .try_for_each(|other| {
            let prefix = Bytes::from(format!("other.{}.{other}", id.0));
            bus.subscribe(id, Filter::Prefix(prefix)).map(|_subscribed| ())
        })
        .map_err(|error: SubscribeError| error.into())
}

fn batch_of(messages: u32, is_mixed: bool) -> Batch {
    let mut bytes = BytesMut::new();
    let mut spans = Vec::new();
    for number in 0..messages {
        let start = u32::try_from(bytes.len()).expect("a batch is small");
        let topic = if is_mixed { number % 16 } else { 0 };
        let mut body = format!("tpc.{topic:02} ").into_bytes();
        body.resize(BODY_BYTES as usize, b'x');
        bytes.extend_from_slice(&[0, 100]);
        bytes.extend_from_slice(&body);
        spans.push(Span { start, end: start + 102, body: start + 2, body_len: BODY_BYTES, single: true });
    }
    Batch { bytes: bytes.freeze(), messages: spans }
}
