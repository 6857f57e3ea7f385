//! The share of a report, where several machines divide the work.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Check, ContextStats, Evidence, Report, Status, Verdict, Verdicts};
use crate::code::{Code, Group};
use crate::problem::{Problem, Result};

/// Which share a report is of. The first one checks all that is not divided: the store, its chain, the pre-images, and
/// the last commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareInfo {
    /// Its number, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// Whether all holds that this share had to check for *Consistent*. The answer itself takes all shares.
    pub holds: Verdict,
    /// What it has of the context, where that is divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextShare>,
}

/// What a share has of a context: the objects that begin in these bytes, of all bytes that hold objects, in the order
/// of offsets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextShare {
    /// BLAKE2b-256 of the small files of the context and of the sizes of all, in hexadecimal digits: the same for shares of
    /// the same context.
    pub files: String,
    /// How many bytes hold objects.
    pub bytes: u64,
    /// The first byte of the share.
    pub first: u64,
    /// The first byte behind it.
    pub end: u64,
    /// Whether it checked the whole context, as it does when something is not as a node writes it.
    pub whole: bool,
}

impl ShareInfo {
    /// Share `number` of `of`, which has checked nothing yet.
    pub const fn new(number: u32, of: u32) -> Self {
        Self { number, of, holds: Verdict::Unknown, context: None }
    }

    /// Adds the evidence of this share to a report, as [`Evidence::conclude`] does with that of one machine.
    pub fn conclude(mut self, evidence: Evidence, report: &mut Report, whole: bool) {
        self.holds = evidence.judge(report, whole, Some(&self));
        let Self { number, of, .. } = self;
        if number > 1 {
            let why = format!(
                "not checked by share {number} of {of}: all but its part; report merge says what all have found"
            );
            report.add(Check::unknown(Code::ReportDivided, why));
        } else if of > 1 && self.context.is_some() {
            let why = format!(
                "not checked by share 1 of {of}: the objects of the others; report merge says what all have found"
            );
            report.add(Check::unknown(Code::ReportDivided, why));
        }
        report.share = Some(self);
    }

    /// Refuses what no machine writes: numbers that contradict each other or the rest of the report.
    ///
    /// # Errors
    /// [`Code::ReportForm`].
    pub(super) fn check(&self, report: &Report) -> Result<()> {
        let wrong = |why: &str| Err(Problem::new(Code::ReportForm).found(why));
        if self.number == 0 || self.number > self.of {
            return wrong("a share whose number is not from 1 to the number of shares");
        }
        let Verdicts { intact, consistent, anchored, replayed } = report.verdicts;
        let answers = [intact, consistent, anchored, replayed.unwrap_or_default(), self.holds];
        let fails = report.failures().next().is_some();
        let blocks_fail = report.failures().any(|check| check.code.group() == Group::REPLAY);
        if self.holds == Verdict::Yes && consistent == Verdict::No
            || self.holds == Verdict::No && report.checks_left_out == 0 && !fails
            || fails && !answers.contains(&Verdict::No)
            || blocks_fail && replayed == Some(Verdict::Yes)
        {
            return wrong("a share whose answers contradict its checks");
        }
        let of_blocks =
            report.replay.as_ref().map(|info| (info.share.map(|share| (share.number, share.of)), info));
        let replayed = report.verdicts.replayed == Some(Verdict::Yes);
        if of_blocks.is_some_and(|(share, _)| share != Some((self.number, self.of))) {
            return wrong("blocks that are not those of the share");
        }
        if replayed && of_blocks.is_none_or(|(_, info)| info.blocks != info.planned) {
            return wrong("numbers of blocks that do not add up");
        }
        let Some(part) = &self.context else { return Ok(()) };
        if part.first > part.end || part.end > part.bytes {
            return wrong("a share that begins or ends where the context has no bytes");
        }
        let Some(stats) = &report.context else {
            return if self.holds == Verdict::Yes && !part.whole {
                wrong("a share without numbers of its objects")
            } else {
                Ok(())
            };
        };
        if !stats.is_sum() || !part.whole && stats.objects.bytes != part.end - part.first {
            return wrong("numbers of objects that do not add up");
        }
        if self.holds == Verdict::Yes && !report.checks.iter().any(Check::is_of_objects) {
            return wrong("a share that says nothing about its objects");
        }
        Ok(())
    }
}

impl ContextShare {
    /// What a share has found sound, in words.
    pub fn words(&self, number: u32, of: u32, stats: &ContextStats) -> String {
        let Self { bytes, first, end, whole, .. } = self;
        if *whole {
            return stats.words();
        }
        format!("{} (share {number} of {of}: bytes {first} to {end} of {bytes})", stats.words())
    }
}

impl Check {
    /// Whether it says of how many objects of a context all holds.
    pub(crate) fn is_of_objects(&self) -> bool {
        self.code == Code::ContextHash && self.status == Status::Yes
    }
}
