//! Writing the archive: members in a stable order, each exactly as long as announced.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Code, Feedback, Header, Problem, Result};
use sha2::{Digest, Sha256};

use crate::data_dir::{STORE, SourceFile};
use crate::deflate::{self, Deflater, Finished};
use crate::io;
use crate::store::Capture;

/// How much is copied at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// SHA-256 over name, size and content hash of a member: what reading back must find.
pub(super) type MemberDigest = [u8; 32];

/// What goes into the archive, in the order of the names' bytes.
pub(super) struct Plan {
    files: Vec<SourceFile>,
    capture: Option<(Capture, Option<i32>)>,
    bytes: u64,
}

impl Plan {
    /// The files of the data directory and the captured store, which is cut at a level. It gets
    /// the mode and the time of the store it was copied from, so that the same data always gives
    /// the same bytes.
    pub(super) fn new(
        mut files: Vec<SourceFile>,
        capture: Capture,
        cut: Option<i32>,
        store: &Path,
    ) -> Result<Self> {
        let look = |path: &Path| fs::metadata(path).map_err(|err| io::problem("look at", path, err));
        let original = look(store)?;
        let size = look(capture.path())?.len();
        files.push(SourceFile {
            name: STORE.into(),
            path: PathBuf::new(),
            size,
            mode: original.mode() & 0o777,
            mtime: u64::try_from(original.mtime()).unwrap_or_default(),
        });
        files.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        let bytes = files.iter().map(|file| file.size).sum();
        Ok(Self { files, capture: Some((capture, cut)), bytes })
    }

    /// Sum of the sizes, the store as it was captured.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Writes the archive to `path` and syncs it, compressed if it is told how. `release` is called as
/// soon as everything that the locks protect is written.
pub(super) fn write(
    plan: Plan,
    header: &Header,
    deflate: Option<deflate::Options>,
    path: &Path,
    feedback: &mut dyn Feedback,
    release: impl FnMut(),
) -> Result<Vec<MemberDigest>> {
    let mut file = create(path)?;
    let out = |bytes: &[u8]| file.write_all(bytes).map_err(|err| io::problem("write", path, err));
    let digests = match deflate {
        None => members(plan, header, out, feedback, release)?,
        Some(options) => {
            let mut deflater =
                Deflater::new(deflate::Options { expected: Some(plan.bytes()), ..options }, out)?;
            let digests = members(plan, header, |bytes| deflater.write(bytes), feedback, release)?;
            let finished = deflater.finish()?;
            put_index(&file, path, finished)?;
            digests
        }
    };
    finish(file, path)?;
    Ok(digests)
}

fn members<F: FnMut(&[u8]) -> Result<()>>(
    mut plan: Plan,
    header: &Header,
    out: F,
    feedback: &mut dyn Feedback,
    mut release: impl FnMut(),
) -> Result<Vec<MemberDigest>> {
    let mut writer = Writer::new(header, Packing::Plain, out)?;
    let mut chunk = vec![0; CHUNK];
    let mut digests = Vec::with_capacity(plan.files.len());
    for mut source in plan.files {
        // A node changes the context only: pre-images are written once, and the store is captured.
        if source.name.as_str() > "context/\u{10ffff}" {
            release();
        }
        let captured = source.size;
        if let Some((capture, cut)) = plan.capture.take_if(|_| source.name == STORE) {
            source.path = capture.finish(cut, feedback)?;
            source.size =
                fs::metadata(&source.path).map_err(|err| io::problem("look at", &source.path, err))?.len();
        }
        digests.push(copy(&source, &mut writer, &mut chunk, feedback)?);
        // The store may have become smaller when it was cut: its share of the total is done.
        feedback.advance(captured.saturating_sub(source.size));
    }
    release();
    writer.finish()?;
    Ok(digests)
}

/// Compresses a finished archive on all cores.
pub(super) fn compress(
    raw: &Path,
    path: &Path,
    options: deflate::Options,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let mut source = File::open(raw).map_err(|err| io::problem("read", raw, err))?;
    let expected = source.metadata().map_err(|err| io::problem("look at", raw, err))?.len();
    let mut file = create(path)?;
    let out = |bytes: &[u8]| file.write_all(bytes).map_err(|err| io::problem("write", path, err));
    let mut deflater = Deflater::new(deflate::Options { expected: Some(expected), ..options }, out)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        feedback.checkpoint()?;
        let len = source.read(&mut chunk).map_err(|err| io::problem("read", raw, err))?;
        if len == 0 {
            break;
        }
        deflater.write(&chunk[..len])?;
        feedback.advance(len as u64);
    }
    let finished = deflater.finish()?;
    put_index(&file, path, finished)?;
    finish(file, path)
}

/// Says in the gzip header where reading can begin.
fn put_index(file: &File, path: &Path, finished: Finished) -> Result<()> {
    let Some(patch) = finished.index else { return Ok(()) };
    file.write_all_at(&patch.bytes, patch.at).map_err(|err| io::problem("write", path, err))
}

/// The digest of a member whose content has this hash.
pub(super) fn member_digest(name: &str, size: u64, content: &[u8; 32]) -> MemberDigest {
    let digest = Sha256::new_with_prefix(name).chain_update([0]).chain_update(size.to_be_bytes());
    digest.chain_update(content).finalize().into()
}

fn create(path: &Path) -> Result<File> {
    File::create_new(path).map_err(|err| io::problem("create", path, err))
}

fn finish(file: File, path: &Path) -> Result<()> {
    file.sync_all().map_err(|err| io::problem("write", path, err))
}

/// Copies exactly the announced number of bytes: a log that has grown since is cut there.
fn copy<F: FnMut(&[u8]) -> Result<()>>(
    source: &SourceFile,
    writer: &mut Writer<F>,
    chunk: &mut [u8],
    feedback: &mut dyn Feedback,
) -> Result<MemberDigest> {
    let failed = |err| io::problem("read", &source.path, err);
    let SourceFile { name, size, mode, mtime, .. } = source;
    let mut file = File::open(&source.path).map_err(failed)?.take(*size);
    writer.member(NewMember { name, size: *size, mode: *mode, mtime: *mtime })?;
    let mut digest = Sha256::new();
    let mut copied = 0;
    loop {
        feedback.checkpoint()?;
        let len = match file.read(chunk) {
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(failed)?,
        };
        if len == 0 {
            break;
        }
        digest.update(&chunk[..len]);
        writer.data(&chunk[..len])?;
        copied += len as u64;
        feedback.advance(len as u64);
    }
    if copied < *size {
        return Err(Problem::new(Code::SourceChanged)
            .path(source.path.display())
            .expected(format_args!("{size} bytes"))
            .found(copied));
    }
    Ok(member_digest(name, *size, &digest.finalize().into()))
}
