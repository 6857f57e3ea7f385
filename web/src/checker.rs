//! What *Consistent* needs, in the full module; nothing at all in the small one.

#[cfg(feature = "consistent")]
use rollsnap_core::store::{DEFAULT_MAX_STORE, DEFAULT_MEMORY};
#[cfg(feature = "consistent")]
pub(crate) use rollsnap_core::store::{MemoryChecker as Checker, RetainedStore};

use crate::options::Keeping;

/// Waits for the first member, and keeps what may be kept.
#[cfg(feature = "consistent")]
pub(crate) fn begin(keeping: Keeping) -> Option<Checker> {
    let Keeping { max_store, memory, temporary } = keeping;
    Some(match temporary {
        None => Checker::in_memory(max_store.unwrap_or(DEFAULT_MAX_STORE)),
        Some(temporary) => {
            let memory = memory.unwrap_or(DEFAULT_MEMORY);
            Checker::with_space(max_store.unwrap_or(u64::MAX), memory, || temporary.scratch())
        }
    })
}

#[cfg(not(feature = "consistent"))]
pub(crate) use absent::{Checker, RetainedStore, begin};

#[cfg(not(feature = "consistent"))]
mod absent {
    use rollsnap_core::feedback::{Feedback, Phase, Unit};
    use rollsnap_core::hash::{CommitmentHash, ProtocolHash};
    use rollsnap_core::report::Check;
    use rollsnap_core::snapshot::Event;
    use rollsnap_core::store::Mark;
    use rollsnap_core::{Report, Result};

    /// Nobody can make one, so everything about it is left out of the module.
    pub(crate) enum Checker {}

    pub(crate) enum RetainedStore {}

    pub(crate) fn begin(_: super::Keeping) -> Option<Checker> {
        None
    }

    impl Checker {
        pub(crate) const PHASE: Phase = Phase { unit: Unit::Blocks, ..Phase::only("") };

        pub(crate) fn take(&mut self, _: &Event<'_>) {
            match *self {}
        }

        pub(crate) fn complete(
            self,
            _: &mut Report,
            _: Phase,
            _: &mut dyn Feedback,
        ) -> Result<RetainedStore> {
            match self {}
        }
    }

    impl RetainedStore {
        pub(crate) fn cemented(&self, _: &Mark<CommitmentHash>) -> Option<Check> {
            match *self {}
        }

        pub(crate) fn origination_level(&self) -> Option<i32> {
            match *self {}
        }

        pub(crate) fn originated(&self, _: Option<&[u8]>, _: Option<&ProtocolHash>) -> Check {
            match *self {}
        }
    }
}
