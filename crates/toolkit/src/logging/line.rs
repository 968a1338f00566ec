//! One thing said, and how it looks on stderr.

use std::fmt;
use std::time::SystemTime;

use log::Level;

#[cfg(test)]
mod tests;

/// Longest message, in bytes; more is cut off and marked.
pub const MESSAGE_LIMIT_BYTES: usize = 8 * 1024;

/// Something a loop said.
///
/// Shown, it is one or more whole lines that each begin with level, daemon and loop (`WARN  hub/stats: …`): a message
/// with line breaks can neither be torn apart from its sender nor pass for somebody else's. Other control characters
/// are shown escaped, so that no message moves a terminal's cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, by the wall clock.
    pub at: SystemTime,
    /// How grave.
    pub level: Level,
    /// Which daemon.
    pub daemon: String,
    /// Which loop; empty outside of any.
    pub loop_name: String,
    /// What, at most [`MESSAGE_LIMIT_BYTES`] and a mark.
    pub message: String,
}

impl Line {
    /// A line of these parts.
    #[must_use]
    pub fn new(
        at: SystemTime,
        level: Level,
        daemon: &str,
        loop_name: &str,
        message: &impl fmt::Display,
    ) -> Self {
        let mut bounded = Bounded { text: String::new(), cut: false };
        // It refuses more than fits, which is no failure of ours.
        let _ = fmt::Write::write_fmt(&mut bounded, format_args!("{message}"));
        let mut message = bounded.text;
        if bounded.cut {
            message.push_str(" […]");
        }
        Self { at, level, daemon: daemon.into(), loop_name: loop_name.into(), message }
    }
}

/// A text that takes no more than the limit: a message is cut while it is written, not after it took the memory.
struct Bounded {
    text: String,
    cut: bool,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = MESSAGE_LIMIT_BYTES.saturating_sub(self.text.len());
        let fits = &more[..more.floor_char_boundary(room)];
        self.text.push_str(fits);
        if fits.len() < more.len() {
            self.cut = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.message.trim_end_matches(['\n', '\r']).split('\n') {
            write!(f, "{:<5} {}", self.level, self.daemon)?;
            if !self.loop_name.is_empty() {
                write!(f, "/{}", self.loop_name)?;
            }
            writeln!(f, ": {}", Printable(part.trim_end_matches('\r')))?;
        }
        Ok(())
    }
}

/// A text with its control characters escaped, but for tabs.
pub(super) struct Printable<'text>(pub(super) &'text str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
            let (plain, control) = rest.split_at(at);
            f.write_str(plain)?;
            let mut after = control.chars();
            if let Some(character) = after.next() {
                write!(f, "{}", character.escape_default())?;
            }
            rest = after.as_str();
        }
        f.write_str(rest)
    }
}
