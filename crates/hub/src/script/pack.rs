//! `struct`: values as bytes of a C structure, as the Lua library of that name packs them.
//!
//! The format is a row of letters: `b B h H l L T i I` integers, `f d x s c` floats, padding and strings, `> < = !`
//! byte order and alignment. `c0` takes its length from the number before it, when it is unpacked.

use mlua::{Lua, Table, Value};

use super::failure::Failure;
use super::library::{bytes, define, double};
use super::numbers::{double as to_double, length, truncated};
use super::room::Room;

/// The widest integer.
const INTEGER_MAX: usize = 32;
/// Alignment on this machine, which `!` without a number means.
const ALIGNMENT: usize = 8;
/// Longest string of padding or `c` in a format: it is allocated at once.
const BYTES_MAX: usize = 64 << 20;

/// The library.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    define(lua, &library, "pack", |lua, arguments| {
        let format = bytes(arguments, 0, "pack")?;
        Ok(vec![Value::String(lua.create_string(pack(&format, arguments)?)?)])
    })?;
    define(lua, &library, "unpack", |lua, arguments| {
        let (format, packed) = (bytes(arguments, 0, "unpack")?, bytes(arguments, 1, "unpack")?);
        let from = if arguments.len() > 2 { truncated(double(arguments, 2, "unpack")?) } else { 1 };
        let from = usize::try_from(from).ok().and_then(|from| from.checked_sub(1));
        let from = from.ok_or_else(|| Failure::text("offset must be 1 or greater"))?;
        unpack(lua, &format, &packed, from)
    })?;
    define(lua, &library, "size", |_, arguments| {
        let format = bytes(arguments, 0, "size")?;
        let mut size = 0_usize;
        for field in Fields::new(&format) {
            let field = field?;
            if matches!(field.kind, Kind::Text | Kind::Fixed(0)) {
                return Err(Failure::text("variable-size format for options 's' or 'c0'"));
            }
            size = size + field.padding(size) + field.size();
        }
        Ok(vec![length(size)])
    })?;
    Ok(library)
}

fn pack(format: &[u8], arguments: &[Value]) -> Result<Vec<u8>, Failure> {
    let (mut out, mut next, mut room) = (Vec::new(), 1, Room::new());
    for field in Fields::new(format) {
        let field = field?;
        room.take(INTEGER_MAX)?;
        out.resize(out.len() + field.padding(out.len()), 0);
        match field.kind {
            Kind::Padding => out.push(0),
            Kind::Integer { size, .. } => {
                let integer = truncated(double(arguments, next, "pack")?);
                field.put(&integer.to_le_bytes(), size, integer < 0, &mut out);
            }
            #[expect(clippy::cast_possible_truncation, reason = "the format asks for single precision")]
            Kind::Single => {
                field.put(&(double(arguments, next, "pack")? as f32).to_le_bytes(), 4, false, &mut out);
            }
            Kind::Double => field.put(&double(arguments, next, "pack")?.to_le_bytes(), 8, false, &mut out),
            Kind::Text => {
                let text = bytes(arguments, next, "pack")?;
                room.take_more(text.len())?;
                out.extend(text);
                out.push(0);
            }
            Kind::Fixed(size) => {
                let text = bytes(arguments, next, "pack")?;
                let size = if size == 0 { text.len() } else { size };
                room.take_more(size)?;
                out.extend(
                    text.get(..size)
                        .ok_or_else(|| Failure::text("bad argument #2 to 'pack' (string too short)"))?,
                );
            }
        }
        next += usize::from(field.kind != Kind::Padding);
    }
    Ok(out)
}

fn unpack(lua: &Lua, format: &[u8], packed: &[u8], from: usize) -> Result<Vec<Value>, Failure> {
    let (mut values, mut at) = (Vec::new(), from);
    let short = || Failure::text("bad argument #2 to 'unpack' (data string too short)");
    for field in Fields::new(format) {
        let field = field?;
        at += field.padding(at);
        let rest = packed.get(at..).ok_or_else(short)?;
        let size = match field.kind {
            Kind::Text => rest
                .iter()
                .position(|byte| *byte == 0)
                .ok_or_else(|| Failure::text("unfinished string in data"))?,
            Kind::Fixed(0) => {
                let before: Option<Value> = values.pop();
                let size = before.as_ref().and_then(super::numbers::number).map(truncated);
                let size = size.and_then(|size| usize::try_from(size).ok());
                size.ok_or_else(|| Failure::text("format 'c0' needs a previous size"))?
            }
            _ => field.size(),
        };
        let part = rest.get(..size).ok_or_else(short)?;
        match field.kind {
            Kind::Padding => {}
            Kind::Integer { is_signed, .. } => values.push(Value::Number(field.integer(part, is_signed))),
            Kind::Single => values.push(Value::Number(f64::from(f32::from_le_bytes(field.little(part))))),
            Kind::Double => values.push(Value::Number(f64::from_le_bytes(field.little(part)))),
            Kind::Text | Kind::Fixed(_) => values.push(Value::String(lua.create_string(part)?)),
        }
        at += size + usize::from(field.kind == Kind::Text);
    }
    values.push(length(at + 1));
    Ok(values)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Padding,
    Integer { size: usize, is_signed: bool },
    Single,
    Double,
    Text,
    Fixed(usize),
}

/// One letter of a format, under what stood before it.
#[derive(Debug, Clone, Copy)]
struct Field {
    kind: Kind,
    is_big: bool,
    alignment: usize,
}

impl Field {
    fn size(&self) -> usize {
        match self.kind {
            Kind::Padding => 1,
            Kind::Integer { size, .. } | Kind::Fixed(size) => size,
            Kind::Single => 4,
            Kind::Double => 8,
            Kind::Text => 0,
        }
    }

    /// Bytes to the place at which it may stand.
    fn padding(&self, at: usize) -> usize {
        let natural = match self.kind {
            Kind::Integer { .. } | Kind::Single | Kind::Double => self.size().min(self.alignment),
            Kind::Padding | Kind::Text | Kind::Fixed(_) => 1,
        };
        at.next_multiple_of(natural.max(1)) - at
    }

    fn put(&self, little: &[u8], size: usize, is_negative: bool, out: &mut Vec<u8>) {
        let fill = if is_negative { 0xff } else { 0 };
        let start = out.len();
        out.extend((0..size).map(|index| little.get(index).copied().unwrap_or(fill)));
        if self.is_big {
            out[start..].reverse();
        }
    }

    fn little<const COUNT: usize>(&self, part: &[u8]) -> [u8; COUNT] {
        let mut bytes = [0; COUNT];
        bytes.copy_from_slice(part);
        if self.is_big {
            bytes.reverse();
        }
        bytes
    }

    /// The lowest eight bytes count, as there.
    fn integer(&self, part: &[u8], is_signed: bool) -> f64 {
        let mut little: Vec<u8> = part.to_vec();
        if self.is_big {
            little.reverse();
        }
        let is_negative = is_signed && little.last().is_some_and(|last| last & 0x80 != 0);
        little.resize(8.max(little.len()), if is_negative { 0xff } else { 0 });
        let mut word = [0; 8];
        word.copy_from_slice(&little[..8]);
        if is_signed {
            return to_double(i64::from_le_bytes(word));
        }
        let value = u64::from_le_bytes(word);
        i64::try_from(value)
            .map_or_else(|_| to_double(value.cast_signed()) + 18_446_744_073_709_551_616.0, to_double)
    }
}

struct Fields<'a> {
    format: &'a [u8],
    is_big: bool,
    alignment: usize,
}

impl<'a> Fields<'a> {
    fn new(format: &'a [u8]) -> Self {
        Self { format, is_big: cfg!(target_endian = "big"), alignment: 1 }
    }

    /// The number that follows, or the one that stands for none.
    fn number(&mut self, otherwise: usize) -> Result<usize, Failure> {
        let digits = self.format.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.format.split_at(digits);
        self.format = rest;
        if digits == 0 {
            return Ok(otherwise);
        }
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        number.ok_or_else(|| Failure::text("integral size overflow"))
    }

    fn letter(&mut self, letter: u8) -> Result<Option<Kind>, Failure> {
        let integer = |size, letter: u8| Some(Kind::Integer { size, is_signed: letter.is_ascii_lowercase() });
        Ok(match letter {
            b'b' | b'B' => integer(1, letter),
            b'h' | b'H' => integer(2, letter),
            b'l' | b'L' | b'T' => integer(8, letter),
            b'i' | b'I' => {
                let size = self.number(4)?;
                if !(1..=INTEGER_MAX).contains(&size) {
                    let text = format!("integral size {size} is larger than limit of {INTEGER_MAX}");
                    return Err(Failure::Text(text));
                }
                integer(size, letter)
            }
            b'f' => Some(Kind::Single),
            b'd' | b'n' => Some(Kind::Double),
            b'x' => Some(Kind::Padding),
            b's' => Some(Kind::Text),
            b'c' => {
                let size = self.number(1)?;
                if size > BYTES_MAX {
                    return Err(Failure::text("integral size overflow"));
                }
                Some(Kind::Fixed(size))
            }
            b'<' | b'>' | b'=' => {
                self.is_big = letter == b'>' || (letter == b'=' && cfg!(target_endian = "big"));
                None
            }
            b'!' => {
                let alignment = self.number(ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return Err(Failure::text("alignment is not a power of 2"));
                }
                self.alignment = alignment;
                None
            }
            b' ' => None,
            other => {
                return Err(Failure::Text(format!(
                    "bad argument #1 to 'pack' (invalid format option '{}')",
                    char::from(other)
                )));
            }
        })
    }
}

impl Iterator for Fields<'_> {
    type Item = Result<Field, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (letter, rest) = self.format.split_first()?;
            self.format = rest;
            match self.letter(*letter) {
                Ok(None) => {}
                Ok(Some(kind)) => {
                    return Some(Ok(Field { kind, is_big: self.is_big, alignment: self.alignment }));
                }
                Err(failure) => return Some(Err(failure)),
            }
        }
    }
}
