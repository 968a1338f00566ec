//! The date as answers carry it, written once a second.

use std::cell::{Cell, RefCell};
use std::time::{Instant, SystemTime};

/// The text of Date (RFC 9110 5.6.7), renewed when a second has passed.
#[derive(Debug)]
pub(super) struct Clock {
    written: Cell<Option<Instant>>,
    text: RefCell<String>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { written: Cell::new(None), text: RefCell::default() }
    }

    /// Writes `Date: …` and CRLF.
    pub(super) fn write_date(&self, now: Instant, out: &mut Vec<u8>) {
        self.renew(now);
        out.extend_from_slice(self.text.borrow().as_bytes());
    }

    /// The value of Date.
    pub(super) fn date(&self, now: Instant) -> String {
        self.renew(now);
        self.text.borrow().trim_start_matches("Date: ").trim_end().to_owned()
    }

    fn renew(&self, now: Instant) {
        // Half a second: the text may be that much late, which is what the clocks of two machines differ by anyway.
        let is_fresh = |written: Instant| now.saturating_duration_since(written).as_millis() < 500;
        if !self.written.get().is_some_and(is_fresh) {
            let mut text = self.text.borrow_mut();
            text.clear();
            text.push_str("Date: ");
            text.push_str(&httpdate::fmt_http_date(SystemTime::now()));
            text.push_str("\r\n");
            self.written.set(Some(now));
        }
    }
}
