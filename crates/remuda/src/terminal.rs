//! The view of `remuda up`: events and workers' lines as one readable stream.
//!
//! Writing is done by a thread of its own behind a bounded queue. A terminal that is blocked (Ctrl-S, a full pipe)
//! blocks that thread and nothing else; what does not fit the queue is counted, and the count is shown.

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use remuda_daemon::{Handle, LogNext, LogQuery, Next};
use remuda_model::EventKind;
use tokio::sync::Notify;

use crate::arguments::LogFormat;
use crate::painter::Painter;

/// Texts that wait for the terminal at most.
const QUEUE: usize = 4096;
/// A text is cut from so many events and lines that were there at once.
const BATCH: usize = 64;

/// What is shown.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) format: LogFormat,
    /// No lines of workers.
    pub(crate) quiet: bool,
    /// Numbers of the last event and of the last line of a former arbiter: what is shown comes after them.
    pub(crate) after: (u64, u64),
    pub(crate) choice: ColorChoice,
}

/// What the program itself has to say to who started it; where nobody looks, it is dropped. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Rc<RefCell<Vec<String>>>, Rc<Notify>);

impl Notes {
    pub(crate) fn say(&self, line: String) {
        self.0.borrow_mut().push(line);
        self.1.notify_one();
    }

    /// The lines said since the last time, at least one.
    async fn next(&self) -> Vec<String> {
        loop {
            let said = std::mem::take(&mut *self.0.borrow_mut());
            if !said.is_empty() {
                return said;
            }
            self.1.notified().await;
        }
    }
}

/// Shows what happens until `stop` is done, then what is left, and returns when all of it has been written or the
/// terminal takes no more for a second. The last line tells the exit code that `stop` gives.
///
/// # Cancel safety
/// A dropped future stops showing; the thread ends with it.
pub(crate) async fn show(view: View, handle: Handle, notes: Notes, stop: impl Future<Output = Option<i32>>) {
    let mut events = handle.events().read(Some(view.after.0));
    let mut lines = handle.logs().read(LogQuery { after: Some(view.after.1), ..LogQuery::default() });
    let mut text = Text { painter: Painter::new(), format: view.format, reason: None };
    let (mut sink, writer) = Sink::start(view.choice);
    let mut stop = std::pin::pin!(stop);
    let code = loop {
        tokio::select! {
            next = events.next() => sink.put(text.event(&next)),
            next = lines.next(), if !view.quiet => sink.put(text.line(&next)),
            said = notes.next() => said.iter().filter_map(|line| text.note(line)).for_each(|text| sink.put(text)),
            code = &mut stop => break code,
        }
        for _ in 0..BATCH {
            let next_event = events.try_next().map(|next| text.event(&next));
            let next_line = if view.quiet { None } else { lines.try_next() };
            let next_line = next_line.map(|next| text.line(&next));
            if next_event.is_none() && next_line.is_none() {
                break;
            }
            [next_line, next_event].into_iter().flatten().for_each(|text| sink.put(text));
        }
        // The arbiter and its API share this thread, and a worker that floods has always one more line.
        tokio::task::yield_now().await;
    };
    while !view.quiet
        && let Some(next) = lines.try_next()
    {
        sink.put(text.line(&next));
    }
    while let Some(next) = events.try_next() {
        sink.put(text.event(&next));
    }
    let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    text.last_words(now, code).into_iter().for_each(|words| sink.put(words));
    sink.end(writer).await;
}

/// What is shown, as text.
struct Text {
    painter: Painter,
    format: LogFormat,
    /// Why everything is being stopped.
    reason: Option<String>,
}

impl Text {
    fn event(&mut self, next: &Next) -> String {
        if let Next::Record(record) = next
            && let EventKind::InstanceStopping { reason } = &record.event.kind
        {
            self.reason = Some(reason.clone());
        }
        match (self.format, next) {
            (LogFormat::Text, Next::Record(record)) => self.painter.event(record),
            (LogFormat::Json, Next::Record(record)) => serde_json::to_string(record).unwrap_or_default(),
            (LogFormat::Text, Next::Missed(missed)) => {
                self.painter.note(&format!("{missed} events were too many to be shown"))
            }
            (LogFormat::Json, Next::Missed(missed)) => {
                serde_json::json!({"missed_events": missed}).to_string()
            }
        }
    }

    fn line(&mut self, next: &LogNext) -> String {
        match (self.format, next) {
            (LogFormat::Text, LogNext::Line(line)) => self.painter.line(line),
            (LogFormat::Json, LogNext::Line(line)) => {
                serde_json::to_string(line.as_ref()).unwrap_or_default()
            }
            (LogFormat::Text, LogNext::Missed { service, lines }) => {
                self.painter.note(&format!("{lines} lines of {service} were too many to be shown"))
            }
            (LogFormat::Json, LogNext::Missed { service, lines }) => {
                serde_json::json!({"service": service, "missed_lines": lines}).to_string()
            }
        }
    }

    /// For people only.
    fn note(&self, line: &str) -> Option<String> {
        (self.format == LogFormat::Text).then(|| self.painter.note(line))
    }

    /// For people only: a program that starts us sees the exit code itself.
    fn last_words(&mut self, time_ms: u64, code: Option<i32>) -> Option<String> {
        if self.format == LogFormat::Json {
            return None;
        }
        let reason = self.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let code = code.map(|code| format!("; exit code {code}")).unwrap_or_default();
        Some(self.painter.last_words(time_ms, &format!("all is stopped{reason}{code}")))
    }
}

/// The near end of the queue.
struct Sink {
    queue: SyncSender<String>,
    dropped: u64,
    done: tokio::sync::oneshot::Receiver<()>,
}

/// After the end the terminal has so long to take what waits.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(1);

impl Sink {
    fn start(choice: ColorChoice) -> (Self, std::io::Result<JoinHandle<()>>) {
        let (queue, waiting) = sync_channel(QUEUE);
        let (finished, done) = tokio::sync::oneshot::channel();
        let writer = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || {
            write(&waiting, choice);
            // Nobody waits any more when the terminal was too slow at the end.
            let _ = finished.send(());
        });
        (Self { queue, dropped: 0, done }, writer)
    }

    fn put(&mut self, mut text: String) {
        if self.dropped > 0 {
            text = format!("({} lines not shown: the terminal was too slow)\n{text}", self.dropped);
        }
        match self.queue.try_send(text) {
            Ok(()) => self.dropped = 0,
            Err(TrySendError::Full(_)) => self.dropped += 1,
            // The terminal is gone; the arbiter lives on without it.
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    async fn end(self, writer: std::io::Result<JoinHandle<()>>) {
        drop(self.queue);
        if tokio::time::timeout(LAST_WORDS, self.done).await.is_ok()
            && let Ok(writer) = writer
        {
            // It has said that it is done, so this does not block; a panic of it is of no consequence here.
            let _ = writer.join();
        }
    }
}

fn write(waiting: &Receiver<String>, choice: ColorChoice) {
    let mut stdout = AutoStream::new(std::io::stdout(), choice);
    while let Ok(text) = waiting.recv() {
        if writeln!(stdout, "{text}").and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
