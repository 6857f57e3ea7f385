//! The protocols, against the messages with which layer 1 announces each one in its first block.

use alloc::vec::Vec;

use super::unproved::Unproved;
use super::values::Values;
use super::{Beside, Side, Walked};
use crate::code::Code;
use crate::feedback::Feedback;
use crate::hash::ProtocolHash;
use crate::problem::{Place, Problem, Result};
use crate::pvm::{Constants, Version};
use crate::report::Problems;
use crate::store::Rows;

/// Most protocols that are looked at. Layer 1 has had about twenty in seven years.
const MOST: usize = 1000;

/// What a row says of a protocol.
struct Met {
    level: i32,
    /// Whether that is the last block of the protocol before.
    activates: bool,
    number: i64,
}

/// Whether the store knows only protocols of the time when nodes stored lists of messages without layer 1's own.
pub(in crate::store) fn are_early(store: &mut impl Rows, feedback: &dyn Feedback) -> Result<bool> {
    let (mut any, mut late) = (false, false);
    let nowhere = Walked { first: 0, head: 0 };
    store.side(Side::Protocols, nowhere, feedback, &mut |row| {
        any = true;
        let hash = Values { side: Side::Protocols, row }.hash::<ProtocolHash>(0);
        let constants = hash.ok().and_then(|hash| Constants::of_protocol(&hash));
        late |= constants.is_none_or(|constants| constants.version > Version::V1);
        Ok(())
    })?;
    Ok(any && !late)
}

pub(super) fn judge(
    beside: &Beside<'_>,
    store: &mut impl Rows,
    feedback: &dyn Feedback,
    problems: &mut Problems,
    unproved: &mut Unproved,
) -> Result<()> {
    let mut rows: Vec<Met> = Vec::new();
    let mut count = 0_u64;
    store.side(Side::Protocols, beside.walked, feedback, &mut |row| {
        let values = Values { side: Side::Protocols, row };
        match met(&values) {
            Ok(met) if rows.len() < MOST => rows.push(met),
            Ok(_) => {}
            Err(problem) => problems.push(problem),
        }
        count = count.saturating_add(1);
        Ok(())
    })?;
    unproved.protocols = count;
    if count > MOST as u64 {
        let problem = Problem::new(Code::ProtocolOrder).expected(alloc::format!("at most {MOST} protocols"));
        problems.push(problem.found(count));
        return Ok(());
    }
    rows.sort_by_key(|met| (met.level, met.number));
    for pair in rows.windows(2) {
        let [older, newer] = pair else { continue };
        if newer.level == older.level || newer.number <= older.number {
            let expected = alloc::format!(
                "a protocol after number {}, which begins at level {}",
                older.number,
                older.level
            );
            let found = alloc::format!("number {} at level {}", newer.number, newer.level);
            problems.push(
                Problem::new(Code::ProtocolOrder)
                    .at(Place::Level(newer.level))
                    .expected(expected)
                    .found(found),
            );
        }
    }
    announced(beside, &rows, problems);
    Ok(())
}

fn met(values: &Values<'_>) -> Result<Met, Problem> {
    values.hash::<ProtocolHash>(0)?;
    let number = values.integer(1)?;
    // Layer 1 has a byte for it.
    if !(0..=255).contains(&number) {
        return Err(values.wrong(1, "a number from 0 to 255"));
    }
    Ok(Met { number, level: values.level(2)?, activates: values.truth(3)? })
}

/// A protocol is activated at the last block of the one before, and announced in the next one.
fn announced(beside: &Beside<'_>, rows: &[Met], problems: &mut Problems) {
    let migrations = beside.migrations;
    let Some(announced) = migrations.levels() else { return };
    let wrong = |level| Problem::new(Code::ProtocolLevel).at(Place::Level(level));
    let (first, head) = (beside.walked.first, beside.walked.head);
    // The origination block keeps no messages; where it is not known, the first block may be that.
    let is_silent = |level| beside.genesis_level.map_or(level == first, |genesis| level <= genesis);
    for met in rows.iter().filter(|met| met.activates) {
        let level = met.level.saturating_add(1);
        if level < first || level > head || is_silent(level) || !migrations.is_complete() {
            continue;
        }
        if !announced.contains(&level) {
            let expected = alloc::format!(
                "a message of migration at level {level}, as protocol {} was activated at {}",
                met.number,
                met.level
            );
            problems.push(wrong(level).expected(expected).found("none"));
        }
    }
    // What is older than the first protocol that the node has met, it has not recorded.
    let Some(oldest) = rows.first().map(|met| met.level) else { return };
    for level in announced.iter().copied().filter(|level| *level > oldest.saturating_add(1)) {
        if !rows.iter().any(|met| met.activates && met.level.saturating_add(1) == level) {
            let expected =
                alloc::format!("a protocol that was activated at level {}", level.saturating_sub(1));
            problems
                .push(wrong(level).expected(expected).found("a message of migration, and no such protocol"));
        }
    }
}
