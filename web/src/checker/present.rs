//! In the full module the check is core's, in the memory and in the temporary space that JavaScript grants.

use alloc::boxed::Box;

use rollsnap_core::Allowance;
use rollsnap_core::feedback::{Feedback, Phase};
use rollsnap_core::scratch::Scratch;
use rollsnap_core::store::{DEFAULT_MAX_STORE, DEFAULT_MEMORY};
pub(crate) use rollsnap_core::store::{MemoryChecker as Checker, RetainedStore};

use crate::options::Keeping;
use crate::temporary::Temporary;

/// Waits for the first member, and keeps what may be kept.
pub(crate) fn begin(keeping: &Keeping) -> Option<Checker> {
    let Keeping { max_store, memory, temporary, .. } = keeping;
    Some(match temporary {
        None => Checker::in_memory(max_store.unwrap_or(DEFAULT_MAX_STORE)),
        Some(temporary) => {
            let memory = memory.unwrap_or(DEFAULT_MEMORY);
            Checker::with_space(max_store.unwrap_or(u64::MAX), memory, || temporary.scratch())
        }
    })
}

/// The first byte has come: where the file is not compressed, and can be read at any offset, nothing is kept of it.
pub(crate) fn on_first_byte(byte: u8, checker: Checker, keeping: Option<&Keeping>) -> Checker {
    const GZIP: u8 = 0x1f;
    match keeping.and_then(|keeping| keeping.in_place.as_ref()) {
        Some(file) if byte != GZIP => checker.in_place(|| file.whole()),
        _ => checker,
    }
}

/// The user of a check, who grants it what was granted.
pub(crate) fn lender(keeping: Option<&Keeping>) -> Lender {
    Lender {
        memory: keeping.and_then(|keeping| keeping.memory).unwrap_or(DEFAULT_MEMORY),
        temporary: keeping.and_then(|keeping| keeping.temporary.clone()),
    }
}

/// Listens to nothing and never stops.
pub(crate) struct Lender {
    memory: u64,
    temporary: Option<Temporary>,
}

impl Feedback for Lender {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}

    fn allowance(&self) -> Allowance {
        let allowance = Allowance::default();
        if self.temporary.is_some() { allowance.with_table(self.memory / 2) } else { allowance }
    }

    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        self.temporary.as_ref().map(Temporary::scratch)
    }
}
