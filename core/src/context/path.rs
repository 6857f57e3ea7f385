//! Paths as people write them, and hashes as hexadecimal digits.
//!
//! A step is any bytes. Text that can be printed stands for itself; `\\` for a backslash and `\x2f`
//! for the byte 2f (hexadecimal), so that what is shown can be typed in again.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::pack::{Hash, Malformed};
use crate::shown::is_plain;

/// Reads a path: steps with `/` between them. Empty steps do not count.
///
/// # Errors
/// When a backslash is followed by something else than `\` or `x` and two hexadecimal digits.
pub fn parse(text: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    text.split(|byte| *byte == b'/').filter(|step| !step.is_empty()).map(parse_step).collect()
}

/// A path, with `/` between its steps.
pub fn show<S: AsRef<[u8]>>(path: &[S]) -> String {
    let steps: Vec<String> = path.iter().map(|step| show_step(step.as_ref())).collect();
    steps.join("/")
}

/// One step.
pub fn show_step(step: &[u8]) -> String {
    let mut text = String::new();
    for chunk in step.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => text.push_str("\\\\"),
                '/' => text.push_str("\\x2f"),
                char if is_plain(char) => text.push(char),
                char => {
                    let mut bytes = [0; 4];
                    for byte in char.encode_utf8(&mut bytes).bytes() {
                        text.push_str(&format!("\\x{byte:02x}"));
                    }
                }
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// 64 hexadecimal digits.
pub fn hex(hash: &Hash) -> String {
    base16ct::lower::encode_string(hash)
}

/// The hash that 64 hexadecimal digits stand for.
pub fn unhex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let read = base16ct::mixed::decode(text, &mut hash).ok()?.len();
    (read == hash.len()).then_some(hash)
}

fn parse_step(text: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut step = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            step.push(byte);
            continue;
        }
        let (byte, after) = match rest {
            [b'\\', after @ ..] => (b'\\', after),
            [b'x', high, low, after @ ..] => {
                let mut byte = [0];
                base16ct::mixed::decode([*high, *low], &mut byte)
                    .map_err(|_| Malformed("\\x is not followed by two hexadecimal digits"))?;
                (byte[0], after)
            }
            _ => return Err(Malformed("a backslash is followed by neither \\ nor x and two digits")),
        };
        step.push(byte);
        rest = after;
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed_in() {
        for (step, shown) in [
            (&b"boot.wasm"[..], "boot.wasm"),
            (b"a b'\"", "a b'\""),
            (b"a/b\\c", "a\\x2fb\\\\c"),
            (b"\x00\x1b[31m\xff", "\\x00\\x1b[31m\\xff"),
            ("é\u{202e}".as_bytes(), "é\\xe2\\x80\\xae"),
        ] {
            assert_eq!(show_step(step), shown);
            assert_eq!(parse(shown.as_bytes()), Ok(Vec::from([step.to_vec()])));
        }
        assert_eq!(parse(b"/a//b/"), Ok(Vec::from([b"a".to_vec(), b"b".to_vec()])));
        assert!(parse(b"\\x4").is_err());
        assert!(parse(b"\\n").is_err());
        assert_eq!(unhex(&hex(&[0xa7; 32])), Some([0xa7; 32]));
        assert_eq!(unhex(&"+f".repeat(32)), None);
        assert_eq!(unhex("00"), None);
    }
}
