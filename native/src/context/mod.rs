//! The context of a snapshot, of a data directory, or on its own, opened for reading at random.
//!
//! * [`moment`]: the files of a directory that a node may be writing to, as they are at one moment;
//! * [`threads`] and [`spool`]: what its check needs of this machine;
//! * [`target`]: what the user named, with the store beside it where there is one.

pub mod moment;
pub mod spool;
pub mod target;
pub mod threads;

pub use moment::{Held, Moment};
pub use spool::TempSpool;
pub use target::{Levels, Target, is_context};
pub use threads::Threads;
