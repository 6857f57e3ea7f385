//! The slots of the DAL: what was published at a block, and what was attested of it later.

use super::unproved::Unproved;
use super::values::Values;
use super::{AHEAD, Beside, Side};
use crate::code::Code;
use crate::feedback::Feedback;
use crate::hash::{BlockHash, SlotCommitment};
use crate::problem::{Place, Problem, Result};
use crate::report::Problems;
use crate::store::Rows;

/// Slots of a level: layer 1 has 32, and one byte for their numbers.
const SLOTS: usize = 256;

/// So many levels after its publication at most a slot is attested. A node that upgraded an older store has carried over
/// what hangs on its blocks, and so not what was published before them.
const LONGEST_LAG: i32 = 256;

pub(super) fn judge(
    beside: &Beside<'_>,
    store: &mut impl Rows,
    feedback: &dyn Feedback,
    problems: &mut Problems,
    unproved: &mut Unproved,
) -> Result<()> {
    // The lowest level at which each slot was published.
    let mut published = [i64::MAX; SLOTS];
    store.side(Side::SlotHeaders, beside.walked, feedback, &mut |row| {
        unproved.slots = unproved.slots.saturating_add(1);
        let values = Values { side: Side::SlotHeaders, row };
        match header(beside, &values) {
            Ok((slot, level)) => {
                if let Some(lowest) = published.get_mut(slot) {
                    *lowest = (*lowest).min(level.into());
                }
            }
            Err(problem) => problems.push(problem),
        }
        Ok(())
    })?;
    store.side(Side::SlotStatuses, beside.walked, feedback, &mut |row| {
        unproved.statuses = unproved.statuses.saturating_add(1);
        let values = Values { side: Side::SlotStatuses, row };
        problems.extend(status(beside, &values, &published).err());
        Ok(())
    })
}

/// The slot, and the level at which it was published.
fn header(beside: &Beside<'_>, values: &Values<'_>) -> Result<(usize, i32), Problem> {
    values.hash::<BlockHash>(0)?;
    let slot = slot(values)?;
    let level = values.level(2)?;
    values.hash::<SlotCommitment>(3)?;
    let wrong = || {
        Problem::new(Code::SlotLevel)
            .at(Place::Level(level))
            .found(alloc::format!("slot {slot} at level {level}"))
    };
    // A node names the block of the publication; other writers of stores the one after it.
    if let Some(expected) = values.added().filter(|at| ![*at, at.saturating_sub(1)].contains(&level.into())) {
        return Err(wrong().expected(alloc::format!("level {expected}, that of its block")));
    }
    let most = beside.walked.head.saturating_add(AHEAD);
    if level > most {
        return Err(wrong().expected(alloc::format!("at most level {most}")));
    }
    Ok((slot, level))
}

fn status(beside: &Beside<'_>, values: &Values<'_>, published: &[i64; SLOTS]) -> Result<(), Problem> {
    values.hash::<BlockHash>(0)?;
    let slot = slot(values)?;
    let attested = values.truth(2)?;
    let Some(level) = values.added().and_then(|level| i32::try_from(level).ok()) else { return Ok(()) };
    let first = beside.walked.first;
    let is_old = beside.genesis_level != Some(first) && level < first.saturating_add(LONGEST_LAG);
    if !attested || is_old || published.get(slot).is_some_and(|lowest| *lowest <= level.into()) {
        return Ok(());
    }
    Err(Problem::new(Code::SlotStatus)
        .at(Place::Level(level))
        .expected(alloc::format!("slot {slot} published at level {level} or before"))
        .found("attested, and not published"))
}

fn slot(values: &Values<'_>) -> Result<usize, Problem> {
    let slot = usize::try_from(values.integer(1)?).ok().filter(|slot| *slot < SLOTS);
    slot.ok_or_else(|| values.wrong(1, "a number from 0 to 255"))
}
