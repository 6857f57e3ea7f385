//! What the node remembers about where it is, against each other and the chain. The walk has judged head, finalized block
//! and last cemented commitment by themselves.

use alloc::vec::Vec;

use super::Beside;
use crate::code::Code;
use crate::problem::{Place, Problem};
use crate::report::{Check, Problems};

/// `in_files`: the store is an older one, in which nothing is removed that is above its head.
/// Gives what is strange: a node writes the two marks of a collection one after the other, and its own migration from files
/// writes them twice, so that a node that was killed leaves any of these.
pub(super) fn judge(beside: &Beside<'_>, in_files: bool, problems: &mut Problems) -> Vec<Check> {
    let state = &beside.state;
    let at = |code, level| Problem::new(code).at(Place::Level(level));
    // Layer 1 cements what was published at least a challenge window ago, and finality takes two blocks.
    if let (Some(lcc), Some(finalized)) = (state.lcc, state.finalized)
        && lcc.level > finalized.level
        && lcc.level <= beside.walked.head
    {
        let expected = alloc::format!("lcc at most at the finalized level, {}", finalized.level);
        problems.push(at(Code::MarkOrder, lcc.level).expected(expected).found(lcc.level));
    }
    // The last commitment that this operator published is about a level that is over.
    if let Some(lpc) = state.lpc.filter(|lpc| !in_files && lpc.level > beside.walked.head) {
        let expected = alloc::format!("lpc at most at level {}", beside.walked.head);
        problems.push(at(Code::MarkLpc, lpc.level).expected(expected).found(lpc.level));
    }
    let mut strange = Vec::new();
    let Some(target) = state.gc_target else { return strange };
    // What a collection leaves begins with its target; one that was stopped leaves more.
    if target < beside.walked.first {
        let expected =
            alloc::format!("last_gc_target at least {}, the first available level", beside.walked.first);
        strange.push(Check::warning(&at(Code::MarkGc, target).expected(expected).found(target)));
    }
    if let Some(triggered) = state.gc_triggered_at.filter(|triggered| *triggered < target) {
        let expected = alloc::format!("last_gc_triggered_at at least {target}, the target of the collection");
        strange.push(Check::warning(&at(Code::MarkGc, target).expected(expected).found(triggered)));
    }
    strange
}
