//! The name of a key, kept where its entry is: looking a key up then misses the cache once less.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// The longest name that needs no memory of its own: with its length and the mark it is as large as three words.
const INLINE_MAX: usize = 22;

/// Bytes that compare and hash as a slice does.
#[derive(Clone)]
pub(crate) struct Name(Place);

#[derive(Clone)]
enum Place {
    Inline { len: u8, bytes: [u8; INLINE_MAX] },
    Apart(Box<[u8]>),
}

impl Name {
    /// Bytes it takes beside its own size.
    pub(crate) fn apart_bytes(name: &[u8]) -> usize {
        if name.len() <= INLINE_MAX { 0 } else { name.len() }
    }
}

impl From<&[u8]> for Name {
    fn from(name: &[u8]) -> Self {
        let mut bytes = [0; INLINE_MAX];
        match (bytes.get_mut(..name.len()), u8::try_from(name.len())) {
            (Some(inline), Ok(len)) => {
                inline.copy_from_slice(name);
                Self(Place::Inline { len, bytes })
            }
            _ => Self(Place::Apart(name.into())),
        }
    }
}

impl Deref for Name {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Inline { len, bytes } => &bytes[..usize::from(*len).min(INLINE_MAX)],
            Place::Apart(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests;
