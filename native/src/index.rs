//! The job that makes the checkpoint index of a compressed file, in one pass over it, and puts it beside the file.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Phase;
use rollsnap_core::gzip::checkpoint::{HEAD, Index, MOST_CHECKPOINTS, MemberTable, Scanned, Scanner};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Result};

use crate::checkpoint::Members;
use crate::dir;
use crate::files::Part;
use crate::io;
use crate::output::Output;
use crate::source::{self, Checksum, Source, sum};
use crate::workspace::Workspace;

pub use crate::checkpoint::sidecar;

/// How much is read at once, in bytes.
const CHUNK: u64 = 256 * 1024;

/// How far checkpoints are apart unless [`Options`] say otherwise, in bytes of content: not so near that reading
/// would be slower, nor so far that it would take much memory.
const SPAN: (u64, u64) = (2 << 20, 8 << 20);

/// Between these, one checkpoint for so much of a file; for each up to 32 KiB are kept.
const SHARE: u64 = 2048;

/// How an index is made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The file to write; the name of the compressed file and `.idx` if `None`.
    pub output: Option<PathBuf>,
    /// Overwrite a file that exists, and make an index also where the header holds one.
    pub force: bool,
    /// How far checkpoints are apart at most, in bytes of content; farther where there would be too many. `None`: 2 MiB,
    /// and up to 8 MiB in large files.
    pub span: Option<u64>,
    /// Where an index is made that goes to a stream; `None`: in the system's directory for temporary files.
    pub temp_dir: Option<PathBuf>,
    /// What is asked about the SHA-256 of the compressed file.
    pub checksum: Checksum,
}

/// An index that was made, or need not be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Made {
    /// Where it is; `None` when the header of the file holds one, or when it went to a stream.
    pub path: Option<PathBuf>,
    /// Whether it was there already, and nothing was written.
    pub found: bool,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many checkpoints it holds.
    pub checkpoints: usize,
    /// Length of the compressed file in bytes.
    pub file_bytes: u64,
    /// Length of the content in bytes.
    pub content_bytes: u64,
    /// SHA-256 of the compressed file in hexadecimal digits, where it was asked for.
    pub sha256: Option<String>,
}

/// Makes the index of the file at `path`. One that is there already and fits is [found](Made::found) instead, unless an
/// option asks for another.
///
/// # Errors
/// [`Code::Usage`] for standard input, a pipe, or a file that is not compressed; [`Code::OutputExists`];
/// [`Code::FileChecksum`]; the `gzip.*` code of a damaged file; [`Code::FileEmpty`]; [`Code::Cancelled`]; any `io.*` code.
pub fn run(path: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Made> {
    let (source, file) = compressed(path, feedback)?;
    let default = options.output.is_none() && options.span.is_none() && !options.force;
    let expected = options.checksum.expected.as_ref().map(|known| known.of(path)).transpose()?;
    if default && let Some(made) = found(&source, file.clone()) {
        let sha256 = options.checksum.is_wanted().then(|| read_alone(&file, feedback)).transpose()?;
        source::as_expected(path, expected.as_deref(), sha256.as_deref())?;
        return Ok(Made { sha256, ..made });
    }
    if options.output.is_none() && source.remote().is_some() {
        let headline = "the index of a file behind an address needs -o FILE, which says where it goes";
        return Err(Problem::new(Code::Usage).headline(headline));
    }
    let output = options.output.clone().unwrap_or_else(|| sidecar(path));
    let place = Output::File(output.clone());
    place.check_early(options.force)?;
    let work = Workspace::create(&place.directory(), feedback)?;
    let (index, bytes, sha256) = write(path, &file, &work, options, feedback)?;
    source::as_expected(path, expected.as_deref(), sha256.as_deref())?;
    Output::put(&work, FINISHED, &output, options.force, feedback)?;
    work.remove(feedback);
    dir::say_what_lacks(feedback);
    Ok(Made { path: Some(output), bytes, sha256, ..made(&index) })
}

/// The same for a stream, such as standard output, which gets the index when it is complete.
///
/// # Errors
/// As [`run`], before anything was written; [`Code::OutputClosed`] and what else writing to `out` says.
pub fn stream(
    path: &Path,
    options: &Options,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<Made> {
    let (_, file) = compressed(path, feedback)?;
    let expected = options.checksum.expected.as_ref().map(|known| known.of(path)).transpose()?;
    let work = Workspace::temporary(options.temp_dir.as_deref(), feedback)?;
    let (index, bytes, sha256) = write(path, &file, &work, options, feedback)?;
    source::as_expected(path, expected.as_deref(), sha256.as_deref())?;
    let failed = |err| io::problem("read", &work.held().place(FINISHED), err);
    let mut finished = work.held().file(FINISHED)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
    let mut chunk = vec![0; CHUNK as usize];
    loop {
        feedback.checkpoint()?;
        let len = finished.read(&mut chunk).map_err(failed)?;
        if len == 0 {
            break;
        }
        // What stops a job may stop the writer first.
        let written = out.write_all(&chunk[..len]).map_err(io::to_stream);
        written.or_else(|problem| feedback.checkpoint().and(Err(problem)))?;
    }
    out.flush().map_err(io::to_stream)?;
    work.remove(feedback);
    Ok(Made { bytes, sha256, ..made(&index) })
}

/// The file, if an index can be made of it.
fn compressed(path: &Path, feedback: &mut dyn Feedback) -> Result<(Source, Part)> {
    let source = Source::open(path, feedback)?;
    // Of an address, what may be shown.
    let shown = source.name().display();
    let Some(file) = source.part() else {
        return Err(Problem::new(Code::Usage)
            .headline("an index is of a file that can be read again, not of a pipe or standard input"));
    };
    if file.is_empty() {
        return Err(Problem::new(Code::FileEmpty).path(&shown));
    }
    if !source::is_gzip(&file) {
        return Err(Problem::new(Code::Usage)
            .headline(format!("{shown} is not compressed: it can be read from anywhere without an index")));
    }
    Ok((source, file))
}

/// The SHA-256 of a file that is read for nothing else.
fn read_alone(file: &Part, feedback: &mut dyn Feedback) -> Result<String> {
    let _ahead = file.far().map(|(file, start)| file.stream(start));
    feedback.phase(Phase { total: Some(file.len()), ..Phase::only("Reading snapshot") });
    sum::of_part(file, feedback)
}

/// Writes the index to the file [`FINISHED`] of a working directory; its length in bytes, and the SHA-256 of the
/// compressed file if that is asked for.
fn write(
    path: &Path,
    file: &Part,
    work: &Workspace,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<(Index, u64, Option<String>)> {
    let mut adding =
        options.checksum.is_wanted().then(|| sum::begin(Some(file.clone()), None)).transpose()?;
    let total = Some(file.len());
    let _ahead = file.far().map(|(file, start)| file.stream(start));
    feedback.phase(Phase { total, ..Phase::only("Indexing") });
    let span = options.span.unwrap_or((file.len() / SHARE).clamp(SPAN.0, SPAN.1));
    let mut scanner = Scanner::new(span, MOST_CHECKPOINTS);
    let mut members = Members::new(MemberTable::default(), MemberTable::add);
    let mut beside = Beside::create(work)?;
    let (mut at, mut chunk) = (0, Vec::new());
    while at < file.len() {
        let len = CHUNK.min(file.len() - at);
        chunk.resize(len as usize, 0);
        file.read_at(at, &mut chunk)?;
        match &mut adding {
            Some((adder, _)) => adder.add(&chunk),
            None => file.passed(at + len),
        }
        scanner.feed(&chunk, &mut |scanned| match scanned {
            // A little of the file may be much content.
            Scanned::Content(content) => {
                members.take(content);
                feedback.checkpoint()
            }
            Scanned::Window(data) => beside.write(data),
        })?;
        at += len;
        feedback.advance(len);
    }
    let mut index = scanner.finish()?.ok_or_else(|| {
        Problem::new(Code::FileEmpty).headline("there is nothing in the compressed file").path(path.display())
    })?;
    index.members = members.finish().unwrap_or_default();
    let sha256 = adding.map(|(adder, total)| {
        adder.end();
        total.finish(feedback)
    });
    let sha256 = sha256.transpose()?;
    feedback.checkpoint()?;
    let bytes = beside.finish(&index)?;
    Ok((index, bytes, sha256))
}

/// The index that readers of the file would take: the one in its header, or beside it.
fn found(source: &Source, file: Part) -> Option<Made> {
    let indexed = source.look_for(file).indexed?;
    let made = Made { found: true, ..made(indexed.index()) };
    Some(match indexed.beside() {
        None => made,
        Some(beside) => Made { path: Some(sidecar(source.name())), bytes: beside.len(), ..made },
    })
}

fn made(index: &Index) -> Made {
    Made {
        path: None,
        found: false,
        bytes: 0,
        checkpoints: index.checkpoints.len(),
        file_bytes: index.file_len,
        content_bytes: index.content_len,
        sha256: None,
    }
}

/// Name of the file until it is finished.
const FINISHED: &str = "index";

/// The file of an index, until it is complete. Windows are written as they come.
struct Beside {
    path: PathBuf,
    file: BufWriter<File>,
    /// How long it is.
    len: u64,
}

impl Beside {
    fn create(work: &Workspace) -> Result<Self> {
        let path = work.held().place(FINISHED);
        let file = work.held().create(FINISHED, 0o644).map_err(|err| io::problem("create", &path, err))?;
        let mut beside = Self { path, file: BufWriter::new(file), len: 0 };
        // Comes last, when all is known.
        beside.write(&[0; HEAD])?;
        Ok(beside)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|err| io::problem("write", &self.path, err))
    }

    /// Adds what stands behind the windows, and syncs it; its length in bytes.
    fn finish(mut self, index: &Index) -> Result<u64> {
        let (head, table) = index.encode_beside(self.len);
        self.write(&table)?;
        let Self { path, file, len } = self;
        let failed = |err| io::problem("write", &path, err);
        let file = file.into_inner().map_err(|err| failed(err.into_error()))?;
        file.write_all_at(&head, 0).and_then(|()| dir::sync_file(&file)).map_err(failed)?;
        Ok(len)
    }
}
