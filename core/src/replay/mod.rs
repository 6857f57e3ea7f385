//! Replay: blocks are run again, and what comes of them is compared with what a store records.
//!
//! [`Replay`] begins at a commit of a context and is given one [`Recorded`] block after the other. It does no I/O: trees
//! load from wherever they were made to, kernels run in whatever engine it is given, and states go to [`Commits`] where
//! somebody wants them. In reading order:
//!
//! * `run`: one block after the other, from a commit on;
//! * `recorded`: what a store says of a block, and whether that is what came of it;
//! * `outbox`: which messages of an outbox a store records;
//! * `differences`: which keys of two trees differ.

mod differences;
mod outbox;
mod recorded;
mod run;

pub use differences::differences;
pub use outbox::{Habit, Names, Outbox};
pub use recorded::Recorded;
pub use run::{Commits, Origin, Reached, Replay};
