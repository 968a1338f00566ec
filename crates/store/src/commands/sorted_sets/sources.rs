//! The arguments of `ZUNION` and its kin: keys of sorted sets and of sets, weights, and how scores meet.

use crate::commands::is_word;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::number;
use crate::sorted_set::SortedSet;
use crate::value::{Set, Value};

/// How the scores of one member in several sets become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

/// Which options a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Its name, for errors.
    pub(super) name: &'static str,
    /// `WEIGHTS` and `AGGREGATE`.
    pub(super) has_weights: bool,
    /// `WITHSCORES`.
    pub(super) has_scores: bool,
    /// `LIMIT`.
    pub(super) has_limit: bool,
}

/// The arguments, read.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    pub(super) keys: &'a [&'a [u8]],
    /// One for each key, or none at all when each is one.
    pub(super) weights: Vec<f64>,
    pub(super) aggregate: Aggregate,
    pub(super) with_scores: bool,
    /// Zero for no limit.
    pub(super) limit: usize,
}

/// One of the sets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// The key does not exist.
    Missing,
    /// A set, whose members have the score one.
    Plain(&'a Set),
    /// A sorted set.
    Sorted(&'a SortedSet),
}

impl Aggregate {
    /// The two scores as one; infinities that cancel out are zero.
    pub(super) fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Sum => zero_if_nan(left + right),
            Self::Min => left.min(right),
            Self::Max => left.max(right),
        }
    }
}

impl<'a> Sources<'a> {
    /// Reads the number of keys, the keys, whose types are looked at, and the options.
    pub(super) fn parse(
        words: &'a [&'a [u8]],
        dialect: Dialect,
        names: &mut Keys<'_>,
    ) -> Result<Self, Failure> {
        let count = number::integer_argument(words[0])?;
        let count = usize::try_from(count).ok().filter(|&count| count > 0).ok_or_else(|| {
            Failure::Text(format!("ERR at least 1 input key is needed for '{}' command", dialect.name).into())
        })?;
        let (keys, mut rest) = words[1..].split_at_checked(count).ok_or(Failure::Syntax)?;
        let mut sources =
            Self { keys, weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        // Whose time is over is removed first, and the log hears of it before the result.
        for key in keys {
            names.exists(key);
        }
        sources.fetch(names)?;
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            if dialect.has_weights && is_word(word, "WEIGHTS") && after.len() >= count {
                let (weights, after) = after.split_at(count);
                sources.weights = weights.iter().map(|text| weight(text)).collect::<Result<_, _>>()?;
                rest = after;
            } else if dialect.has_weights && is_word(word, "AGGREGATE") && !after.is_empty() {
                sources.aggregate = aggregate(after[0])?;
                rest = &after[1..];
            } else if dialect.has_scores && is_word(word, "WITHSCORES") {
                sources.with_scores = true;
            } else if dialect.has_limit && is_word(word, "LIMIT") && !after.is_empty() {
                sources.limit = limit(after[0])?;
                rest = &after[1..];
            } else {
                return Err(Failure::Syntax);
            }
        }
        Ok(sources)
    }

    /// The sets themselves with their weights, in the order given.
    pub(super) fn fetch<'k>(&self, keys: &'k Keys<'_>) -> Result<Vec<(Source<'k>, f64)>, Failure> {
        let weight = |index: usize| self.weights.get(index).copied().unwrap_or(1.0);
        let fetched = self.keys.iter().enumerate().map(|(index, key)| {
            let source = match keys.entry(key).map(|entry| &entry.value) {
                None => Source::Missing,
                Some(Value::Set(set)) => Source::Plain(set),
                Some(Value::SortedSet(set)) => Source::Sorted(set),
                Some(_) => return Err(Failure::WrongType),
            };
            Ok((source, weight(index)))
        });
        fetched.collect()
    }
}

impl<'a> Source<'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Plain(set) => set.len(),
            Self::Sorted(set) => set.len(),
        }
    }

    /// The score of a member, if it is one.
    pub(super) fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Missing => None,
            Self::Plain(set) => set.contains(member).then_some(1.0),
            Self::Sorted(set) => set.score(member),
        }
    }

    /// Member number `index` and its score.
    pub(super) fn at(self, index: usize) -> Option<(&'a [u8], f64)> {
        match self {
            Self::Missing => None,
            Self::Plain(set) => set.at(index).map(|member| (member, 1.0)),
            Self::Sorted(set) => set.by_index(index),
        }
    }

    /// All members and their scores, in no order.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a [u8], f64)> {
        (0..self.len()).filter_map(move |index| self.at(index))
    }
}

/// A score under a weight; zero times infinity is zero.
pub(super) fn weighted(score: f64, weight: f64) -> f64 {
    zero_if_nan(score * weight)
}

fn zero_if_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

fn weight(text: &[u8]) -> Result<f64, Failure> {
    number::float(text).ok_or(Failure::text("ERR weight value is not a float"))
}

fn aggregate(word: &[u8]) -> Result<Aggregate, Failure> {
    match word {
        word if is_word(word, "SUM") => Ok(Aggregate::Sum),
        word if is_word(word, "MIN") => Ok(Aggregate::Min),
        word if is_word(word, "MAX") => Ok(Aggregate::Max),
        _ => Err(Failure::Syntax),
    }
}

fn limit(text: &[u8]) -> Result<usize, Failure> {
    const NEGATIVE: Failure = Failure::text("ERR LIMIT can't be negative");
    let limit = number::integer(text).ok_or(NEGATIVE)?;
    usize::try_from(limit).map_err(|_negative| NEGATIVE)
}
