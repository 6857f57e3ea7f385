//! How many levels lie between two commitments, under each protocol.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::encoding::Commitment;
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::store::v4::Protocol;
use rollsnap_core::{Code, Feedback, Problem, Result};

use crate::l1::L1;

/// The periods, and where they are known from.
#[derive(Clone, Debug)]
pub(super) struct Periods {
    /// The first level of each, the lowest first.
    from: Vec<(i32, i32)>,
    source: &'static str,
}

impl Periods {
    /// One for all levels, which the user knows.
    pub(super) fn of(first: i32, period: i32) -> Self {
        Self { from: vec![(first, period)], source: "as --period says" }
    }

    /// Those of the protocols of these levels, as layer 1 has them.
    pub(super) fn ask(
        protocols: &[Protocol],
        (first, head): (i32, i32),
        l1: &L1,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {
        let begins = |protocol: &Protocol| protocol.level.saturating_add(protocol.activates.into());
        let mut levels: BTreeSet<i32> =
            protocols.iter().map(begins).filter(|level| (first..=head).contains(level)).collect();
        levels.insert(first);
        let mut from = Vec::new();
        for level in levels {
            from.push((level, l1.commitment_period(level, feedback)?));
        }
        Ok(Self { from, source: "as layer 1 says" })
    }

    /// The one that all commitments share that follow each other in the store.
    pub(super) fn shared(known: &BTreeMap<CommitmentHash, Commitment>, first: i32) -> Result<Self> {
        let sound = |(hash, content): &(&CommitmentHash, &Commitment)| content.hash() == **hash;
        let between = |(_, content): (&CommitmentHash, &Commitment)| {
            let before = known.get(&content.predecessor)?;
            content.inbox_level.checked_sub(before.inbox_level).filter(|period| *period > 0)
        };
        let periods: BTreeSet<i32> = known
            .iter()
            .filter(sound)
            .filter(|(_, content)| content.inbox_level >= first)
            .filter_map(between)
            .collect();
        let unknown = |why: String| {
            Problem::new(Code::RepairLacks)
                .headline("it is not known how many levels lie between two commitments")
                .because(format!("{why}; --period says so, or layer 1 does (--endpoint)"))
        };
        match periods.iter().collect::<Vec<_>>()[..] {
            [period] => {
                Ok(Self { from: vec![(first, *period)], source: "as the commitments have it that are there" })
            }
            [] => Err(unknown("no two commitments in the store follow each other".into())),
            [one, other, ..] => Err(unknown(format!("some lie {one} levels apart, others {other}"))),
        }
    }

    /// The period at a level.
    pub(super) fn at(&self, level: i32) -> i32 {
        let below = self.from.iter().rev().find(|(first, _)| *first <= level);
        below.or(self.from.first()).map_or(1, |(_, period)| *period)
    }

    /// What was reckoned with.
    pub(super) fn note(&self) -> String {
        let each = |(first, period): &(i32, i32)| match self.from.len() {
            1 => period.to_string(),
            _ => format!("{period} from level {first} on"),
        };
        let periods: Vec<_> = self.from.iter().map(each).collect();
        format!("Levels from one commitment to the next: {}, {}", periods.join(", "), self.source)
    }
}
