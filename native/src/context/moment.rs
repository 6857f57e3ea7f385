//! A context that a node may be writing to, as it is at one moment.
//!
//! A node appends objects first, then says in the control file that they count, then lists their
//! commits; a collection writes new files and then names them in the control file. So: read the
//! index, then the control file, then open what that names, and if a collection has removed it
//! meanwhile, begin again. Files that are open stay readable, and nobody changes what was written.

use std::collections::BTreeMap;

use rollsnap_core::context::Context;
use rollsnap_core::context::path::unhex;
use rollsnap_core::{Code, Files, ReadAt, Result};

use crate::files::{FileSet, Part};

/// Most bytes of an index file that are kept in memory; the other files are read where they are.
const MAX_KEPT: u64 = 64 << 20;

/// How often it is begun again.
const ATTEMPTS: usize = 5;

/// The files of a context at one moment.
#[derive(Debug)]
pub struct Moment {
    held: BTreeMap<String, Held>,
    /// Files that are named by their hash, of which there may be too many to hold open: nobody
    /// changes or removes them.
    files: FileSet,
}

/// A file that does not change any more.
#[derive(Clone, Debug)]
pub enum Held {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// The file as long as it was.
    Open(Part),
}

impl Moment {
    /// Takes the files of a context. Gives nothing opened when the files are not those of an
    /// irmin-pack store.
    ///
    /// # Errors
    /// Those of [`Context::open`], and any `io.*` code.
    pub fn take(files: &FileSet) -> Result<Self> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let moment = Self::once(files)?;
            match Context::open(&moment) {
                // A collection came between.
                Err(problem) if problem.code() == Code::ContextFile && left > 0 => {}
                _ => return Ok(moment),
            }
        }
    }

    fn once(files: &FileSet) -> Result<Self> {
        let mut held = BTreeMap::new();
        let mut keep = |name: String| -> Result<()> {
            if let Some(part) = files.open(&name)? {
                let kept = if part.len() <= MAX_KEPT {
                    let mut bytes = vec![0; usize::try_from(part.len()).unwrap_or_default()];
                    part.read_at(0, &mut bytes)?;
                    Held::Bytes(bytes)
                } else {
                    Held::Open(part)
                };
                held.insert(name, kept);
            }
            Ok(())
        };
        // The order matters: see above. A merge moves entries from the logs to `data`.
        for name in ["index/log_async", "index/log", "index/data", "store.control"] {
            keep(name.into())?;
        }
        for directory in ["", "index", "nds"] {
            for name in files.names(directory)? {
                let name = if directory.is_empty() { name } else { format!("{directory}/{name}") };
                if !held.contains_key(&name)
                    && unhex(&name).is_none()
                    && let Some(part) = files.open(&name)?
                {
                    held.insert(name, Held::Open(part));
                }
            }
        }
        Ok(Self { held, files: files.clone() })
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

impl ReadAt for Held {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => ReadAt::len(bytes),
            Self::Open(part) => part.len(),
        }
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        match self {
            Self::Bytes(bytes) => ReadAt::read_at(bytes, offset, out),
            Self::Open(part) => part.read_at(offset, out),
        }
    }
}

impl Files for Moment {
    type File = Held;

    fn open(&self, name: &str) -> Result<Option<Held>> {
        match self.held.get(name) {
            Some(held) => Ok(Some(held.clone())),
            None if unhex(name).is_some() => Ok(self.files.open(name)?.map(Held::Open)),
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
