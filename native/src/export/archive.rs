//! Writing the archive: members in a stable order, each exactly as long as announced.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rollsnap_core::snapshot::{NewMember, Packing, Writer};
use rollsnap_core::{Code, Feedback, Header, Problem, ReadAt, Result};
use sha2::{Digest, Sha256};

use super::packer::Packer;
use crate::context::FrozenFile;
use crate::data_dir::SourceFile;
use crate::deflate::{self, Deflater, Finished};
use crate::dir::{Dir, sync_file};
use crate::files::Part;
use crate::io;
use crate::writeback::WritebackFile;

/// How much is copied at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// SHA-256 over name, size and content hash of a member: what reading back must find.
pub(super) type MemberDigest = [u8; 32];

/// A file that goes into the archive.
pub(super) struct Member {
    /// Under which name; how long it was; where it is, for messages.
    file: SourceFile,
    content: Content,
}

/// Where the bytes of a member are.
enum Content {
    /// Under its name in this directory.
    In(Dir),
    /// In the file as it was under the locks.
    Frozen(FrozenFile),
    /// In the database of this directory, once it is packed.
    Packed(Dir),
}

impl Member {
    /// A file that nobody changes, under its name in a directory.
    pub(super) fn in_dir(dir: &Dir, file: SourceFile) -> Self {
        Self { file, content: Content::In(dir.clone()) }
    }

    /// The database that is being packed in a directory; its length is taken to be that of the copy.
    pub(super) fn packed(dir: &Dir, file: SourceFile) -> Self {
        Self { file, content: Content::Packed(dir.clone()) }
    }

    /// Its length in bytes, as far as that is known.
    pub(super) fn len(&self) -> u64 {
        self.file.size
    }

    /// A file that was captured; `root`: what its name is relative to.
    pub(super) fn held(name: String, root: &Path, held: &FrozenFile) -> Self {
        let (path, size, mode, mtime) = (root.join(&name), held.len(), held.mode, held.mtime);
        let content = Content::Frozen(held.clone());
        Self { file: SourceFile { name, path, size, mode, mtime }, content }
    }
}

/// What goes into the archive, in the order of a walk through sorted directories.
pub(super) struct Plan {
    members: Vec<Member>,
    bytes: u64,
}

impl Plan {
    pub(super) fn new(mut members: Vec<Member>) -> Self {
        members.sort_unstable_by(|a, b| a.file.name.split('/').cmp(b.file.name.split('/')));
        let bytes = members.iter().map(|member| member.file.size).sum();
        Self { members, bytes }
    }

    /// Sum of the sizes, as far as they are known.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// An archive to be written.
pub(super) struct Archive<'a> {
    pub(super) plan: Plan,
    pub(super) header: &'a Header,
    /// Whether digests are wanted: hashing takes time.
    pub(super) digests: bool,
    /// What gives the database, where there is one.
    pub(super) packer: Option<&'a mut Packer>,
}

/// Writes an archive to a new file of this name, compressed if `deflate` says how, and syncs it.
pub(super) fn write(
    archive: Archive<'_>,
    deflate: Option<deflate::Options>,
    (dir, name): (&Dir, &str),
    feedback: &mut dyn Feedback,
) -> Result<Vec<MemberDigest>> {
    let path = &*dir.place(name);
    let file = dir.create(name, 0o644).map_err(|err| io::problem("create", path, err))?;
    let mut file = WritebackFile::new(file);
    let out = |bytes: &[u8]| file.write_all(bytes).map_err(|err| io::problem("write", path, err));
    let digests = match deflate {
        None => members(archive, out, feedback)?,
        Some(options) => {
            let expected = Some(archive.plan.bytes());
            let mut deflater = Deflater::new(deflate::Options { expected, ..options }, out)?;
            let digests = members(archive, |bytes| deflater.write(bytes), feedback)?;
            let finished = deflater.finish()?;
            put_index(file.file(), path, finished)?;
            digests
        }
    };
    finish(file.file(), path)?;
    Ok(digests)
}

/// Writes an archive to a stream, compressed if `deflate` says how, and returns the number of bytes written.
pub(super) fn stream(
    archive: Archive<'_>,
    deflate: Option<deflate::Options>,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<u64> {
    let mut written = 0;
    let count = |bytes: &[u8]| {
        written += bytes.len() as u64;
        out.write_all(bytes).map_err(io::to_stream)
    };
    match deflate {
        None => {
            members(archive, count, feedback)?;
        }
        Some(options) => {
            // An index stands in front of what it describes, and would be known at the end.
            let mut deflater = Deflater::new(deflate::Options { expected: Some(0), ..options }, count)?;
            members(archive, |bytes| deflater.write(bytes), feedback)?;
            deflater.finish()?;
        }
    }
    out.flush().map_err(io::to_stream)?;
    Ok(written)
}

fn members<F: FnMut(&[u8]) -> Result<()>>(
    archive: Archive<'_>,
    out: F,
    feedback: &mut dyn Feedback,
) -> Result<Vec<MemberDigest>> {
    let Archive { plan, header, digests: wanted, mut packer } = archive;
    let mut writer = Writer::new(header, Packing::Plain, out)?;
    let mut chunk = vec![0; CHUNK];
    let mut digests = Vec::new();
    for mut member in plan.members {
        let announced = member.file.size;
        if let (Content::Packed(_), Some(packer)) = (&member.content, &mut packer) {
            (member.file.path, member.file.size) = packer.packed(feedback)?;
        }
        let mut content = wanted.then(Sha256::new);
        let beside = packer.as_deref_mut();
        copy(&member, announced, &mut writer, content.as_mut(), &mut chunk, beside, feedback)?;
        let SourceFile { name, size, .. } = &member.file;
        digests.extend(content.map(|content| member_digest(name, *size, &content.finalize().into())));
    }
    writer.finish()?;
    Ok(digests)
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

fn finish(file: &File, path: &Path) -> Result<()> {
    sync_file(file).map_err(|err| io::problem("write", path, err))
}

/// Copies exactly as many bytes as the member has: a log that has grown since is cut there. As progress
/// `announced` bytes are told. What goes wrong with the database `beside` it ends the copying.
fn copy<F: FnMut(&[u8]) -> Result<()>>(
    member: &Member,
    announced: u64,
    writer: &mut Writer<F>,
    mut digest: Option<&mut Sha256>,
    chunk: &mut [u8],
    mut beside: Option<&mut Packer>,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let SourceFile { name, path, size, mode, mtime } = &member.file;
    let changed = || {
        let problem = Problem::new(Code::SourceChanged).path(path.display());
        problem.expected(format_args!("{size} bytes"))
    };
    let part;
    let content: &dyn ReadAt = match &member.content {
        Content::Frozen(held) => held,
        Content::In(dir) | Content::Packed(dir) => {
            part = Part::open_in(dir, name)?.ok_or_else(|| changed().found("no such file"))?;
            &part
        }
    };
    if content.len() < *size {
        return Err(changed().found(content.len()));
    }
    writer.member(NewMember { name, size: *size, mode: *mode, mtime: *mtime })?;
    let (mut copied, mut told) = (0, 0);
    while copied < *size {
        feedback.checkpoint()?;
        if let Some(packer) = &mut beside {
            packer.look()?;
        }
        let len = usize::try_from(*size - copied).map_or(CHUNK, |left| left.min(CHUNK));
        let piece = &mut chunk[..len];
        content.read_at(copied, piece)?;
        if let Some(digest) = &mut digest {
            digest.update(&*piece);
        }
        writer.data(piece)?;
        copied += len as u64;
        let news = copied.min(announced) - told;
        told += news;
        feedback.advance(news);
    }
    feedback.advance(announced - told);
    Ok(())
}
