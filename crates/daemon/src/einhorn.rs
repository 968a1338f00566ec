//! The command socket of einhorn, as far as workers speak it: one message a line, a YAML or JSON mapping with `%`
//! written as `%25` and line ends as `%0A`.
//!
//! Only the mapping of plain values that einhorn's clients send is understood, not YAML at large.

use std::collections::BTreeMap;

use serde_json::Value;

/// Longest line, bytes, without its end.
pub(crate) const LINE_MAX_BYTES: usize = 8 * 1024;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// `worker:ack`: this worker serves. Has no reply.
    Ack {
        /// The worker.
        pid: u32,
    },
    /// `worker:ping`: this worker lives. Has no reply.
    Ping {
        /// The worker.
        pid: u32,
        /// The request it is at, if it says so.
        request_id: Option<String>,
    },
    /// A command of einhorn's shell, which is not spoken here.
    Other {
        /// Its name.
        name: String,
        /// To be repeated in the reply.
        id: Option<String>,
    },
}

/// Why a line is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseError {
    /// Longer than 8 KiB.
    #[error("a line of {0} bytes is longer than {LINE_MAX_BYTES}")]
    TooLong(usize),
    /// No UTF-8.
    #[error("the line is not UTF-8")]
    Encoding,
    /// No mapping of plain values.
    #[error("the line is no mapping of plain values")]
    Form,
    /// No `command` in it.
    #[error("the message has no command")]
    NoCommand,
    /// An ack or ping without a pid.
    #[error("{0} needs the pid of the worker")]
    NoPid(&'static str),
}

/// Reads one line, without its end.
///
/// # Errors
/// [`ParseError`]; the client is then told [`not_parsed`].
pub(crate) fn parse(line: &[u8]) -> Result<Command, ParseError> {
    if line.len() > LINE_MAX_BYTES {
        return Err(ParseError::TooLong(line.len()));
    }
    let line = std::str::from_utf8(line).ok().ok_or(ParseError::Encoding)?;
    let text = line.replace("%0A", "\n").replace("%25", "%");
    let fields = mapping(&text).ok_or(ParseError::Form)?;
    let pid = |command| {
        let pid = fields.get("pid").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0);
        pid.ok_or(ParseError::NoPid(command))
    };
    match fields.get("command").map(String::as_str) {
        None => Err(ParseError::NoCommand),
        Some("worker:ack") => Ok(Command::Ack { pid: pid("worker:ack")? }),
        Some("worker:ping") => {
            Ok(Command::Ping { pid: pid("worker:ping")?, request_id: fields.get("request_id").cloned() })
        }
        Some(name) => Ok(Command::Other { name: name.to_owned(), id: fields.get("id").cloned() }),
    }
}

/// The line, with its end, that tells `message` to the client whose message had this `id`.
pub(crate) fn reply(message: &str, id: Option<&str>) -> String {
    let mut fields = BTreeMap::from([("message", message)]);
    fields.extend(id.map(|id| ("request_id", id)));
    // A JSON mapping is a YAML mapping too, and strings as keys and values are always JSON.
    let text = serde_json::to_string(&fields).unwrap_or_default();
    format!("{}\n", text.replace('%', "%25").replace('\n', "%0A"))
}

/// The reply to a line that is no message, as einhorn words it.
pub(crate) fn not_parsed() -> String {
    reply("Could not parse command", None)
}

/// The reply to a command that is not spoken here.
pub(crate) fn unrecognized(name: &str, id: Option<&str>) -> String {
    let spoken = "worker:ack and worker:ping are understood here; for all else there is the remuda command";
    reply(&format!("Unrecognized command: {name:?}. {spoken}"), id)
}

fn mapping(text: &str) -> Option<BTreeMap<String, String>> {
    let text = text.trim();
    let text = text.strip_prefix("---").unwrap_or(text).trim();
    if let Ok(Value::Object(fields)) = serde_json::from_str(text) {
        return fields.into_iter().map(|(key, value)| plain(&value).map(|value| (key, value))).collect();
    }
    match text.strip_prefix('{') {
        Some(flow) => entries(flow.strip_suffix('}')?.split(',')),
        None => entries(text.lines()),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn entries<'a>(entries: impl Iterator<Item = &'a str>) -> Option<BTreeMap<String, String>> {
    let written = entries
        .map(str::trim)
        .filter(|entry| !entry.is_empty() && !entry.starts_with('#') && *entry != "...");
    written.map(entry).collect()
}

fn entry(text: &str) -> Option<(String, String)> {
    // Ruby writes a symbol as a key with a colon before it.
    let text = text.strip_prefix(':').unwrap_or(text);
    let (key, value) = text.split_once(": ").or_else(|| text.strip_suffix(':').map(|key| (key, "")))?;
    Some((scalar(key)?, scalar(value)?))
}

fn scalar(text: &str) -> Option<String> {
    let text = text.trim();
    match text.bytes().next() {
        Some(b'"') => serde_json::from_str(text).ok(),
        Some(b'\'') => Some(text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'")),
        Some(b'[' | b'{' | b'&' | b'*' | b'!' | b'|' | b'>') => None,
        _ => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
