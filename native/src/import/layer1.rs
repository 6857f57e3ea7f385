//! The rules of an import that ask layer 1: I5d and I6 before it, P3 and P4 after it.

use std::cell::RefCell;

use rollsnap_core::layer1::{Outcome, Wanted, is_postponed, judge_origination};
use rollsnap_core::nodes;
use rollsnap_core::report::Check;
use rollsnap_core::store::{Genesis, check_cemented};
use rollsnap_core::{Code, Feedback, Header, Report, Result};

use super::Options;
use crate::interrupt::Quiet;
use crate::l1::{At, L1, publication};
use crate::store::{Family, Rows, publication_hint};
use crate::verify::Staged;

/// Asks layer 1, if there is an endpoint and the user wants checks.
pub(super) struct Layer1 {
    l1: Option<L1>,
    level: Option<i32>,
    outcome: RefCell<Option<Outcome>>,
}

impl Layer1 {
    pub(super) fn new(options: &Options) -> Result<Self> {
        let endpoint = options.endpoint.as_deref().filter(|_| options.check);
        let l1 = endpoint.map(|endpoint| L1::new(endpoint, crate::l1::Options::default())).transpose()?;
        Ok(Self { l1, level: options.level, outcome: RefCell::default() })
    }

    /// Rules I5d and I6, unless the level that is asked for makes them P3. Mavkit has no I5d and looks once,
    /// at the head of layer 1; the search finds what it finds, and commitments that were pruned there as well.
    pub(super) fn before(&self, header: &Header, family: Option<Family>) -> Result<()> {
        let Some(l1) = &self.l1 else { return Ok(()) };
        if is_postponed(header.head_level, self.level) {
            return Ok(());
        }
        let wanted = Wanted::from(header);
        // The snapshot is being read at this moment, and its progress shown.
        let outcome = match family {
            Some(Family::Mavkit) => in_words_of_mavkit(publication::search(l1, &wanted, &mut Quiet)?),
            _ => publication::before_import(l1, &wanted, &mut Quiet)?,
        };
        outcome.clone().into_result()?;
        *self.outcome.borrow_mut() = Some(outcome);
        Ok(())
    }

    /// Rules P3, P4 and, with the boot sector of layer 1, P5c.
    pub(super) fn after(
        &self,
        header: &Header,
        staged: &mut Staged<'_>,
        report: &mut Report,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let Some(l1) = &self.l1 else { return Ok(()) };
        let rollup = header.rollup_address;
        let mut outcome = self.outcome.take();
        if outcome.is_none() {
            let commitment = staged.store.head()?.most_recent_commitment();
            let hint = publication_hint(&staged.store, &commitment)?;
            let found = publication::search(l1, &Wanted { rollup, commitment, hint }, feedback)?;
            found.clone().into_result()?;
            outcome = Some(found);
        }
        let kept = check_cemented(&l1.last_cemented(At::Head, &rollup, feedback)?, &mut staged.store)?;
        let genesis = staged.genesis()?;
        let originated = Self::originated(l1, header, &genesis, feedback)?;
        let published = outcome.map(|outcome| outcome.check());
        published.into_iter().chain(kept).chain(originated).for_each(|check| report.anchor(check));
        Ok(())
    }

    /// Rule P5c: what layer 1 does not answer stands in the check, since many nodes have forgotten so old a block.
    fn originated(
        l1: &L1,
        header: &Header,
        genesis: &Genesis,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Check>> {
        let Some(level) = genesis.level() else { return Ok(None) };
        let originated = l1.origination(level, &header.rollup_address, feedback);
        match originated {
            Err(problem) if problem.code() == Code::Cancelled => Err(problem),
            originated => judge_origination(&originated, genesis).map(Some),
        }
    }
}

fn in_words_of_mavkit(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::NotPublished(problem) => Outcome::NotPublished(nodes::in_words_of_mavkit(problem)),
        other => other,
    }
}
