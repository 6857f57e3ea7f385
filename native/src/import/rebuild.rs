//! Rebuilding the contexts that a compact snapshot lacks: its blocks are run again, in staging.
//!
//! Each context is compared with the one that the store records before it is written, and so is everything else that a
//! replay compares. What was rebuilt outlives an import that is interrupted or cannot go on ([`Staging::keep`]): the next
//! import of the same blocks goes on from there.

use rollsnap_core::context::Context;
use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::hash::ContextHash;
use rollsnap_core::members::{CONTEXT, PvmKind};
use rollsnap_core::report::Check;
use rollsnap_core::words::plural;
use rollsnap_core::{Class, Code, Feedback, Problem, Result};

use super::Options;
use crate::context::ContextWriter;
use crate::data_dir::metadata;
use crate::destination::Compact;
use crate::dir::Dir;
use crate::files::FileSet;
use crate::replay::{self, Place, Scope};
use crate::resume;
use crate::swap::Staging;

/// Rebuilds all that is missing. What it came to, for the report.
///
/// # Errors
/// Those of [`replay::run`], what stopped it, and those of [`ContextWriter`].
pub(super) fn contexts(
    staging: &mut Staging,
    compact: &Compact,
    options: &Options,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Check> {
    let metadata = metadata::require(staging.dir())?;
    if metadata.kind != PvmKind::Wasm200 {
        let problem = Problem::new(Code::ReplayKind).expected(PvmKind::Wasm200).found(metadata.kind);
        return Err(compact.refused(problem));
    }
    if !compact.lacking.is_compact() {
        feedback.notice(Notice::Remark(&format!("Partly compact: {}", compact.lacking.words())));
    }
    let text = identity(compact, &metadata.rollup_address.to_string());
    let goes_on = settle(staging, &text, compact.first.context.as_ref(), feedback)?;
    let context = staging.held().enter(CONTEXT)?.ok_or_else(|| Problem::new(Code::ContextMissing))?;
    let mut writer = ContextWriter::open(&context, options.flushing)?;
    // Those of the operator stay, and count as they do for a node.
    let place = Place::data_dir(staging.dir()).with_pre_images_of(&options.data_dir);
    let run = replay::Options {
        scope: Scope::Missing,
        endpoint: options.endpoint.clone(),
        dal_node: options.dal_node.clone(),
        ..replay::Options::default()
    };
    let outcome = replay::run(&place, &run, Some(&mut writer), phase, feedback, &mut |_| ());
    // Also of what cannot go on: the next import does.
    let closed = writer.close();
    let outcome = match outcome {
        Ok(outcome) if outcome.stopped.is_none() => outcome,
        Ok(replay::Outcome { stopped: Some(problem), .. }) | Err(problem) => {
            return Err(match problem.code().class() {
                Class::Environment | Class::Cancelled => problem,
                // That it is missing is what a node would say, too.
                _ if compact.lacking.has_newest => compact.gap(&problem),
                Class::Refused => compact.refused(problem),
                _ => problem,
            });
        }
        Ok(outcome) => outcome,
    };
    closed?;
    let (contexts, blocks) = (outcome.contexts, outcome.blocks);
    let last = if compact.lacking.has_newest { compact.lacking.levels.1 } else { outcome.head };
    let mut found = format!(
        "Rebuilt {contexts} {}: {blocks} {} run again, up to level {last}; ticks, states, outboxes and commitments are as \
         recorded",
        plural(contexts, "context", "contexts"),
        plural(blocks, "block", "blocks"),
    );
    match compact.lacking.blocks.saturating_sub(outcome.planned) {
        before if goes_on && before > 0 => {
            found += &format!(" (the {before} before them by an import that was interrupted)")
        }
        _ => {}
    }
    feedback.notice(Notice::Remark(&found));
    Ok(Check::yes(Code::ReplayBlocks, found))
}

const GOING_ON: &str = "Going on from what an earlier import of this snapshot has rebuilt";

/// Whether the same import could go on from what was rebuilt: not where the blocks themselves do not allow it.
pub(super) fn can_go_on(problem: &Problem) -> bool {
    resume::can_go_on(problem) || matches!(problem.code(), Code::PvmRefusedReveal | Code::PreImageMissing)
}

/// What the contexts are of: the blocks from the first to the head, which their hashes stand for.
fn identity(compact: &Compact, rollup: &str) -> String {
    let Compact { first, head, .. } = compact;
    let context = |context: Option<ContextHash>| context.map_or_else(String::new, |hash| hash.to_string());
    format!(
        "rollsnap contexts of {rollup}\nfrom {} {} {}\nto {} {} {}\n",
        first.level,
        first.hash,
        context(first.context),
        head.level,
        head.hash,
        context(head.context),
    )
}

/// Uses what an earlier import has kept if it is of the same blocks and can be read; makes the staged context worth
/// keeping otherwise. Whether it was used.
fn settle(
    staging: &mut Staging,
    text: &str,
    first: Option<&ContextHash>,
    feedback: &mut dyn Feedback,
) -> Result<bool> {
    if staging.is_in_place(text)? {
        feedback.notice(Notice::Recovered(GOING_ON));
        return Ok(true);
    }
    if let Some((its, kept)) = staging.kept()? {
        let why = match its == text {
            true => unreadable(kept, first, feedback)?,
            false => Some("it is of other blocks".to_owned()),
        };
        let Some(why) = why else {
            staging.use_kept()?;
            feedback.notice(Notice::Recovered(GOING_ON));
            return Ok(true);
        };
        staging.drop_kept()?;
        feedback.notice(Notice::Removed(&format!(
            "Removed what an earlier import had rebuilt, which is of no use: {why}"
        )));
    }
    staging.keep(text, feedback)?;
    Ok(false)
}

/// Why a kept context is of no use, if it is of none.
fn unreadable(kept: Dir, first: Option<&ContextHash>, feedback: &dyn Feedback) -> Result<Option<String>> {
    let Some(first) = first else { return Ok(Some("the first block has no context".into())) };
    let read = Context::open(FileSet::Held(kept)).and_then(|context| context.checkout(first, feedback));
    match read {
        Ok(_) => Ok(None),
        Err(problem) if problem.code().is_about_contents() => Ok(Some(problem.to_string())),
        Err(problem) => Err(problem),
    }
}
