//! What kind of snapshot a file is, beyond its header: full or compact. Nothing in the header tells, so
//! the whole file is read.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Phase;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Feedback, Report, Result, Verdict};
use serde::Serialize;

use crate::contexts::Contexts;
use crate::data_dir::STORE;
use crate::io;
use crate::source::Source;
use crate::store::{Accept, Rows, Store};
use crate::verify::is_compact;

/// What is known of a snapshot that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nature {
    /// Whether it holds the context of its first block only; `None` when that cannot be told.
    pub compact: Option<bool>,
    /// How many contexts its index lists; those that were collected may be among them. `None` for
    /// the kind `riscv`.
    pub contexts: Option<u64>,
    /// The oldest level whose block has a context.
    pub first_level: Option<i32>,
    /// The level of the newest block.
    pub head_level: Option<i32>,
}

/// Reads a snapshot to its end. The store goes to a temporary file in `temp_dir`, or in the system's
/// directory for such files.
///
/// # Errors
/// As [`Source::inspect`], any `io.*` code. What is wrong with the snapshot stands in the report.
pub fn read(
    source: &mut Source,
    temp_dir: Option<&Path>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Report, Nature)> {
    let parent = temp_dir.map_or_else(std::env::temp_dir, Path::to_path_buf);
    let work = tempfile::Builder::new().prefix("rollsnap-info-").tempdir_in(&parent);
    let work = work.map_err(|err| io::problem("create a working directory in", &parent, err))?;
    let store = work.path().join(STORE);
    let mut contexts = Contexts::default();
    let mut open: Option<(PathBuf, File)> = None;
    let report = source.inspect(Options::default(), phase, feedback, &mut |event| {
        match event {
            Event::Member(member) if member.name == STORE => {
                let file = File::create(&store).map_err(|err| io::problem("create", &store, err))?;
                open = Some((store.clone(), file));
            }
            Event::Member(member) => contexts.begin(&member.name),
            Event::Data(data) => match &mut open {
                Some((path, file)) => {
                    file.write_all(data).map_err(|err| io::problem("write", path, err))?;
                }
                None => contexts.data(data),
            },
            Event::MemberEnd { .. } => {
                contexts.end();
                open = None;
            }
            _ => {}
        }
        Ok(())
    })?;
    let contexts = contexts.complete();
    let mut nature = Nature {
        compact: None,
        contexts: (!contexts.are_files()).then_some(contexts.len() as u64),
        first_level: None,
        head_level: None,
    };
    // Of a damaged file nothing more can be said, nor of a store that cannot be read.
    if report.verdicts.intact == Verdict::Yes && store.exists() {
        let _ = judge(&store, &contexts, &mut nature);
    }
    Ok((report, nature))
}

fn judge(store: &Path, contexts: &Contexts, nature: &mut Nature) -> Result<()> {
    let store = Store::open(store, Accept::Older)?;
    let head = store.head()?;
    nature.head_level = Some(head.level);
    let first = store.first_available()?;
    nature.first_level = Some(first);
    let first = store.block_at(first)?;
    nature.compact = Some(is_compact(contexts, first.as_ref(), &head));
    store.close()
}
