//! Lines and events as they are painted.

use jiff::tz::TimeZone;
use remuda_daemon::{LogLine, Stream};
use remuda_model::{Event, EventKind, ExitStatus, Record};

use super::Painter;

fn line(service: &str, slot: u32, stream: Stream, text: &str) -> LogLine {
    let (service, text) = (service.parse().unwrap(), text.to_owned());
    LogLine { seq: 1, time_ms: 43_384_000, service, slot, pid: 9, stream, text, partial: false }
}

#[test]
fn prefixes_align_and_failures_bring_their_last_lines() {
    let mut painter = Painter::in_zone(TimeZone::UTC);
    let kind = EventKind::WorkerExited {
        status: ExitStatus::Code(1),
        expected: false,
        lived_ms: 2000,
        last_lines: vec!["Traceback".into(), "ValueError\x1b[2J".into()],
    };
    let event = Event { slot: Some(0), pid: Some(77), ..Event::service("web".parse().unwrap(), kind) };
    let shown = [
        painter.line(&line("web", 0, Stream::Stdout, "hello")),
        painter.line(&line("background", 12, Stream::Stderr, "oh \x1b[31mno")),
        painter.event(&Record { seq: 1, time_ms: 43_385_000, event }),
    ];
    insta::assert_snapshot!(anstream::adapter::strip_str(&shown.join("\n")).to_string(), @"
    12:03:04 web.0    | hello
    12:03:04 background.12 ! oh no
    12:03:05 web.0           ended: exit 1, unasked, after 2s (pid 77)
    12:03:05 web.0         > Traceback
    12:03:05 web.0         > ValueError
    ");
}

#[test]
fn a_service_keeps_its_colour() {
    let mut painter = Painter::in_zone(TimeZone::UTC);
    let first = painter.line(&line("web", 0, Stream::Stdout, "x"));
    painter.line(&line("api", 0, Stream::Stdout, "x"));
    assert_eq!(painter.line(&line("web", 0, Stream::Stdout, "x")), first);
}
