//! What comes back for a plan.

/// The one message for every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// There is a process, and this is its pid. From the process itself.
    Started(u32),
    /// There is none, by this error number. From the spawner.
    Refused(i32),
}

impl Answer {
    pub(super) fn encode(self) -> [u8; 5] {
        let (kind, [a, b, c, d]) = match self {
            Self::Started(pid) => (0, pid.to_le_bytes()),
            Self::Refused(errno) => (1, errno.to_le_bytes()),
        };
        [kind, a, b, c, d]
    }

    /// `None`: this is no answer.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [0, a, b, c, d] => Some(Self::Started(u32::from_le_bytes([a, b, c, d]))),
            [1, a, b, c, d] => Some(Self::Refused(i32::from_le_bytes([a, b, c, d]))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
