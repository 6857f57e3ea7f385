//! The answers to what kernels ask for: from a data directory, and from what is known of the levels of
//! layer 1. What is not known is refused by name; nothing is guessed.

use rollsnap_core::Result;
use rollsnap_core::context::edit::Bytes;
use rollsnap_core::pvm::reveal::unavailable;
use rollsnap_core::pvm::{DalPage, DalParameters, Reveal, Rollup};

use super::{DalConstants, PreImages};

/// What is known of the levels of layer 1.
pub trait Levels {
    /// The constants of the protocol of a level; `None` when they are not known.
    ///
    /// # Errors
    /// Whatever the place where they are looked for reports.
    fn dal_constants(&mut self, level: i32) -> Result<Option<DalConstants>>;

    /// Whether a slot that was published at a level was attested; `None` when that is not known.
    ///
    /// # Errors
    /// Whatever the place where it is looked for reports.
    fn is_attested(&mut self, published_level: i32, slot: u8) -> Result<Option<bool>>;
}

/// What one rollup is revealed.
#[derive(Clone, Debug)]
pub struct Reveals<L> {
    pre_images: PreImages,
    rollup: Rollup,
    levels: L,
}

impl<L: Levels> Reveals<L> {
    /// From these pre-images and levels.
    pub fn new(pre_images: PreImages, rollup: Rollup, levels: L) -> Self {
        Self { pre_images, rollup, levels }
    }

    fn constants(&mut self, level: i32) -> Result<DalConstants> {
        let constants = self.levels.dal_constants(level)?;
        constants.ok_or_else(|| unavailable(format_args!("the constants of the DAL at level {level}")))
    }
}

impl<L: Levels> Reveal for Reveals<L> {
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Bytes> {
        self.pre_images.read(hash).map(Into::into)
    }

    fn dal_parameters(&mut self, level: i32) -> Result<DalParameters> {
        let constants = self.constants(level)?;
        Ok(DalParameters {
            number_of_slots: constants.number_of_slots.into(),
            attestation_lag: constants.attestation_lag.into(),
            slot_size: constants.slot_size.into(),
            page_size: constants.page_size.into(),
        })
    }

    fn dal_page(&mut self, level: i32, page: DalPage) -> Result<Bytes> {
        let DalPage { published_level, slot, page: number } = page;
        let origination = self.rollup.origination_level;
        // No protocol is asked about what no protocol allows.
        if published_level <= origination || published_level > level {
            return Ok(Bytes::from([]));
        }
        if !self.constants(published_level)?.may_import(&page, origination, level) {
            return Ok(Bytes::from([]));
        }
        let slot_text = format!("slot {slot} that was published at level {published_level}");
        match self.levels.is_attested(published_level, slot)? {
            Some(false) => Ok(Bytes::from([])),
            Some(true) => Err(unavailable(format_args!("page {number} of {slot_text}"))),
            None => Err(unavailable(format_args!("whether {slot_text} was attested"))),
        }
    }
}
