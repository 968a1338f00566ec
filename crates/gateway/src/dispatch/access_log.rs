//! A line for each request, to standard output, where the arbiter takes it for the service's log.
//!
//! Lines are gathered and written by a thread of their own, so that a reader who is slow holds up nobody: when too many
//! wait, the newest are dropped and counted in the next line that is written.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, SystemTime};

use remuda_model::gateway::{AccessLogFormat, AccessLogSpec};

use crate::server::{Ending, Request};

/// Bytes that are written together.
const BATCH: usize = 16 << 10;
/// What waits is written after so long.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// Batches that wait for the writer.
const BATCHES_MAX: usize = 64;

/// Writes a line for each request.
#[derive(Debug)]
pub(super) struct AccessLog {
    spec: AccessLogSpec,
    batch: Rc<Batch>,
    chance: Cell<u64>,
    flushing: tokio::task::AbortHandle,
}

#[derive(Debug)]
struct Batch {
    lines: RefCell<String>,
    count: Cell<u64>,
    dropped: Cell<u64>,
    writer: SyncSender<String>,
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flushing.abort();
        self.batch.flush();
    }
}

impl Batch {
    fn flush(&self) {
        let mut lines = self.lines.borrow_mut();
        if lines.is_empty() {
            return;
        }
        match self.writer.try_send(std::mem::take(&mut *lines)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.set(self.dropped.get().saturating_add(self.count.get()));
            }
        }
        self.count.set(0);
    }
}

impl AccessLog {
    /// To be made in a [`LocalSet`](tokio::task::LocalSet).
    pub(super) fn new(spec: AccessLogSpec, seed: u64) -> Self {
        let (writer, lines) = sync_channel::<String>(BATCHES_MAX);
        std::thread::spawn(move || {
            for batch in lines {
                // Without a reader there is nobody to tell.
                let _ = std::io::stdout().lock().write_all(batch.as_bytes());
            }
        });
        let batch =
            Rc::new(Batch { lines: RefCell::default(), count: Cell::new(0), dropped: Cell::new(0), writer });
        let waiting = Rc::downgrade(&batch);
        let flushing = tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(FLUSH_EVERY).await;
                match waiting.upgrade() {
                    Some(batch) => batch.flush(),
                    None => break,
                }
            }
        });
        Self { spec, batch, chance: Cell::new(seed | 1), flushing: flushing.abort_handle() }
    }

    pub(super) fn write(&self, request: &Request, route: &str, source: Option<IpAddr>, ending: &Ending) {
        if ending.status < 500 && !self.is_chosen() {
            return;
        }
        let mut lines = self.batch.lines.borrow_mut();
        let dropped = self.batch.dropped.take();
        if dropped > 0 {
            // Writing to a String does not fail, here and below.
            let _ = writeln!(lines, "# {dropped} lines of the access log were dropped");
        }
        match self.spec.format {
            AccessLogFormat::Off => {}
            AccessLogFormat::Json => json(&mut lines, request, route, source, ending),
            AccessLogFormat::Combined => combined(&mut lines, request, source, ending),
        }
        self.batch.count.set(self.batch.count.get() + 1);
        let is_full = lines.len() >= BATCH;
        drop(lines);
        if is_full {
            self.batch.flush();
        }
    }

    /// One in so many (xorshift).
    fn is_chosen(&self) -> bool {
        if self.spec.sample_percent >= 100 {
            return true;
        }
        let mut next = self.chance.get();
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        self.chance.set(next);
        next % 100 < u64::from(self.spec.sample_percent)
    }
}

fn json(lines: &mut String, request: &Request, route: &str, source: Option<IpAddr>, ending: &Ending) {
    let field = |name: &str| request.head.fields().get(name).map(String::from_utf8_lossy);
    let line = serde_json::json!({
        "time": remuda_time(),
        "request": request.id.to_string(),
        "client": source.map(|source| source.to_string()),
        "method": request.head.method().as_str(),
        "host": String::from_utf8_lossy(request.head.host()),
        "target": String::from_utf8_lossy(request.head.target()),
        "route": route,
        "status": ending.status,
        "bytes": ending.sent,
        "ms": (ending.time.as_secs_f64() * 1e6).round() / 1e3,
        "whole": ending.is_whole,
        "referer": field("referer"),
        "agent": field("user-agent"),
    });
    let _ = writeln!(lines, "{line}");
}

fn combined(lines: &mut String, request: &Request, source: Option<IpAddr>, ending: &Ending) {
    let client = source.map_or_else(|| "-".to_owned(), |source| source.to_string());
    let quoted = |text: Option<&[u8]>| {
        text.map_or_else(|| "-".to_owned(), |text| String::from_utf8_lossy(text).replace(['"', '\\'], "?"))
    };
    let fields = request.head.fields();
    let version = match request.head.version() {
        remuda_wire::http::Version::Http10 => "1.0",
        remuda_wire::http::Version::Http11 => "1.1",
        remuda_wire::http::Version::Http2 => "2.0",
    };
    let _ = writeln!(
        lines,
        "{client} - - [{}] \"{} {} HTTP/{version}\" {} {} \"{}\" \"{}\"",
        common_time(),
        request.head.method(),
        quoted(Some(request.head.target())),
        ending.status,
        ending.sent,
        quoted(fields.get("referer")),
        quoted(fields.get("user-agent")),
    );
}

/// Seconds since 1970, with milliseconds.
fn remuda_time() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1e3).round() / 1e3
}

/// `21/Nov/2026:20:15:00 +0000`, made of the date of HTTP.
fn common_time() -> String {
    let http = httpdate::fmt_http_date(SystemTime::now());
    let words: Vec<&str> = http.split(' ').collect();
    match words.as_slice() {
        [_, day, month, year, time, ..] => format!("{day}/{month}/{year}:{time} +0000"),
        _ => http,
    }
}
