//! Changes of the store as messages of the bus.
//!
//! Every change is a message on the topic `store.<key>` (`store.<n>:<key>` in a database other than 0, and in that one too
//! where the key could be mistaken for such a topic: `0:7:x` stands for the key `7:x`), with a JSON object as payload; and where somebody listens, the two keyspace notifications that Redis knows. Topics below `store.`,
//! `__key` and `lock.` are ours alone: whoever hears one knows that it happened.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroU64;

use remuda_bus::Reserved;
use remuda_store::Change;

/// Topics that only the hub itself publishes on.
pub(crate) fn is_reserved(topic: &[u8]) -> bool {
    Reserved::of(topic).is_some()
}

/// What a subscription to `prefix` tells of: nothing of the store (`None`), keys of which not even the beginning is known
/// (`Some(None)`), or those that begin with something.
pub(crate) fn keys_told_on(prefix: &[u8]) -> Option<Option<&[u8]>> {
    if let Some(rest) = prefix.strip_prefix(b"store.") {
        return Some(match of_database(rest) {
            Some(key) => Some(key),
            // All keys of database 7, or those that begin with a 7.
            None if !rest.is_empty() && rest.iter().all(u8::is_ascii_digit) => None,
            None => Some(rest),
        });
    }
    if let Some(name) = prefix.strip_prefix(b"lock.") {
        // The name of a lock counts as a key.
        return Some(Some(name));
    }
    let rest = prefix.strip_prefix(b"__key")?;
    let Some(rest) = rest.strip_prefix(b"space@") else { return Some(None) };
    Some(rest.windows(3).position(|mark| mark == b"__:").map(|at| &rest[at + 3..]))
}

/// What stands behind `7:`.
fn of_database(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text[digits..].strip_prefix(b":").filter(|_| digits > 0)
}

/// Which keyspace notifications are sent: the flags of `notify-keyspace-events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notifications {
    keyspace: bool,
    keyevent: bool,
    classes: String,
}

/// What the letter `A` stands for.
const ALL_CLASSES: &str = "g$lshzxetd";
/// Classes that `A` leaves out.
const OTHER_CLASSES: &str = "mn";

impl Default for Notifications {
    /// All of both kinds: they cost nothing as long as nobody listens.
    fn default() -> Self {
        Self { keyspace: true, keyevent: true, classes: ALL_CLASSES.to_owned() }
    }
}

impl Notifications {
    /// Takes the flags as Redis writes them; says no, and changes nothing, when one is unknown.
    pub(crate) fn set(&mut self, flags: &[u8]) -> bool {
        let mut new = Self { keyspace: false, keyevent: false, classes: String::new() };
        for flag in flags.iter().map(|byte| char::from(*byte)) {
            match flag {
                'K' => new.keyspace = true,
                'E' => new.keyevent = true,
                'A' => new.classes.push_str(ALL_CLASSES),
                class if ALL_CLASSES.contains(class) || OTHER_CLASSES.contains(class) => {
                    new.classes.push(class);
                }
                _ => return false,
            }
        }
        *self = new;
        true
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if self.classes.is_empty() || !(self.keyspace || self.keyevent) {
            return text;
        }
        if ALL_CLASSES.chars().all(|class| self.classes.contains(class)) {
            text.push('A');
        } else {
            text.extend(ALL_CLASSES.chars().filter(|class| self.classes.contains(*class)));
        }
        text.extend(OTHER_CLASSES.chars().filter(|class| self.classes.contains(*class)));
        text.extend(self.keyspace.then_some('K'));
        text.extend(self.keyevent.then_some('E'));
        text
    }

    fn tells(&self, change: &Told) -> bool {
        self.classes.contains(change.class)
    }
}

/// A change, its key and value elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) database: u32,
    pub(crate) event: &'static str,
    pub(crate) class: char,
    pub(crate) revision: u64,
    pub(crate) previous: Option<u64>,
    pub(crate) deleted: bool,
    /// The server it was made on; none for this one.
    pub(crate) origin: Option<NonZeroU64>,
}

impl Told {
    pub(crate) fn of(change: &Change<'_>) -> Self {
        Self {
            database: change.database,
            event: change.event,
            class: change.class.letter(),
            revision: change.revision,
            previous: change.previous,
            deleted: change.deleted,
            origin: change.origin,
        }
    }
}

/// The notifications of `change`, each topic with its payload; `topic` is memory for the former.
pub(crate) fn notifications(
    wanted: &Notifications,
    change: &Told,
    key: &[u8],
    topic: &mut Vec<u8>,
    mut tell: impl FnMut(&[u8], &[u8]),
) {
    if !wanted.tells(change) {
        return;
    }
    if wanted.keyspace {
        topic.clear();
        let _ = write!(topic, "__keyspace@{}__:", change.database);
        topic.extend_from_slice(key);
        tell(topic, change.event.as_bytes());
    }
    if wanted.keyevent {
        topic.clear();
        let _ = write!(topic, "__keyevent@{}__:{}", change.database, change.event);
        tell(topic, key);
    }
}

/// The topic of a change in `database`; without a key it is about all of that.
pub(crate) fn topic(database: u32, key: Option<&[u8]>, topic: &mut Vec<u8>) {
    topic.clear();
    topic.extend_from_slice(b"store.");
    if database != 0 || key.and_then(of_database).is_some() {
        topic.extend_from_slice(format!("{database}:").as_bytes());
    }
    topic.extend_from_slice(key.unwrap_or_default());
}

/// The payload of `change`: `{"key":"…","event":"set","revision":7,"previous":5,"value":"…"}`. `key` is null for a change
/// of a whole database, `previous` for a new key; `"deleted":true` stands in place of a value for one that is gone; a
/// value that is no string, or longer than what events carry, is left out; `"origin"` names the server of the herd where a
/// shared key was changed, if that is another one. Bytes that are not UTF-8 are written as U+FFFD.
pub(crate) fn payload(change: &Told, key: Option<&[u8]>, value: Option<&[u8]>, text: &mut String) {
    text.clear();
    text.push_str("{\"key\":");
    match key {
        Some(key) => quoted(key, text),
        None => text.push_str("null"),
    }
    let _ = write!(text, ",\"event\":\"{}\",\"revision\":{},\"previous\":", change.event, change.revision);
    match change.previous {
        Some(previous) => {
            let _ = write!(text, "{previous}");
        }
        None => text.push_str("null"),
    }
    if change.deleted {
        text.push_str(",\"deleted\":true");
    } else if let Some(value) = value {
        text.push_str(",\"value\":");
        quoted(value, text);
    }
    if let Some(origin) = change.origin {
        let _ = write!(text, ",\"origin\":\"{origin:016x}\"");
    }
    text.push('}');
}

/// `bytes` as a JSON string.
pub(crate) fn quoted(bytes: &[u8], text: &mut String) {
    text.push('"');
    for chunk in bytes.utf8_chunks() {
        escaped(chunk.valid(), text);
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text.push('"');
}

fn escaped(valid: &str, text: &mut String) {
    if !valid.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        return text.push_str(valid);
    }
    for character in valid.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
}
