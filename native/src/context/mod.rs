//! The context of a snapshot, of a data directory, or on its own, opened for reading at random.
//!
//! * [`files`]: its files, in a directory or as windows over an uncompressed snapshot;
//! * [`moment`]: the files of a directory that a node may be writing to, as they are at one moment;
//! * [`target`]: what the user named, with the store beside it where there is one.

pub mod files;
pub mod moment;
pub mod target;

pub use files::{ContextFiles, Part};
pub use moment::{Held, Moment};
pub use target::{Levels, Target};
