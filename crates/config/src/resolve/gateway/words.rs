//! Words of routes, and where in them something is wrong.

use std::fmt::Display;
use std::str::FromStr;

use remuda_model::gateway::{HeaderName, Method, Pattern, PatternFault, Template, Variable};

use super::{is_header_value, listed};
use crate::nearest::nearest;
use crate::raw::{self, Field, Located, Span};
use crate::report::Problem;
use crate::resolve::Resolution;

/// Methods of RFC 9110, RFC 5789 (PATCH), and of WebDAV (RFC 4918, 3253, 5323). Any other word may be one too.
const STANDARD: [&str; 18] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
];

fn is_standard(word: &str) -> bool {
    STANDARD.contains(&word)
}

/// The standard method that `word` is one typing error away from. More than one makes it a word of its own: LIST is no
/// POST.
fn misspelt(word: &str) -> Option<&'static str> {
    STANDARD.into_iter().find(|known| strsim::damerau_levenshtein(word, known) == 1)
}

/// What somebody meant who wrote `path` without its slash, perhaps as the only word.
fn meant_by(path: &str, is_alone: bool) -> String {
    let upper: Vec<String> = path.split('|').map(str::to_ascii_uppercase).collect();
    let is_method = |word: &String| is_standard(word) || misspelt(word).is_some();
    if is_alone && upper.iter().all(is_method) {
        let methods: Vec<&str> =
            upper.iter().map(|word| misspelt(word).filter(|_| !is_standard(word)).unwrap_or(word)).collect();
        return format!("did you mean `/{path}`, or `{} *`?", methods.join("|"));
    }
    format!("did you mean `/{path}`?")
}

impl Resolution<'_> {
    /// A word that says itself what is wrong with it.
    pub(super) fn word<T: FromStr<Err: Display>>(&mut self, text: &Located<String>) -> Option<T> {
        text.parse().map_err(|why: T::Err| self.error(text.span.as_ref(), why.to_string())).ok()
    }

    /// The character at a byte of a text, where the text stands in the file as it is; else all of it.
    fn spot(&self, text: &Located<String>, at: usize) -> Option<Span> {
        let span = text.span.clone()?;
        let written = self.sources.text(&span);
        let is_plain = written.len() == text.len() + 2 && written.get(1..=text.len()) == Some(text.as_str());
        let length = text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        Some(if is_plain { span.start + 1 + at..span.start + 1 + at + length } else { span })
    }

    /// Methods and pattern of `match`.
    pub(super) fn matching(&mut self, written: &Field<String>) -> (Vec<Method>, Pattern) {
        let Some(text) = written else { return (Vec::new(), Pattern::any()) };
        let trimmed = text.trim();
        let (methods, path) = match trimmed.split_once(char::is_whitespace) {
            Some((methods, path)) => (methods, path.trim_start()),
            None if trimmed.split('|').all(is_standard) => (trimmed, "*"),
            None => ("", trimmed),
        };
        let mut known = Vec::new();
        for word in methods.split('|').filter(|_| !methods.is_empty()) {
            match word.parse::<Method>() {
                Ok(method) if known.contains(&method) => {
                    self.error(text.span.as_ref(), format!("{method} is there twice"));
                }
                Ok(method) => {
                    if let Some(meant) = misspelt(word) {
                        let message = format!("{word:?} is no method that anybody knows");
                        let problem = Problem::error(self.place_of(text, word), message);
                        self.problems.push(problem.nearest(Some(meant)));
                    }
                    known.push(method);
                }
                Err(why) => {
                    let message = format!("{word:?} is no method: {why}");
                    let problem = Problem::error(self.place_of(text, word), message);
                    self.problems.push(problem.hint("write methods and path: \"GET|POST /shorten\""));
                }
            }
        }
        let pattern = path.parse::<Pattern>().unwrap_or_else(|why| {
            let begin = text.len() - text.trim_start().len() + trimmed.len() - path.len();
            let at = path.char_indices().nth(why.column - 1).map_or(path.len(), |(at, _)| at);
            let problem = Problem::error(self.spot(text, begin + at), why.to_string());
            self.problems.push(match why.why {
                PatternFault::Slash => problem.hint(meant_by(path, methods.is_empty())),
                _ => problem,
            });
            Pattern::any()
        });
        (known, pattern)
    }

    /// Where a word of a text stands.
    fn place_of(&self, text: &Located<String>, word: &str) -> Option<Span> {
        let at = text.find(word).unwrap_or(0);
        self.spot(text, at).map(|spot| spot.start..spot.start + word.len().max(1))
    }

    /// A text with variables, each of which must be one of the route's.
    pub(super) fn template(&mut self, text: &Located<String>, parameters: &[String]) -> Template {
        let Some(template) = self.word::<Template>(text) else { return Template::literal("") };
        for variable in template.variables() {
            let Variable::Parameter(name) = variable else { continue };
            if !parameters.contains(name) {
                let written = format!("{{{name}}}");
                let place = text.span.as_ref().map(|span| self.sources.inside(span, &written));
                let problem = Problem::error(
                    place,
                    format!("{written} stands for nothing: neither `match` nor `params` has it"),
                );
                let known = Variable::RESERVED.into_iter().chain(parameters.iter().map(String::as_str));
                self.problems.push(problem.nearest(nearest(name, known)));
            }
        }
        template
    }

    /// A template whose fixed parts may stand in a header.
    pub(super) fn header_value(&mut self, text: &Located<String>, parameters: &[String]) -> Template {
        if !is_header_value(text) {
            self.error(
                text.span.as_ref(),
                "the value of a header has no control characters, and no blanks around it",
            );
        }
        self.template(text, parameters)
    }

    pub(super) fn header_name(&mut self, text: &Located<String>) -> Option<HeaderName> {
        let why = match HeaderName::new(text) {
            Ok(name) => return Some(name),
            Err(why) => why,
        };
        self.error(text.span.as_ref(), format!("{:?} is no name of a header: {why}", text.value));
        None
    }

    pub(super) fn header_names(&mut self, texts: &Field<raw::Texts>) -> Vec<HeaderName> {
        listed(texts).iter().filter_map(|text| self.header_name(text)).collect()
    }

    pub(super) fn methods(&mut self, texts: &Field<raw::Texts>) -> Vec<Method> {
        let mut methods = Vec::new();
        for text in listed(texts) {
            match Method::new(&text) {
                Ok(method) => methods.push(method),
                Err(why) => self.error(text.span.as_ref(), format!("{:?} is no method: {why}", text.value)),
            }
        }
        methods
    }

    /// Types of bodies, in lower case.
    pub(super) fn types(&mut self, texts: &Field<raw::Texts>) -> Vec<String> {
        let mut types = Vec::new();
        for text in listed(texts) {
            let is_token = |part: &str| HeaderName::new(part).is_ok();
            let lower = text.to_ascii_lowercase();
            match lower.split_once('/') {
                Some((kind, subtype)) if is_token(kind) && is_token(subtype) && !kind.contains('*') => {
                    types.push(lower);
                }
                _ => {
                    let problem =
                        Problem::error(text.span.clone(), format!("{:?} is no type of a body", text.value));
                    self.problems.push(problem.hint("write \"application/json\", or \"image/*\""));
                }
            }
        }
        types
    }

    /// A status of an answer.
    pub(super) fn status(&mut self, text: &Located<String>) -> Option<u16> {
        let status = text.parse().ok().filter(|status| (100..=599).contains(status));
        if status.is_none() {
            self.error(text.span.as_ref(), format!("{:?} is no status: write 100 to 599", text.value));
        }
        status
    }

    /// Origins of pages: `*`, or a scheme and a host, in which `*` may stand.
    pub(super) fn origins(&mut self, texts: &Field<raw::Texts>) -> Vec<String> {
        let mut origins = Vec::new();
        for text in listed(texts) {
            let host = text.split_once("://").map(|(_, host)| host);
            let is_origin = text.as_str() == "*"
                || text.as_str() == "null"
                || host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '?', '#']));
            if is_origin {
                origins.push(text.to_ascii_lowercase());
            } else {
                let problem = Problem::error(text.span.clone(), format!("{:?} is no origin", text.value));
                self.problems.push(problem.hint("write \"https://example.org\", without a path, or \"*\""));
            }
        }
        origins
    }
}
