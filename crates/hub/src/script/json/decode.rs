//! From JSON to Lua.

use mlua::{Lua, Value};

use super::{DEPTH_MAX, number};
use crate::script::failure::Failure;

/// Reads a text that is one value.
pub(super) fn decode(lua: &Lua, text: &[u8]) -> Result<Value, Failure> {
    if text.len() > 1 && (text[0] == 0 || text[1] == 0) {
        return Err(Failure::text("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut reader = Reader { lua, text, at: 0, depth: 0 };
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.expected("the end"));
    }
    Ok(value)
}

struct Reader<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, Failure> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => {
                let text = self.string()?;
                Ok(Value::String(self.lua.create_string(text)?))
            }
            _ if self.take(b"true") => Ok(Value::Boolean(true)),
            _ if self.take(b"false") => Ok(Value::Boolean(false)),
            _ if self.take(b"null") => Ok(Value::NULL),
            // strtod would take it, the table of first characters does not.
            Some(b'.') => Err(self.expected("value")),
            _ => self.number().map(Value::Number).ok_or_else(|| self.expected("value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Failure>) -> Result<Value, Failure> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let (depth, at) = (self.depth, self.at + 1);
            return Err(Failure::Text(format!(
                "Found too many nested data structures ({depth}) at character {at}"
            )));
        }
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, Failure> {
        let table = self.lua.create_table()?;
        self.skip_space();
        if self.take(b"}") {
            return Ok(Value::Table(table));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.expected("object key string"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b":") {
                return Err(self.expected("colon"));
            }
            let value = self.value()?;
            table.raw_set(self.lua.create_string(key)?, value)?;
            self.skip_space();
            if self.take(b"}") {
                return Ok(Value::Table(table));
            }
            if !self.take(b",") {
                return Err(self.expected("comma or object end"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, Failure> {
        let table = self.lua.create_table()?;
        self.skip_space();
        if self.take(b"]") {
            return Ok(Value::Table(table));
        }
        let mut index = 0;
        loop {
            let value = self.value()?;
            index += 1;
            table.raw_seti(index, value)?;
            self.skip_space();
            if self.take(b"]") {
                return Ok(Value::Table(table));
            }
            if !self.take(b",") {
                return Err(self.expected("comma or array end"));
            }
        }
    }

    fn number(&mut self) -> Option<f64> {
        let (value, length) = number::prefix(&self.text[self.at..])?;
        self.at += length;
        Some(value)
    }

    fn string(&mut self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            let byte = self.peek().ok_or_else(|| self.broken("unexpected end of string"))?;
            self.at += 1;
            match byte {
                b'"' => return Ok(out),
                b'\\' => self.escape(&mut out)?,
                byte => out.push(byte),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let byte = self.peek().ok_or_else(|| self.broken("unexpected end of string"))?;
        self.at += 1;
        out.push(match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let character = self.unicode().ok_or_else(|| self.broken("invalid unicode escape code"))?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.broken("invalid escape code")),
        });
        Ok(())
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.take(b"\\u") {
            return None;
        }
        let second = self.hex().filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let text = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(text, 16).ok()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, word: &[u8]) -> bool {
        let there = self.text[self.at..].starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expected(&self, what: &str) -> Failure {
        let rest = &self.text[self.at..];
        let found = match rest.first() {
            None => "T_END",
            Some(b'{') => "T_OBJ_BEGIN",
            Some(b'}') => "T_OBJ_END",
            Some(b'[') => "T_ARR_BEGIN",
            Some(b']') => "T_ARR_END",
            Some(b',') => "T_COMMA",
            Some(b':') => "T_COLON",
            Some(b'"') => "T_STRING",
            Some(b'.') => "invalid token",
            _ if rest.starts_with(b"true") || rest.starts_with(b"false") => "T_BOOLEAN",
            _ if rest.starts_with(b"null") => "T_NULL",
            _ if number::prefix(rest).is_some() => "T_NUMBER",
            Some(b'-' | b'+') => "invalid number",
            Some(_) => "invalid token",
        };
        Failure::Text(format!("Expected {what} but found {found} at character {}", self.at + 1))
    }

    fn broken(&self, what: &str) -> Failure {
        Failure::Text(format!("Expected value but found {what} at character {}", self.at + 1))
    }
}
