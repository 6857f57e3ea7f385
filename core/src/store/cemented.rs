//! Rule P4: at the level of the last cemented commitment (LCC) of layer 1 the store has that very
//! commitment.

use alloc::format;

use super::{Mark, Rows};
use crate::code::Code;
use crate::hash::CommitmentHash;
use crate::nodes::contents;
use crate::problem::Result;
use crate::report::Check;

/// Compares the LCC at the head of layer 1 with a store: a check that holds. `None` when the store
/// ends below the level of the LCC, so that there is nothing to compare.
///
/// # Errors
/// [`Code::L1Lcc`] with the texts of the nodes, and what reading the store can meet.
pub fn check_cemented(lcc: &Mark<CommitmentHash>, store: &mut impl Rows) -> Result<Option<Check>> {
    let Mark { hash: expected, level } = *lcc;
    if level > store.head()?.level {
        return Ok(None);
    }
    let Some(block) = store.block_at(level)? else {
        let named = store.with_chain(|chain| chain.named_at(level.into()))?;
        return Err(match named {
            None => contents::no_block_for_lcc(level),
            Some(hash) => contents::unknown_block_for_lcc(&hash, level),
        });
    };
    match block.commitment {
        None => Err(contents::no_commitment_for_lcc(&block.hash, level)),
        Some(found) if found == expected => {
            let text = format!("the last cemented commitment of layer 1, of level {level}, is in the store");
            Ok(Some(Check::yes(Code::L1Lcc, text)))
        }
        Some(found) => Err(contents::other_lcc(&found, level, &expected)),
    }
}
