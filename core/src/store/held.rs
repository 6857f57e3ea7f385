//! What is left of a snapshot that was judged: its database, for what layer 1 says later.

use super::pieces::Pieces;
use super::{Accept, Mark, STORE, Store, check_cemented};
use crate::code::Code;
use crate::hash::CommitmentHash;
use crate::report::Check;

/// The database of a snapshot, in memory, or why it was not kept.
#[derive(Debug)]
pub struct Held {
    /// `None` if the snapshot has none.
    store: Option<Pieces>,
    too_large: Option<Check>,
}

impl Held {
    pub(super) fn new(store: Option<Pieces>, too_large: Option<Check>) -> Self {
        Self { store, too_large }
    }

    pub(super) fn store(&self) -> Option<&Pieces> {
        self.store.as_ref()
    }

    pub(super) fn too_large(&self) -> Option<&Check> {
        self.too_large.as_ref()
    }

    /// What a report says when layer 1 has cemented `lcc` last (rule P4): a check of the verdict
    /// *Anchored*. `None` where there is nothing to compare: no store that can be read, or one
    /// that ends below the level of `lcc`.
    pub fn cemented(&self, lcc: &Mark<CommitmentHash>) -> Option<Check> {
        if let Some(why) = &self.too_large {
            return Some(Check::unknown(Code::L1Lcc, why.text.clone()));
        }
        let mut store = Store::open(self.store()?, STORE, Accept::Older).ok()?;
        match check_cemented(lcc, &mut store) {
            Ok(check) => check,
            Err(problem) if problem.code() == Code::L1Lcc => Some(Check::no(&problem)),
            Err(problem) => Some(Check::open(&problem)),
        }
    }
}
