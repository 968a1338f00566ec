//! What the tests of scripts share: a store of a few commands, and answers as text.

mod ends;
mod errors;
mod kept;
mod uses;
mod values;
mod walls;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Answer, CallMode, Host, Limits, Request, Scripts, Source};

/// An answer as text: `[1, "a", nil]`.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Answer for Text {
    fn simple(&mut self, text: &str) {
        write!(self.0, "+{text} ").unwrap();
    }
    fn error(&mut self, text: &str) {
        write!(self.0, "-{text} ").unwrap();
    }
    fn integer(&mut self, value: i64) {
        write!(self.0, ":{value} ").unwrap();
    }
    fn bulk(&mut self, bytes: &[u8]) {
        write!(self.0, "${} ", bytes.escape_ascii()).unwrap();
    }
    fn null(&mut self) {
        self.0.push_str("_ ");
    }
    fn null_array(&mut self) {
        self.0.push_str("*-1 ");
    }
    fn array(&mut self, length: usize) {
        write!(self.0, "*{length} ").unwrap();
    }
    fn map(&mut self, length: usize) {
        write!(self.0, "%{length} ").unwrap();
    }
    fn set(&mut self, length: usize) {
        write!(self.0, "~{length} ").unwrap();
    }
    fn push(&mut self, length: usize) {
        write!(self.0, ">{length} ").unwrap();
    }
    fn double(&mut self, value: f64) {
        write!(self.0, ",{value} ").unwrap();
    }
    fn boolean(&mut self, value: bool) {
        write!(self.0, "#{value} ").unwrap();
    }
    fn verbatim(&mut self, format: &str, text: &[u8]) {
        write!(self.0, "={format}:{} ", text.escape_ascii()).unwrap();
    }
    fn big_number(&mut self, digits: &str) {
        write!(self.0, "({digits} ").unwrap();
    }
    fn is_resp3(&self) -> bool {
        true
    }
}

/// A store of strings.
#[derive(Debug, Default)]
struct Strings {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    calls: Vec<String>,
    logged: Vec<(u8, String)>,
}

impl Host for Strings {
    fn call(&mut self, command: &[&[u8]], mode: CallMode, answer: &mut dyn Answer) {
        let words: Vec<String> = command.iter().map(|word| word.escape_ascii().to_string()).collect();
        self.calls.push(words.join(" "));
        let name = command[0].to_ascii_uppercase();
        if mode.is_read_only && name != b"GET" {
            return answer.error("ERR Write commands are not allowed from read-only scripts.");
        }
        match (name.as_slice(), &command[1..]) {
            (b"GET", [key]) => match self.values.get(*key) {
                Some(value) => answer.bulk(value),
                None => answer.null(),
            },
            (b"SET", [key, value, ..]) => {
                self.values.insert(key.to_vec(), value.to_vec());
                answer.simple("OK");
            }
            (b"DEL", keys) => {
                let found = keys.iter().filter(|key| self.values.remove(**key).is_some());
                answer.integer(i64::try_from(found.count()).unwrap());
            }
            (b"EXISTS", [key]) => answer.integer(i64::from(self.values.contains_key(*key))),
            (b"PTTL", [_]) => answer.integer(1000),
            (b"PEXPIRE", [_, _]) => answer.integer(1),
            (b"TYPES", []) => {
                answer.map(2);
                answer.simple("list");
                answer.array(3);
                answer.integer(1);
                answer.null();
                answer.array(0);
                answer.bulk(b"more");
                answer.set(2);
                answer.double(0.5);
                answer.boolean(true);
            }
            (b"LPUSH", _) => {
                answer.error("WRONGTYPE Operation against a key holding the wrong kind of value");
            }
            (b"NESTED", []) => {
                answer.array(2);
                answer.error("ERR inside");
                answer.verbatim("txt", b"words");
            }
            _ => answer.error("ERR Unknown Redis command called from script"),
        }
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.logged.push((level, String::from_utf8_lossy(line).into_owned()));
    }
}

fn run_on(
    scripts: &mut Scripts,
    host: &mut Strings,
    script: &str,
    keys: &[&str],
    arguments: &[&str],
) -> String {
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    let source = Source::Text(script.as_bytes());
    let request = Request { source, keys: &keys, arguments: &arguments, is_read_only: false };
    let mut text = Text::default();
    scripts.run(request, host, &mut text);
    text.0.trim_end().to_owned()
}

/// What a script answers in a state of its own.
pub(super) fn eval(script: &str) -> String {
    run_on(
        &mut Scripts::new(Limits::default()).unwrap(),
        &mut Strings::default(),
        script,
        &["k1", "k2"],
        &["a1"],
    )
}
