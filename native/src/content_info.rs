//! What kind of snapshot a file is, beyond its header: full or compact, and what its store records. Nothing in
//! the header tells, so the whole file is read.

use std::path::Path;

use rollsnap_core::feedback::Phase;
use rollsnap_core::members::MemberKind;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::store::MemberStore;
use rollsnap_core::{Feedback, Report, Result, Verdict};
use serde::Serialize;

use crate::contexts::Contexts;
use crate::source::Source;
use crate::store::{Rows, close_any, open_any};
use crate::verify::is_compact;
use crate::verify::store_copy::StoreCopy;

/// What is known of a snapshot that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentInfo {
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

/// Reads a snapshot to its end. The store goes to temporary files in `temp_dir`, or in the system's
/// directory for such files.
///
/// # Errors
/// As [`Source::inspect`], any `io.*` code. What is wrong with the snapshot stands in the report, and what the
/// store records.
pub fn read(
    source: &mut Source,
    temp_dir: Option<&Path>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Report, ContentInfo)> {
    let mut kept = StoreCopy::new(temp_dir);
    kept.prepare(feedback);
    let mut contexts = Contexts::default();
    let mut allowance = feedback.allowance();
    let mut report = source.inspect(Options::default(), phase, feedback, &mut |event| {
        match event {
            Event::Member(member) => match MemberKind::of(&member.name) {
                Some(MemberKind::Context(name)) => contexts.begin(name),
                Some(kind) => kept.begin(kind, member)?,
                None => {}
            },
            Event::Data(data) => {
                kept.data(data)?;
                contexts.data(data);
            }
            Event::MemberEnd { .. } => {
                kept.end()?;
                contexts.end();
            }
            Event::Read(bytes) => {
                kept.read(bytes);
                allowance.read(bytes);
                allowance.check(contexts.taken(), "the commits of the context")?;
            }
            _ => {}
        }
        Ok(())
    })?;
    let contexts = contexts.complete();
    let mut info = ContentInfo {
        compact: None,
        contexts: (!contexts.are_files()).then_some(contexts.len() as u64),
        first_level: None,
        head_level: None,
    };
    // Of a damaged file nothing more can be said, nor of a store that is damaged.
    if report.verdicts.intact == Verdict::Yes
        && let Some(root) = kept.root()
        && let Err(problem) = judge(root, &contexts, &mut info, &mut report)
        && !problem.code().is_about_contents()
    {
        return Err(problem);
    }
    // What was stopped half-way is no answer.
    feedback.checkpoint()?;
    Ok((report, info))
}

fn judge(root: &Path, contexts: &Contexts, info: &mut ContentInfo, report: &mut Report) -> Result<()> {
    let store = open_any(root, None)?;
    report.store = Some(store.info());
    let head = store.head()?;
    info.head_level = Some(head.level);
    let first = store.first_available()?;
    info.first_level = Some(first);
    let first = store.block_at(first)?;
    info.compact = Some(is_compact(contexts, first.as_ref(), &head));
    close_any(store)
}
