//! Topics of the hub's own, which nobody hears who did not ask for them by name.
//!
//! A member that subscribes to everything means what others publish. Changes of the store are as many as there are writes,
//! and no business of somebody who does not know of them: they reach a member only by a subscription that begins with
//! their mark, and only one that is known to the hub.

/// A family of such topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// `store.<key>`: the store's changes.
    Store,
    /// `__keyspace@<n>__:…` and `__keyevent@<n>__:…`: the same, as Redis tells them.
    Keyspace,
    /// `lock.<name>`: what becomes of locks.
    Lock,
}

impl Reserved {
    /// All.
    pub(crate) const ALL: [Self; 3] = [Self::Store, Self::Keyspace, Self::Lock];

    /// The family of `text`, a topic or a subscription.
    #[must_use]
    pub fn of(text: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|family| text.starts_with(family.mark()))
    }

    /// What topics of the family begin with.
    pub(crate) fn mark(self) -> &'static [u8] {
        match self {
            Self::Store => b"store.",
            Self::Keyspace => b"__key",
            Self::Lock => b"lock.",
        }
    }
}
