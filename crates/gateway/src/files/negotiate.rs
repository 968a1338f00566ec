//! Which of the forms a file lies in is sent (RFC 9110 12.5.3).

use remuda_model::gateway;
use remuda_wire::http::{Fields, tokens};

#[cfg(test)]
mod tests;

/// A form a file can lie in beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
    /// gzip.
    Gzip,
}

impl Encoding {
    /// All, the one that is liked best first: by size at the highest level, which is what lies on a disk.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// As Content-Encoding has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The word of the config.
    #[must_use]
    pub fn word(self) -> gateway::Encoding {
        match self {
            Self::Brotli => gateway::Encoding::Br,
            Self::Zstd => gateway::Encoding::Zstd,
            Self::Gzip => gateway::Encoding::Gzip,
        }
    }

    /// What is put behind the name of a file.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }
}

/// The best of `available` that the client takes; `None` is the file as it is, also where the client would rather have
/// nothing: a file that cannot be read is of more use than 406.
pub fn choose(fields: &Fields, available: impl IntoIterator<Item = Encoding>) -> Option<Encoding> {
    let mut best: Option<(u16, Encoding)> = None;
    for encoding in available {
        let weight = weight(fields, encoding.name());
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, encoding));
        }
    }
    // What a client likes less than the file itself is not given to it.
    best.filter(|(weight, _)| identity(fields).is_none_or(|identity| *weight >= identity))
        .map(|(_, encoding)| encoding)
}

/// Thousandths of how much the client likes `name`; 0 is not at all, which is so without Accept-Encoding.
fn weight(fields: &Fields, name: &str) -> u16 {
    let mut any = 0;
    for token in fields.get_all("accept-encoding").flat_map(tokens) {
        let (coding, weight) = split(token);
        let is_alias = name == "gzip" && coding.eq_ignore_ascii_case(b"x-gzip");
        if coding.eq_ignore_ascii_case(name.as_bytes()) || is_alias {
            return weight;
        }
        if coding == b"*" {
            any = weight;
        }
    }
    any
}

/// How much the client likes the file as it is, if it says so.
fn identity(fields: &Fields) -> Option<u16> {
    let mut all = fields.get_all("accept-encoding").flat_map(tokens).map(split);
    all.find(|(coding, _)| coding.eq_ignore_ascii_case(b"identity")).map(|(_, weight)| weight)
}

/// A coding and its weight, 1000 unless it says otherwise; a weight that is none is 0.
fn split(token: &[u8]) -> (&[u8], u16) {
    let Some(end) = memchr::memchr(b';', token) else { return (token, 1000) };
    let (coding, parameter) = (token[..end].trim_ascii(), token[end + 1..].trim_ascii());
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="));
    (coding, value.and_then(thousandths).unwrap_or(0))
}

/// `0.75` as 750.
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = match text {
        [whole] => (*whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (*whole, fraction),
        _ => return None,
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| u16::from(fraction.get(at).map_or(0, |digit| digit - b'0'));
    match whole {
        b'0' => Some(digit(0) * 100 + digit(1) * 10 + digit(2)),
        b'1' => Some(1000),
        _ => None,
    }
}
