//! Lines and events with a prefix: time, who, and a colour that is each service's own.

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use remuda_daemon::{LogLine, Stream};
use remuda_model::Record;

use crate::quantity::time_of_day;
use crate::screen::{BAD, DIM, NOTICE, paint};
use crate::sentence::Sentence;
use crate::visible::visible;

/// Colours told apart on dark and light ground; red and yellow mean something already.
const PALETTE: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Green,
    AnsiColor::Blue,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

/// The prefix is at least and at most so wide, and grows with the names that come.
const PREFIX_WIDTH: (usize, usize) = (8, 32);

/// Makes text of lines and events.
#[derive(Debug)]
pub(crate) struct Painter {
    zone: TimeZone,
    width: usize,
}

impl Painter {
    /// A painter in the system's time zone.
    pub(crate) fn new() -> Self {
        Self::in_zone(TimeZone::system())
    }

    pub(crate) fn in_zone(zone: TimeZone) -> Self {
        Self { zone, width: PREFIX_WIDTH.0 }
    }

    /// `12:03:04 web.0    | text`; `!` marks stderr, `+` at the end a line that was cut.
    pub(crate) fn line(&mut self, line: &LogLine) -> String {
        let subject = format!("{}.{}", line.service, line.slot);
        let prefix = self.prefix(line.time_ms, &subject, colour(line.service.as_str()));
        let mark = match line.stream {
            Stream::Stdout => paint(DIM, "|"),
            Stream::Stderr => paint(NOTICE, "!"),
        };
        let cut = if line.partial { paint(DIM, " +") } else { String::new() };
        format!("{prefix} {mark} {}{cut}", visible(&line.text))
    }

    /// `12:03:04 web.0      started (pid 123)`, dimmed unless it matters, with the last lines of what failed below.
    pub(crate) fn event(&mut self, record: &Record) -> String {
        let sentence = Sentence::of(&record.event);
        let name = record.event.service.as_ref().map_or("", remuda_model::ServiceName::as_str);
        let prefix = self.prefix(record.time_ms, &sentence.subject, colour(name));
        let mut text = format!("{prefix}   {}", paint(sentence.style, &visible(&sentence.text)));
        for line in &sentence.last_lines {
            text.push_str(&format!("\n{prefix} {} {}", paint(BAD, ">"), visible(line)));
        }
        text
    }

    /// Something that the instance says when there are no events any more.
    pub(crate) fn last_words(&mut self, time_ms: u64, text: &str) -> String {
        let prefix = self.prefix(time_ms, "remuda", DIM);
        format!("{prefix}   {}", visible(text))
    }

    /// Something about the stream itself.
    pub(crate) fn note(&self, text: &str) -> String {
        paint(NOTICE, &format!("({text})"))
    }

    fn prefix(&mut self, time_ms: u64, subject: &str, style: Style) -> String {
        self.width = self.width.max(subject.len()).min(PREFIX_WIDTH.1);
        let space = " ".repeat(self.width.saturating_sub(subject.len()));
        format!("{} {}{space}", paint(DIM, &time_of_day(time_ms, &self.zone)), paint(style, subject))
    }
}

/// The same for the same name, in every process.
fn colour(name: &str) -> Style {
    if name.is_empty() {
        return DIM;
    }
    // FNV-1a.
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let index = usize::try_from(hash).unwrap_or(0) % PALETTE.len();
    PALETTE.get(index).map_or(DIM, |colour| colour.on_default())
}

#[cfg(test)]
mod tests {
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
}
