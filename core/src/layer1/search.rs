//! Is a commitment published on layer 1? The search of the nodes, and rule I5d that goes before it.
//!
//! Layer 1 forgets a commitment some time after it was cemented, but never within a challenge window of its publication.
//! So it is looked for at levels one window apart, from before the time when it can have been published up to the newest
//! block.
//!
//! Unlike the nodes we tell "no" from "no answer": a node that does not serve the storage of rollups, or has pruned it,
//! says nothing about a commitment.

use super::outcome::{Outcome, above_savepoint, forgotten, not_published};
use super::probes::Probes;
use super::question::{At, ChallengeWindow, HeadLevel, PublishedCommitment, Question, Savepoint};
use super::{Answer, Dialogue, Request};
use crate::code::Code;
use crate::hash::{CommitmentHash, RollupAddress};
use crate::header::Header;
use crate::problem::{Problem, Result};

/// What to look for, and where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The rollup.
    pub rollup: RollupAddress,
    /// Its commitment.
    pub commitment: CommitmentHash,
    /// About when it was published. Before an import (I6): the level of the header. After one to a lower level (P3):
    /// the level of publication that the store records, else the inbox level of the commitment. Before an export
    /// (E10): that inbox level.
    pub hint: i32,
}

impl From<&Header> for Wanted {
    fn from(header: &Header) -> Self {
        Self { rollup: header.rollup_address, commitment: header.last_commitment, hint: header.head_level }
    }
}

/// The search, as a [`Dialogue`]: an [`Outcome`] at its end.
#[derive(Clone, Debug)]
pub struct Search {
    wanted: Wanted,
    /// Whether rule I5d goes before.
    before_import: bool,
    head: Option<i32>,
    savepoint: Option<i32>,
    probes: Option<Probes>,
    outcome: Option<Outcome>,
}

/// What is to be asked next.
enum Next {
    Head,
    Savepoint,
    Window { savepoint: i32, from: i32, head: i32 },
    Probe(PublishedCommitment),
}

impl Search {
    /// Looks for a published commitment.
    pub const fn new(wanted: Wanted) -> Self {
        Self { wanted, before_import: false, head: None, savepoint: None, probes: None, outcome: None }
    }

    /// Rules I5d and I6, in this order. The hint is the level of the header.
    pub fn before_import(wanted: Wanted) -> Self {
        Self { before_import: true, ..Self::new(wanted) }
    }

    /// What layer 1 says, when no request is left to be made.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The same.
    pub fn into_outcome(self) -> Option<Outcome> {
        self.outcome
    }

    /// How many levels have been looked at, and how many there are at most; `None` until that is known.
    pub fn progress(&self) -> Option<(u64, u64)> {
        self.probes.as_ref().map(Probes::progress)
    }

    fn next(&self) -> Option<Next> {
        if self.outcome.is_some() {
            return None;
        }
        Some(match (&self.probes, self.head, self.savepoint) {
            (Some(probes), ..) => Next::Probe(self.probe(probes.level())),
            (None, _, None) if self.before_import => Next::Savepoint,
            (None, None, _) => Next::Head,
            (None, Some(_), None) => Next::Savepoint,
            (None, Some(head), Some(savepoint)) => {
                Next::Window { savepoint, from: head.min(savepoint.max(self.wanted.hint)), head }
            }
        })
    }

    fn probe(&self, level: i32) -> PublishedCommitment {
        let Wanted { rollup, commitment, .. } = self.wanted;
        PublishedCommitment { at: At::Level(level), rollup, hash: commitment }
    }

    fn take(&mut self, answer: &Answer<'_>) -> Result<()> {
        match self.next() {
            None => {}
            Some(Next::Head) => self.head = Some(HeadLevel.meaning(answer)?),
            Some(Next::Savepoint) => {
                let savepoint = Savepoint.meaning(answer)?;
                if self.before_import {
                    above_savepoint(self.wanted.hint, savepoint)?;
                }
                self.savepoint = Some(savepoint);
            }
            Some(Next::Window { savepoint, from, head }) => {
                let step = ChallengeWindow { level: from }.meaning(answer)?;
                self.probes = Some(Probes::new(savepoint.max(from.saturating_sub(step)), step, head)?);
            }
            Some(Next::Probe(question)) => {
                self.looked(question.meaning(answer).map(|found| found.is_some()))?
            }
        }
        Ok(())
    }

    /// What a level says: whether layer 1 knows the commitment there.
    fn looked(&mut self, known: Result<bool>) -> Result<()> {
        let (wanted, savepoint) = (self.wanted, self.savepoint.unwrap_or(i32::MAX));
        let Some(probes) = &mut self.probes else { return Ok(()) };
        let knows_rollup = !matches!(&known, Err(problem) if problem.code() == Code::L1UnknownRollup);
        match known {
            Ok(true) => {
                self.outcome = Some(Outcome::Published { at_level: probes.level() });
                return Ok(());
            }
            Ok(false) => probes.answered(),
            // A rollup that this chain does not know has published nothing on it.
            Err(_) if !knows_rollup => probes.answered(),
            Err(problem) => probes.failed(problem)?,
        }
        let ended = probes.is_last();
        probes.advance();
        if ended {
            probes.verdict()?;
            // What the node may have forgotten it cannot deny.
            if knows_rollup && wanted.hint <= savepoint {
                return Err(forgotten(wanted.hint, savepoint));
            }
            let Probes { start, step, head, .. } = *probes;
            self.outcome = Some(not_published(&wanted, start, step, head, knows_rollup));
        }
        Ok(())
    }

    fn end(&mut self, step: Result<()>) {
        if let Err(problem) = step {
            self.outcome = Some(Outcome::CouldNotCheck(problem));
        }
    }
}

impl Dialogue for Search {
    fn next_request(&self) -> Option<Request> {
        Some(match self.next()? {
            Next::Head => HeadLevel.request(),
            Next::Savepoint => Savepoint.request(),
            Next::Window { from, .. } => ChallengeWindow { level: from }.request(),
            Next::Probe(question) => question.request(),
        })
    }

    fn answer(&mut self, answer: &Answer<'_>) {
        let step = self.take(answer);
        self.end(step);
    }

    fn failed(&mut self, problem: Problem) {
        let step = match self.next() {
            None => Ok(()),
            Some(Next::Probe(_)) => self.looked(Err(problem)),
            Some(_) => Err(problem),
        };
        self.end(step);
    }
}
