//! What *Consistent* needs, in the full module; nothing at all in the small one.

#[cfg(not(feature = "consistent"))]
mod absent;
#[cfg(feature = "consistent")]
mod present;

#[cfg(not(feature = "consistent"))]
pub(crate) use absent::{Checker, RetainedStore, begin, lender, on_first_byte};
#[cfg(feature = "consistent")]
pub(crate) use present::{Checker, RetainedStore, begin, lender, on_first_byte};
