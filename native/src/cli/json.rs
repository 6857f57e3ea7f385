//! JSON that a terminal can show: the values are exact, and what is not [plain](is_plain) in them is written as
//! `\\u001b`, which every reader of JSON takes for the character itself.

use std::io::{self, Write};

use rollsnap_core::shown::is_plain;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// A value on one line.
///
/// # Errors
/// Those of the value.
pub(super) fn text(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Plain))?;
    // The writer of JSON makes text only.
    String::from_utf8(bytes).map_err(|err| serde_json::Error::io(io::Error::other(err)))
}

struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| !is_plain(*char)) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = after.get(char.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_and_plain_to_see() {
        let hostile = "a\"\\\u{1b}]0;x\u{7}\u{9b}1m\u{202e}\u{2028}\u{e0041}\u{fe0f}é\n\u{7f}";
        let text = text(&hostile).unwrap();
        assert_eq!(text, r#""a\"\\\u001b]0;x\u0007\u009b1m\u202e\u2028\udb40\udc41\ufe0fé\n\u007f""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
    }
}
