//! `BITFIELD`: integers of any width at any place of a string.

use super::{bit, put_bit, string_of};
use crate::call::{Call, Flow};
use crate::change::Class;
use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::value::{Digits, Text};

/// What becomes of a number that does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

/// A field's type: 1 to 64 bits when signed, 1 to 63 when not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Width {
    bits: u32,
    is_signed: bool,
}

/// What is done with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Get,
    Set(i64),
    Increment(i64),
}

/// One step of the command.
#[derive(Debug, Clone, Copy)]
struct Step {
    action: Action,
    width: Width,
    /// Number of the field's first bit.
    offset: usize,
    overflow: Overflow,
}

pub(super) fn bitfield(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let steps = steps(&command[2..], call.keys.value_max_bytes())?;
    run(call, command[1], &steps)
}

pub(super) fn bitfield_ro(call: &mut Call<'_>, command: &[&[u8]]) -> Result<Flow, Failure> {
    let steps = steps(&command[2..], call.keys.value_max_bytes())?;
    if steps.iter().any(|step| step.action != Action::Get) {
        return Err(Failure::text("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    run(call, command[1], &steps)
}

fn steps(words: &[&[u8]], value_max_bytes: usize) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let (action, width, place, after) = match after {
            [policy, after @ ..] if is_word(word, "OVERFLOW") => {
                overflow = Overflow::parse(policy)?;
                rest = after;
                continue;
            }
            [width, place, after @ ..] if is_word(word, "GET") => (None, width, place, after),
            [width, place, value, after @ ..] if is_word(word, "SET") || is_word(word, "INCRBY") => {
                (Some((is_word(word, "SET"), value)), width, place, after)
            }
            _ => return Err(Failure::Syntax),
        };
        let width = Width::parse(width)?;
        let offset = width.offset(place, value_max_bytes)?;
        let action = match action {
            None => Action::Get,
            Some((true, value)) => Action::Set(number::integer_argument(value)?),
            Some((false, value)) => Action::Increment(number::integer_argument(value)?),
        };
        steps.push(Step { action, width, offset, overflow });
        rest = after;
    }
    Ok(steps)
}

fn run(call: &mut Call<'_>, key: &[u8], steps: &[Step]) -> Result<Flow, Failure> {
    call.keys.read::<Text>(key)?;
    let writes = steps.iter().filter(|step| step.action != Action::Get);
    let written_len = writes.map(|step| (step.offset + step.width.bits as usize).div_ceil(8)).max();
    let mut digits = Digits::new();
    let Some(len) = written_len else {
        let bytes = call.keys.read::<Text>(key)?.map_or(&[][..], |text| text.bytes(&mut digits));
        call.answer.array(steps.len());
        for step in steps {
            call.answer.integer(step.width.read(bytes, step.offset));
        }
        return Ok(Flow::Done);
    };
    let mut answers = Vec::with_capacity(steps.len());
    let bytes = string_of(call, key, len)?;
    for step in steps {
        answers.push(step.run(bytes));
    }
    call.answer.array(answers.len());
    for answer in answers {
        match answer {
            Some(value) => call.answer.integer(value),
            None => call.answer.null(),
        }
    }
    call.keys.changed(key, Class::Text, "setbit");
    Ok(Flow::Done)
}

impl Overflow {
    fn parse(word: &[u8]) -> Result<Self, Failure> {
        match word {
            word if is_word(word, "WRAP") => Ok(Self::Wrap),
            word if is_word(word, "SAT") => Ok(Self::Saturate),
            word if is_word(word, "FAIL") => Ok(Self::Fail),
            _ => Err(Failure::text("ERR Invalid OVERFLOW type specified")),
        }
    }
}

impl Width {
    fn parse(text: &[u8]) -> Result<Self, Failure> {
        const INVALID: Failure = Failure::text(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        );
        let (is_signed, digits) = match text {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return Err(INVALID),
        };
        let bits = number::integer(digits).and_then(|bits| u32::try_from(bits).ok());
        let bits = bits.filter(|&bits| bits >= 1 && bits <= if is_signed { 64 } else { 63 });
        Ok(Self { bits: bits.ok_or(INVALID)?, is_signed })
    }

    /// Number of the first bit; `#3` is the place of the fourth such field.
    fn offset(self, text: &[u8], value_max_bytes: usize) -> Result<usize, Failure> {
        const INVALID: Failure = Failure::text("ERR bit offset is not an integer or out of range");
        let (digits, factor) = match text {
            [b'#', digits @ ..] => (digits, self.bits as usize),
            digits => (digits, 1),
        };
        let place = number::integer(digits).and_then(|place| usize::try_from(place).ok());
        let offset = place.and_then(|place| place.checked_mul(factor)).ok_or(INVALID)?;
        let is_within =
            offset.checked_add(self.bits as usize).is_some_and(|end| end.div_ceil(8) <= value_max_bytes);
        if is_within { Ok(offset) } else { Err(INVALID) }
    }

    fn read(self, bytes: &[u8], offset: usize) -> i64 {
        let bits = self.bits as usize;
        let raw = (0..bits).fold(0_u64, |raw, place| raw << 1 | u64::from(bit(bytes, offset + place)));
        if self.is_signed { self.wrap(i128::from(raw)) } else { raw.cast_signed() }
    }

    fn write(self, bytes: &mut [u8], offset: usize, value: i64) {
        for place in 0..self.bits {
            let is_set = value >> (self.bits - 1 - place) & 1 == 1;
            put_bit(bytes, offset + place as usize, is_set);
        }
    }

    fn min(self) -> i128 {
        if self.is_signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    fn max(self) -> i128 {
        (1 << (self.bits - u32::from(self.is_signed))) - 1
    }

    /// The number that the lowest bits of `value` are in this type.
    fn wrap(self, value: i128) -> i64 {
        let modulus = 1_i128 << self.bits;
        let lowest = value.rem_euclid(modulus);
        let wrapped = if lowest > self.max() { lowest - modulus } else { lowest };
        i64::try_from(wrapped).expect("a field has no more than 64 bits")
    }

    /// `value` as it is kept in this type; none when it is not.
    fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        if (self.min()..=self.max()).contains(&value) {
            return i64::try_from(value).ok();
        }
        match overflow {
            Overflow::Wrap => Some(self.wrap(value)),
            Overflow::Saturate => i64::try_from(value.clamp(self.min(), self.max())).ok(),
            Overflow::Fail => None,
        }
    }
}

impl Step {
    /// Does it; the answer, none when the number does not fit and nothing was done.
    fn run(&self, bytes: &mut [u8]) -> Option<i64> {
        let old = self.width.read(bytes, self.offset);
        match self.action {
            Action::Get => Some(old),
            Action::Set(value) => {
                // An unsigned field is given the bits of a negative number, which then overflow it.
                let value =
                    if self.width.is_signed { i128::from(value) } else { i128::from(value.cast_unsigned()) };
                let fitted = self.width.fit(value, self.overflow)?;
                self.width.write(bytes, self.offset, fitted);
                Some(old)
            }
            Action::Increment(by) => {
                let fitted = self.width.fit(i128::from(old) + i128::from(by), self.overflow)?;
                self.width.write(bytes, self.offset, fitted);
                Some(fitted)
            }
        }
    }
}
