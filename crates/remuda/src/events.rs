//! `remuda events`: what happened, a line each.

use jiff::tz::TimeZone;
use remuda_control::EventItem;

use crate::arguments::{EventsArguments, Global};
use crate::exit::{Exit, Outcome};
use crate::instance;
use crate::painter::Painter;
use crate::screen::Screen;

/// Shows events that are kept, and with `--follow` those that come.
pub(crate) async fn run(arguments: EventsArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    let mut painter = Painter::in_zone(TimeZone::system());
    // The API follows from now on unless told a place; who looks wants to see how things came to be as well.
    let after = arguments.after.or(arguments.follow.then_some(0));
    let mut stream = client.events(after, arguments.follow).await?;
    let mut first = true;
    while let Some(item) = stream.next().await? {
        let asked_for = !std::mem::take(&mut first) || arguments.after.is_some();
        match item {
            EventItem::Record(record) if arguments.printing.json => screen.json(&record)?,
            EventItem::Record(record) => screen.line(&painter.event(&record))?,
            EventItem::Missed(missed) if arguments.printing.json => {
                screen.json(&serde_json::json!({"missed_events": missed}))?;
            }
            EventItem::Missed(missed) if asked_for => {
                screen.line(&painter.note(&format!("{missed} events are no longer kept")))?;
            }
            EventItem::Missed(_) => {}
        }
    }
    Ok(Exit::Done)
}
