//! Reads the small JSON files of a data directory: `metadata` and `storage/version`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// A whole number of 64 bits.
    Integer(i64),
    Text(String),
    Object(Vec<(String, Json)>),
    /// Anything that no field of ours holds.
    Other,
}

/// Why a text is not JSON, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    what: &'static str,
    at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl Json {
    /// Reads a text that holds one value.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let Ok(text) = str::from_utf8(bytes) else { return Err(Malformed { what: "no UTF-8 text", at: 0 }) };
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.blank();
        if reader.at < text.len() { Err(reader.flaw("more than one value")) } else { Ok(value) }
    }

    /// The field of this name; the last one, if it stands there twice.
    pub(crate) fn get(&self, field: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().rev().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// No file of ours is nested deeper.
const MAX_DEPTH: usize = 100;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Json, Malformed> {
        self.blank();
        match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Err(self.flaw("values nested too deeply")),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
                let word = word.ok_or_else(|| self.flaw("no value"))?;
                self.at += word.len();
                Ok(Json::Other)
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Malformed> {
        let mut fields = Vec::new();
        self.items(b'}', |reader| {
            reader.blank();
            let name = reader.string()?;
            reader.blank();
            reader.expect(b':', "no colon")?;
            fields.push((name, reader.value(depth + 1)?));
            Ok(())
        })?;
        Ok(Json::Object(fields))
    }

    fn list(&mut self, depth: usize) -> Result<Json, Malformed> {
        self.items(b']', |reader| reader.value(depth + 1).map(drop))?;
        Ok(Json::Other)
    }

    /// What stands between brackets, separated by commas.
    fn items(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.at += 1;
        self.blank();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.blank();
            if self.peek() == Some(end) {
                self.at += 1;
                return Ok(());
            }
            self.expect(b',', "neither a comma nor an end")?;
        }
    }

    fn string(&mut self) -> Result<String, Malformed> {
        self.expect(b'"', "no text")?;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let mut chars = rest.chars();
            let char = chars.next().filter(|char| *char >= ' ');
            let char = char.ok_or_else(|| self.flaw("a text without an end"))?;
            self.at += char.len_utf8();
            match char {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                char => text.push(char),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let kind = self.peek().unwrap_or_default();
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let second = if (0xd800..0xdc00).contains(&first) {
                    self.expect(b'\\', "half a character")?;
                    self.expect(b'u', "half a character")?;
                    Some(self.unit()?)
                } else {
                    None
                };
                let units = core::iter::once(first).chain(second);
                let char = char::decode_utf16(units).next().and_then(Result::ok);
                char.ok_or_else(|| self.flaw("half a character"))?
            }
            _ => return Err(self.flaw("no escape")),
        })
    }

    fn unit(&mut self) -> Result<u16, Malformed> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.ok_or_else(|| self.flaw("no escape"))
    }

    fn number(&mut self) -> Result<Json, Malformed> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let zero = self.peek() == Some(b'0');
        if self.digits()? > 1 && zero {
            return Err(self.flaw("a number that begins with 0"));
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let digits = self.text.get(start..self.at).filter(|digits| whole == self.at && *digits != "-0");
        Ok(digits.and_then(|digits| digits.parse().ok()).map_or(Json::Other, Json::Integer))
    }

    fn digits(&mut self) -> Result<usize, Malformed> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.flaw("no digit")) } else { Ok(self.at - start) }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(self.flaw(what));
        }
        self.at += 1;
        Ok(())
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn flaw(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at.min(self.text.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = r#" {"a": -12, "b" : "x\n\u00e9\ud83d\ude00", "c": [1, {}, [], true, null], "d": 1.5e3, "a": 7} "#;
        let json = Json::parse(text.as_bytes()).unwrap();
        assert_eq!(json.get("a").and_then(Json::integer), Some(7));
        assert_eq!(json.get("b").and_then(Json::text), Some("x\né😀"));
        assert_eq!((json.get("c"), json.get("d")), (Some(&Json::Other), Some(&Json::Other)));
        assert_eq!(json.get("e"), None);
        assert_eq!(Json::parse(b"9223372036854775807").unwrap().integer(), Some(i64::MAX));
        assert_eq!(Json::parse(b"9223372036854775808").unwrap().integer(), None);
    }

    #[test]
    fn what_is_no_json() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "01",
            "-",
            "1.",
            "1e",
            "tru",
            "\"\\x\"",
            "\"\n\"",
            "\"\\ud800\"",
            "\"\\u00\"",
            "\"\\u+123\"",
            "\"",
            "1 2",
            "\u{feff}1",
            "+1",
            "'a'",
            "{a:1}",
        ] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::parse(&[b'[', 0xff, b']']).is_err());
        let deep = "[".repeat(100_000);
        assert!(Json::parse(deep.as_bytes()).is_err());
    }
}
