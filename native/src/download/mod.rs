//! Fetches a snapshot from an address to a file, as it is.
//!
//! Until it is complete and found intact it is called `NAME.part`, and `NAME.part.state` says how much of it is on the
//! disk and which file that is of. The same command goes on there, whatever ended the one before.

mod mend;
mod partial;

use std::io::Write;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::report::RemoteInfo;
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Report, Result};

use crate::dir::space::{Known, SpaceCheck};
use crate::dir::{self, Dir};
use crate::files::Distant as _;
use crate::io;
use crate::jobs::{Stage, Stages, Timed};
use crate::output::Output;
use crate::remote::{self, Address, Attended, Opened, RemoteFile, Whole};
use crate::size::Size;
use crate::source::{self, KnownSums, Source, sum};

use partial::Partial;

/// What to fetch, and where to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The file, or the directory that it goes to under the last name of the address; `None` for the current directory.
    pub output: Option<PathBuf>,
    /// Whether an existing file may be replaced.
    pub force: bool,
    /// Whether what an earlier download has fetched is forgotten.
    pub restart: bool,
    /// Whether the file is not read to its end before it gets its name.
    pub unchecked: bool,
    /// What its SHA-256 must be.
    pub sha256: Option<KnownSums>,
    /// What is said about the space that the file needs.
    pub space: SpaceCheck,
}

/// A file that was fetched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The file; `None` for a stream.
    pub path: Option<PathBuf>,
    /// Its length in bytes.
    pub bytes: u64,
    /// How much of it an earlier download had fetched.
    pub resumed_at: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// What was found in it, unless nobody looked.
    pub report: Option<Report>,
    /// Where it came from.
    pub remote: RemoteInfo,
    /// How long each stage took.
    pub stages: Vec<Timed>,
}

const FETCHING: Stage = Stage::new("Downloading");
const CHECKING: Stage = Stage::new("Checking snapshot");
const ADDING_UP: Stage = Stage::new("Adding up SHA-256");

/// How much is written at once, in bytes.
const PIECE: usize = 1 << 20;

/// Fetches it to a file.
///
/// # Errors
/// Any `remote.*` code; [`Code::OutputExists`]; [`Code::DownloadPartial`]; [`Code::FileChecksum`]; the codes of a damaged
/// snapshot; [`Code::Cancelled`]; any `io.*` code.
pub fn run(url: &str, options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {
    let address = Address::parse(url)?;
    let path = place(&address, options.output.as_deref())?;
    let output = Output::File(path.clone());
    output.check_early(options.force)?;
    let expected = options.sha256.as_ref().map(|known| known.of(Path::new(url))).transpose()?;
    let directory = Dir::open(&output.directory())?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| nameless(&address))?;
    let last = if options.unchecked { ADDING_UP } else { CHECKING };
    let mut stages = Stages::new([FETCHING, last]);
    let phase = stages.next(FETCHING);
    // First, so that a file that is not there leaves nothing here.
    let opened = remote::open_snapshot(&address, feedback)?;
    let mut partial = Partial::open(&directory, name, options.restart)?;
    let far = match &opened {
        Opened::File(file) => Some(file.clone()),
        _ => None,
    };
    let fetched = match opened {
        Opened::Empty => return Err(Problem::new(Code::FileEmpty).path(&address)),
        Opened::File(file) => {
            let (leader, all) = file.addresses();
            let sources = partial::Sources { leader, all };
            let begun = partial.begin(file.identity(), &sources, file.beginning(), feedback)?;
            let needed = Known::Exactly(file.len().saturating_sub(begun));
            let mut attended = Attended::streaming(feedback, file.clone());
            let result = options.space.require(&directory, needed, &mut attended);
            let result = result.and_then(|()| copy(&file, &mut partial, begun, phase, &mut attended));
            (result.map(|()| (begun, file.info())), true)
        }
        Opened::Whole(mut whole) => {
            partial.begin_anew()?;
            let needed = whole.len().map_or(Known::AtLeast(0), Known::Exactly);
            let result = options.space.require(&directory, needed, feedback);
            let result = result.and_then(|()| copy_whole(&mut whole, &mut partial, phase, feedback));
            if let (Ok(()), Ok(part)) = (&result, partial.part()) {
                options.space.compare(needed, part.len(), feedback);
            }
            (result.map(|()| (0, whole.info(&address))), false)
        }
    };
    let (resumed_at, remote) = match fetched {
        (Ok(fetched), _) => fetched,
        (Err(problem), true) => {
            partial.keep(feedback);
            return Err(problem);
        }
        (Err(problem), false) => {
            partial.remove(feedback);
            return Err(problem);
        }
    };
    let bytes = partial.part()?.len();
    let (report, sha256) = match check(&partial, far.as_ref(), expected, last, &mut stages, feedback) {
        Ok(found) => found,
        Err(problem) => {
            if !partial.can_go_on() {
                partial.remove(feedback);
            }
            return Err(problem);
        }
    };
    partial.put(&path, options.force, feedback)?;
    dir::say_what_lacks(feedback);
    let remote = far.map_or(remote, |file| file.info());
    Ok(Outcome { path: Some(path), bytes, resumed_at, sha256, report, remote, stages: stages.finish() })
}

/// Writes it to a stream, from front to end. What is wrong with it is said when it was written.
///
/// # Errors
/// As [`run`]; [`Code::OutputClosed`].
pub fn stream(
    url: &str,
    options: &Options,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {
    let address = Address::parse(url)?;
    let expected = options.sha256.as_ref().map(|known| known.of(Path::new(url))).transpose()?;
    let mut stages = Stages::new(vec![FETCHING]);
    let phase = stages.next(FETCHING);
    let mut sum = sum::Running::default();
    let mut bytes = 0;
    let mut write = |piece: &[u8], feedback: &mut dyn Feedback| {
        sum.update(piece);
        bytes += piece.len() as u64;
        // What stops a job may stop the reader first.
        let written = out.write_all(piece).map_err(io::to_stream);
        written.or_else(|problem| feedback.checkpoint().and(Err(problem)))
    };
    let remote = match remote::open_snapshot(&address, feedback)? {
        Opened::Empty => return Err(Problem::new(Code::FileEmpty).path(&address)),
        Opened::File(file) => {
            let mut attended = Attended::streaming(feedback, file.clone());
            each_piece(&file, 0, phase, &mut attended, &mut write)?;
            file.info()
        }
        Opened::Whole(mut whole) => {
            feedback.phase(Phase { total: whole.len(), ..phase });
            let mut piece = vec![0; PIECE];
            loop {
                let len = whole.read(&mut piece, || feedback.checkpoint())?;
                if len == 0 {
                    break;
                }
                write(piece.get(..len).unwrap_or_default(), feedback)?;
                feedback.advance(len as u64);
            }
            whole.info(&address)
        }
    };
    out.flush().map_err(io::to_stream)?;
    let sha256 = sum.finish();
    source::as_expected(Path::new(url), expected.as_deref(), Some(&sha256))?;
    Ok(Outcome { path: None, bytes, resumed_at: 0, sha256, report: None, remote, stages: stages.finish() })
}

/// The path of the file.
fn place(address: &Address, output: Option<&Path>) -> Result<PathBuf> {
    let directory = match output.map(Output::at).transpose()? {
        Some(Output::File(path)) => return Ok(path),
        Some(Output::Directory(directory)) => directory,
        None => None,
    };
    let name = address.file_name().ok_or_else(|| nameless(address))?;
    Ok(directory.unwrap_or_default().join(name))
}

fn nameless(address: &Address) -> Problem {
    let headline = "the address does not end with the name of a file: -o FILE gives it one";
    Problem::new(Code::Usage).headline(headline).path(address)
}

fn copy(
    file: &RemoteFile,
    partial: &mut Partial,
    begun: u64,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    if begun > 0 {
        feedback.notice(Notice::Recovered(&format!(
            "Going on after {} that an earlier download has fetched",
            Size(begun)
        )));
    }
    each_piece(file, begun, phase, feedback, &mut |piece, _| partial.write(piece))?;
    partial.complete()
}

fn copy_whole(
    whole: &mut Whole,
    partial: &mut Partial,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    feedback.phase(Phase { total: whole.len(), ..phase });
    feedback.notice(Notice::Lacking(
        "The server serves the file as a whole only: it comes over one connection, and nothing goes on when that breaks",
    ));
    let mut piece = vec![0; PIECE];
    loop {
        let len = whole.read(&mut piece, || feedback.checkpoint())?;
        if len == 0 {
            return partial.complete();
        }
        partial.write(piece.get(..len).unwrap_or_default())?;
        feedback.advance(len as u64);
    }
}

/// Who takes bytes.
type Taker<'t> = dyn FnMut(&[u8], &mut dyn Feedback) -> Result<()> + 't;

/// Hands over the bytes from `begin` on, in order.
fn each_piece(
    file: &RemoteFile,
    begin: u64,
    phase: Phase,
    feedback: &mut dyn Feedback,
    take: &mut Taker<'_>,
) -> Result<()> {
    feedback.phase(Phase { total: Some(file.len()), ..phase });
    feedback.advance(begin);
    let _ahead = file.stream(begin);
    let mut piece = vec![0; PIECE];
    let mut at = begin;
    while at < file.len() {
        feedback.checkpoint()?;
        let len = usize::try_from(file.len() - at).unwrap_or(PIECE).min(PIECE);
        let piece = piece.get_mut(..len).unwrap_or_default();
        file.read_patiently(at, piece, &|| feedback.checkpoint())?;
        take(piece, feedback)?;
        at += len as u64;
        file.passed(at);
        feedback.advance(len as u64);
    }
    Ok(())
}

/// Reads the file to its end before it gets its name: what is found in it, unless nobody wants to know, and its SHA-256.
fn check(
    partial: &Partial,
    far: Option<&RemoteFile>,
    expected: Option<String>,
    stage: Stage,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<(Option<Report>, String)> {
    let once = |stages: &mut Stages, feedback: &mut dyn Feedback| {
        let phase = stages.next(stage);
        match stage == CHECKING {
            true => inspect(partial, expected.clone(), phase, feedback),
            false => add_up(partial, expected.as_deref(), phase, feedback),
        }
    };
    let mut checked = once(stages, feedback);
    if let (Err(problem), Some(file)) = (&checked, far)
        && problem.code().is_about_contents()
        && mend::mend(partial, file, feedback)? > 0
    {
        stages.add(stage);
        checked = once(stages, feedback);
    }
    if let Err(problem) = &checked
        && problem.code().is_about_contents()
        && partial.can_go_on()
    {
        feedback.notice(Notice::Kept(&format!(
            "{} is complete, and stays as it was fetched: --restart fetches it anew",
            partial.place().display()
        )));
    }
    checked
}

fn inspect(
    partial: &Partial,
    expected: Option<String>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Option<Report>, String)> {
    let mut source = Source::from_file(&partial.place(), partial.file()?)?.summed_as(expected);
    let sink = &mut |event: Event<'_>| match event {
        Event::Problem(problem) => Err(problem.clone()),
        _ => Ok(()),
    };
    let report = source.inspect(snapshot::Options::default(), phase, feedback, sink)?;
    let sha256 = report.container.sha256.clone().unwrap_or_default();
    Ok((Some(report), sha256))
}

fn add_up(
    partial: &Partial,
    expected: Option<&str>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Option<Report>, String)> {
    let part = partial.part()?;
    feedback.phase(Phase { total: Some(part.len()), ..phase });
    let sha256 = sum::of_part(&part, feedback)?;
    source::as_expected(&partial.place(), expected, Some(&sha256))?;
    Ok((None, sha256))
}
