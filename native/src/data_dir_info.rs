//! What a data directory says about itself, how large it is, and who uses it. Nothing in it is changed and no lock is
//! taken: a node may be at work.

use std::path::Path;

use rollsnap_core::context::second_half;
use rollsnap_core::members::{CONTEXT, DATABASE, DATABASE_LOG, METADATA, PRE_IMAGES, STORAGE};
use rollsnap_core::report::StoreInfo;
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Serialize;

use crate::data_dir::lock::{LockState, states};
use crate::data_dir::{Metadata, metadata};
use crate::dir::{Dir, Kind};
use crate::files::FileSet;
use crate::store::{close_any, open_any};
use crate::swap::{self, Pending};

/// How deep directories are counted. Nodes make three levels at most.
const DEPTH: usize = 32;

/// What is known of a data directory without reading what it holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DataDirInfo {
    /// Which rollup it belongs to.
    pub metadata: Metadata,
    /// What its store records; `None` before a node has begun to fill it, and while an import is half done.
    pub store: Option<StoreInfo>,
    /// Whether its context has a second half (NDS), which nothing here reads.
    pub second_half: bool,
    /// How large it is.
    pub sizes: Sizes,
    /// Its locks, whose files are there.
    pub locks: Vec<LockState>,
    /// What an interrupted import has left, or one that is at work now.
    pub import: Option<Pending>,
}

/// The sizes of the parts that a snapshot takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sizes {
    /// The store: the database and its log, or the files below `storage`.
    pub store: Size,
    /// The context.
    pub context: Size,
    /// The pre-images.
    pub pre_images: Size,
}

/// Files, without what links lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// How many.
    pub files: u64,
    /// How long they are together, in bytes.
    pub bytes: u64,
}

/// Looks at the data directory `root`.
///
/// # Errors
/// [`Code::DataDirNone`] for a directory that is no data directory; `metadata.*`, `store.*` for one that is damaged;
/// [`Code::ImportUnfinished`]; [`Code::Cancelled`]; any `io.*` code.
pub fn read(root: &Path, feedback: &dyn Feedback) -> Result<DataDirInfo> {
    let dir = Dir::open(root)?;
    let import = swap::pending(root)?;
    let has = |name: &str| dir.has(name);
    if import.is_none() && !has(METADATA)? && !has(DATABASE)? && !has(STORAGE)? {
        return Err(no_data_dir(&dir)?);
    }
    let metadata = metadata::require(root)?;
    let store = match open_any(root, None) {
        _ if import.is_some_and(|pending| !pending.is_readable()) => None,
        Ok(store) => {
            let info = store.info();
            close_any(store)?;
            Some(info)
        }
        Err(problem) if problem.code() == Code::StoreMissing => None,
        Err(problem) => return Err(problem),
    };
    let of = |names: &[&str]| -> Result<Size> {
        let mut size = Size::default();
        names.iter().try_for_each(|name| count(&dir, Path::new(name), DEPTH, &mut size, feedback))?;
        Ok(size)
    };
    let sizes = Sizes {
        store: of(&[DATABASE, DATABASE_LOG, STORAGE])?,
        context: of(&[CONTEXT])?,
        pre_images: of(&PRE_IMAGES)?,
    };
    let half = second_half(&FileSet::context_of(root))?.is_some();
    Ok(DataDirInfo { metadata, store, second_half: half, sizes, locks: states(&dir)?, import })
}

/// Adds what has this name, and what is below it. A file that a node removes meanwhile does not count.
fn count(dir: &Dir, name: &Path, depth: usize, size: &mut Size, feedback: &dyn Feedback) -> Result<()> {
    feedback.checkpoint()?;
    match dir.look(name)? {
        Some(found) if found.kind == Kind::File => {
            size.files += 1;
            size.bytes = size.bytes.saturating_add(found.len);
        }
        Some(found) if found.kind == Kind::Directory && depth > 0 => {
            if let Some(inner) = dir.enter(name)? {
                let names = inner.names()?;
                names.iter().try_for_each(|name| count(&inner, name.as_ref(), depth - 1, size, feedback))?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What it is instead.
fn no_data_dir(dir: &Dir) -> Result<Problem> {
    let names = dir.names()?;
    let problem = |what: &str| Problem::new(Code::DataDirNone).headline(what).path(dir.path().display());
    if names.is_empty() {
        return Ok(problem("the directory is empty: neither a node nor an import has put anything there"));
    }
    let problem = problem("this is no data directory of a rollup node: it has neither metadata nor a store");
    let is_context =
        names.iter().any(|name| name == "store.control") || names.iter().any(|name| name == "index");
    Ok(match is_context {
        true => problem.because("it looks like the context of one: name the directory above it"),
        false => problem,
    })
}
