//! The terminal while `top` has it: a screen of its own, keys one by one, and all as it was afterwards.

use std::io::{self, IsTerminal as _, Stdin};
use std::time::{Duration, Instant};

use remuda_sys::event::wait_readable;
use remuda_sys::terminal;

use super::picture::Frame;
use crate::exit::Failure;
use crate::screen::Screen;

/// The second screen, without a cursor, and cut where a line would be broken; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Where nobody says how large the screen is.
const SIZE_DEFAULT: (u16, u16) = (100, 40);

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// `q`, Escape or Ctrl-C.
    Leave,
    /// `s`: slots or no slots.
    Slots,
}

/// The terminal, ours.
#[derive(Debug)]
pub(super) struct Live {
    /// Absent where standard input is no terminal: then Ctrl-C alone ends it.
    keys: Option<terminal::Keys<Stdin>>,
}

impl Live {
    pub(super) fn begin() -> io::Result<Self> {
        let keys = if io::stdin().is_terminal() {
            Some(terminal::Keys::take(io::stdin()).map_err(io::Error::other)?)
        } else {
            None
        };
        let live = Self { keys };
        write(ENTER)?;
        Ok(live)
    }

    /// The room there is at this moment.
    pub(super) fn frame(&self, with_slots: bool) -> Frame {
        let (columns, rows) = terminal::size(io::stdout()).unwrap_or(SIZE_DEFAULT);
        Frame { width: columns.into(), rows: Some(rows.into()), with_slots }
    }

    /// A key that means something, if one is pressed within `wait`.
    pub(super) fn key(&mut self, wait: Duration) -> Result<Option<Key>, Failure> {
        let Some(keys) = &self.keys else {
            std::thread::sleep(wait);
            return Ok(None);
        };
        let failed = |error: &dyn std::fmt::Display| Failure::from(io::Error::other(error.to_string()));
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let [is_pressed] = wait_readable([keys], Some(left)).map_err(|error| failed(&error))?;
            if is_pressed {
                let mut pressed = [0; 16];
                let count = keys.read(&mut pressed).map_err(|error| failed(&error))?;
                match meaning(&pressed[..count]) {
                    // Readable, and nothing there: the terminal is gone.
                    _ if count == 0 => return Ok(Some(Key::Leave)),
                    Some(key) => return Ok(Some(key)),
                    None => {}
                }
            }
            if left.is_zero() {
                return Ok(None);
            }
        }
    }

    /// Puts `text` where the last picture was, without a flicker between them.
    pub(super) fn draw(&mut self, text: &str, screen: &mut Screen) -> io::Result<()> {
        let lines = text.trim_end().replace('\n', "\x1b[K\r\n");
        screen.text(&format!("\x1b[H{lines}\x1b[K\x1b[J"))
    }
}

/// A sequence of an arrow begins with an escape too, and is longer than one byte.
fn meaning(pressed: &[u8]) -> Option<Key> {
    match pressed {
        [b'q' | b'Q' | 0x03 | 0x1b] => Some(Key::Leave),
        [b's' | b'S'] => Some(Key::Slots),
        _ => None,
    }
}

fn write(text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

impl Drop for Live {
    fn drop(&mut self) {
        // A terminal that is gone needs it no more.
        let _ = write(LEAVE);
    }
}

#[cfg(test)]
mod tests;
