//! What the SHA-256 of a file should be: digits, or a list as other programs write it.

use std::path::Path;

use rollsnap_core::feedback::Notice;
use rollsnap_core::report::Check;
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use super::{Source, sum};
use crate::remote::{self, Address};

/// What is asked about the SHA-256 of a file that is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checksum {
    /// What it must be.
    pub expected: Option<KnownSums>,
    /// Whether it is added up in any case, to be reported.
    pub reported: bool,
}

impl Checksum {
    /// Whether all of a file has to be read for it.
    pub fn is_wanted(&self) -> bool {
        self.reported || self.expected.is_some()
    }

    /// Refuses to add up what is no file.
    ///
    /// # Errors
    /// [`Code::Usage`]
    pub(crate) fn refuse_directory(&self, path: &Path) -> Result<()> {
        match self.is_wanted() {
            true => Err(Problem::new(Code::Usage)
                .headline("a directory has no SHA-256: only a snapshot file has")
                .path(path.display())),
            false => Ok(()),
        }
    }
}

/// Sums that somebody has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSums {
    /// What they are called in messages.
    shown: String,
    sums: Sums,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sums {
    /// 64 hexadecimal digits.
    One(String),
    /// A text that has them.
    List(String),
}

const AGAIN: &str = "The file is read again for its SHA-256, which the interrupted command did not add up";

/// A list of checksums is no longer, in bytes.
const LONGEST: usize = 1 << 20;

impl KnownSums {
    /// What a user means: 64 digits, or the name or address of a file that has them; `-` stands for standard input. The
    /// file is read now.
    ///
    /// # Errors
    /// [`Code::Usage`] for a file that is too long to be a list; any `remote.*` and `io.*` code.
    pub fn read(text: &str, feedback: &mut dyn Feedback) -> Result<Self> {
        if let Some(sum) = digits(text) {
            return Ok(Self { shown: text.into(), sums: Sums::One(sum) });
        }
        let (shown, list) = read_small(text, LONGEST, feedback)?;
        if list.len() > LONGEST {
            return Err(none(&shown).because(format!("it is longer than {LONGEST} bytes")));
        }
        Ok(Self { shown, sums: Sums::List(String::from_utf8_lossy(&list).into_owned()) })
    }

    /// Whether it is one sum, whatever the file is called.
    pub fn is_one(&self) -> bool {
        matches!(self.sums, Sums::One(_))
    }

    /// The digits for this file.
    ///
    /// # Errors
    /// [`Code::Usage`] where there are none.
    pub fn of(&self, file: &Path) -> Result<String> {
        match &self.sums {
            Sums::One(sum) => Ok(sum.clone()),
            Sums::List(text) => of_list(text, name(file)?.as_deref()).ok_or_else(|| none(&self.shown)),
        }
    }
}

/// All of a small file that is published beside a snapshot, by its name or address, and what it is called in messages. Of one
/// that has more than `most` bytes a few more come.
///
/// # Errors
/// Any `remote.*` and `io.*` code.
pub(super) fn read_small(text: &str, most: usize, feedback: &mut dyn Feedback) -> Result<(String, Vec<u8>)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let mut source = match Source::open_other(Path::new(text), &mut Unheard(feedback)) {
        Ok(source) => source,
        Err(problem) if problem.code() == Code::FileEmpty => return Ok((text.into(), bytes)),
        Err(problem) => return Err(problem),
    };
    let shown = source.name().display().to_string();
    loop {
        let len = source.input.read(&mut piece, &source.name, || feedback.checkpoint())?;
        bytes.extend_from_slice(piece.get(..len).unwrap_or_default());
        if len == 0 || bytes.len() > most {
            return Ok((shown, bytes));
        }
    }
}

/// Compares what was found with what was expected, where both are there.
///
/// # Errors
/// [`Code::FileChecksum`]
pub(crate) fn as_expected(file: &Path, expected: Option<&str>, found: Option<&str>) -> Result<()> {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => {
            let shown = remote::shown_name(file).unwrap_or_else(|| file.display().to_string());
            Err(Problem::new(Code::FileChecksum).path(shown).expected(expected).found(found))
        }
        _ => Ok(()),
    }
}

/// What a file is called in a list.
pub(super) fn name(file: &Path) -> Result<Option<String>> {
    Ok(match Address::of_name(file)? {
        Some(address) => address.file_name(),
        None => file.file_name().filter(|name| *name != "-").map(|name| name.to_string_lossy().into_owned()),
    })
}

/// The digits of the line of this name, or those of the only line: the name in it may be an older one. A list that
/// contradicts itself has none.
fn of_list(text: &str, name: Option<&str>) -> Option<String> {
    let lines: Vec<_> = text.trim_start_matches('\u{feff}').lines().filter_map(line).collect();
    let is_named = |of: &str| name.is_some_and(|name| of.rsplit('/').next() == Some(name));
    let mut named = lines.iter().filter(|(_, of)| is_named(of)).peekable();
    let mut candidates: Vec<&String> = match named.peek() {
        Some(_) => named.map(|(sum, _)| sum).collect(),
        None => lines.iter().map(|(sum, _)| sum).collect(),
    };
    candidates.sort_unstable();
    candidates.dedup();
    match candidates[..] {
        [sum] => Some(sum.clone()),
        _ => None,
    }
}

/// Digits and name of a line: `DIGITS  NAME` or `DIGITS *NAME`, as sha256sum writes it, `SHA256 (NAME) = DIGITS`, as
/// BSD's programs, `shasum --tag` and OpenSSL do, or digits alone.
fn line(line: &str) -> Option<(String, &str)> {
    // sha256sum marks a line so in whose name it writes some characters in another way.
    let line = line.trim().trim_start_matches('\\');
    let tagged = || {
        let (tag, rest) = line.split_once('(')?;
        let (of, sum) = rest.rsplit_once(')')?;
        let is_sha256 = matches!(tag.trim_end(), "SHA256" | "SHA2-256" | "SHA-256");
        let sum = sum.trim_start().strip_prefix('=')?;
        digits(sum).filter(|_| is_sha256).map(|sum| (sum, of))
    };
    let plain = || {
        let (sum, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        digits(sum).map(|sum| (sum, rest.trim_start().trim_start_matches('*')))
    };
    plain().or_else(tagged)
}

fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

fn none(what: &str) -> Problem {
    Problem::new(Code::Usage)
        .headline("no SHA-256 for this file is there")
        .found(format!("{what:?}"))
        .expected("64 hexadecimal digits, or a list as sha256sum writes it")
}

/// What there is to say of a server that has a snapshot means nothing for a list, nor what there is to say of a part of a job.
pub(crate) struct Unheard<'f>(pub(crate) &'f mut dyn Feedback);

impl Feedback for Unheard<'_> {
    fn phase(&mut self, _: rollsnap_core::feedback::Phase) {}

    fn advance(&mut self, _: u64) {}

    fn note(&mut self, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

impl Source {
    /// The same, whose SHA-256 is added up while [`Source::inspect`] reads it: it stands in the report, and where it is
    /// not the expected one, that is damage.
    ///
    /// # Errors
    /// [`Code::Usage`] where nothing says what it should be.
    pub fn summed(mut self, checksum: &Checksum) -> Result<Self> {
        if checksum.is_wanted() {
            let name = self.given.clone().unwrap_or_else(|| self.name.clone());
            let expected = checksum.expected.as_ref().map(|known| known.of(&name)).transpose()?;
            self.sum = Some(expected);
        }
        Ok(self)
    }

    /// The same, of which it is known what its SHA-256 must be, if anything is.
    pub(crate) fn summed_as(self, expected: Option<String>) -> Self {
        Self { sum: Some(expected), ..self }
    }

    /// Compares the sum in the report of an earlier reading with the expected one. Where it has none, the file is read for it.
    ///
    /// # Errors
    /// [`Code::FileChecksum`], [`Code::Cancelled`], any `io.*` and `remote.*` code.
    pub(crate) fn check_sum(&self, report: &mut Report, feedback: &mut dyn Feedback) -> Result<()> {
        let (Some(expected), Some(part)) = (&self.sum, self.part()) else { return Ok(()) };
        if report.container.sha256.is_none() {
            feedback.notice(Notice::Remark(AGAIN));
            report.container.sha256 = Some(sum::of_part(&part, feedback)?);
        }
        as_expected(&self.name, expected.as_deref(), report.container.sha256.as_deref())?;
        if expected.is_some() && !report.checks.iter().any(|check| check.code == Code::FileChecksum) {
            report.add(Check::yes(Code::FileChecksum, "the SHA-256 of the file is the expected one"));
        }
        Ok(())
    }

    /// Whether all of it has to be read for its SHA-256.
    pub fn is_summed(&self) -> bool {
        self.sum.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const OTHER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn lists_of_sums() {
        let named = |text: &str| of_list(text, Some("eth.full"));
        for text in [
            format!("{ABC}\n"),
            format!("\u{feff}{ABC}\r\n"),
            format!("# all\n{OTHER}  a\n{ABC} *dir/eth.full\n{OTHER}  b\n"),
            format!("{}  eth.full\n{OTHER}  eth.full.idx", ABC.to_uppercase()),
            format!("SHA256 (a) = {OTHER}\nSHA256 (dir/eth.full) = {ABC}\n"),
            format!("SHA2-256(eth.full)= {ABC}\nSHA2-256(a)= {OTHER}\n"),
            format!("MD5 (eth.full) = 900150983cd24fb0d6963f7d28e17f72\nSHA256 (eth.full) = {ABC}"),
            format!("\\{ABC}  a\\nb/eth.full\n{OTHER}  a"),
            // The name of one that is alone may be an older one, and what is there twice is there.
            format!("{ABC}  eth-17.full\n"),
            format!("{ABC}  eth.full\n{ABC}  eth.full\n"),
        ] {
            assert_eq!(named(&text).as_deref(), Some(ABC), "{text}");
        }
        for text in [
            format!("{ABC}  a\n{OTHER}  b\n"),
            format!("{ABC}  a/eth.full\n{OTHER}  b/eth.full\n"),
            format!("SHA512 (eth.full) = {ABC}"),
            format!("<html><body>{ABC}</body></html>"),
            String::new(),
            ABC[1..].into(),
            format!("{ABC}0"),
            format!("{}g", &ABC[1..]),
        ] {
            assert_eq!(named(&text), None, "{text}");
        }
        // Standard input has no name.
        assert_eq!(of_list(&format!("{ABC}  a\n{OTHER}  b\n"), None), None);
        assert_eq!(of_list(&format!("{ABC}  -\n"), None).as_deref(), Some(ABC));
    }

    #[test]
    fn names_in_lists() {
        for (file, expected) in [
            ("dir/eth.full", Some("eth.full")),
            ("https://host/a%20b?sig=1", Some("a b")),
            ("https://host/", None),
            ("-", None),
        ] {
            assert_eq!(name(Path::new(file)).unwrap().as_deref(), expected, "{file}");
        }
    }
}
