//! Why a WebSocket ends, as a number (RFC 6455 7.4, and IANA's registry).

/// The number a close frame may carry: 1000 to 1003, 1007 to 1014, 3000 to 4999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// Its purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server ends, or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The other side broke the rules.
    pub const PROTOCOL: Self = Self(1002);
    /// A kind of message that is not taken.
    pub const UNSUPPORTED: Self = Self(1003);
    /// A text that is no UTF-8.
    pub const INVALID_TEXT: Self = Self(1007);
    /// A message breaks a rule of whoever reads it.
    pub const POLICY: Self = Self(1008);
    /// A message is too long.
    pub const TOO_BIG: Self = Self(1009);
    /// The server failed.
    pub const INTERNAL: Self = Self(1011);
    /// The server has too much to do: come again later.
    pub const TRY_AGAIN: Self = Self(1013);

    /// Reads one; `None` if no close frame may carry it.
    #[must_use]
    pub fn new(code: u16) -> Option<Self> {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(Self(code))
    }

    /// As a number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}
