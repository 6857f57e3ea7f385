//! Is a commitment published on layer 1? The search is in [`rollsnap_core::layer1::Search`]; here it is made.

use rollsnap_core::layer1::{Outcome, Search, Wanted};
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::rpc::L1;

/// Rules I5d and I6, in this order. `wanted.hint` is the level of the header.
///
/// # Errors
/// [`Code::Cancelled`] only; all else is an [`Outcome`].
pub fn before_import(l1: &L1, wanted: &Wanted, feedback: &mut dyn Feedback) -> Result<Outcome> {
    end(l1, Search::before_import(*wanted), feedback)
}

/// Looks for a published commitment.
///
/// # Errors
/// [`Code::Cancelled`] only; all else is an [`Outcome`].
pub fn search(l1: &L1, wanted: &Wanted, feedback: &mut dyn Feedback) -> Result<Outcome> {
    end(l1, Search::new(*wanted), feedback)
}

fn end(l1: &L1, mut search: Search, feedback: &mut dyn Feedback) -> Result<Outcome> {
    l1.converse(&mut search, feedback)?;
    let unasked = || Outcome::CouldNotCheck(Problem::new(Code::L1Answer));
    // It has an outcome when it has no more requests.
    Ok(search.into_outcome().unwrap_or_else(unasked))
}
