//! A text as a row of plain parts and placeholders.

use std::ops::Range;

use super::{ESCAPED, SubstituteError};
use crate::nearest::nearest;

/// A placeholder; the texts in it are parts of the text it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placeholder<'a> {
    /// Number of the descriptor of this socket.
    Descriptor(&'a str),
    /// Address of this socket.
    Address(&'a str),
    /// Port of this socket.
    Port(&'a str),
    /// Number of the slot, plus this.
    Slot(u32),
    /// Name of the service.
    Service,
    /// Generation of the worker.
    Generation,
    /// Wanted number of workers.
    Workers,
    /// A variable of the worker.
    Variable(&'a str),
}

impl Placeholder<'_> {
    /// The socket it speaks of.
    #[must_use]
    pub fn socket(&self) -> Option<&str> {
        match self {
            Self::Descriptor(name) | Self::Address(name) | Self::Port(name) => Some(name),
            Self::Slot(_) | Self::Service | Self::Generation | Self::Workers | Self::Variable(_) => None,
        }
    }
}

/// A part of a text.
#[derive(Debug)]
pub(super) enum Token<'a> {
    Text(&'a str),
    Placeholder(Range<usize>, Placeholder<'a>),
}

/// The words that stand alone, for hints.
const WORDS: [&str; 10] = [
    "slot",
    "service",
    "generation",
    "workers",
    "circus.wid",
    "circus.numprocesses",
    "socket.NAME",
    "address.NAME",
    "port.NAME",
    "env.NAME",
];

/// How each dialect begins and ends, the longer beginning first.
const DIALECTS: [(&str, &str); 4] = [("((circus.", "))"), ("${circus.", "}"), ("{SOCKET:", "}"), ("$(", ")")];

/// Length of the beginning of a placeholder at the start of `text`, 0 if there is none. `$$((circus.` escapes
/// `((circus.`, so a `$` right before that stands alone.
pub(super) fn opener(text: &str) -> usize {
    if text.starts_with("$((circus.") {
        return 0;
    }
    DIALECTS.iter().find(|(begin, _)| text.starts_with(begin)).map_or(0, |(begin, _)| begin.len())
}

/// The parts of `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SubstituteError> {
    let mut found = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while let Some(offset) = text[at..].find(['$', '(', '{']) {
        at += offset;
        let here = &text[at..];
        if let Some(opener) = here.strip_prefix("$$").and_then(escaped) {
            found.push(Token::Text(&text[plain..at]));
            // `$$(` stands for `$(`, but `$$((circus.` and `$${SOCKET:` stand for what follows the dollars.
            plain = if opener == "(" || opener == "{circus." { at + 1 } else { at + 2 };
            at += 2 + opener.len();
            continue;
        }
        let length = opener(here);
        if length == 0 {
            at += 1;
            continue;
        }
        let (begin, end) = here.split_at(length);
        let close = DIALECTS.iter().find(|(opener, _)| *opener == begin).map_or(")", |(_, close)| close);
        let Some(inner) = end.find(close) else {
            return Err(SubstituteError::Unclosed { range: at..text.len(), text: here.to_owned() });
        };
        let range = at..at + length + inner + close.len();
        let placeholder = parse(begin, &end[..inner]).ok_or_else(|| unknown(text, &range, &end[..inner]))?;
        found.push(Token::Text(&text[plain..at]));
        at = range.end;
        plain = at;
        found.push(Token::Placeholder(range, placeholder));
    }
    found.push(Token::Text(&text[plain..]));
    Ok(found)
}

fn escaped(after: &str) -> Option<&'static str> {
    ESCAPED.iter().find(|opener| after.starts_with(**opener)).copied()
}

fn unknown(text: &str, range: &Range<usize>, word: &str) -> SubstituteError {
    let nearest = nearest(word, WORDS).map(str::to_owned);
    SubstituteError::Unknown { range: range.clone(), text: text[range.clone()].to_owned(), nearest }
}

fn parse<'a>(begin: &str, word: &'a str) -> Option<Placeholder<'a>> {
    match begin {
        "$(" => match word.strip_prefix("circus.") {
            Some(word) => circus(word),
            None => native(word),
        },
        "{SOCKET:" => Some(Placeholder::Descriptor(named(word)?)),
        _ => circus(word),
    }
}

fn native(word: &str) -> Option<Placeholder<'_>> {
    if let Some(number) = word.strip_prefix("slot+") {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        return if digits { number.parse().ok().map(Placeholder::Slot) } else { None };
    }
    Some(match word {
        "slot" => Placeholder::Slot(0),
        "service" => Placeholder::Service,
        "generation" => Placeholder::Generation,
        "workers" => Placeholder::Workers,
        _ => match word.split_once('.')? {
            ("socket" | "fd", name) => Placeholder::Descriptor(named(name)?),
            ("address", name) => Placeholder::Address(named(name)?),
            ("port", name) => Placeholder::Port(named(name)?),
            ("env", name) => Placeholder::Variable(named(name)?),
            _ => return None,
        },
    })
}

fn circus(word: &str) -> Option<Placeholder<'_>> {
    Some(match word {
        "wid" => Placeholder::Slot(1),
        "numprocesses" => Placeholder::Workers,
        _ => match word.split_once('.')? {
            ("sockets", name) => Placeholder::Descriptor(named(name)?),
            ("env", name) => Placeholder::Variable(named(name)?),
            _ => return None,
        },
    })
}

/// Names have no blanks and no brackets; what has is probably meant for a shell.
fn named(name: &str) -> Option<&str> {
    let ordinary = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@');
    (!name.is_empty() && name.chars().all(ordinary)).then_some(name)
}
