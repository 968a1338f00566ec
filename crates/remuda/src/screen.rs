//! Where output goes: stdout for data, stderr for progress and errors, both with colours only where they are seen.

use std::io::{self, IsTerminal as _, Stderr, Stdout, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Columns where nobody says how many there are.
const WIDTH_DEFAULT: usize = 100;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const NOTICE: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// `text` in `style`.
pub(crate) fn paint(style: Style, text: &str) -> String {
    if style == Style::new() || text.is_empty() { text.to_owned() } else { format!("{style}{text}{style:#}") }
}

/// The program's outputs.
#[derive(Debug)]
pub(crate) struct Screen {
    choice: ColorChoice,
    stdout: AutoStream<Stdout>,
    stderr: AutoStream<Stderr>,
}

impl Screen {
    pub(crate) fn new(choice: ColorChoice) -> Self {
        Self {
            choice,
            stdout: AutoStream::new(io::stdout(), choice),
            stderr: AutoStream::new(io::stderr(), choice),
        }
    }

    /// How colours were asked for.
    pub(crate) fn choice(&self) -> ColorChoice {
        self.choice
    }

    pub(crate) fn out_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    pub(crate) fn error_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Columns of the terminal.
    pub(crate) fn width(&self) -> usize {
        remuda_sys::terminal::width(io::stdout()).map_or(WIDTH_DEFAULT, usize::from)
    }

    /// A line of data.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.stdout, "{text}")
    }

    /// Text with its own line ends.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.flush()
    }

    /// Data that need be no text, as it is.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.flush()?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// A document, for programs.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(document).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// A line beside the data.
    pub(crate) fn note(&mut self, text: &str) {
        // There is nowhere to report that stderr cannot be written.
        let _ = writeln!(self.stderr, "{text}");
    }

    /// Replaces the progress line; an empty one takes it away.
    pub(crate) fn progress(&mut self, text: &str) {
        let _ = write!(self.stderr, "\r\x1b[K{text}");
        let _ = self.stderr.flush();
    }
}
