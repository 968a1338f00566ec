//! The ranges commands ask sorted sets for: by score (`(1.5`, `+inf`) and by member (`[a`, `(b`, `-`, `+`).

use crate::number;

/// One end of a [`ScoreRange`].
#[derive(Debug, Clone, Copy, PartialEq)]
struct ScoreEnd {
    score: f64,
    is_exclusive: bool,
}

/// Scores from one to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreRange {
    min: ScoreEnd,
    max: ScoreEnd,
}

/// One end of a [`LexRange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LexEnd<'a> {
    Lowest,
    Highest,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

/// Members from one to another, by their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LexRange<'a> {
    min: LexEnd<'a>,
    max: LexEnd<'a>,
}

impl ScoreRange {
    /// Reads both ends; `None` when one is no number.
    pub(crate) fn parse(min: &[u8], max: &[u8]) -> Option<Self> {
        Some(Self { min: ScoreEnd::parse(min)?, max: ScoreEnd::parse(max)? })
    }

    /// Whether the range begins above `score`.
    pub(crate) fn is_above(&self, score: f64) -> bool {
        if self.min.is_exclusive { score <= self.min.score } else { score < self.min.score }
    }

    /// Whether the range ends below `score`.
    pub(crate) fn is_below(&self, score: f64) -> bool {
        if self.max.is_exclusive { score >= self.max.score } else { score > self.max.score }
    }
}

impl ScoreEnd {
    fn parse(text: &[u8]) -> Option<Self> {
        let (text, is_exclusive) = text.strip_prefix(b"(").map_or((text, false), |rest| (rest, true));
        // As C's `strtod` reads it: white space before the number is passed over, and nothing at all is 0.
        let score = if text.is_empty() { 0.0 } else { number::float(text.trim_ascii_start())? };
        Some(Self { score, is_exclusive })
    }
}

impl<'a> LexRange<'a> {
    /// Reads both ends; `None` when one has no `[` or `(` and is neither `-` nor `+`.
    pub(crate) fn parse(min: &'a [u8], max: &'a [u8]) -> Option<Self> {
        Some(Self { min: LexEnd::parse(min)?, max: LexEnd::parse(max)? })
    }

    /// Whether the range begins above `member`.
    pub(crate) fn is_above(&self, member: &[u8]) -> bool {
        match self.min {
            LexEnd::Lowest => false,
            LexEnd::Highest => true,
            LexEnd::Inclusive(min) => member < min,
            LexEnd::Exclusive(min) => member <= min,
        }
    }

    /// Whether the range ends below `member`.
    pub(crate) fn is_below(&self, member: &[u8]) -> bool {
        match self.max {
            LexEnd::Lowest => true,
            LexEnd::Highest => false,
            LexEnd::Inclusive(max) => member > max,
            LexEnd::Exclusive(max) => member >= max,
        }
    }
}

impl<'a> LexEnd<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        match text {
            b"-" => Some(Self::Lowest),
            b"+" => Some(Self::Highest),
            [b'[', member @ ..] => Some(Self::Inclusive(member)),
            [b'(', member @ ..] => Some(Self::Exclusive(member)),
            _ => None,
        }
    }
}
