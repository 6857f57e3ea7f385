//! What was run again, and the verdict *Replayed*, which follows from it and from nothing else.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Check, Report, Verdict};
use crate::code::Code;
use crate::hash::BlockHash;
use crate::problem::Problem;
use crate::words::plural;

/// What was run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayInfo {
    /// Which blocks were to be run, as the user said it.
    pub scope: String,
    /// The level of the first context that is there.
    pub first_level: i32,
    /// The level of the newest block.
    pub head_level: i32,
    /// The newest block.
    pub head: BlockHash,
    /// How many blocks follow the first context.
    pub of: u64,
    /// How many of them were to be run.
    pub planned: u64,
    /// How many were run and agree.
    pub blocks: u64,
    /// How many ticks they take: a decimal number, for it can have more digits than numbers of JSON have everywhere.
    pub ticks: String,
    /// How often kernels were run.
    pub runs: u64,
    /// How many contexts were compared.
    pub contexts: u64,
    /// How many recorded states were compared.
    pub states: u64,
    /// How many commitments were compared.
    pub commitments: u64,
    /// How many recorded outboxes were compared.
    pub outboxes: u64,
    /// Of how many blocks messages came out that the store does not record.
    pub outboxes_missing: u64,
    /// Of how many blocks the store records messages, as an older node leaves them, where none came out.
    #[serde(default)]
    pub outboxes_left: u64,
    /// Which share of the blocks, where several machines share the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// The share of one of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its number, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// The level of its first block.
    pub first_level: i32,
    /// The level of its last block; below the first when it has none.
    pub last_level: i32,
}

impl ReplayInfo {
    /// Adds the evidence to a report, and gives the verdict. `stopped`: what ended it before its end.
    pub fn conclude(self, stopped: Option<&Problem>, report: &mut Report) {
        let complete = stopped.is_none() && self.blocks == self.planned;
        report.verdicts.replayed = Some(match stopped {
            Some(problem) if problem.code().is_about_contents() => Verdict::No,
            Some(_) => Verdict::Unknown,
            None if complete && self.blocks > 0 => Verdict::Yes,
            // A share can be empty, where there are fewer contexts than machines.
            None if complete && self.share.is_some() => Verdict::Yes,
            None => Verdict::Unknown,
        });
        if complete && (self.blocks > 0 || self.share.is_some()) {
            report.add(Check::yes(Code::ReplayBlocks, self.words()));
        } else if self.planned == 0 {
            let why = "not checked: no block follows the first context that is there";
            report.add(Check::unknown(Code::ReplayBlocks, why));
        } else {
            report.add(Check::unknown(Code::ReplayBlocks, self.cut()));
        }
        if let Some(problem) = stopped {
            report.add(Check::of(problem));
        }
        if self.outboxes_missing > 0 {
            let missing = self.outboxes_missing;
            let text = format!(
                "{missing} {}",
                plural(
                    missing,
                    "block puts messages into the outbox of which the store records nothing",
                    "blocks put messages into their outboxes of which the store records nothing",
                )
            );
            report.add(Check::warning(&Problem::new(Code::ReplayOutbox).headline(text)));
        }
        if self.outboxes_left > 0 {
            let left = self.outboxes_left;
            let text = format!(
                "{left} {}: an older node that was killed can have left {}",
                plural(
                    left,
                    "outbox is recorded at a block that puts no message into it",
                    "outboxes are recorded at blocks that put no message into them",
                ),
                plural(left, "its row", "their rows"),
            );
            report.add(Check::warning(&Problem::new(Code::ReplayOutbox).headline(text)));
        }
        report.replay = Some(self);
    }

    /// A replay that was refused before anything was run.
    pub fn refuse(problem: &Problem, report: &mut Report) {
        report.verdicts.replayed = Some(Verdict::Unknown);
        report.add(Check::of(problem));
        if problem.code() == Code::PvmRefusedNds {
            // That says nothing against what is in the context.
            let half = Problem::new(Code::ContextDual).found(problem.found_text().unwrap_or_default());
            report.add(Check::open(&half));
        }
    }

    /// What it says: `18 of 18 blocks run again: states, ticks, outboxes as recorded`.
    pub fn words(&self) -> String {
        let Self { blocks, of, contexts, commitments, states, outboxes, runs, .. } = self;
        let states = if *states + *contexts + *commitments > 0 { "states, " } else { "" };
        let outboxes = if *outboxes > 0 { ", outboxes" } else { "" };
        let share = match &self.share {
            Some(Share { number, of, first_level, last_level }) if first_level <= last_level => {
                format!(" (share {number} of {of}: levels {first_level} to {last_level})")
            }
            Some(Share { number, of, .. }) => format!(" (share {number} of {of}, which is empty)"),
            None => String::new(),
        };
        format!(
            "{blocks} of {of} {} run again{share}: {states}ticks{outboxes} as recorded; {contexts} {}, {commitments} {}, \
             {runs} {} of the kernel",
            plural(*of, "block", "blocks"),
            plural(*contexts, "context", "contexts"),
            plural(*commitments, "commitment", "commitments"),
            plural(*runs, "run", "runs"),
        )
    }

    fn cut(&self) -> String {
        let Self { blocks, planned, of, .. } = self;
        format!("not checked to the end: {blocks} of {planned} blocks run again, of {of} that there are")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Place;

    fn info(blocks: u64, planned: u64) -> ReplayInfo {
        ReplayInfo {
            scope: "all".into(),
            first_level: 10,
            head_level: 28,
            head: BlockHash::new([0; 32]),
            of: 18,
            planned,
            blocks,
            ticks: "0".into(),
            runs: blocks,
            contexts: blocks,
            states: 0,
            commitments: 0,
            outboxes: 3,
            outboxes_missing: 0,
            outboxes_left: 0,
            share: None,
        }
    }

    fn concluded(info: ReplayInfo, stopped: Option<Problem>) -> Report {
        let mut report = Report::new();
        info.conclude(stopped.as_ref(), &mut report);
        report
    }

    #[test]
    fn only_blocks_that_were_run_give_a_yes() {
        let verdict = |info, stopped| concluded(info, stopped).verdicts.replayed.unwrap();
        assert_eq!(verdict(info(18, 18), None), Verdict::Yes);
        assert_eq!(verdict(info(7, 7), None), Verdict::Yes);
        assert_eq!(verdict(info(0, 0), None), Verdict::Unknown);
        assert_eq!(verdict(info(3, 18), None), Verdict::Unknown);
        let at = |code| Some(Problem::new(code).at(Place::Level(13)));
        assert_eq!(verdict(info(3, 18), at(Code::ReplayState)), Verdict::No);
        assert_eq!(verdict(info(3, 18), at(Code::MessagesWitness)), Verdict::No);
        for code in [Code::PvmRefusedStuck, Code::PreImageMissing, Code::PvmTime, Code::PvmRefusedNds] {
            assert_eq!(verdict(info(3, 18), at(code)), Verdict::Unknown, "{code}");
        }
        let mut report = Report::new();
        ReplayInfo::refuse(&Problem::new(Code::ReplayKind), &mut report);
        assert_eq!((report.verdicts.replayed, report.checks.len()), (Some(Verdict::Unknown), 1));
    }

    #[test]
    fn the_evidence_says_how_many() {
        let report = concluded(info(18, 18), None);
        let text = "18 of 18 blocks run again: states, ticks, outboxes as recorded; 18 contexts, 0 commitments, \
                    18 runs of the kernel";
        assert_eq!(report.checks.first().unwrap().text, text);
        let problem = Problem::new(Code::ReplayState).at(Place::Level(14));
        let report = concluded(info(3, 18), Some(problem));
        assert_eq!(
            report.checks[0].text,
            "not checked to the end: 3 of 18 blocks run again, of 18 that there are"
        );
        assert_eq!(report.checks[1].code, Code::ReplayState);
    }
}
