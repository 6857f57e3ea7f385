//! Contexts that the store names and the directory of the context lacks: the blocks are run again, from the last context
//! before the first one that is lost, and each state is written once its hash is the recorded one.
//!
//! What was written stays, whatever stops it: the next repair goes on from there.

use rollsnap_core::feedback::{Notice, Phase};
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::index::context_of;
use super::{Plan, Repair, Repaired, Subject};
use crate::context::{ContextWriter, Flushing};
use crate::modify::Attempt;
use crate::replay::{self, Outcome, Place, Scope};

/// Recreates contexts. Stores of every version have them.
#[derive(Debug)]
pub struct Contexts {
    options: replay::Options,
    flushing: Flushing,
    phase: Phase,
}

impl Contexts {
    /// Those that are lost; with a level also those of all blocks above it. Kernels are run as `options` say.
    pub fn new(above: Option<i32>, options: replay::Options) -> Self {
        let options = replay::Options { scope: Scope::Lost(above), ..options };
        Self { options, flushing: Flushing::default(), phase: Place::REPLAYING }
    }

    /// When they go to the disk.
    #[must_use]
    pub fn flushing(mut self, flushing: Flushing) -> Self {
        self.flushing = flushing;
        self
    }
}

impl Repair for Contexts {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let root = subject.before.root;
        self.phase = Phase { index: subject.phase.index.saturating_add(1), ..subject.phase };
        context_of(root)?;
        let outlook = replay::outlook(&Place::data_dir(root), &self.options, feedback)?;
        let Some((start, last)) = outlook.levels else {
            let text = "every context that the store names is there".into();
            return Ok(Plan { text, ..Plan::default() });
        };
        let (lost, blocks) = (outlook.lost, outlook.blocks);
        let contexts = format!("{lost} {}", plural(lost, "context", "contexts"));
        let run = format!("{blocks} {}", plural(blocks, "block is", "blocks are"));
        Ok(Plan {
            repaired: vec![Repaired {
                what: "context",
                level: Some(last),
                from: None,
                to: Some(contexts.clone()),
                text: format!(
                    "context: {contexts} up to level {last}; {run} run again from the context of level {start} on"
                ),
            }],
            text: format!("Made {contexts} of {}", root.display()),
            ..Plan::default()
        })
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        plan: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let mut writer = ContextWriter::open(&context_of(attempt.root)?, self.flushing)?;
        let place = Place::data_dir(attempt.root);
        let outcome =
            replay::run(&place, &self.options, Some(&mut writer), self.phase, feedback, &mut |_| ());
        // Also what came before a block that cannot be run.
        let closed = writer.close();
        let outcome = match outcome {
            Ok(Outcome { stopped: Some(problem), contexts, .. }) => {
                if contexts > 0 {
                    let made = plural(contexts, "context was made and stays", "contexts were made and stay");
                    feedback.notice(Notice::Remark(&format!(
                        "{contexts} {made}: the next repair goes on from there"
                    )));
                }
                return Err(problem);
            }
            Ok(outcome) => outcome,
            Err(problem) => return Err(problem),
        };
        closed?;
        if !outcome.is_complete() {
            return Err(Problem::new(Code::ReplayBlocks).found("not all blocks were run"));
        }
        plan.text += &format!(
            ": {} {} run again; ticks, states, outboxes and commitments are as recorded",
            outcome.blocks,
            plural(outcome.blocks, "block was", "blocks were")
        );
        Ok(())
    }
}
