//! The SHA-256 of a file, and what it should be.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rollsnap_core::{Code, Feedback, Problem, ReadAt, Result};
use sha2::{Digest, Sha256};

use crate::dir::open_unwaited;
use crate::files::Part;
use crate::io;
use crate::remote::{self, Address, Opened};

/// What the SHA-256 of a file should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// 64 hexadecimal digits.
    Value(String),
    /// The file has it, as `sha256sum` writes it.
    File(PathBuf),
    /// The file behind this address has it.
    Url(String),
}

/// A list of checksums is no longer, in bytes.
const LONGEST: u64 = 1 << 20;

impl Expected {
    /// What a user means: 64 digits, an address, or the name of a file.
    pub fn of(text: &str) -> Self {
        match digits(text) {
            Some(value) => Self::Value(value),
            None if text.contains("://") => Self::Url(text.into()),
            None => Self::File(text.into()),
        }
    }

    /// The digits for the file behind this address.
    ///
    /// # Errors
    /// [`Code::Usage`] where it says none; any `remote.*` and `io.*` code.
    pub(super) fn value(&self, address: &Address, feedback: &mut dyn Feedback) -> Result<String> {
        let (shown, text) = match self {
            Self::Value(value) => return digits(value).ok_or_else(|| none(value)),
            Self::File(path) => {
                let failed = |err| io::problem("read", path, err);
                let mut text = Vec::new();
                let file: File = open_unwaited(path).map_err(failed)?;
                file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
                (path.display().to_string(), text)
            }
            Self::Url(url) => {
                let list = Address::parse(url)?;
                (list.to_string(), fetch(&list, feedback)?)
            }
        };
        let text = String::from_utf8_lossy(&text);
        let name = address.file_name();
        of_list(&text, name.as_deref()).ok_or_else(|| none(&shown))
    }
}

/// All of a small file behind an address.
fn fetch(address: &Address, feedback: &mut dyn Feedback) -> Result<Vec<u8>> {
    match remote::open(address, feedback)? {
        Opened::Empty => Ok(Vec::new()),
        Opened::File(file) => {
            let mut text = vec![0; usize::try_from(file.len().min(LONGEST)).unwrap_or_default()];
            file.read_at(0, &mut text)?;
            Ok(text)
        }
        Opened::Whole(mut whole) => {
            let (mut text, mut piece) = (Vec::new(), [0; 4096]);
            loop {
                let len = whole.read(&mut piece, || feedback.checkpoint())?;
                text.extend_from_slice(piece.get(..len).unwrap_or_default());
                if len == 0 || text.len() as u64 > LONGEST {
                    return Ok(text);
                }
            }
        }
    }
}

/// The digits of the line of this name, or of the only line.
fn of_list(text: &str, name: Option<&str>) -> Option<String> {
    let mut sums = Vec::new();
    for line in text.lines() {
        let (sum, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let Some(sum) = digits(sum) else { continue };
        let of = rest.trim().trim_start_matches('*');
        if name.is_some_and(|name| of.rsplit('/').next() == Some(name)) {
            return Some(sum);
        }
        sums.push(sum);
    }
    if sums.len() == 1 { sums.pop() } else { None }
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

/// The sum of what comes piece by piece.
#[derive(Default)]
pub(super) struct Running(Sha256);

impl Running {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// In hexadecimal digits.
    pub(super) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// That of a few bytes.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut sum = Running::default();
    sum.update(bytes);
    sum.finish()
}

/// That of a file, added up in a thread of its own.
pub(super) struct Sum(Receiver<Result<String>>);

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

impl Sum {
    /// # Errors
    /// `io.other` when there is no thread.
    pub(super) fn begin(part: Part) -> Result<Self> {
        let (done, result) = mpsc::channel();
        let adding = move || {
            // Nobody listens any more after a failure.
            let _ = done.send(add(&part));
        };
        thread::Builder::new().name("sha256".into()).spawn(adding).map_err(io::no_thread)?;
        Ok(Self(result))
    }

    /// Waits for it.
    ///
    /// # Errors
    /// [`Code::Cancelled`], any `io.*` code.
    pub(super) fn finish(self, feedback: &dyn Feedback) -> Result<String> {
        loop {
            match self.0.recv_timeout(Duration::from_millis(100)) {
                Ok(sum) => return sum,
                Err(RecvTimeoutError::Timeout) => feedback.checkpoint()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Problem::new(Code::IoOther).headline("the thread that adds up has ended"));
                }
            }
        }
    }
}

fn add(part: &Part) -> Result<String> {
    let mut sum = Running::default();
    let (mut piece, mut at) = (vec![0; PIECE], 0);
    while at < part.len() {
        let len = usize::try_from(part.len() - at).unwrap_or(PIECE).min(PIECE);
        let piece = piece.get_mut(..len).unwrap_or_default();
        part.read_at(at, piece)?;
        sum.update(piece);
        at += len as u64;
    }
    Ok(sum.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    // `printf abc | sha256sum`
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const OTHER: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn sums_in_digits() {
        assert_eq!((sha256(b"abc"), sha256(b"")), (ABC.into(), OTHER.into()));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"abc").unwrap();
        assert_eq!(add(&Part::open(file.path()).unwrap().unwrap()), Ok(ABC.into()));
    }

    #[test]
    fn lists_of_sums() {
        assert_eq!(Expected::of(&ABC.to_uppercase()), Expected::Value(ABC.into()));
        assert_eq!(Expected::of("https://host/x.sha256"), Expected::Url("https://host/x.sha256".into()));
        assert_eq!(Expected::of("x.sha256"), Expected::File("x.sha256".into()));
        let named = |text: &str| of_list(text, Some("eth.full"));
        assert_eq!(named(&format!("{ABC}\n")).as_deref(), Some(ABC));
        assert_eq!(
            named(&format!("# all\n{OTHER}  a\n{ABC} *dir/eth.full\n{OTHER}  b\n")).as_deref(),
            Some(ABC)
        );
        // The name of one that is alone may be an older one.
        assert_eq!(named(&format!("{ABC}  eth-17.full\n")).as_deref(), Some(ABC));
        for text in [format!("{ABC}  a\n{OTHER}  b\n"), String::new(), ABC[1..].into(), format!("{ABC}0")] {
            assert_eq!(named(&text), None, "{text}");
        }
    }
}
