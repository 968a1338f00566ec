//! The matching of one pattern against one subject, as Lua 5.1 does it, but never out of reach.
//!
//! Lua's own matcher calls itself for each item of the pattern, without a limit on depth, and looks at no clock: one
//! call can overflow the thread's stack, or last for ever. This one walks the same way through the same choices, so that
//! results and errors are the same, with the choices it can come back to on a list of its own, which has a limit; and
//! it looks at the clock now and then.
//!
//! A pattern ends at its first zero byte, since Lua 5.1 sees it as a string of C; a subject does not.

use super::classes::{ends_at, is_in_set, is_one};
use crate::script::bounds::Bounds;
use crate::script::failure::Failure;

/// Captures of one pattern, as Lua has it.
pub(super) const CAPTURES_MAX: usize = 32;
/// Choices that can be open at once: as many items as Lua's matcher survives on a stack of 8 MiB. They take 4 MB.
const CHOICES_MAX: usize = 100_000;
/// Choices whose memory is kept from match to match.
const CHOICES_KEPT: usize = 1_000;
/// Steps between two looks at the clock: some ten microseconds.
const STEPS: usize = 10_000;

/// One pattern and one subject.
#[derive(Debug)]
pub(super) struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    bounds: &'a Bounds,
    captures: [Capture; CAPTURES_MAX],
    level: usize,
    choices: Vec<Choice>,
    steps: usize,
}

/// What a capture has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// This piece of the subject, from and to.
    Piece(usize, usize),
    /// This position, from 0.
    Position(usize),
}

#[derive(Debug, Clone, Copy)]
struct Capture {
    start: usize,
    extent: Extent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Open,
    Position,
    Length(usize),
}

/// What can be tried otherwise, or has to be undone on the way back to it.
#[derive(Debug, Clone, Copy)]
enum Choice {
    /// Goes on at this place of the subject and this one of the pattern.
    Otherwise(usize, usize),
    /// The same with one repetition less, down to `low`.
    Fewer { low: usize, at: usize, next: usize },
    /// With one repetition more of the item at `item`, which ends at `end`.
    More { at: usize, item: usize, end: usize },
    /// The last capture was not begun.
    Begun,
    /// This one was not closed.
    Closed(usize),
}

/// Where a step leads.
enum Step {
    To(usize, usize),
    Done(usize),
    Fails,
}

impl<'a> Matcher<'a> {
    /// Of a pattern without its anchor.
    pub(super) fn new(subject: &'a [u8], pattern: &'a [u8], bounds: &'a Bounds) -> Self {
        let length = memchr::memchr(0, pattern).unwrap_or(pattern.len());
        let none = Capture { start: 0, extent: Extent::Open };
        Self {
            subject,
            pattern: &pattern[..length],
            bounds,
            captures: [none; CAPTURES_MAX],
            level: 0,
            choices: Vec::new(),
            steps: 0,
        }
    }

    /// The first match from `start` on, or only at `start` if it is anchored: where it begins and ends.
    pub(super) fn find(&mut self, start: usize, anchored: bool) -> Result<Option<(usize, usize)>, Failure> {
        for from in start..=self.subject.len() {
            if let Some(end) = self.match_at(from)? {
                // They are of no use any more, and whoever is called back with the match may look for others.
                if self.choices.capacity() > CHOICES_KEPT {
                    self.choices = Vec::new();
                }
                return Ok(Some((from, end)));
            }
            if anchored {
                break;
            }
        }
        Ok(None)
    }

    /// How many values a match gives; one without captures gives itself.
    pub(super) fn captures(&self, or_whole: bool) -> usize {
        if self.level == 0 && or_whole { 1 } else { self.level }
    }

    /// The capture `index` of the match from `from` to `to`.
    pub(super) fn capture(&self, index: usize, from: usize, to: usize) -> Result<Found, Failure> {
        if index >= self.level {
            return if index == 0 { Ok(Found::Piece(from, to)) } else { Err(invalid_index()) };
        }
        let Capture { start, extent } = self.captures[index];
        match extent {
            Extent::Open => Err(Failure::text("unfinished capture")),
            Extent::Position => Ok(Found::Position(start)),
            Extent::Length(length) => Ok(Found::Piece(start, start + length)),
        }
    }

    fn match_at(&mut self, from: usize) -> Result<Option<usize>, Failure> {
        self.level = 0;
        self.choices.clear();
        let (mut at, mut item) = (from, 0);
        loop {
            self.take(1)?;
            (at, item) = match self.step(at, item)? {
                Step::To(at, item) => (at, item),
                Step::Done(end) => return Ok(Some(end)),
                Step::Fails => match self.go_back()? {
                    Some(place) => place,
                    None => return Ok(None),
                },
            };
        }
    }

    fn step(&mut self, at: usize, item: usize) -> Result<Step, Failure> {
        match (self.byte(item), self.byte(item + 1)) {
            (Some(b'('), Some(b')')) => self.begin(at, item + 2, Extent::Position),
            (Some(b'('), _) => self.begin(at, item + 1, Extent::Open),
            (Some(b')'), _) => self.close(at, item + 1),
            (Some(b'%'), Some(b'b')) => self.balanced(at, item + 2),
            (Some(b'%'), Some(b'f')) => self.frontier(at, item + 2),
            (Some(b'%'), Some(digit)) if digit.is_ascii_digit() => self.again(at, item, digit),
            (None, _) => Ok(Step::Done(at)),
            (Some(b'$'), None) => Ok(if at == self.subject.len() { Step::Done(at) } else { Step::Fails }),
            (Some(_), _) => self.single(at, item),
        }
    }

    /// An item for one byte, and how often it may come.
    fn single(&mut self, at: usize, item: usize) -> Result<Step, Failure> {
        let end = self.end_of(item)?;
        let matches = self.matches(at, item, end)?;
        match self.byte(end) {
            Some(b'?') if matches => {
                self.remember(Choice::Otherwise(at, end + 1))?;
                Ok(Step::To(at + 1, end + 1))
            }
            Some(b'?') => Ok(Step::To(at, end + 1)),
            Some(b'*') => self.most(at, item, end),
            Some(b'+') if matches => self.most(at + 1, item, end),
            Some(b'-') => {
                self.remember(Choice::More { at, item, end })?;
                Ok(Step::To(at, end + 1))
            }
            Some(b'+') => Ok(Step::Fails),
            _ if matches => Ok(Step::To(at + 1, end)),
            _ => Ok(Step::Fails),
        }
    }

    /// As often as it can be.
    fn most(&mut self, low: usize, item: usize, end: usize) -> Result<Step, Failure> {
        let mut at = low;
        while self.matches(at, item, end)? {
            at += 1;
        }
        if at > low {
            self.remember(Choice::Fewer { low, at, next: end + 1 })?;
        }
        Ok(Step::To(at, end + 1))
    }

    fn begin(&mut self, at: usize, next: usize, extent: Extent) -> Result<Step, Failure> {
        let capture = self.captures.get_mut(self.level).ok_or_else(|| Failure::text("too many captures"))?;
        *capture = Capture { start: at, extent };
        self.level += 1;
        self.remember(Choice::Begun)?;
        Ok(Step::To(at, next))
    }

    fn close(&mut self, at: usize, next: usize) -> Result<Step, Failure> {
        let open = self.captures[..self.level].iter().rposition(|capture| capture.extent == Extent::Open);
        let index = open.ok_or_else(|| Failure::text("invalid pattern capture"))?;
        self.captures[index].extent = Extent::Length(at - self.captures[index].start);
        self.remember(Choice::Closed(index))?;
        Ok(Step::To(at, next))
    }

    /// `%b()`.
    fn balanced(&mut self, at: usize, item: usize) -> Result<Step, Failure> {
        let (Some(opens), Some(closes)) = (self.byte(item), self.byte(item + 1)) else {
            return Err(Failure::text("unbalanced pattern"));
        };
        if self.subject.get(at) != Some(&opens) {
            return Ok(Step::Fails);
        }
        let mut depth = 1;
        let found = self.subject[at + 1..].iter().position(|byte| {
            if *byte == closes {
                depth -= 1;
            } else if *byte == opens {
                depth += 1;
            }
            depth == 0
        });
        self.take(found.unwrap_or(self.subject.len() - at))?;
        Ok(found.map_or(Step::Fails, |more| Step::To(at + more + 2, item + 2)))
    }

    /// `%f[set]`: Lua 5.1 has it, and does not say so.
    fn frontier(&mut self, at: usize, item: usize) -> Result<Step, Failure> {
        if self.byte(item) != Some(b'[') {
            return Err(Failure::text("missing '[' after '%f' in pattern"));
        }
        let end = self.end_of(item)?;
        self.take(2 * (end - item))?;
        let set = &self.pattern[item..end];
        let before = at.checked_sub(1).map_or(0, |before| self.subject[before]);
        let here = self.subject.get(at).copied().unwrap_or(0);
        let is_frontier = !is_in_set(before, set) && is_in_set(here, set);
        Ok(if is_frontier { Step::To(at, end) } else { Step::Fails })
    }

    /// `%1`: what a capture has found, once more.
    fn again(&mut self, at: usize, item: usize, digit: u8) -> Result<Step, Failure> {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let index = index.filter(|index| *index < self.level).ok_or_else(invalid_index)?;
        let Capture { start, extent } = self.captures[index];
        let length = match extent {
            Extent::Open => return Err(invalid_index()),
            Extent::Position => return Ok(Step::Fails),
            Extent::Length(length) => length,
        };
        // Comparing is fast, and yet not free.
        self.take(length / 16)?;
        let is_again = self.subject[at..].starts_with(&self.subject[start..start + length]);
        Ok(if is_again { Step::To(at + length, item + 2) } else { Step::Fails })
    }

    /// The last place with something left to try.
    fn go_back(&mut self) -> Result<Option<(usize, usize)>, Failure> {
        while let Some(choice) = self.choices.pop() {
            self.take(1)?;
            match choice {
                Choice::Otherwise(at, item) => return Ok(Some((at, item))),
                Choice::Fewer { low, at, next } => {
                    if at - 1 > low {
                        self.choices.push(Choice::Fewer { low, at: at - 1, next });
                    }
                    return Ok(Some((at - 1, next)));
                }
                Choice::More { at, item, end } => {
                    if self.matches(at, item, end)? {
                        self.choices.push(Choice::More { at: at + 1, item, end });
                        return Ok(Some((at + 1, end + 1)));
                    }
                }
                Choice::Begun => self.level -= 1,
                Choice::Closed(index) => self.captures[index].extent = Extent::Open,
            }
        }
        Ok(None)
    }

    fn remember(&mut self, choice: Choice) -> Result<(), Failure> {
        if self.choices.len() >= CHOICES_MAX {
            return Err(Failure::text("pattern too complex"));
        }
        self.choices.push(choice);
        Ok(())
    }

    fn matches(&mut self, at: usize, item: usize, end: usize) -> Result<bool, Failure> {
        let Some(byte) = self.subject.get(at) else { return Ok(false) };
        self.take(end - item)?;
        Ok(is_one(*byte, &self.pattern[item..end]))
    }

    fn end_of(&mut self, item: usize) -> Result<usize, Failure> {
        let end = item + ends_at(&self.pattern[item..])?;
        self.take(end - item)?;
        Ok(end)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.pattern.get(at).copied()
    }

    /// Counts what was done.
    fn take(&mut self, steps: usize) -> Result<(), Failure> {
        self.steps += steps;
        if self.steps >= STEPS {
            self.steps = 0;
            self.bounds.look()?;
        }
        Ok(())
    }
}

fn invalid_index() -> Failure {
    Failure::text("invalid capture index")
}
