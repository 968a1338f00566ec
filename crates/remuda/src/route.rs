//! `remuda route`: the routes of a config, and which one a request takes. No instance has to run.

mod asked;
mod explained;

use std::fmt::Write as _;

use remuda_control::RouteQuestion;
use remuda_gateway::routes::{Found, Verdict};

use crate::arguments::{Global, RouteArguments, RouteCommand, RouteListArguments, RouteTestArguments};
use crate::config_file::{self, Adjustments, LoadError};
use crate::exit::{Exit, Failure, Outcome};
use crate::screen::{BOLD, DIM, GOOD, Screen, paint};
use crate::table::{Cell, Column, Table as Rows};
use explained::{Explained, Routes, asks, deed, hosts, methods, verdict_words};

pub(crate) use explained::ROUTING;

const fn column(title: &'static str, right: bool, dispensable: u8) -> Column {
    Column { title, right, dispensable }
}

/// Columns of `list`.
const LISTED: [Column; 6] = [
    column("LINE", true, 2),
    column("METHODS", false, 0),
    column("HOST", false, 3),
    column("PATH", false, 0),
    column("ACTION", false, 0),
    column("NAME", false, 1),
];
/// Columns of `test`.
const TESTED: [Column; 3] = [column("LINE", true, 1), column("ROUTE", false, 0), column("WHY NOT", false, 0)];

/// Shows routes.
pub(crate) fn run(arguments: &RouteArguments, global: &Global, screen: &mut Screen) -> Outcome {
    let routes = load(global)?;
    match &arguments.command {
        RouteCommand::List(arguments) => list(&routes, arguments, screen),
        RouteCommand::Test(arguments) => test(&routes, arguments, screen),
    }
}

fn load(global: &Global) -> Result<Routes, Failure> {
    let files = config_file::chosen(&[], global.config.as_deref())?;
    let read = config_file::load(&files, &Adjustments::default()).map_err(LoadError::into_failure)?;
    Routes::of(&read.loaded.config, read.loaded.routes).ok_or_else(|| {
        let hint = "write a service with kind = \"gateway\", and [[route]]s";
        Failure::misuse("this config has no gateway, and so no routes").hint(hint)
    })
}

fn list(routes: &Routes, arguments: &RouteListArguments, screen: &mut Screen) -> Outcome {
    if arguments.printing.json {
        screen.json(&routes.document())?;
        return Ok(Exit::Done);
    }
    let mut rows = Rows::new(&LISTED);
    for (number, route) in routes.spec.routes.iter().enumerate() {
        rows.row(vec![
            Cell::maybe(routes.line(number).map(|line| line.to_string())),
            methods(route).into(),
            hosts(route).into(),
            route.pattern.as_str().into(),
            deed(&route.action).into(),
            Cell::styled(route.name.clone(), DIM),
        ]);
    }
    screen.text(&rows.render(screen.width()))?;
    Ok(Exit::Done)
}

fn test(routes: &Routes, arguments: &RouteTestArguments, screen: &mut Screen) -> Outcome {
    let (method, url) = match arguments.request.as_slice() {
        [method, url] => (method.as_str(), url.as_str()),
        [url] => ("GET", url.as_str()),
        _ => return Err(Failure::misuse("a request is a method and a URL")),
    };
    let question = RouteQuestion {
        method: method.to_owned(),
        url: url.to_owned(),
        host: arguments.host.clone(),
        headers: arguments.headers.clone(),
        from: arguments.from,
        socket: arguments.socket.clone(),
    };
    let explained = routes
        .explain(&question)
        .map_err(|why| Failure::misuse(why).hint("write https://HOST/PATH, or /PATH"))?;
    if arguments.printing.json {
        screen.json(&routes.found(&explained))?;
    } else {
        screen.text(&as_text(routes, &explained, screen.width()))?;
    }
    let is_found = matches!(explained.explanation.found, Found::Route(_));
    Ok(if is_found { Exit::Done } else { Exit::No })
}

fn as_text(routes: &Routes, explained: &Explained, width: usize) -> String {
    let Explained { asked, explanation, parameters } = explained;
    // Writing to a String does not fail.
    let mut out = format!("{}\n\n", paint(BOLD, asked));
    match &explanation.found {
        Found::Route(found) => {
            let route = &routes.spec.routes[found.route];
            let line = routes.line(found.route).map(|line| format!(" (line {line})")).unwrap_or_default();
            let _ = writeln!(out, "  {} {}{}", paint(GOOD, "takes"), route.name, paint(DIM, &line));
            let _ = writeln!(out, "  {} {} {}", paint(DIM, "match"), methods(route), route.pattern);
            for (name, value) in parameters {
                let _ = writeln!(out, "        {name} = {value}");
            }
            let _ = writeln!(out, "  {}  {}", paint(DIM, "does"), deed(&route.action));
            for (what, said) in asks(route) {
                let _ = writeln!(out, "  {} {said}", paint(DIM, &format!("{what:>5}")));
            }
        }
        Found::Method(allow) => {
            let _ = writeln!(out, "  no route for this method: 405, Allow: {}", allow.join(", "));
        }
        Found::Nothing => out.push_str("  no route: 404\n"),
    }
    let others = explanation.verdicts.iter().enumerate().filter(|(_, verdict)| **verdict != Verdict::Taken);
    let mut rows = Rows::new(&TESTED);
    for (number, verdict) in others {
        let line = Cell::maybe(routes.line(number).map(|line| line.to_string()));
        let name = routes.spec.routes[number].name.as_str();
        rows.row(vec![line, name.into(), Cell::styled(verdict_words(verdict), DIM)]);
    }
    if explanation.verdicts.iter().any(|verdict| *verdict != Verdict::Taken) {
        let _ = write!(out, "\n{}", rows.render(width));
    }
    out
}
