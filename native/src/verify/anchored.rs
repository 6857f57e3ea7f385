//! *Anchored*: layer 1 knows the last commitment, or it is the one that the user expects; and the
//! last commitment that layer 1 has cemented is the one in the store.

use rollsnap_core::layer1::{self, Inquiry, Wanted, expected_commitment, judge_cemented, judge_origination};
use rollsnap_core::report::Check;
use rollsnap_core::{Feedback, Header, Report, Result};

use super::{Contents, Options, consistent};
use crate::data_dir::metadata;
use crate::jobs::{self, Stages};
use crate::l1::L1;
use crate::store::{Rows, publication_hint};

pub(super) fn check(
    contents: &Contents,
    header: Option<&Header>,
    options: &Options,
    report: &mut Report,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let subject = match wanted(contents, header) {
        // What is wrong with a store is told where it is checked.
        Err(problem) if problem.code().is_about_contents() => None,
        subject => subject?,
    };
    if let Some(expected) = options.expected {
        report.anchor(expected_commitment(subject.map(|subject| subject.commitment), expected));
    }
    let (Some(endpoint), Some(subject)) = (&options.endpoint, subject) else {
        if options.expected.is_none() {
            let why = if subject.is_some() { "no --endpoint" } else { "there is nothing to look for" };
            report.anchor(layer1::not_asked(why));
        }
        return Ok(());
    };
    feedback.phase(stages.next(jobs::LAYER_1));
    let l1 = L1::new(endpoint, crate::l1::Options::default())?;
    let mut inquiry = Inquiry::new(subject);
    l1.converse(&mut inquiry, feedback)?;
    inquiry.published().into_iter().for_each(|outcome| report.anchor(outcome.check()));
    let Some(cemented) = inquiry.cemented() else { return Ok(()) };
    let agrees = match contents.store() {
        Ok(mut store) => judge_cemented(cemented, &mut store),
        Err(problem) if problem.code().is_about_contents() => None,
        Err(problem) => Some(Check::open(&problem)),
    };
    agrees.into_iter().for_each(|check| report.anchor(check));
    let genesis = match consistent::genesis_of(contents) {
        Err(problem) if problem.code().is_about_contents() => return Ok(()),
        genesis => genesis?,
    };
    if let Some(level) = genesis.level() {
        inquiry.ask_origination(level);
        l1.converse(&mut inquiry, feedback)?;
    }
    if let Some(originated) = inquiry.originated() {
        let judged = judge_origination(originated, &genesis);
        report.anchor(judged.unwrap_or_else(|problem| Check::of(&problem)));
    }
    Ok(())
}

/// What layer 1 is asked for: of a snapshot what its header says, of a directory what its store
/// says.
fn wanted(contents: &Contents, header: Option<&Header>) -> Result<Option<Wanted>> {
    if let Some(header) = header {
        return Ok(Some(header.into()));
    }
    let Some(metadata) = metadata::read(contents.root())? else { return Ok(None) };
    let store = contents.store()?;
    let commitment = store.head()?.most_recent_commitment();
    let hint = publication_hint(&store, &commitment)?;
    Ok(Some(Wanted { rollup: metadata.rollup_address, commitment, hint }))
}
