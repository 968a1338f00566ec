//! Ranges of internet addresses, as in `trusted_proxies = ["10.0.0.0/8"]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Addresses with a common beginning: `10.0.0.0/8`, `fd00::/8`; without a length, one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct IpRange {
    address: IpAddr,
    length: u32,
}

/// Why a text is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IpRangeError {
    /// Not of the form.
    #[error("{0:?} is no range of addresses: write \"10.0.0.0/8\", \"fd00::/8\" or \"192.0.2.1\"")]
    Form(String),
    /// Bits are set behind the length, which somebody probably did not mean.
    #[error("{text:?} has bits beyond its first {length}; the range is {range}")]
    Bits {
        /// As written.
        text: String,
        /// Its length.
        length: u32,
        /// The range without them.
        range: String,
    },
}

impl IpRange {
    /// Whether `address` is one of them. An IPv4 address that came as an IPv6 one (`::ffff:192.0.2.1`) is compared as
    /// what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.length).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.length).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        if self.length == whole {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.length)
        }
    }
}

impl FromStr for IpRange {
    type Err = IpRangeError;
    fn from_str(text: &str) -> Result<Self, IpRangeError> {
        let form = || IpRangeError::Form(text.chars().take(80).collect());
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().ok().ok_or_else(form)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => whole,
            Some(length) => length.parse().ok().filter(|length| *length <= whole).ok_or_else(form)?,
        };
        let first: IpAddr = match address {
            IpAddr::V4(own) => {
                let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                std::net::Ipv4Addr::from_bits(own.to_bits() & mask).into()
            }
            IpAddr::V6(own) => {
                let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
                std::net::Ipv6Addr::from_bits(own.to_bits() & mask).into()
            }
        };
        let range = Self { address: first, length };
        if first == address {
            return Ok(range);
        }
        Err(IpRangeError::Bits { text: text.to_owned(), length, range: range.to_string() })
    }
}

impl TryFrom<String> for IpRange {
    type Error = IpRangeError;
    fn try_from(text: String) -> Result<Self, IpRangeError> {
        text.parse()
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        range.to_string()
    }
}
