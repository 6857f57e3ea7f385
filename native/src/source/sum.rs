//! The SHA-256 of a file, added up in a thread of its own while somebody else reads the file.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Result};
use serde::{Deserialize, Serialize};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest, Sha256};

use crate::files::Part;
use crate::io;

/// The sum of bytes that come in order.
#[derive(Default)]
pub(crate) struct Running(Sha256);

impl Running {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// What it has come to, so that a later run can go on with it.
    fn state(&self) -> String {
        BASE64.encode(self.0.serialize())
    }

    /// Goes on; `None` for what is no state.
    fn resumed(state: &str) -> Option<Self> {
        let state = SerializedState::<Sha256>::try_from(&BASE64.decode(state).ok()?[..]).ok()?;
        Sha256::deserialize(&state).ok().map(Self)
    }

    /// In hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The sum of the first bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SumSoFar {
    /// How many there are.
    at: u64,
    /// What SHA-256 has come to, in Base64.
    state: String,
}

/// That of a few bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut sum = Running::default();
    sum.update(bytes);
    sum.finish()
}

/// That of a file which nobody else reads, as a phase of a job that counts bytes.
///
/// # Errors
/// [`Code::Cancelled`], any `io.*` and `remote.*` code.
pub(crate) fn of_part(part: &Part, feedback: &mut dyn Feedback) -> Result<String> {
    let mut adding = Adding { sum: Running::default(), at: 0, part: Some(part.clone()), piece: Vec::new() };
    while adding.at < part.len() {
        feedback.checkpoint()?;
        let end = part.len().min(adding.at + PIECE as u64);
        let done = end - adding.at;
        adding.reach(end)?;
        feedback.advance(done);
    }
    Ok(adding.sum.finish())
}

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// How many steps wait for the thread.
const WAITING: usize = 8;

/// How long the thread is waited for before looking whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What the thread is told.
enum Step {
    /// These bytes stand at this offset.
    Bytes(u64, Vec<u8>),
    /// So much of the file was read by others, and is to be read by the thread.
    UpTo(u64),
    /// Somebody wants to know what it has come to.
    SoFar(Sender<SumSoFar>),
    /// That was all.
    End,
}

/// Hands bytes to the thread. When it is dropped before [`Adder::end`], the thread ends and there is no sum.
pub(crate) struct Adder {
    steps: SyncSender<Step>,
    spare: Receiver<Vec<u8>>,
    at: u64,
}

/// What comes of it.
pub(crate) struct Total(Receiver<Result<String>>);

/// Starts the thread. `part` is the file, where it can be read from anywhere: what nobody hands over is read there. Of its
/// first bytes, `so_far` is the sum, if that is known.
///
/// # Errors
/// `io.other` when there is no thread.
pub(crate) fn begin(part: Option<Part>, so_far: Option<SumSoFar>) -> Result<(Adder, Total)> {
    let (steps, told) = mpsc::sync_channel(WAITING);
    let (back, spare) = mpsc::channel();
    let (done, result) = mpsc::channel();
    let known = so_far.and_then(|so_far| Some((Running::resumed(&so_far.state)?, so_far.at)));
    let (sum, at) = known.unwrap_or_default();
    let adding = Adding { sum, at, part, piece: Vec::new() };
    let work = move || {
        if let Some(sum) = adding.run(&told, &back) {
            // Nobody listens any more after a failure.
            let _ = done.send(sum);
        }
    };
    thread::Builder::new().name("sha256".into()).spawn(work).map_err(io::no_thread)?;
    Ok((Adder { steps, spare, at: 0 }, Total(result)))
}

impl Adder {
    /// What is added next stands at this offset.
    pub(crate) fn go_to(&mut self, offset: u64) {
        self.at = offset;
    }

    /// The next bytes, from front to end.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let mut piece = self.spare.try_recv().unwrap_or_default();
        piece.clear();
        piece.extend_from_slice(bytes);
        self.tell(Step::Bytes(self.at, piece));
        self.at += bytes.len() as u64;
    }

    /// Others have read the file up to here, in any order.
    pub(crate) fn up_to(&mut self, offset: u64) {
        self.tell(Step::UpTo(offset));
    }

    /// What it has come to, when all that was handed over is in it.
    pub(crate) fn so_far(&self) -> Option<SumSoFar> {
        let (sender, so_far) = mpsc::channel();
        self.tell(Step::SoFar(sender));
        so_far.recv().ok()
    }

    /// There is no more.
    pub(crate) fn end(self) {
        self.tell(Step::End);
    }

    /// A thread that has ended says why when it is asked for the sum.
    fn tell(&self, step: Step) {
        let _ = self.steps.send(step);
    }
}

impl Total {
    /// Waits for the sum, in hexadecimal digits.
    ///
    /// # Errors
    /// [`Code::Cancelled`], any `io.*` and `remote.*` code.
    pub(crate) fn finish(self, feedback: &dyn Feedback) -> Result<String> {
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(sum) => return sum,
                Err(RecvTimeoutError::Timeout) => feedback.checkpoint()?,
                Err(RecvTimeoutError::Disconnected) => {
                    feedback.checkpoint()?;
                    return Err(Problem::new(Code::IoOther).headline("the thread that adds up has ended"));
                }
            }
        }
    }
}

/// The thread.
struct Adding {
    sum: Running,
    /// How much of the file is in it.
    at: u64,
    part: Option<Part>,
    piece: Vec<u8>,
}

impl Adding {
    /// The sum, unless nobody wants it any more.
    fn run(mut self, steps: &Receiver<Step>, back: &Sender<Vec<u8>>) -> Option<Result<String>> {
        loop {
            let taken = match steps.recv().ok()? {
                Step::End => return Some(Ok(self.sum.finish())),
                Step::UpTo(offset) => self.reach(offset),
                Step::SoFar(asking) => {
                    // Whoever has asked may be gone.
                    let _ = asking.send(SumSoFar { at: self.at, state: self.sum.state() });
                    Ok(())
                }
                Step::Bytes(begin, bytes) => {
                    let taken = self.take(begin, &bytes);
                    // It may have ended.
                    let _ = back.send(bytes);
                    taken
                }
            };
            if let Err(problem) = taken {
                return Some(Err(problem));
            }
        }
    }

    /// Bytes that stand at `begin`. Those that are in the sum already come again when an index led somewhere and then
    /// turned out to be wrong.
    fn take(&mut self, begin: u64, bytes: &[u8]) -> Result<()> {
        self.reach(begin)?;
        let known = usize::try_from(self.at - begin).unwrap_or(usize::MAX);
        let new = bytes.get(known..).unwrap_or_default();
        self.sum.update(new);
        self.at += new.len() as u64;
        Ok(())
    }

    /// Reads on to this offset. Nothing before it is needed any more.
    fn reach(&mut self, offset: u64) -> Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        while self.at < offset {
            let len = usize::try_from(offset - self.at).unwrap_or(PIECE).min(PIECE);
            self.piece.resize(len, 0);
            part.read_at(self.at, &mut self.piece)?;
            self.sum.update(&self.piece);
            self.at += len as u64;
            part.passed(self.at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rollsnap_core::feedback::Silent;

    use super::*;

    // `printf abc | sha256sum`
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    // `: | sha256sum`
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn part(bytes: &[u8]) -> Part {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Part::open(file.path()).unwrap().unwrap()
    }

    #[test]
    fn sums_in_digits() {
        assert_eq!((sha256(b"abc"), sha256(b"")), (ABC.into(), NOTHING.into()));
        assert_eq!(of_part(&part(b"abc"), &mut Silent), Ok(ABC.into()));
        assert_eq!(of_part(&part(b""), &mut Silent), Ok(NOTHING.into()));
    }

    #[test]
    fn bytes_count_once_however_they_come() {
        let summed = |part: Option<Part>, tell: fn(&mut Adder)| {
            let (mut adder, total) = begin(part, None).unwrap();
            tell(&mut adder);
            adder.end();
            total.finish(&Silent)
        };
        let whole = || Some(part(b"abc"));
        for (part, tell) in [
            (None, (|adder| b"abc".iter().for_each(|byte| adder.add(&[*byte]))) as fn(&mut Adder)),
            (whole(), |adder| adder.add(b"abc")),
            (whole(), |adder| [1, 1, 0, 3].into_iter().for_each(|offset| adder.up_to(offset))),
            // An index that leads half-way, and then the file from its beginning.
            (whole(), |adder| {
                adder.up_to(2);
                adder.add(b"a");
                adder.add(b"bc");
            }),
        ] {
            assert_eq!(summed(part, tell), Ok(ABC.into()));
        }
        assert_eq!(summed(None, |_| ()), Ok(NOTHING.into()));
        let problem = summed(whole(), |adder| adder.up_to(4)).unwrap_err();
        assert!(problem.code().as_str().starts_with("io."), "{problem:?}");
    }

    #[test]
    fn a_sum_that_nobody_ends_is_none() {
        let (adder, total) = begin(None, None).unwrap();
        drop(adder);
        assert_eq!(total.finish(&Silent).unwrap_err().code(), Code::IoOther);
    }
}
