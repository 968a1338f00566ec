//! `remuda top`: services and the hub at work, live.
//!
//! What the arbiter tells of its workers and the hub of itself are counts; here two looks become rates. On a terminal the
//! picture is drawn anew after each look, on a screen of its own that goes when one leaves (`q`), and nothing of it is
//! left behind; `--once` and `--json` print one picture of two looks.

mod live;
mod picture;
mod rates;
mod sample;

use std::time::Duration;

use remuda_control::Client;
use remuda_model::view::Instance;
use serde_json::json;

use crate::arguments::{Global, TopArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::instance;
use crate::screen::Screen;
use live::{Key, Live};
use picture::{Frame, History, render};
use rates::rates;
use sample::{HubEyes, Sample};

/// Looks are not asked for more often: each costs the arbiter a look at every worker.
const EVERY_MIN: Duration = Duration::from_millis(100);

/// Shows the picture until one leaves.
pub(crate) async fn run(arguments: TopArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let every = arguments.every.max(EVERY_MIN);
    let client = instance::find(global).await?;
    let is_live = screen.out_is_terminal() && !arguments.once && !arguments.printing.json;
    if is_live { live(every, &client, screen).await } else { once(every, &arguments, &client, screen).await }
}

async fn once(every: Duration, arguments: &TopArguments, client: &Client, screen: &mut Screen) -> Outcome {
    let mut eyes = HubEyes::default();
    let before = look(client, &mut eyes).await?;
    tokio::time::sleep(every).await;
    let now = look(client, &mut eyes).await?;
    let rates = rates(&before, &now);
    if arguments.printing.json {
        screen.json(&json!({"rates": rates, "hub": now.hub, "instance": now.view}))?;
        return Ok(Exit::Done);
    }
    let frame = Frame { width: screen.width(), rows: None, with_slots: true };
    screen.text(&render(&now, &rates, &History::default(), frame))?;
    Ok(Exit::Done)
}

async fn live(every: Duration, client: &Client, screen: &mut Screen) -> Outcome {
    let mut eyes = HubEyes::default();
    let mut before = look(client, &mut eyes).await?;
    let (mut history, mut with_slots, mut is_first) = (History::default(), true, true);
    let mut live = Live::begin().map_err(|error| {
        Failure::new(Exit::No, format!("cannot use this terminal: {error}"))
            .hint("`remuda top --once` needs none")
    })?;
    let mut wait = EVERY_MIN;
    loop {
        match live.key(wait)? {
            Some(Key::Leave) => return Ok(Exit::Done),
            Some(Key::Slots) => {
                with_slots = !with_slots;
                live.draw(&render(&before, &history.last(), &history, live.frame(with_slots)), screen)?;
                continue;
            }
            None => {}
        }
        let now = look(client, &mut eyes).await?;
        history.push(rates(&before, &now));
        if is_first {
            // The first rates are of a moment; the scale of what follows is not to be theirs.
            history.forget_bars();
            is_first = false;
        }
        live.draw(&render(&now, &history.last(), &history, live.frame(with_slots)), screen)?;
        before = now;
        wait = every;
    }
}

async fn look(client: &Client, eyes: &mut HubEyes) -> Result<Sample, Failure> {
    let view: Instance = client.status().await?;
    let hub = eyes.look(&view);
    Ok(Sample { view, hub })
}

#[cfg(test)]
mod tests;
