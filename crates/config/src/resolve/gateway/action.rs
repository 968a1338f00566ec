//! The action of a route: exactly one.

use remuda_model::gateway::{
    Action, Encoding, FilesSpec, Method, Page, Pattern, ProxySpec, RedirectSpec, RespondSpec, Template,
    TemplatePart, Variable,
};

use super::route::Frame;
use super::{Surface, listed, span_of};
use crate::raw::{self, Field, Located, Span};
use crate::report::Problem;
use crate::resolve::{Resolution, or};

const HINT: &str = "write one of files, to, redirect, respond, topic, sse, websocket, socketio, key and page";
/// Statuses that send a client elsewhere.
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

impl Resolution<'_> {
    /// `None` only together with an error.
    pub(super) fn action(
        &mut self,
        frame: &Frame<'_>,
        methods: &[Method],
        pattern: &Pattern,
        surface: &mut Surface<'_>,
    ) -> Option<Action> {
        let raw = frame.raw;
        let written = actions(raw);
        if let [(first, place), (second, also), ..] = written.as_slice() {
            let message = format!("a route does one thing: this one has `{first}` and `{second}`");
            let problem = Problem::error(also.clone(), message).related(place.clone(), "first here");
            self.problems.push(problem);
            return None;
        }
        if written.is_empty() {
            let span = span_of(&raw.pattern).or_else(|| raw.span.clone());
            self.problems.push(Problem::error(span, "this route does nothing").hint(HINT));
            return None;
        }
        if let Some((word, place)) = written.first() {
            self.realtime_needs_hub(word, place.as_ref());
        }
        if let Some(files) = &raw.files {
            return Some(Action::Files(Box::new(self.files(files, pattern)?)));
        }
        if let Some(to) = &raw.to {
            let (upstream, base) = self.target(to, surface)?;
            return Some(Action::Proxy(ProxySpec { upstream, base }));
        }
        if let Some(redirect) = &raw.redirect {
            return self.redirect(redirect, frame).map(Action::Redirect);
        }
        if let Some(respond) = &raw.respond {
            return self.respond(respond, frame).map(Action::Respond);
        }
        if let Some(page) = &raw.page {
            return Some(self.page(page, pattern));
        }
        self.realtime(frame, methods)
    }

    fn page(&mut self, page: &Located<Page>, pattern: &Pattern) -> Action {
        if !pattern.is_exact() {
            let message = "a built-in page is one page: `match` names one path";
            let problem = Problem::error(page.span.clone(), message);
            self.problems.push(problem.hint("write match = \"/docs\""));
        }
        Action::Page(page.value)
    }

    fn files(&mut self, raw: &Located<raw::Files>, pattern: &Pattern) -> Option<FilesSpec> {
        let table = match &raw.value {
            raw::Files::Text(text) => {
                raw::FilesTable { root: Some(raw.with(text.clone())), ..raw::FilesTable::default() }
            }
            raw::Files::Table(table) => table.clone(),
        };
        let Some(root) = &table.root else {
            let problem = Problem::error(raw.span.clone(), "these files have no `root`");
            self.problems.push(problem.hint("write where they lie: root = \"./public\""));
            return None;
        };
        let path = self.path(root);
        match path.metadata() {
            Err(why) => {
                let message = format!("{} is not there now: {why}", path.display());
                self.problems.push(Problem::warning(root.span.clone(), message));
            }
            Ok(found) if found.is_dir() && pattern.rest().is_none() => {
                let problem = Problem::error(
                    root.span.clone(),
                    format!("{} is a folder, and `match` names one path", path.display()),
                );
                self.problems.push(
                    problem.hint("end `match` with \"/*\": what \"*\" stands for lies beneath the folder"),
                );
            }
            Ok(found) if found.is_file() && pattern.rest().is_some() => {
                let problem = Problem::error(
                    root.span.clone(),
                    format!("{} is a file, and `match` names many paths", path.display()),
                );
                self.problems.push(problem.hint("name a folder, or write a `match` without \"*\""));
            }
            Ok(_) => {}
        }
        let default = FilesSpec::new(path);
        let index = listed(&table.index).iter().map(|text| self.beneath(text)).collect();
        let pages = table.error_pages.iter().flatten();
        let error_pages = pages
            .filter_map(|(status, file)| Some((self.error_status(status)?, self.beneath(file))))
            .collect();
        Some(FilesSpec {
            index: if table.index.is_some() { index } else { default.index },
            listing: or(&table.listing, default.listing),
            fallback: table.fallback.as_ref().map(|text| self.beneath(text)),
            error_pages,
            precompressed: encodings(&table.precompressed, default.precompressed),
            dot_files: or(&table.dot_files, default.dot_files),
            links: or(&table.links, default.links),
            cache: or(&table.cache, default.cache),
            types: self.endings(table.types.as_ref()),
            root: default.root,
        })
    }

    /// A path beneath the folder of a route.
    fn beneath(&mut self, text: &Located<String>) -> String {
        let path = text.trim_start_matches('/');
        let leaves = path.split('/').any(|part| matches!(part, "" | "." | ".."));
        if leaves || path.contains(['\0', '\\']) {
            self.error(
                text.span.as_ref(),
                format!("{:?} is no path beneath the folder of files", text.value),
            );
        }
        path.to_owned()
    }

    fn error_status(&mut self, text: &Located<String>) -> Option<u16> {
        let status = self.status(text)?;
        if status < 400 {
            self.error(text.span.as_ref(), format!("{status} is no status of an error"));
        }
        Some(status)
    }

    fn endings(&mut self, table: Option<&raw::TextTable>) -> Vec<(String, String)> {
        let mut endings = Vec::new();
        for (ending, kind) in table.into_iter().flatten() {
            let bare = ending.trim_start_matches('.').to_ascii_lowercase();
            if !kind.contains('/') || !super::is_header_value(kind) {
                self.error(kind.span.as_ref(), format!("{:?} is no type of a file", kind.value));
            }
            endings.push((bare, kind.value.clone()));
        }
        endings
    }

    fn redirect(&mut self, raw: &Located<String>, frame: &Frame<'_>) -> Option<RedirectSpec> {
        let (status, to) = match raw.trim().split_once(' ') {
            Some((status, to)) => (status, to.trim_start()),
            None => ("308", raw.trim()),
        };
        let Some(status) = status.parse().ok().filter(|status| REDIRECTS.contains(status)) else {
            let message = format!("{status:?} is no status that sends a client elsewhere");
            let place = raw.span.as_ref().map(|span| self.sources.inside(span, status));
            let problem = Problem::error(place, message);
            self.problems
                .push(problem.hint("write 301, 302, 303, 307 or 308, a blank, and where to: \"303 /login\""));
            return None;
        };
        let to = raw.with(to.to_owned());
        if to.is_empty() {
            self.error(raw.span.as_ref(), "a redirect says where to");
        }
        let template = self.header_value(&to, &frame.parameters);
        if is_open(&template) {
            let problem = Problem::warning(
                raw.span.clone(),
                "who asks chooses where this redirect leads, to any other site too",
            );
            self.problems.push(problem.hint("begin it with a fixed host, or with a path"));
        }
        Some(RedirectSpec { status, to: template })
    }

    fn respond(&mut self, raw: &Located<raw::Respond>, frame: &Frame<'_>) -> Option<RespondSpec> {
        const TEXT: &str = "text/plain; charset=utf-8";
        let table = match &raw.value {
            raw::Respond::Text(text) => {
                raw::RespondTable { body: Some(raw.with(text.clone())), ..raw::RespondTable::default() }
            }
            raw::Respond::Status(status) => {
                raw::RespondTable { status: Some(raw.with(*status)), ..raw::RespondTable::default() }
            }
            raw::Respond::Table(table) => table.clone(),
        };
        self.demand(
            &table.status,
            |status| (200..=599).contains(status),
            "an answer has a status from 200 to 599",
        );
        let status = or(&table.status, 200);
        let content_type = table.content_type.clone().unwrap_or_else(|| TEXT.into());
        if !content_type.contains('/') || !super::is_header_value(&content_type) {
            self.error(content_type.span.as_ref(), format!("{:?} is no type of a body", content_type.value));
        }
        let body = table
            .body
            .as_ref()
            .map_or_else(|| Template::literal(""), |body| self.template(body, &frame.parameters));
        let is_filled = body.variables().next().is_some();
        if is_filled && content_type.to_ascii_lowercase().starts_with("text/html") {
            let message = "what a client sent becomes part of a page: it could be a script";
            let span = table.body.as_ref().and_then(|body| body.span.clone());
            let problem = Problem::error(span, message);
            self.problems.push(problem.hint("answer with text/plain, or let a service make the page"));
        }
        if matches!(status, 204 | 304) && !body.as_str().is_empty() {
            self.error(span_of(&table.body).as_ref(), format!("an answer with {status} has no body"));
        }
        Some(RespondSpec { status, body, content_type: content_type.value })
    }
}

/// The actions of a route that are written, with their places.
fn actions(raw: &raw::Route) -> Vec<(&'static str, Option<Span>)> {
    let all = [
        ("files", raw.files.as_ref().map(|field| &field.span)),
        ("to", raw.to.as_ref().map(|field| &field.span)),
        ("redirect", raw.redirect.as_ref().map(|field| &field.span)),
        ("respond", raw.respond.as_ref().map(|field| &field.span)),
        ("topic", raw.topic.as_ref().map(|field| &field.span)),
        ("sse", raw.sse.as_ref().map(|field| &field.span)),
        ("websocket", raw.websocket.as_ref().map(|field| &field.span)),
        ("socketio", raw.socketio.as_ref().map(|field| &field.span)),
        ("key", raw.key.as_ref().map(|field| &field.span)),
        ("page", raw.page.as_ref().map(|field| &field.span)),
    ];
    all.into_iter().filter_map(|(word, span)| Some((word, span?.clone()))).collect()
}

/// Whether the place a redirect leads to begins with what a client chose.
fn is_open(template: &Template) -> bool {
    match template.parts() {
        [
            TemplatePart::Variable(
                Variable::Parameter(_)
                | Variable::QueryParameter(_)
                | Variable::Cookie(_)
                | Variable::Header(_),
            ),
            ..,
        ] => true,
        [
            TemplatePart::Text(text),
            TemplatePart::Variable(Variable::Parameter(_) | Variable::QueryParameter(_)),
            ..,
        ] => {
            matches!(text.as_str(), "/" | "//" | "http://" | "https://")
        }
        _ => false,
    }
}

fn encodings(field: &Field<Vec<Located<Encoding>>>, default: Vec<Encoding>) -> Vec<Encoding> {
    field.as_ref().map_or(default, |list| list.iter().map(|item| item.value).collect())
}
