//! The check of data that were staged, before they go into place.

use std::path::Path;

use rollsnap_core::report::{Check, Evidence};
use rollsnap_core::store::{Findings, Genesis};
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Report, Result};

use super::contents::head_context;
use super::{ContextScope, Reading, Subject, check_store, genesis, pre_images, unhindered};
use crate::contexts::Contexts;
use crate::jobs::{self, Stage, Stages};
use crate::store::{AnyStore, Family, close_any, open_any};

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
}

impl<'a> Staged<'a> {
    /// What [`Staged::check`] goes through.
    pub(crate) const STAGES: [Stage; 2] = [jobs::CONTEXT_OF_HEAD, jobs::CHAIN];

    /// Opens the directory `dir`, whose contexts were read, and the store in it: that of a family, or the one that is
    /// there. `shown` is the directory that the user knows.
    ///
    /// # Errors
    /// Those of [`open_any`].
    pub(crate) fn open(
        dir: &'a Path,
        shown: &'a Path,
        family: Option<Family>,
        contexts: Contexts,
    ) -> Result<Self> {
        Ok(Self { dir, shown, store: open_any(dir, family)?, contexts })
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

    /// Everything in it is what it should be: store and chain, the context of the head, the pre-images. The report
    /// gets what holds. `partial_lists`: how many lists of messages without a witness a conversion has carried over.
    ///
    /// # Errors
    /// What does not hold, and what kept it from being checked.
    pub(crate) fn check(
        self,
        partial_lists: u64,
        report: &mut Report,
        stages: &mut Stages,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let Self { dir, shown, store, .. } = self;
        // What is wrong with a store is said below, in the words of the nodes.
        let head = head_context(&store)?;
        let reading = Reading { scope: ContextScope::Head, head, temp_dir: Some(dir) };
        let (phase, mut listening) = stages.listen(jobs::CONTEXT_OF_HEAD, feedback);
        let audited = unhindered(reading.of_data_dir(dir, phase, &mut listening)?)?;
        let contexts = Some(&audited.contexts);
        let subject = Subject { root: dir, shown, header: None, contexts, beginning: None };
        let checked = check_store(subject, Ok(store), stages.next(jobs::CHAIN), feedback)?;
        let pre_images = pre_images::read(dir, feedback)?;
        let findings = Findings { audited, pre_images, others: Evidence::default() };
        let mut evidence = findings.with(checked);
        excuse_lists(&mut evidence, partial_lists);
        evidence.require(report)
    }

    /// Ends without a check.
    ///
    /// # Errors
    /// As [`close_any`].
    pub(crate) fn close(self) -> Result<()> {
        close_any(self.store)
    }
}

/// Lists without layer 1's own messages have no witness that could be computed. In the old store that is a
/// mark of their age; the new one has no such mark, so there it looks like damage, once for each list.
fn excuse_lists(evidence: &mut Evidence, lists: u64) {
    let codes = [Code::MessagesWitness, Code::MessagesForm];
    if lists == 0 || codes.map(|code| evidence.problems.count_of(code)) != [lists, lists] {
        return;
    }
    codes.into_iter().for_each(|code| evidence.problems.forget(code));
    let text = format!(
        "not checked: {lists} {} of messages, which a very old node stored without layer 1's own; they are \
         carried over as they are, and rollsnap verify takes them for altered ones in the new store",
        plural(lists, "list", "lists")
    );
    evidence.checks.push(Check::unknown(Code::MessagesWitness, text));
}
