//! A context that a node may be writing to, as it is at one moment.
//!
//! A node appends objects first, then says in the control file that they count, then lists their
//! commits; a collection writes new files and then names them in the control file. So: read the
//! index, then the control file, then open what that names, and if a collection has removed it
//! meanwhile, begin again. Files that are open stay readable, and nobody changes what was written.

use std::collections::BTreeMap;

use rollsnap_core::context::Context;
use rollsnap_core::{Code, Files, ReadAt, Result};

use super::{ContextFiles, Part};

/// Most bytes of an index file that are kept in memory; the other files are read where they are.
const MAX_KEPT: u64 = 64 << 20;

/// How often it is begun again.
const ATTEMPTS: usize = 5;

/// The files of a context at one moment.
#[derive(Debug)]
pub struct Moment {
    files: BTreeMap<String, Held>,
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
    pub fn take(files: &ContextFiles) -> Result<Self> {
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

    fn once(files: &ContextFiles) -> Result<Self> {
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
                    && let Some(part) = files.open(&name)?
                {
                    held.insert(name, Held::Open(part));
                }
            }
        }
        Ok(Self { files: held })
    }

    /// Each file by its name: objects last, the newest at the end.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Held)> {
        let objects = |name: &str| name.ends_with(".prefix") || name.ends_with(".suffix");
        let number = |name: &str| name.split('.').nth(1).and_then(|number| number.parse::<u64>().ok());
        let mut files: Vec<_> = self.files.iter().map(|(name, held)| (name.as_str(), held)).collect();
        files.sort_by_key(|(name, _)| (objects(name), name.ends_with(".suffix"), number(name)));
        files.into_iter()
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
        Ok(self.files.get(name).cloned())
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = self.files.keys().filter_map(|name| name.strip_prefix(&prefix));
        Ok(below.filter(|name| !name.contains('/')).map(Into::into).collect())
    }
}
