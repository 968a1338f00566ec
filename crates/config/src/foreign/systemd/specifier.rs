//! `%i`, `%n` and their like, and the two shapes a value can take: native text, or plain text when no slot is in it.

use super::unit::UnitName;
use crate::foreign::draft::literal;

/// Which instance of a unit is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Instance {
    /// The unit is no template.
    None,
    /// `www@blue`.
    Fixed(String),
    /// The instances 0, 1, 2 … became the slots of one service.
    Slot,
}

/// What specifiers of one unit stand for.
#[derive(Debug, Clone)]
pub(super) struct Specifiers {
    pub(super) name: UnitName,
    pub(super) instance: Instance,
}

/// A value with its specifiers replaced.
#[derive(Debug, Clone, Default)]
pub(super) struct Expanded {
    /// For a string of the native file, where the slot is a placeholder.
    pub(super) native: String,
    /// As it is; `None` when it depends on the slot.
    pub(super) plain: Option<String>,
    /// Specifiers that stay because nobody knows them here.
    pub(super) unknown: Vec<String>,
}

impl Expanded {
    fn new() -> Self {
        Self { plain: Some(String::new()), ..Self::default() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.native.push_str(&literal(text));
        if let Some(plain) = &mut self.plain {
            plain.push_str(text);
        }
    }

    fn push_slot(&mut self) {
        self.native.push_str("$(slot)");
        self.plain = None;
    }
}

impl Specifiers {
    pub(super) fn expand(&self, text: &str) -> Expanded {
        let mut expanded = Expanded::new();
        let mut own = String::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                own.push(letter);
                continue;
            }
            let specifier = letters.next();
            if specifier == Some('%') {
                own.push('%');
                continue;
            }
            expanded.push(&std::mem::take(&mut own));
            self.one(specifier, &mut expanded);
        }
        expanded.push(&own);
        expanded
    }

    fn one(&self, specifier: Option<char>, expanded: &mut Expanded) {
        match specifier {
            Some('i' | 'I') => self.instance(specifier == Some('I'), expanded),
            Some('p') => expanded.push(&self.name.prefix),
            Some('P') => expanded.push(&unescaped(&self.name.prefix)),
            Some('n' | 'N') => {
                expanded.push(&self.name.prefix);
                if self.instance != Instance::None {
                    expanded.push("@");
                    self.instance(false, expanded);
                }
                if specifier == Some('n') {
                    expanded.push(&format!(".{}", self.name.kind));
                }
            }
            Some('t') => expanded.push("/run"),
            Some('S') => expanded.push("/var/lib"),
            Some('C') => expanded.push("/var/cache"),
            Some('L') => expanded.push("/var/log"),
            Some('E') => expanded.push("/etc"),
            Some('T') => expanded.push("/tmp"),
            Some('V') => expanded.push("/var/tmp"),
            other => {
                let text = other.map_or("%".to_owned(), |letter| format!("%{letter}"));
                expanded.push(&text);
                expanded.unknown.push(text);
            }
        }
    }

    fn instance(&self, unescape: bool, expanded: &mut Expanded) {
        match &self.instance {
            Instance::Slot => expanded.push_slot(),
            Instance::Fixed(instance) if unescape => expanded.push(&unescaped(instance)),
            Instance::Fixed(instance) => expanded.push(instance),
            Instance::None => {}
        }
    }
}

/// The escaping of unit names undone: `-` is `/`, `\xHH` a byte.
fn unescaped(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let code = rest
            .strip_prefix("\\x")
            .and_then(|rest| rest.get(..2))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = code {
            bytes.push(byte);
            rest = &rest[4..];
        } else {
            let mut buffer = [0; 4];
            let letter = if first == '-' { '/' } else { first };
            bytes.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
            rest = &rest[first.len_utf8()..];
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
