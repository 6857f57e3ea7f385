//! The answers to what kernels ask for: from pre-images that are there, and from what is known of the levels of
//! layer 1. What is not known is refused by name; nothing is guessed.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;

use super::dal::DalConstants;
use crate::context::edit::Bytes;
use crate::problem::{Problem, Result};
use crate::pvm::reveal::unavailable;
use crate::pvm::{DalPage, DalParameters, Reveal, Rollup};

/// Where pre-images are.
pub trait PreImageSource {
    /// The bytes with this hash, which whoever asks compares with them.
    ///
    /// # Errors
    /// [`Code::PreImageMissing`](crate::Code::PreImageMissing) when they are not there; whatever the place where they are
    /// looked for reports.
    fn read(&self, hash: &[u8; 32]) -> Result<Bytes>;
}

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

/// Where the content of slots comes from.
pub trait Pages {
    /// Whether a slot that was published at a level was attested; `None` when that is not settled yet.
    ///
    /// # Errors
    /// Whatever the place where it is looked for reports.
    fn status(&mut self, published_level: i32, slot: u8) -> Result<Option<Attestation>>;

    /// A page of an attested slot, as long as the constants of its level say.
    ///
    /// # Errors
    /// [`unavailable`] when it is not there; whatever the place where it is looked for reports.
    fn page(&mut self, page: &DalPage, constants: &DalConstants) -> Result<Bytes>;
}

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// It was not attested, or not even published.
    No,
    /// It was attested.
    Yes,
    /// It was attested so many levels after its publication.
    After(u16),
}

/// What one rollup is revealed.
pub struct Reveals<L> {
    pre_images: Box<dyn PreImageSource>,
    rollup: Rollup,
    levels: L,
    pages: Option<Box<dyn Pages>>,
}

impl<L: Levels> Reveals<L> {
    /// From these pre-images and levels.
    pub fn new(pre_images: impl PreImageSource + 'static, rollup: Rollup, levels: L) -> Self {
        Self { pre_images: Box::new(pre_images), rollup, levels, pages: None }
    }

    /// Takes pages from here, and what the levels do not know of slots.
    #[must_use]
    pub fn with_pages(mut self, pages: impl Pages + 'static) -> Self {
        self.pages = Some(Box::new(pages));
        self
    }

    fn constants(&mut self, level: i32) -> Result<DalConstants> {
        let constants = self.levels.dal_constants(level)?;
        constants.ok_or_else(|| unavailable(format_args!("the constants of the DAL at level {level}")))
    }
}

impl<L: Levels> Reveal for Reveals<L> {
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Bytes> {
        self.pre_images.read(hash)
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
        let mut constants = self.constants(published_level)?;
        if !constants.may_import(&page, origination, level) {
            return Ok(Bytes::from([]));
        }
        let slot_text = format!("slot {slot} that was published at level {published_level}");
        let page_text = format!("page {number} of {slot_text}");
        // Whatever goes wrong: what is missing is named.
        let named = |problem: Problem| {
            let what = problem.expected_text().map_or_else(String::new, |what| format!(": {what}"));
            problem.expected(format_args!("{page_text}{what}"))
        };
        let known = self.levels.is_attested(published_level, slot)?;
        let status = match (known, &mut self.pages) {
            (Some(true), _) => Some(Attestation::Yes),
            (Some(false), _) => Some(Attestation::No),
            (None, Some(pages)) => pages.status(published_level, slot).map_err(named)?,
            (None, None) => None,
        };
        match status {
            Some(Attestation::No) => return Ok(Bytes::from([])),
            Some(Attestation::Yes) => {}
            // Newer protocols attest some slots sooner than others: the window begins there.
            Some(Attestation::After(lag)) => {
                constants.attestation_lag = lag;
                if !constants.may_import(&page, origination, level) {
                    return Ok(Bytes::from([]));
                }
            }
            None => return Err(unavailable(format_args!("whether {slot_text} was attested"))),
        }
        match &mut self.pages {
            Some(pages) => pages.page(&page, &constants).map_err(named),
            None => Err(unavailable(page_text)),
        }
    }
}

impl<L: fmt::Debug> fmt::Debug for Reveals<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reveals").field("levels", &self.levels).finish_non_exhaustive()
    }
}
