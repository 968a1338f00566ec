//! Words of `ExecStart=` and `Environment=`: quotes and C escapes as systemd reads them.

use std::iter::Peekable;
use std::str::Chars;

/// A word, and whether any of it was quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Splits `text`; `None` if a quote is not closed.
pub(super) fn split(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|letter| letter.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Some(words);
        }
        words.push(word(&mut rest)?);
    }
}

fn word(rest: &mut Peekable<Chars<'_>>) -> Option<Word> {
    let mut word = Word { text: String::new(), quoted: false };
    let mut quote = None;
    while let Some(letter) = rest.next_if(|letter| quote.is_some() || !letter.is_whitespace()) {
        match letter {
            '\\' => unescape(rest, &mut word.text),
            '"' | '\'' if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(letter);
                word.quoted = true;
            }
            other => word.text.push(other),
        }
    }
    quote.is_none().then_some(word)
}

/// What follows a backslash. An escape nobody knows stays as it is.
fn unescape(rest: &mut Peekable<Chars<'_>>, text: &mut String) {
    let Some(letter) = rest.next() else {
        text.push('\\');
        return;
    };
    let plain = match letter {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        's' => ' ',
        '\\' | '"' | '\'' | ';' => letter,
        'x' => return number(rest, 'x', 16, 2, text),
        'u' => return number(rest, 'u', 16, 4, text),
        'U' => return number(rest, 'U', 16, 8, text),
        '0'..='7' => {
            let mut digits = String::from(letter);
            digits.push_str(&digits_of(rest, 8, 2));
            return match u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32) {
                Some(character) => text.push(character),
                None => text.push_str(&format!("\\{digits}")),
            };
        }
        unknown => {
            text.extend(['\\', unknown]);
            return;
        }
    };
    text.push(plain);
}

fn number(rest: &mut Peekable<Chars<'_>>, lead: char, radix: u32, length: usize, text: &mut String) {
    let digits = digits_of(rest, radix, length);
    match u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32) {
        Some(character) if digits.len() == length => text.push(character),
        _ => text.push_str(&format!("\\{lead}{digits}")),
    }
}

fn digits_of(rest: &mut Peekable<Chars<'_>>, radix: u32, length: usize) -> String {
    let mut digits = String::new();
    while digits.len() < length {
        let Some(digit) = rest.next_if(|letter| letter.is_digit(radix)) else { break };
        digits.push(digit);
    }
    digits
}
