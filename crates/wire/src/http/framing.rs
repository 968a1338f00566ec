//! Where a body ends (RFC 9112 6): what all who read a stream must agree on.

use super::{Fields, HeadFault, Method, Version};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// There is none.
    #[default]
    Empty,
    /// So many bytes.
    Length(u64),
    /// In chunks, with trailers.
    Chunked,
    /// Whatever comes until the connection ends; responses only.
    UntilClose,
}

impl Framing {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Empty | Self::Length(0))
    }

    /// The framing of a request.
    pub(super) fn of_request(version: Version, fields: &Fields) -> Result<Self, HeadFault> {
        let is_chunked = is_chunked(version, fields)?;
        match (is_chunked, length(fields)?) {
            (true, Some(_)) => Err(HeadFault::LengthAndCoding),
            (true, None) => Ok(Self::Chunked),
            (false, Some(length)) => Ok(Self::Length(length)),
            (false, None) => Ok(Self::Empty),
        }
    }

    /// The framing of the response to a request with `method`.
    pub(super) fn of_response(
        method: &Method,
        status: u16,
        version: Version,
        fields: &Fields,
    ) -> Result<Self, HeadFault> {
        let is_chunked = is_chunked(version, fields)?;
        let length = length(fields)?;
        if is_chunked && length.is_some() {
            return Err(HeadFault::LengthAndCoding);
        }
        let is_tunnel = *method == Method::Connect && (200..300).contains(&status);
        if *method == Method::Head || matches!(status, 100..200 | 204 | 304) || is_tunnel {
            return Ok(Self::Empty);
        }
        Ok(match length {
            _ if is_chunked => Self::Chunked,
            Some(length) => Self::Length(length),
            None => Self::UntilClose,
        })
    }
}

fn is_chunked(version: Version, fields: &Fields) -> Result<bool, HeadFault> {
    let Some(coding) = fields.only("transfer-encoding").map_err(|()| HeadFault::Coding)? else {
        return Ok(false);
    };
    if version == Version::Http10 {
        return Err(HeadFault::CodingInOldVersion);
    }
    if coding.eq_ignore_ascii_case(b"chunked") {
        return Ok(true);
    }
    let mut codings = super::tokens(coding).rev();
    let is_last = codings.next().is_some_and(|last| last.eq_ignore_ascii_case(b"chunked"));
    let is_twice = codings.any(|coding| coding.eq_ignore_ascii_case(b"chunked"));
    Err(if is_last && !is_twice { HeadFault::UnknownCoding } else { HeadFault::Coding })
}

/// One number in digits, once. The standard allows the same number several times to be taken for one; nobody needs it
/// but who hopes that another reads it otherwise.
fn length(fields: &Fields) -> Result<Option<u64>, HeadFault> {
    let Some(value) = fields.only("content-length").map_err(|()| HeadFault::Length)? else {
        return Ok(None);
    };
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(HeadFault::Length);
    }
    let number = str::from_utf8(value).ok().and_then(|digits| digits.parse::<i64>().ok());
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.map(Some).ok_or(HeadFault::Length)
}
