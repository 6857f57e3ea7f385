//! The context of a snapshot, of a data directory, or on its own, opened for reading at random.
//!
//! * [`files`]: its files, in a directory or as windows over an uncompressed snapshot;
//! * [`target`]: what the user named, with the store beside it where there is one.

pub mod files;
pub mod target;

pub use files::{ContextFiles, Part};
pub use target::{Levels, Target};
