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
mod tests;
