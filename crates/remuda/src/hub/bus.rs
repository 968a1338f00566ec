//! `pub` and `sub`: the bus from the command line.

use std::time::Duration;

use remuda_toolkit::client::{Heard, Message};
use serde_json::{Map, json};

use super::shown::{put, readable};
use crate::arguments::{Global, PubArguments, SubArguments};
use crate::exit::{Exit, Outcome};
use crate::screen::Screen;

/// How long one wait of a subscription is; then it waits again.
const WAIT: Duration = Duration::from_secs(3600);
/// From this number on a gap says only that the hub has begun anew: its numbers jump then.
const GAP_COUNTED_MAX: u64 = 1 << 32;

/// Publishes one message.
pub(crate) async fn publish(arguments: PubArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let payload = super::value(arguments.payload)?;
    let mut store = super::find(global, 0).await?.store();
    let heard = store.publish(arguments.topic.as_bytes(), &payload)?;
    if arguments.printing.json {
        screen.json(&json!({"topic": arguments.topic, "subscribers": heard}))?;
    } else if arguments.count {
        screen.line(&heard.to_string())?;
    }
    Ok(Exit::Done)
}

/// Prints messages until there were enough, or for ever.
pub(crate) async fn subscribe(arguments: SubArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let hub = super::find(global, 0).await?;
    let everything = [String::new()];
    let prefixes = if arguments.prefixes.is_empty() { everything.as_slice() } else { &arguments.prefixes };
    let mut subscription = hub.subscribe(prefixes.iter().map(String::as_bytes));
    if let Some(sequence) = arguments.after {
        subscription = subscription.after(sequence);
    }
    let mut left = arguments.limit;
    while left != Some(0) {
        match subscription.next(WAIT)? {
            None => {}
            Some(Heard::Message(message)) => {
                show(&message, arguments.printing.json, screen)?;
                left = left.map(|left| left - 1);
            }
            Some(Heard::Missed(lost)) => missed(lost, arguments.printing.json, screen)?,
            Some(Heard::Away(error)) => screen.note(&format!("({error}; trying again)")),
            Some(Heard::Back) => screen.note("(the hub is there again)"),
        }
    }
    Ok(Exit::Done)
}

fn show(message: &Message, json: bool, screen: &mut Screen) -> std::io::Result<()> {
    if json {
        let mut document = Map::new();
        document.insert("sequence".to_owned(), message.sequence.into());
        put(&mut document, "topic", &message.topic);
        put(&mut document, "payload", &message.payload);
        return screen.json(&document);
    }
    let mut line = readable(&message.topic, screen);
    line.push(b' ');
    line.extend(readable(&message.payload, screen));
    line.push(b'\n');
    screen.bytes(&line)
}

fn missed(lost: u64, json: bool, screen: &mut Screen) -> std::io::Result<()> {
    if json {
        return screen.json(&json!({"missed_messages": lost}));
    }
    match lost {
        0..GAP_COUNTED_MAX => {
            screen.note(&format!("(up to {lost} messages are missing: the hub does not have them any more)"));
        }
        _ => screen.note("(messages may be missing: the hub began anew meanwhile)"),
    }
    Ok(())
}
