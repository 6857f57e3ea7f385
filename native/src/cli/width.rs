//! How wide a terminal is, and text that keeps to it: broken between words, with what belongs together one below the
//! other. Words that are too long, such as hashes, stay whole, so that they can be copied.

use console::{Term, measure_text_width};

/// Columns of standard output; `None` where it is no terminal, and everything stays on its line.
pub(super) fn of_stdout() -> Option<usize> {
    columns(&Term::stdout())
}

/// Those of standard error.
pub(super) fn of_stderr() -> Option<usize> {
    columns(&Term::stderr())
}

/// How many columns a text takes.
pub(super) fn of(text: &str) -> usize {
    measure_text_width(text)
}

fn columns(term: &Term) -> Option<usize> {
    let (_, columns) = term.size_checked()?;
    Some(usize::from(columns)).filter(|columns| *columns >= NARROWEST)
}

/// On narrower ones nothing helps.
const NARROWEST: usize = 20;

/// Breaks the lines of a text that are too long. What follows a break stands `indent` columns further to the right than
/// the line began.
pub(super) fn fit(text: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width else { return text.into() };
    let lines = text.split('\n').map(|line| {
        let begins = line.len() - line.trim_start_matches(' ').len();
        broken(line, begins + indent, width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn broken(line: &str, indent: usize, width: usize) -> String {
    if measure_text_width(line) <= width {
        return line.into();
    }
    let (mut out, mut used, mut fresh) = (String::new(), 0, true);
    for word in line.split_inclusive(' ') {
        let bare = measure_text_width(word.trim_end_matches(' '));
        if !fresh && used + bare > width {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        }
        out += word;
        used += measure_text_width(word);
        fresh &= bare == 0;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let text = "  yes     code  a text of several words\nshort\n    src1LongHashThatIsNotBroken x";
        assert_eq!(fit(text, 0, None), text);
        assert_eq!(fit(text, 0, Some(60)), text);
        assert_eq!(
            fit(text, 4, Some(22)),
            "  yes     code  a text\n      of several words\nshort\n    src1LongHashThatIsNotBroken\n        x"
        );
        let styled = "\u{1b}[1mone two\u{1b}[0m three four five six";
        assert_eq!(fit(styled, 0, Some(20)), "\u{1b}[1mone two\u{1b}[0m three four\nfive six");
    }
}
