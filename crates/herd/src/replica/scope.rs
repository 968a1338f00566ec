//! Which keys are the herd's, and which stay on the server they were written on.
//!
//! Decided by the key's name alone: the longest prefix that fits says it, and a default where none does. All servers
//! must have the same rules, or one would take for deleted what it never kept; so the rules have a fingerprint, which
//! servers compare before they compare anything else.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::replica::fold;

/// Where a key lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// On one server.
    Local,
    /// On every server of the herd.
    Herd,
}

/// The rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scopes {
    prefixes: BTreeMap<Box<[u8]>, Scope>,
    otherwise: Scope,
}

impl Scopes {
    /// Rules by prefix, and what holds where no prefix fits.
    pub fn new<'a>(prefixes: impl IntoIterator<Item = (&'a [u8], Scope)>, otherwise: Scope) -> Self {
        let prefixes = prefixes.into_iter().map(|(prefix, scope)| (prefix.into(), scope)).collect();
        Self { prefixes, otherwise }
    }

    /// The scope of a key.
    #[must_use]
    pub fn of(&self, key: &[u8]) -> Scope {
        // Of all names not above the key's, its prefixes share the longest beginning with it: the search goes down
        // from the key and shortens it to what the neighbour has in common.
        let mut end = key.len();
        loop {
            let below = (Bound::Unbounded, Bound::Included(&key[..end]));
            let Some((prefix, scope)) = self.prefixes.range::<[u8], _>(below).next_back() else {
                return self.otherwise;
            };
            if key.starts_with(prefix) {
                return *scope;
            }
            end = prefix.iter().zip(key).take_while(|(left, right)| left == right).count();
        }
    }

    /// Equal where the rules are.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut sum = u64::from(self.otherwise == Scope::Herd);
        for (prefix, scope) in &self.prefixes {
            sum = fold::mix(sum, fold::bytes(prefix) ^ u64::from(*scope == Scope::Herd));
        }
        sum
    }
}
