//! What kind of snapshot a file is, beyond its header: full or compact, and what its store records. Nothing in
//! the header tells, so the whole file is read; the index of the context, which often comes first, gives a hint.

use std::collections::BTreeSet;
use std::path::Path;

use rollsnap_core::feedback::Phase;
use rollsnap_core::members::{MemberKind, in_context, is_nds};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::store::{Lacking, MemberStore};
use rollsnap_core::{Feedback, Header, Problem, Report, Result, Verdict};
use serde::Serialize;

use crate::contexts::{Contexts, INDEX_FILES};
use crate::source::Source;
use crate::store::{Rows, close_any, open_any};
use crate::verify::store_copy::StoreCopy;

/// What is known of a snapshot that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentInfo {
    /// Whether it holds the context of its first block, and not that of its newest: an import rebuilds those after the
    /// first. `None` when that cannot be told.
    pub compact: Option<bool>,
    /// How many contexts its store names and it does not hold; `None` when that cannot be told.
    pub missing: Option<u64>,
    /// Which ones.
    #[serde(skip)]
    pub lacking: Option<Lacking>,
    /// How many contexts its index lists; those that were collected may be among them. `None` for
    /// the kind `riscv`.
    pub contexts: Option<u64>,
    /// Whether it has a second half (NDS), which nothing here reads.
    pub second_half: bool,
    /// The oldest level whose block has a context.
    pub first_level: Option<i32>,
    /// The level of the newest block.
    pub head_level: Option<i32>,
}

/// Reads the header, and the index of the context where that comes first, as it does in what rollsnap and GNU tar
/// write, or where it can be reached without the rest: in an uncompressed file, or by a checkpoint index. Says whether
/// the snapshot holds one context only, as compact ones do, and else only the snapshot of a rollup that has no second
/// commitment yet; `None` when that cannot be told at once.
///
/// # Errors
/// As [`Source::read_header`].
pub fn glance(source: &mut Source, feedback: &mut dyn Feedback) -> Result<(Header, Report, Option<bool>)> {
    let mut glance = Glance::default();
    let (header, report) = source.read_beginning(feedback, &mut |event| glance.hear(event))?;
    if glance.found.is_none()
        // A look at the beginning of a file behind an address is one request.
        && source.remote().is_none()
        && let Ok(mut again) = source.again()
        && again.is_reachable()
    {
        glance = Glance { reached: true, ..Glance::default() };
        let names = INDEX_FILES.map(in_context);
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut sink = |event: Event<'_>| if glance.hear(&event) { Ok(()) } else { Err(Enough) };
        let looked = again.find(&names, false, Options::default(), Phase::only(LOOKING), feedback, &mut sink);
        // Damage there is reported by the commands that read all of the file.
        if matches!(looked, Ok(Some(_))) {
            glance.end();
        }
        feedback.checkpoint()?;
    }
    Ok((header, report, glance.found))
}

const LOOKING: &str = "Looking at the context";

/// Most bytes of content that are read for a hint.
const GLANCE: u64 = 1 << 20;

/// Nothing more is to be learnt.
struct Enough;

impl From<Problem> for Enough {
    fn from(_: Problem) -> Self {
        Self
    }
}

/// Counts the commits in the index of a context, up to the second.
#[derive(Default)]
struct Glance {
    contexts: Contexts,
    /// Whether a file of the index was met.
    seen: bool,
    /// Whether nothing but the index is shown.
    reached: bool,
    read: u64,
    found: Option<bool>,
    over: bool,
}

impl Glance {
    /// Whether more can tell more. The files of an index stand side by side in an archive, since it was made of
    /// directories.
    fn hear(&mut self, event: &Event<'_>) -> bool {
        match event {
            _ if self.over => {}
            Event::Member(member) => match MemberKind::of(&member.name) {
                Some(MemberKind::Context(name)) if name.starts_with("index/") => {
                    self.seen |= INDEX_FILES.contains(&name);
                    self.contexts.begin(name);
                }
                _ => self.end(),
            },
            Event::Data(data) => {
                self.contexts.data(data);
                self.read += data.len() as u64;
                if self.contexts.len() > 1 {
                    self.found = Some(false);
                    self.over = true;
                } else if self.read > GLANCE && !self.reached {
                    self.over = true;
                }
            }
            Event::MemberEnd { .. } => self.contexts.end(),
            Event::Problem(_) => self.over = true,
            _ => {}
        }
        !self.over
    }

    /// All of the index was seen.
    fn end(&mut self) {
        if !self.over && self.seen && self.contexts.len() == 1 {
            self.found = Some(true);
        }
        self.over = true;
    }
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
    let (mut contexts, mut second_half) = (Contexts::default(), false);
    let mut allowance = feedback.allowance();
    let mut report = source.inspect(Options::default(), phase, feedback, &mut |event| {
        match event {
            Event::Member(member) => match MemberKind::of(&member.name) {
                Some(MemberKind::Context(name)) => {
                    second_half |= is_nds(name);
                    contexts.begin(name);
                }
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
        missing: None,
        lacking: None,
        contexts: (!contexts.are_files()).then_some(contexts.len() as u64),
        second_half,
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
    info.first_level = Some(store.first_available()?);
    info.lacking = Lacking::read(&store, contexts, &head)?;
    info.missing = Some(info.lacking.map_or(0, |lacking| lacking.missing));
    info.compact = Some(info.lacking.is_some_and(|lacking| lacking.has_first && !lacking.has_newest));
    close_any(store)
}
