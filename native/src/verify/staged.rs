//! The check of data that were staged, before they go into place.

use std::path::Path;

use rollsnap_core::context::verify::Audited;
use rollsnap_core::report::{ContextStats, Evidence};
use rollsnap_core::store::{Findings, Genesis};
use rollsnap_core::{Feedback, Report, Result};

use super::contents::head_context;
use super::{
    ContextBeside, ContextScope, Reading, Subject, check_store, genesis, pre_images, states, unhindered,
};
use crate::context::Moment;
use crate::contexts::Contexts;
use crate::files::FileSet;
use crate::jobs::{self, Stage, Stages};
use crate::store::{AnyStore, close_any};

/// What an import or a conversion has made, open for reading: whoever looks at it before it goes into place does so
/// here. Its store is opened once, and its contexts are listed once.
pub(crate) struct Staged<'a> {
    /// The directory.
    dir: &'a Path,
    /// The directory that the user knows, for messages.
    shown: &'a Path,
    /// The store.
    pub(crate) store: AnyStore,
    /// Which contexts there are.
    contexts: Contexts,
    /// Whether some may be missing.
    may_lack: bool,
    /// Where its pre-images are.
    pre_images: &'a Path,
}

impl<'a> Staged<'a> {
    /// What [`Staged::check`] goes through.
    pub(crate) const fn stages(scope: ContextScope) -> [Stage; 2] {
        match scope {
            // Another thread reads the objects meanwhile.
            ContextScope::All => [jobs::CHAIN, jobs::WHOLE_CONTEXT],
            ContextScope::Head | ContextScope::None => [scope.stage(), jobs::CHAIN],
        }
    }

    /// The directory `dir`, whose store was opened and whose contexts were read. `shown` is the directory that the user
    /// knows.
    pub(crate) fn new(dir: &'a Path, shown: &'a Path, store: AnyStore, contexts: Contexts) -> Self {
        Self { dir, shown, store, contexts, may_lack: false, pre_images: dir }
    }

    /// Its pre-images are those of this directory, in which they stay.
    pub(crate) fn with_pre_images(self, pre_images: &'a Path) -> Self {
        Self { pre_images, ..self }
    }

    /// Contexts may be missing, as long as the first one is there.
    pub(crate) fn lacking_some(self) -> Self {
        Self { may_lack: true, ..self }
    }

    /// Which contexts there are.
    pub(crate) fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// What is known of the origination.
    ///
    /// # Errors
    /// Those of reading metadata.
    pub(crate) fn genesis(&self) -> Result<Genesis> {
        genesis(self.dir, &self.store, &self.contexts)
    }

    /// Everything in it is what it should be: store and chain, the context as far as `scope` says, the pre-images. The
    /// report gets what holds. `beside`: every object of its context is being checked already. `old_lists`: a conversion has
    /// carried over lists of messages without a witness.
    ///
    /// # Errors
    /// What does not hold, and what kept it from being checked.
    pub(crate) fn check(
        self,
        scope: ContextScope,
        beside: Option<ContextBeside>,
        old_lists: bool,
        report: &mut Report,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let Self { dir, shown, store, may_lack, pre_images: place, .. } = self;
        let lacking = |contexts: Contexts| if may_lack { contexts.lacking_some() } else { contexts };
        let files = FileSet::context_of(dir);
        let (mut beside, mut known, mut audited) = (beside, None, Audited::default());
        if scope == ContextScope::All {
            let begun = match beside.take() {
                Some(beside) => beside,
                None => {
                    let (files, allowance) = (files.clone(), feedback.allowance());
                    ContextBeside::begin(move || Moment::take(&files), None, dir.into(), allowance)?
                }
            };
            // The chain is walked over meanwhile, unless a look at the objects is needed for that.
            known = states(&Moment::take(&files)?, feedback)?.map(lacking);
            match known {
                Some(_) => beside = Some(begun),
                None => {
                    stages.bring_forward(jobs::WHOLE_CONTEXT);
                    audited = begun.wait(stages.next(jobs::WHOLE_CONTEXT), feedback)?;
                }
            }
        } else {
            // What is wrong with a store is said below, in the words of the nodes.
            let head = head_context(&store)?;
            let reading = Reading { scope, head, temp_dir: Some(dir) };
            let (phase, mut listening) = stages.listen(scope.stage(), feedback);
            audited = unhindered(reading.of_data_dir(dir, phase, &mut listening)?)?;
        }
        audited.contexts = lacking(audited.contexts);
        let contexts = Some(known.as_ref().unwrap_or(&audited.contexts));
        let subject = Subject { root: dir, shown, header: None, contexts, beginning: None, old_lists };
        let checked = check_store(subject, Ok(store), stages.next(jobs::CHAIN), feedback)?;
        let pre_images = pre_images::read(place, feedback)?;
        if let Some(beside) = beside {
            audited = beside.wait(stages.next(jobs::WHOLE_CONTEXT), feedback)?;
        }
        report.context = audited.totals.as_ref().map(ContextStats::from);
        let findings = Findings { audited, pre_images, others: Evidence::default() };
        findings.with(checked).require(report)
    }

    /// Ends without a check.
    ///
    /// # Errors
    /// As [`close_any`].
    pub(crate) fn close(self) -> Result<()> {
        close_any(self.store)
    }
}
