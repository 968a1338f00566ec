//! Commands that change something: start, stop, restart, reload, scale, hold, release, signal, apply, down.

use std::collections::BTreeSet;

use jiff::Timestamp;
use remuda_control::{
    ActBody, Answer, Client, ClientError, HoldBody, LogItem, ReleaseBody, ScaleBody, SignalBody, Wait,
};
use remuda_daemon::LogQuery;
use remuda_model::{Plan, Reply, ServiceName, Target};

use crate::arguments::{
    ActArguments, Answering, ApplyArguments, Global, HoldArguments, ReleaseArguments, ScaleArguments,
    Scaling, SignalArguments,
};
use crate::exit::{Exit, Failure, Outcome, exit_of};
use crate::instance::{self, Found};
use crate::painter::Painter;
use crate::progress;
use crate::screen::Screen;

/// Lines of workers shown when something failed.
const LAST_LINES: usize = 10;

/// What is done to services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// They should run.
    Start,
    /// They should not.
    Stop,
    /// Stop, then start.
    Restart,
    /// New workers for old ones.
    Reload,
}

/// start, stop, restart, reload.
pub(crate) async fn act(
    verb: Verb,
    arguments: ActArguments,
    global: &Global,
    screen: &mut Screen,
) -> Outcome {
    let client = instance::find(global).await?;
    let body = ActBody { targets: arguments.targets, all: arguments.all };
    let wait = wait(&arguments.answering);
    let request = async {
        match verb {
            Verb::Start => client.start(&body, wait).await,
            Verb::Stop => client.stop(&body, wait).await,
            Verb::Restart => client.restart(&body, wait).await,
            Verb::Reload => client.reload(&body, wait).await,
        }
    };
    let begun = Timestamp::now();
    let services = services(&body.targets);
    let answer = watched(&client, services.clone(), request, screen).await?;
    let told = tell(&answer, &arguments.answering, screen);
    explain(&client, services, begun, told, screen).await
}

/// scale. Several services are scaled one after the other; the first that cannot be ends it.
pub(crate) async fn scale(arguments: ScaleArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    for scaling in arguments.scalings {
        let body = match scaling {
            Scaling::To(service, to) => ScaleBody { service, to: Some(to), by: None },
            Scaling::By(service, by) => ScaleBody { service, to: None, by: Some(by) },
        };
        let services = BTreeSet::from([body.service.clone()]);
        let begun = Timestamp::now();
        let request = client.scale(&body, wait(&arguments.answering));
        let answer = watched(&client, services.clone(), request, screen).await?;
        let told = tell(&answer, &arguments.answering, screen);
        let exit = explain(&client, services, begun, told, screen).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

/// hold.
pub(crate) async fn hold(arguments: HoldArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    let for_ms = u64::try_from(arguments.lasting.as_millis()).unwrap_or(u64::MAX);
    let body = HoldBody { service: arguments.service, for_ms: Some(for_ms) };
    let request = client.hold(&body, wait(&arguments.answering));
    let answer = watched(&client, BTreeSet::from([body.service.clone()]), request, screen).await?;
    tell(&answer, &arguments.answering, screen)
}

/// release.
pub(crate) async fn release(arguments: ReleaseArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    let body = ReleaseBody { service: arguments.service };
    let services = BTreeSet::from([body.service.clone()]);
    let begun = Timestamp::now();
    let request = client.release(&body, wait(&arguments.answering));
    let answer = watched(&client, services.clone(), request, screen).await?;
    let told = tell(&answer, &arguments.answering, screen);
    explain(&client, services, begun, told, screen).await
}

/// signal.
pub(crate) async fn signal(arguments: SignalArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    let body = SignalBody { targets: arguments.targets, signal: arguments.signal, scope: arguments.scope };
    let answer = client.signal(&body, wait(&arguments.answering)).await?;
    tell(&answer, &arguments.answering, screen)
}

/// apply.
pub(crate) async fn apply(arguments: ApplyArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let client = instance::find(global).await?;
    if arguments.dry_run {
        let plan = client.plan().await?;
        if arguments.answering.json {
            screen.json(&plan)?;
        } else {
            screen.text(&plan_text(&plan))?;
        }
        return Ok(Exit::Done);
    }
    let begun = Timestamp::now();
    let request = client.apply(wait(&arguments.answering));
    let answer = watched(&client, BTreeSet::new(), request, screen).await?;
    let told = tell(&answer, &arguments.answering, screen);
    explain(&client, BTreeSet::new(), begun, told, screen).await
}

/// A plan, a line for each change.
pub(crate) fn plan_text(plan: &Plan) -> String {
    if plan.is_empty() {
        return "nothing would change\n".to_owned();
    }
    plan.lines().iter().map(|line| format!("{line}\n")).collect()
}

/// down.
pub(crate) async fn down(arguments: Answering, global: &Global, screen: &mut Screen) -> Outcome {
    let client = match instance::look(global).await? {
        Found::Running(client) => client,
        Found::Orphaned(left) => {
            let lines = vec![left.end(arguments.no_wait)?];
            return tell(&Answer::Reply(Reply::Done { lines }), &arguments, screen);
        }
    };
    // Ends with the arbiter, when its folder is free for the next one.
    let mut events = client.events(None, true).await?;
    let request = client.shutdown(wait(&arguments));
    let answer = match watched(&client, BTreeSet::new(), request, screen).await {
        // An arbiter that has ended may have had no time for a last word.
        Err(ClientError::Broken { .. }) if client.about().await.is_err() => {
            Answer::Reply(Reply::Done { lines: vec!["remuda has ended".to_owned()] })
        }
        other => other?,
    };
    if matches!(answer, Answer::Reply(Reply::Done { .. })) {
        while let Ok(Some(_)) = events.next().await {}
    }
    tell(&answer, &arguments, screen)
}

fn wait(answering: &Answering) -> Wait {
    if answering.no_wait { Wait::No } else { Wait::UntilDone }
}

fn services(targets: &[Target]) -> BTreeSet<ServiceName> {
    targets.iter().map(|target| target.service.clone()).collect()
}

async fn watched(
    client: &Client,
    services: BTreeSet<ServiceName>,
    request: impl Future<Output = Result<Answer, ClientError>>,
    screen: &mut Screen,
) -> Result<Answer, ClientError> {
    if screen.error_is_terminal() {
        progress::show(client, services, request, screen).await
    } else {
        request.await
    }
}

/// Shows the last lines that workers wrote before what was tried failed, above the reason.
async fn explain(
    client: &Client,
    services: BTreeSet<ServiceName>,
    begun: Timestamp,
    told: Outcome,
    screen: &mut Screen,
) -> Outcome {
    if !matches!(&told, Err(failure) if failure.exit == Exit::No) {
        return told;
    }
    let query = LogQuery {
        services: services.into_iter().collect(),
        since_ms: u64::try_from(begun.as_millisecond()).ok(),
        last: Some(LAST_LINES),
        ..LogQuery::default()
    };
    let mut painter = Painter::new();
    // The failure itself is told in any case; these lines are a help that may be lacking.
    if let Ok(mut lines) = client.logs(&query, false).await {
        while let Ok(Some(item)) = lines.next().await {
            if let LogItem::Line(line) = item {
                screen.note(&painter.line(&line));
            }
        }
    }
    told
}

/// Says what came of it.
fn tell(answer: &Answer, answering: &Answering, screen: &mut Screen) -> Outcome {
    let exit = exit_code(answer);
    if answering.json {
        screen.json(answer)?;
        return Ok(exit);
    }
    match answer {
        Answer::Accepted(_) => screen.line("taken; `remuda events -f` shows what comes of it")?,
        Answer::Reply(Reply::Done { lines }) => lines.iter().try_for_each(|line| screen.line(line))?,
        Answer::Reply(Reply::Failed { lines }) => return Err(Failure::new(exit, lines.join("\n"))),
        Answer::Reply(Reply::Refused(refusal)) => return Err(Failure::from(refusal.clone())),
    }
    Ok(exit)
}

fn exit_code(answer: &Answer) -> Exit {
    match answer {
        Answer::Accepted(_) | Answer::Reply(Reply::Done { .. }) => Exit::Done,
        Answer::Reply(Reply::Failed { .. }) => Exit::No,
        Answer::Reply(Reply::Refused(refusal)) => exit_of(refusal),
    }
}

#[cfg(test)]
mod tests;
