//! What replaying blocks takes besides a state and messages: the data that kernels ask for.
//!
//! * [`reveals`]: all of it, as the machine asks for it;
//! * [`pre_images`]: those of a data directory, by their hashes;
//! * [`dal`]: what a protocol says about the data availability layer, and which of its pages a rollup
//!   may import.

pub mod dal;
pub mod pre_images;
pub mod reveals;

pub use dal::DalConstants;
pub use pre_images::PreImages;
pub use reveals::{Levels, Reveals};
