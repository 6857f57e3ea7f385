//! The index of the context, made anew of the commits that the pack has.

use rollsnap_core::members::{CONTEXT, PvmKind};
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::{Plan, Repair, Repaired, Subject};
use crate::context::Reindex;
use crate::dir::Dir;
use crate::modify::Attempt;

/// Repairs `context/index`. It depends on no version of a store.
#[derive(Debug, Default)]
pub struct Index {
    found: Option<Reindex>,
}

/// The context of a data directory that is repaired: a directory of its own, for a link could lead anywhere.
///
/// # Errors
/// [`Code::ContextMissing`]; any `io.*` code.
pub(super) fn context_of(root: &std::path::Path) -> Result<Dir> {
    let context = Dir::open(root)?.enter(CONTEXT)?;
    context.ok_or_else(|| Problem::new(Code::ContextMissing).path(root.join(CONTEXT).display()))
}

impl Repair for Index {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let root = subject.before.root;
        if subject.before.metadata.kind == PvmKind::Riscv {
            let text = "a context of the kind riscv has no index".into();
            return Ok(Plan { text, ..Plan::default() });
        }
        let found = Reindex::look(&context_of(root)?, subject.phase, feedback)?;
        let (judged, commits) = (found.judged(), found.commits() as u64);
        let commits = format!("{commits} {}", plural(commits, "commit", "commits"));
        if judged.is_sound() {
            let text = format!("the index of the context lists the {commits} of its pack");
            return Ok(Plan { text, ..Plan::default() });
        }
        let mut plan = Plan {
            repaired: vec![Repaired {
                what: "file",
                level: None,
                from: Some(judged.to_string()),
                to: Some(commits.clone()),
                text: format!("context/index: {commits} of the pack are listed; before: {judged}"),
            }],
            text: format!("Made the index of the context in {} anew: {commits}", root.display()),
            ..Plan::default()
        };
        if judged.collected > 0 {
            let (count, entries) = (judged.collected, plural(judged.collected, "entry", "entries"));
            plan.notes.push(format!(
                "{count} {entries} of commits that were collected as garbage are left out, which nobody reads"
            ));
        }
        self.found = Some(found);
        Ok(plan)
    }

    fn carry_out(&mut self, _: &mut Attempt<'_>, _: &mut Plan, feedback: &mut dyn Feedback) -> Result<()> {
        self.found.as_ref().map_or(Ok(()), |found| found.write(feedback))
    }
}
