//! A queue that is full drops, counts and says so.

use std::sync::mpsc::sync_channel;

use jiff::tz::TimeZone;
use remuda_daemon::Next;
use remuda_model::{Event, EventKind, Record};

use super::{Sink, Text};
use crate::arguments::LogFormat;
use crate::painter::Painter;

#[test]
fn the_last_line_tells_why_it_ended_and_with_which_code() {
    let stopping = EventKind::InstanceStopping { reason: "signal TERM".into() };
    let record = Next::Record(Record { seq: 1, time_ms: 1, event: Event::instance(stopping) });
    let last_words = |format, code| {
        let mut text = Text { painter: Painter::in_zone(TimeZone::UTC), format, reason: None };
        text.event(&record);
        let words = text.last_words(3_600_000, code)?;
        Some(anstream::adapter::strip_str(&words).to_string())
    };
    let told = last_words(LogFormat::Text, Some(3)).unwrap();
    assert_eq!(told, "01:00:00 remuda     all is stopped (signal TERM); exit code 3");
    assert_eq!(last_words(LogFormat::Json, Some(3)), None, "programs see the code itself");
}

#[test]
fn what_a_blocked_terminal_does_not_take_is_counted_and_shown() {
    let (queue, waiting) = sync_channel(2);
    let (_finished, done) = tokio::sync::oneshot::channel();
    let mut sink = Sink { queue, dropped: 0, done };
    for text in ["a", "b", "c", "d", "e"] {
        sink.put(text.to_owned());
    }
    assert_eq!((waiting.recv().unwrap(), waiting.recv().unwrap()), ("a".into(), "b".into()));
    sink.put("f".to_owned());
    assert_eq!(waiting.recv().unwrap(), "(3 lines not shown: the terminal was too slow)\nf");
    drop(waiting);
    sink.put("a terminal that is gone hurts nobody".to_owned());
}
