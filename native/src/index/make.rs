//! Makes the index of a compressed file in one pass over it, and puts it beside the file.

use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::gzip::checkpoint::{Index, Scanner};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Result};

use super::{MOST_CHECKPOINTS, sidecar};
use crate::io;
use crate::source::{self, Source};

/// How much is read at once, in bytes.
const CHUNK: u64 = 256 * 1024;

/// How an index is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file to write; the name of the compressed file and `.idx` if `None`.
    pub output: Option<PathBuf>,
    /// Overwrite a file that exists, and make an index also where the header holds one.
    pub force: bool,
    /// How far checkpoints are apart, in bytes of content; farther where there would be too many.
    pub span: u64,
}

/// An index that was made, or need not be made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where it is; `None` when the header of the file holds one.
    pub path: Option<PathBuf>,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many checkpoints it holds.
    pub checkpoints: usize,
    /// Length of the compressed file in bytes.
    pub file_bytes: u64,
    /// Length of the content in bytes.
    pub content_bytes: u64,
}

/// Makes the index of the file at `path`.
///
/// # Errors
/// [`Code::Usage`] for standard input, a pipe, or a file that is not compressed; [`Code::OutputExists`];
/// the `gzip.*` code of a damaged file; [`Code::FileEmpty`]; [`Code::Cancelled`]; any `io.*` code.
pub fn run(path: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Made> {
    let shown = path.display();
    let source = Source::open(path)?;
    let Some(file) = source.part() else {
        return Err(Problem::new(Code::Usage)
            .headline("an index is of a file that can be read again, not of a pipe or standard input"));
    };
    if file.is_empty() {
        return Err(Problem::new(Code::FileEmpty).path(shown));
    }
    if !source::is_gzip(&file) {
        return Err(Problem::new(Code::Usage)
            .headline(format!("{shown} is not compressed: it can be read from anywhere without an index")));
    }
    if let Ok(Some(index)) = Index::of_file(&file)
        && !options.force
        && options.output.is_none()
    {
        return Ok(made(None, 0, &index));
    }
    let output = options.output.clone().unwrap_or_else(|| sidecar(path));
    if !options.force && output.symlink_metadata().is_ok() {
        return Err(Problem::new(Code::OutputExists).path(output.display()));
    }

    let total = Some(file.len());
    feedback.phase(Phase { index: 1, of: 1, name: "Indexing", total, unit: Unit::Bytes });
    let mut scanner = Scanner::new(options.span, MOST_CHECKPOINTS);
    let (mut at, mut chunk) = (0, Vec::new());
    while at < file.len() {
        feedback.checkpoint()?;
        let len = CHUNK.min(file.len() - at);
        chunk.resize(len as usize, 0);
        file.read_at(at, &mut chunk)?;
        scanner.feed(&chunk)?;
        at += len;
        feedback.advance(len);
    }
    let index = scanner.finish()?.ok_or_else(|| {
        Problem::new(Code::FileEmpty).headline("there is nothing in the compressed file").path(shown)
    })?;
    let bytes = index.encode();
    feedback.checkpoint()?;
    put(&output, &bytes, options.force)?;
    Ok(made(Some(output), bytes.len() as u64, &index))
}

fn made(path: Option<PathBuf>, bytes: u64, index: &Index) -> Made {
    Made {
        path,
        bytes,
        checkpoints: index.checkpoints.len(),
        file_bytes: index.file_len,
        content_bytes: index.content_len,
    }
}

/// Writes a file under a name of its own, and renames it when it is complete.
fn put(path: &Path, bytes: &[u8], force: bool) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |err| io::problem("write", path, err);
    let mut builder = tempfile::Builder::new();
    // What the user's mask leaves of it.
    builder.prefix(".rollsnap-index-").permissions(Permissions::from_mode(0o666));
    let mut file = builder.tempfile_in(parent).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    let named = if force { file.persist(path) } else { file.persist_noclobber(path) };
    named.map_err(|err| match err.error.kind() {
        ErrorKind::AlreadyExists => Problem::new(Code::OutputExists).path(path.display()),
        _ => failed(err.error),
    })?;
    io::sync_dir(parent)
}
