//! Files that a node may be writing to, as they are at one moment.
//!
//! A node appends objects first, then says in the control file that they count, then lists their
//! commits; a collection writes new files and then names them in the control file. So: read the
//! index, then the control file, then open what that names, and if a collection has removed it
//! meanwhile, begin again. Files that are open stay readable, and nobody changes what was written,
//! with three exceptions: the logs of indexes say in their headers how much of them counts, a branch
//! is overwritten in place, and small files are replaced by others. These are read at once.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use rollsnap_core::context::Context;
use rollsnap_core::context::path::unhex;
use rollsnap_core::members::NDS;
use rollsnap_core::{Code, Files, Problem, ReadAt, Result};

use crate::files::{FileSet, Part};

/// Files of at most so many bytes are kept in memory; the other ones are read where they are.
const MAX_KEPT: u64 = 64 << 10;

/// Length of the header of a log of an index, in bytes.
const LOG_HEADER: u64 = 32;

/// Most files that are taken beside those named by their hashes. A context has some dozens.
pub(crate) const MAX_FILES: usize = 1 << 14;

/// There are more.
pub(crate) fn too_many_files() -> Problem {
    Problem::new(Code::ContextFile)
        .headline("there are more files than any context has")
        .expected(format_args!("at most {MAX_FILES}"))
}

/// How often it is begun again.
const ATTEMPTS: usize = 5;

/// Files at one moment.
#[derive(Clone, Debug)]
pub struct Moment {
    held: BTreeMap<String, FrozenFile>,
    /// Files of a context that are named by their hash, of which there may be too many to hold open:
    /// nobody changes or removes them.
    files: FileSet,
}

/// A file that does not change any more.
#[derive(Clone, Debug)]
pub struct FrozenFile {
    content: Content,
    /// Its permission bits.
    pub mode: u32,
    /// Time of its last change, in seconds since 1970.
    pub mtime: u64,
}

#[derive(Clone, Debug)]
enum Content {
    /// Its bytes.
    Bytes(Arc<Vec<u8>>),
    /// The file as long as it was.
    Open(Part),
    /// The same, with its beginning as it was.
    Log([u8; LOG_HEADER as usize], Part),
}

impl Moment {
    /// Nothing yet of these files.
    pub fn of(files: &FileSet) -> Self {
        Self { held: BTreeMap::new(), files: files.clone() }
    }

    /// Takes the files of a context, but those in directories that no node makes there. Gives nothing
    /// opened when the files are not those of an irmin-pack store.
    ///
    /// # Errors
    /// Those of [`Context::open`], and any `io.*` code.
    pub fn take(files: &FileSet) -> Result<Self> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let moment = Self::once(&files.held()?)?;
            match Context::open(&moment) {
                // A collection came between.
                Err(problem) if problem.code() == Code::ContextFile && left > 0 => {}
                _ => return Ok(moment),
            }
        }
    }

    fn once(files: &FileSet) -> Result<Self> {
        let mut moment = Self::of(files);
        // The order matters: see above. A merge moves entries from the logs to `data`.
        for name in ["index/log_async", "index/log", "index/data", "store.control"] {
            moment.add(name)?;
        }
        for directory in ["", "index", NDS] {
            for name in files.names(directory)? {
                if moment.held.len() > MAX_FILES {
                    return Err(too_many_files());
                }
                let name = if directory.is_empty() { name } else { format!("{directory}/{name}") };
                if unhex(&name).is_none() {
                    moment.add(&name)?;
                }
            }
        }
        Ok(moment)
    }

    /// Takes one more file, unless it is taken already or is not there (any more).
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn add(&mut self, name: &str) -> Result<()> {
        if !self.held.contains_key(name)
            && let Some(part) = self.files.open(name)?
        {
            self.held.insert(name.into(), FrozenFile::new(name, part)?);
        }
        Ok(())
    }

    /// The files that were taken, in the order of their names' bytes.
    pub fn held(&self) -> impl Iterator<Item = (&str, &FrozenFile)> {
        self.held.iter().map(|(name, held)| (name.as_str(), held))
    }

    /// The names of all files: objects last, the newest at the end.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub fn all(&self) -> Result<Vec<String>> {
        let objects = |name: &str| name.ends_with(".prefix") || name.ends_with(".suffix");
        let number = |name: &str| name.split('.').nth(1).and_then(|number| number.parse::<u64>().ok());
        let mut names: Vec<String> = self.held.keys().cloned().collect();
        names.sort_by_key(|name| (objects(name), name.ends_with(".suffix"), number(name)));
        names.extend(self.named()?);
        Ok(names)
    }

    fn named(&self) -> Result<impl Iterator<Item = String>> {
        Ok(self.files.names("")?.into_iter().filter(|name| unhex(name).is_some()))
    }
}

impl FrozenFile {
    fn new(name: &str, mut part: Part) -> Result<Self> {
        let is_log = ["log", "log_async"].contains(&name.rsplit('/').next().unwrap_or_default());
        let mut header = None;
        if is_log && part.len() >= LOG_HEADER {
            let mut bytes = [0; LOG_HEADER as usize];
            part.read_at(0, &mut bytes)?;
            header = Some(bytes);
            // What the header counts was written before it.
            part = part.renewed()?;
        }
        let metadata = part.metadata()?;
        let mode = metadata.mode() & 0o777;
        let mtime = u64::try_from(metadata.mtime()).unwrap_or_default();
        let content = if part.len() <= MAX_KEPT {
            let mut bytes = vec![0; usize::try_from(part.len()).unwrap_or_default()];
            part.read_at(0, &mut bytes)?;
            if let (Some(header), Some(beginning)) = (header, bytes.first_chunk_mut()) {
                *beginning = header;
            }
            Content::Bytes(bytes.into())
        } else {
            match header {
                Some(header) => Content::Log(header, part),
                None => Content::Open(part),
            }
        };
        Ok(Self { content, mode, mtime })
    }
}

impl ReadAt for FrozenFile {
    fn len(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => ReadAt::len(&**bytes),
            Content::Open(part) | Content::Log(_, part) => part.len(),
        }
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        match &self.content {
            Content::Bytes(bytes) => ReadAt::read_at(&**bytes, offset, out),
            Content::Open(part) => part.read_at(offset, out),
            Content::Log(header, part) => {
                part.read_at(offset, out)?;
                let as_it_was = header.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
                out.iter_mut().zip(as_it_was).for_each(|(byte, was)| *byte = *was);
                Ok(())
            }
        }
    }
}

impl Files for Moment {
    type File = FrozenFile;

    fn open(&self, name: &str) -> Result<Option<FrozenFile>> {
        match self.held.get(name) {
            Some(held) => Ok(Some(held.clone())),
            None if unhex(name).is_some() => {
                self.files.open(name)?.map(|part| FrozenFile::new(name, part)).transpose()
            }
            None => Ok(None),
        }
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = self.held.keys().filter_map(|name| name.strip_prefix(&prefix));
        let mut names: Vec<String> = below.filter(|name| !name.contains('/')).map(Into::into).collect();
        if directory.is_empty() {
            names.extend(self.named()?);
            names.sort_unstable();
        }
        Ok(names)
    }
}
