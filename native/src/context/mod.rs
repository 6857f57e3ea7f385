//! The context of a snapshot, of a data directory, or on its own, opened for reading at random.
//!
//! * [`files`]: its files, in a directory or as windows over an uncompressed snapshot;
//! * [`moment`]: the files of a directory that a node may be writing to, as they are at one moment.

pub mod files;
pub mod moment;

pub use files::{ContextFiles, Part};
pub use moment::{Held, Moment};
