//! *Anchored*: layer 1 knows the last commitment, or it is the one that the user expects; and the
//! last commitment that layer 1 has cemented is the one in the store.

use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::report::Check;
use rollsnap_core::store::{Genesis, check_cemented, not_served};
use rollsnap_core::{Code, Feedback, Header, Problem, Report, Result, Verdict};

use super::{Contents, Options, consistent};
use crate::data_dir::metadata;
use crate::jobs::{self, Stages};
use crate::l1::{At, L1, Outcome, Wanted, publication};
use crate::store::{AnyStore, Rows, publication_hint};

pub(super) fn check(
    contents: &Contents,
    header: Option<&Header>,
    options: &Options,
    report: &mut Report,
    stages: &mut Stages,
    feedback: &mut dyn Feedback,
) -> Result<()> {
    let subject = match Anchorage::of(contents, header) {
        // What is wrong with a store is told where it is checked.
        Err(problem) if problem.code().is_about_contents() => None,
        subject => subject?,
    };
    if let Some(expected) = options.expected {
        compare(subject.as_ref(), expected, report);
    }
    let (Some(endpoint), Some(subject)) = (&options.endpoint, &subject) else {
        if options.expected.is_none() {
            let why = if subject.is_some() { "no --endpoint" } else { "there is nothing to look for" };
            report.add(Check::unknown(Code::L1Commitment, format!("{NOT_CHECKED} ({why})")));
        }
        return Ok(());
    };
    feedback.phase(stages.next(jobs::LAYER_1));
    let l1 = L1::new(endpoint, crate::l1::Options::default())?;
    let Anchorage { rollup, commitment, hint } = *subject;
    let outcome = publication::search(&l1, &Wanted { rollup, commitment, hint }, feedback)?;
    record(&outcome, report);
    if let Outcome::CouldNotCheck(problem) = &outcome
        && problem.code() == Code::L1Unreachable
    {
        // Who does not answer is not asked once more, which takes as long.
        return Ok(());
    }
    let agrees = match contents.store() {
        Ok(mut store) => last_cemented(&l1, &rollup, &mut store, feedback),
        Err(problem) if problem.code().is_about_contents() => Ok(None),
        Err(problem) => Err(problem),
    };
    match agrees {
        Ok(check) => check.into_iter().for_each(|check| report.add(check)),
        Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
        Err(problem) if problem.code() == Code::L1Lcc => {
            report.verdicts.anchored = Verdict::No;
            report.add(Check::of(&problem));
        }
        Err(problem) => report.add(Check::open(&problem)),
    }
    let genesis = match consistent::genesis_of(contents) {
        Err(problem) if problem.code().is_about_contents() => return Ok(()),
        genesis => genesis?,
    };
    match origination(&l1, &rollup, &genesis, feedback) {
        Ok(check) => check.into_iter().for_each(|check| report.add(check)),
        Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
        Err(problem) => {
            report.verdicts.anchored = Verdict::No;
            report.add(Check::of(&problem));
        }
    }
    Ok(())
}

/// What a report says when layer 1 was not asked.
pub(crate) const NOT_CHECKED: &str = "not checked: whether the last commitment is published on layer 1";

/// Writes the outcome of a search into a report.
pub(crate) fn record(outcome: &Outcome, report: &mut Report) {
    match outcome {
        Outcome::Published { at_level } => {
            // An expectation that does not hold is not mended by layer 1.
            if report.verdicts.anchored != Verdict::No {
                report.verdicts.anchored = Verdict::Yes;
            }
            let text = format!("layer 1 knows the last commitment, seen at level {at_level}");
            report.add(Check::yes(Code::L1Commitment, text));
        }
        Outcome::NotPublished(problem) => {
            report.verdicts.anchored = Verdict::No;
            report.add(Check::of(problem));
        }
        Outcome::CouldNotCheck(problem) => report.add(Check::open(problem)),
    }
}

/// Rule P4. `None` when the store ends below the level of the last cemented commitment.
///
/// # Errors
/// [`Code::L1Lcc`], any `l1.*` code, [`Code::Cancelled`].
pub(crate) fn last_cemented(
    l1: &L1,
    rollup: &RollupAddress,
    store: &mut AnyStore,
    feedback: &mut dyn Feedback,
) -> Result<Option<Check>> {
    let cemented = l1.last_cemented(At::Head, rollup, feedback)?;
    check_cemented(&cemented, store)
}

/// Rule P5c with the boot sector of layer 1. `None` when none can be judged.
///
/// # Errors
/// [`Code::StateGenesis`], [`Code::Cancelled`]. What layer 1 does not answer stands in the check: a node that has
/// forgotten so old a block is a node as others are.
pub(crate) fn origination(
    l1: &L1,
    rollup: &RollupAddress,
    genesis: &Genesis,
    feedback: &mut dyn Feedback,
) -> Result<Option<Check>> {
    let Some(level) = genesis.level() else { return Ok(None) };
    let found = match l1.origination(level, rollup, feedback) {
        Ok(found) => found,
        Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
        Err(problem) if matches!(problem.code(), Code::L1Pruned | Code::L1Forbidden) => {
            return Ok(Some(not_served(&problem)));
        }
        Err(problem) => return Ok(Some(Check::open(&problem))),
    };
    let boot_sector = found.as_ref().map(|found| &*found.boot_sector);
    let protocol = found.as_ref().and_then(|found| found.protocol.as_ref());
    genesis.judge_boot_sector(boot_sector, protocol).map(Some)
}

fn compare(subject: Option<&Anchorage>, expected: CommitmentHash, report: &mut Report) {
    let found = subject.map(|subject| subject.commitment);
    if found == Some(expected) {
        report.verdicts.anchored = Verdict::Yes;
        let text = format!("the last commitment is the expected one, {expected}");
        report.add(Check::yes(Code::CommitmentExpected, text));
    } else {
        report.verdicts.anchored = Verdict::No;
        let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
        let problem = Problem::new(Code::CommitmentExpected).expected(expected).found(found);
        report.add(Check::of(&problem));
    }
}

/// What layer 1 is asked for: of a snapshot what its header says, of a directory what its store
/// says.
struct Anchorage {
    rollup: RollupAddress,
    commitment: CommitmentHash,
    hint: i32,
}

impl Anchorage {
    fn of(contents: &Contents, header: Option<&Header>) -> Result<Option<Self>> {
        if let Some(header) = header {
            return Ok(Some(Self {
                rollup: header.rollup_address,
                commitment: header.last_commitment,
                hint: header.head_level,
            }));
        }
        let Some(metadata) = metadata::read(contents.root())? else { return Ok(None) };
        let store = contents.store()?;
        let commitment = store.head()?.most_recent_commitment();
        let hint = publication_hint(&store, &commitment)?;
        Ok(Some(Self { rollup: metadata.rollup_address, commitment, hint }))
    }
}
