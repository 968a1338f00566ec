//! What goes on while a request is under way: the last event that concerns it, on one line of stderr.

use std::collections::BTreeSet;
use std::time::Duration;

use remuda_control::{Answer, Client, ClientError, EventItem};
use remuda_model::{EventKind, Record, ServiceName};
use tokio::time::Instant;

use crate::screen::{DIM, Screen, paint};
use crate::sentence::Sentence;
use crate::visible::visible;

/// What is done sooner needs no progress shown.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// The time on the line is renewed this often.
const RENEWED_EVERY: Duration = Duration::from_millis(250);

/// Waits for `request` and shows what happens to `services` (to all when empty) meanwhile.
pub(crate) async fn show(
    client: &Client,
    services: BTreeSet<ServiceName>,
    request: impl Future<Output = Result<Answer, ClientError>>,
    screen: &mut Screen,
) -> Result<Answer, ClientError> {
    let begun = Instant::now();
    let mut events = client.events(None, true).await.ok();
    let mut request = std::pin::pin!(request);
    let mut last = String::new();
    let mut renewed = tokio::time::interval_at(begun + SHOWN_AFTER, RENEWED_EVERY);
    let mut shown = false;
    let answer = loop {
        tokio::select! {
            answer = &mut request => break answer,
            _ = renewed.tick() => {
                screen.progress(&line(&last, begun.elapsed(), screen.width()));
                shown = true;
            }
            item = next(&mut events) => match item {
                Some(EventItem::Record(record)) => last = told(&record, &services).unwrap_or(last),
                Some(EventItem::Missed(_)) => {}
                // A stream that ends or breaks is no reason to give up waiting.
                None => events = None,
            },
        }
    };
    if shown {
        screen.progress("");
    }
    answer
}

async fn next(events: &mut Option<remuda_control::EventStream>) -> Option<EventItem> {
    match events {
        Some(events) => events.next().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

/// The words for an event that concerns the request.
fn told(record: &Record, services: &BTreeSet<ServiceName>) -> Option<String> {
    let concerned =
        record.event.service.as_ref().is_none_or(|service| services.is_empty() || services.contains(service));
    if !concerned || matches!(record.event.kind, EventKind::Requested { .. }) {
        return None;
    }
    let sentence = Sentence::of(&record.event);
    let text = anstream::adapter::strip_str(&visible(&sentence.text)).to_string();
    Some(format!("{} {}", sentence.subject, text.lines().next().unwrap_or_default()))
}

/// `3s  web.0 ready after 1s`, cut to the terminal.
fn line(last: &str, elapsed: Duration, width: usize) -> String {
    let last = if last.is_empty() { "waiting" } else { last };
    let text: String =
        format!("{}s  {last}", elapsed.as_secs()).chars().take(width.saturating_sub(1)).collect();
    paint(DIM, &text)
}

#[cfg(test)]
mod tests;
