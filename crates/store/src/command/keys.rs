//! Where the keys of a command are: for permissions by name, for watching, for whoever routes.

use crate::number;

/// How a command's keys are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// It has none.
    None,
    /// From argument `first` to `last`, each `step`th; a negative `last` counts from the end.
    Span {
        /// The first key's position.
        first: u8,
        /// The last key's position.
        last: i8,
        /// The distance of two keys.
        step: u8,
    },
    /// Argument `count` says how many keys follow it; with `also`, that argument is a key too.
    Counted {
        /// Position of the number of keys.
        count: u8,
        /// Position of a key apart from those, zero for none.
        also: u8,
    },
    /// The first half of what follows the option `STREAMS`.
    AfterStreams,
    /// Argument 1, and the value of the last option `STORE`.
    SortStore,
}

impl KeyRule {
    /// One key, the first argument.
    pub const ONE: Self = Self::Span { first: 1, last: 1, step: 1 };
    /// Two keys, the first arguments.
    pub const TWO: Self = Self::Span { first: 1, last: 2, step: 1 };
    /// Every argument is a key.
    pub const ALL: Self = Self::Span { first: 1, last: -1, step: 1 };

    /// First key, last key and step as `COMMAND` answers them; zeros where that cannot say it.
    #[must_use]
    pub fn triple(self) -> (i64, i64, i64) {
        match self {
            Self::Span { first, last, step } => (first.into(), last.into(), step.into()),
            Self::Counted { also, .. } => (also.into(), also.into(), i64::from(also.min(1))),
            Self::SortStore => (1, 1, 1),
            Self::None | Self::AfterStreams => (0, 0, 0),
        }
    }
}

/// Positions of keys in a command.
#[derive(Debug, Clone)]
pub struct KeyPositions<'a> {
    command: &'a [&'a [u8]],
    apart: Option<usize>,
    next: usize,
    end: usize,
    step: usize,
}

impl<'a> KeyPositions<'a> {
    pub(crate) fn new(rule: KeyRule, command: &'a [&'a [u8]]) -> Self {
        let len = command.len();
        let (apart, next, end, step) = match rule {
            KeyRule::None => (None, 0, 0, 1),
            KeyRule::Span { first, last, step } => {
                let from_end = usize::from(last.unsigned_abs());
                let end = if last < 0 { (len + 1).saturating_sub(from_end) } else { from_end + 1 };
                (None, usize::from(first), end, usize::from(step.max(1)))
            }
            KeyRule::Counted { count, also } => {
                let first = usize::from(count) + 1;
                let counted = command.get(usize::from(count)).and_then(|text| number::integer(text));
                let counted = counted.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
                ((also > 0).then_some(usize::from(also)), first, first.saturating_add(counted), 1)
            }
            KeyRule::AfterStreams => {
                let first = streams(command).unwrap_or(len);
                (None, first, first + (len - first) / 2, 1)
            }
            KeyRule::SortStore => (sort_target(command), 1, 2, 1),
        };
        Self { command, apart: apart.filter(|&at| at < len), next, end: end.min(len), step }
    }

    /// The keys themselves.
    pub fn names(self) -> impl Iterator<Item = &'a [u8]> {
        let command = self.command;
        self.map(move |position| command[position])
    }
}

impl Iterator for KeyPositions<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if let Some(position) = self.apart.take() {
            return Some(position);
        }
        let position = self.next;
        (position < self.end).then(|| {
            self.next += self.step;
            position
        })
    }
}

/// Where the streams of `XREAD` and `XREADGROUP` begin. Options are passed over with their values, as the command itself
/// reads them: a consumer may be called `STREAMS`.
fn streams(command: &[&[u8]]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += match command.get(at)?.to_ascii_lowercase().as_slice() {
            b"streams" => return Some(at + 1),
            b"group" => 3,
            b"block" | b"count" => 2,
            _ => 1,
        };
    }
}

/// Where the key stands that `SORT` writes to. Options are passed over with their values, as the command itself reads
/// them: the pattern of `GET` may be `store`.
fn sort_target(command: &[&[u8]]) -> Option<usize> {
    let (mut at, mut target) = (2, None);
    while let Some(word) = command.get(at) {
        at += match word.to_ascii_lowercase().as_slice() {
            b"limit" => 3,
            b"by" | b"get" => 2,
            b"store" => {
                target = Some(at + 1);
                2
            }
            _ => 1,
        };
    }
    target
}
