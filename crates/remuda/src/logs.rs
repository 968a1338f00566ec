//! `remuda logs`: what workers write.

use jiff::Timestamp;
use remuda_control::LogItem;
use remuda_daemon::LogQuery;
use remuda_model::{Refusal, Target, view};

use crate::arguments::{Global, LogsArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::instance;
use crate::painter::Painter;
use crate::quantity;
use crate::screen::Screen;

/// Lines shown without `--lines` and `--since`.
const LINES_DEFAULT: usize = 100;

/// Shows lines that are kept, and with `--follow` those that come.
pub(crate) async fn run(arguments: LogsArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let query = query(&arguments, Timestamp::now())?;
    let client = instance::find(global).await?;
    if !query.services.is_empty() {
        known(&client.status().await?, &query)?;
    }
    let mut painter = Painter::new();
    let mut stream = client.logs(&query, arguments.follow).await?;
    while let Some(item) = stream.next().await? {
        match item {
            LogItem::Line(line) if arguments.printing.json => screen.json(&line)?,
            LogItem::Line(line) => screen.line(&painter.line(&line))?,
            LogItem::Missed(missed) if arguments.printing.json => {
                screen
                    .json(&serde_json::json!({"service": missed.service, "missed_lines": missed.missed}))?;
            }
            LogItem::Missed(missed) => {
                let text = format!("{} lines of {} are no longer kept", missed.missed, missed.service);
                screen.line(&painter.note(&text))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn query(arguments: &LogsArguments, now: Timestamp) -> Result<LogQuery, Failure> {
    let since = arguments.since.as_deref().map(|text| quantity::since(text, now));
    let since_ms = since.transpose().map_err(|why| Failure::misuse(format!("--since: {why}")))?;
    let targets: Vec<&Target> = arguments.targets.iter().chain(&arguments.services).collect();
    let slot = match targets.as_slice() {
        [target] => target.slot,
        targets if targets.iter().all(|target| target.slot.is_none()) => None,
        _ => return Err(Failure::misuse("lines of one slot at a time: name one slot, or only services")),
    };
    Ok(LogQuery {
        services: targets.iter().map(|target| target.service.clone()).collect(),
        slot,
        stream: arguments.stream,
        since_ms,
        after: None,
        last: arguments.lines.or(since_ms.is_none().then_some(LINES_DEFAULT)),
    })
}

/// A misspelt name would be waited for without end.
fn known(view: &view::Instance, query: &LogQuery) -> Result<(), Refusal> {
    let unknown =
        query.services.iter().find(|name| !view.services.iter().any(|service| service.name == **name));
    unknown.map_or(Ok(()), |name| Err(crate::nearest::no_such_service(view, name.as_str())))
}

#[cfg(test)]
mod tests;
