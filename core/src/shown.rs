//! Foreign text on its way to people: what would move a cursor, give a terminal an order, turn the direction of a
//! text, begin a line or show nothing at all is shown as what it is, `\u{1b}`.
//!
//! Names and texts are kept and told as they are (a [`Problem`](crate::Problem), a report, its JSON); they are made
//! fit to be seen where they leave for a surface, and nowhere before. A backslash stays one backslash, so a
//! text that was shown once looks the same when it is shown again.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::Write;

/// The text as it may be shown on one line.
///
/// ```
/// use rollsnap_core::shown;
///
/// assert_eq!(shown("metadata"), "metadata");
/// assert_eq!(shown("a\u{1b}[2J\u{202e}b\r\n"), r"a\u{1b}[2J\u{202e}b\r\n");
/// ```
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_plain(char) {
            escaped.push(char);
        } else if is_invisible(char) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "{}", char.escape_unicode());
        } else {
            escaped.extend(char.escape_debug());
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character shows itself, and itself only.
pub fn is_plain(char: char) -> bool {
    if char.is_ascii() {
        return !char.is_ascii_control();
    }
    if is_invisible(char) {
        return false;
    }
    // What the standard library would print. An accent that joins the character before it is no more than that,
    // so it is asked about behind a letter.
    let mut bytes = [0; 4];
    let mut shown = String::from("a");
    shown.push_str(char.encode_utf8(&mut bytes));
    shown.escape_debug().count() == 2
}

/// Letters and marks that show nothing, and that the standard library prints: fillers, the blank Braille
/// pattern, what joins nothing, what varies nothing.
fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unicode's own lists: general categories Cc, Cf, Zl and Zp, `Bidi_Control`, and
    /// `Default_Ignorable_Code_Point` (`UnicodeData.txt`, `PropList.txt`, `DerivedCoreProperties.txt` of version 16).
    #[test]
    fn what_is_not_seen_is_shown() {
        let ranges = [
            (0x00, 0x1f),
            (0x7f, 0x9f),
            (0xad, 0xad),
            (0x34f, 0x34f),
            (0x600, 0x605),
            (0x61c, 0x61c),
            (0x6dd, 0x6dd),
            (0x70f, 0x70f),
            (0x890, 0x891),
            (0x8e2, 0x8e2),
            (0x115f, 0x1160),
            (0x17b4, 0x17b5),
            (0x180b, 0x180f),
            (0x200b, 0x200f),
            (0x2028, 0x202e),
            (0x2060, 0x206f),
            (0x3164, 0x3164),
            (0xfe00, 0xfe0f),
            (0xfeff, 0xfeff),
            (0xffa0, 0xffa0),
            (0xfff0, 0xfffb),
            (0x110bd, 0x110bd),
            (0x110cd, 0x110cd),
            (0x13430, 0x1343f),
            (0x1bca0, 0x1bca3),
            (0x1d173, 0x1d17a),
            (0xe0000, 0xe0fff),
        ];
        for char in ranges.into_iter().flat_map(|(from, to)| from..=to).filter_map(char::from_u32) {
            let text = String::from_iter(['a', char, 'b']);
            let seen = shown(&text);
            assert!(seen.is_ascii() && !seen.bytes().any(|byte| byte.is_ascii_control()), "{seen:?}");
            assert!(seen.starts_with("a\\") && seen.ends_with('b'), "{seen}");
            assert_eq!(shown(&seen), seen, "once is enough");
        }
    }

    #[test]
    fn what_is_seen_stays() {
        for text in [
            "",
            "store.sqlite",
            "it's \"here\" \\x1b",
            "é e\u{301}",
            "日本語",
            "ελληνικά",
            "שלום",
            "مرحبا",
            "हिन्दी",
            "🦀 … × ≤",
        ] {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn lines_are_not_broken() {
        assert_eq!(shown("a\nb\tc\rd\0e\u{85}f\u{2028}g"), r"a\nb\tc\rd\0e\u{85}f\u{2028}g");
    }
}
