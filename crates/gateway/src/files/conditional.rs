//! Whether a client has what it asks for, or is about to overwrite what it has not seen (RFC 9110 13).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use remuda_wire::http::{Fields, Method};

#[cfg(test)]
mod tests;

/// What tells one state of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag as it is sent, with its quotes, and `W/` if it is weak.
    pub etag: String,
    /// When it was changed, in whole seconds, not in the future.
    pub modified: SystemTime,
}

/// What the conditions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As if there were none.
    Proceed,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

impl Validators {
    /// Of a file with `size`, changed at `modified`, known as `inode`, as of `now`. The tag is weak while the file is so
    /// young that it may change again within the same tick of its file system's clock.
    #[must_use]
    pub fn new(size: u64, modified: SystemTime, inode: u64, suffix: &str, now: SystemTime) -> Self {
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_settled = now.duration_since(modified).is_ok_and(|age| age >= SETTLED);
        let weak = if is_settled { "" } else { "W/" };
        let etag = format!("{weak}\"{:x}-{size:x}-{inode:x}{suffix}\"", since.as_nanos());
        let modified = if modified > now { now } else { modified };
        let seconds = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { etag, modified: UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    /// Judges the conditions of a request in the order of RFC 9110 13.2.2; Range and If-Range come after them.
    #[must_use]
    pub fn judge(&self, method: &Method, fields: &Fields) -> Verdict {
        if fields.contains("if-match") {
            if !self.is_listed(fields, "if-match", Comparison::Strong) {
                return Verdict::Failed;
            }
        } else if let Some(date) = date(fields, "if-unmodified-since")
            && self.modified > date
        {
            return Verdict::Failed;
        }
        let reads = matches!(method, Method::Get | Method::Head);
        if fields.contains("if-none-match") {
            if self.is_listed(fields, "if-none-match", Comparison::Weak) {
                return if reads { Verdict::NotModified } else { Verdict::Failed };
            }
        } else if reads
            && let Some(date) = date(fields, "if-modified-since")
            && self.modified <= date
        {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// Whether a Range is to be looked at: there is no If-Range, or it names this very state.
    #[must_use]
    pub fn allows_range(&self, fields: &Fields) -> bool {
        let Some(value) = fields.get_str("if-range") else { return !fields.contains("if-range") };
        if value.starts_with('"') || value.starts_with("W/") {
            return value == self.etag && !value.starts_with("W/");
        }
        httpdate::parse_http_date(value).is_ok_and(|date| date == self.modified)
    }

    fn is_listed(&self, fields: &Fields, name: &str, comparison: Comparison) -> bool {
        fields
            .get_all(name)
            .any(|list| list == b"*" || tags(list).any(|tag| comparison.is_same(tag, self.etag.as_bytes())))
    }
}

/// Clocks of file systems tick every 10 ms at least, those of network ones each second.
const SETTLED: Duration = Duration::from_secs(2);

/// How two tags are compared (RFC 9110 8.8.3.2).
#[derive(Clone, Copy)]
enum Comparison {
    Strong,
    Weak,
}

impl Comparison {
    fn is_same(self, one: &[u8], other: &[u8]) -> bool {
        let bare = |tag| <[u8]>::strip_prefix(tag, b"W/").unwrap_or(tag);
        match self {
            Self::Weak => bare(one) == bare(other),
            Self::Strong => one == other && !one.starts_with(b"W/"),
        }
    }
}

/// The tags of a list; a comma may stand in one.
fn tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        rest = &rest[start..];
        let open = memchr::memchr(b'"', rest)?;
        let close = open + 1 + memchr::memchr(b'"', &rest[open + 1..])?;
        let tag = &rest[..=close];
        rest = &rest[close + 1..];
        Some(tag)
    })
}

fn date(fields: &Fields, name: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(fields.get_str(name)?).ok()
}
