//! In the small module there is no check.

use rollsnap_core::feedback::{Feedback, Phase, Silent, Unit};
use rollsnap_core::hash::{CommitmentHash, ProtocolHash};
use rollsnap_core::report::Check;
use rollsnap_core::snapshot::Event;
use rollsnap_core::store::Mark;
use rollsnap_core::{Report, Result};

use crate::options::Keeping;

/// Nobody can make one, so everything about it is left out of the module.
pub(crate) enum Checker {}

pub(crate) enum RetainedStore {}

pub(crate) fn begin(_: &Keeping) -> Option<Checker> {
    None
}

pub(crate) fn on_first_byte(_: u8, checker: Checker, _: Option<&Keeping>) -> Checker {
    checker
}

pub(crate) const fn lender(_: Option<&Keeping>) -> Silent {
    Silent
}

impl Checker {
    pub(crate) const PHASE: Phase = Phase { unit: Unit::Blocks, ..Phase::only("") };

    pub(crate) fn take(&mut self, _: &Event<'_>) {
        match *self {}
    }

    pub(crate) fn complete(self, _: &mut Report, _: Phase, _: &mut dyn Feedback) -> Result<RetainedStore> {
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
