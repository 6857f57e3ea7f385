//! Replay: blocks are run again, and what comes of them is compared with what a store records.
//!
//! [`Replay`] begins at a commit of a context and is given one [`Recorded`] block after the other. It does no I/O: trees
//! load from wherever they were made to, kernels run in whatever engine it is given, and states go to [`Commits`] where
//! somebody wants them. In reading order:
//!
//! * `available`: from which contexts it can begin;
//! * `run`: one block after the other, from a commit on;
//! * `recorded`: what a store says of a block, and whether that is what came of it;
//! * [`Records`]: where what a store says comes from; [`refusal`]: what is refused before anything is run;
//! * `outbox`: which messages of an outbox a store records;
//! * `outcome`: what came of it;
//! * `reveals`: the data that kernels ask for; `dal`, `levels`: what protocols and stores say of that layer;
//! * `memory`: a replay of a snapshot that is kept in memory;
//! * `differences`: which keys of two trees differ.

mod available;
mod dal;
mod differences;
mod levels;
mod memory;
mod outbox;
mod outcome;
mod recorded;
mod records;
pub mod refusal;
mod reveals;
mod run;

pub use available::{Available, no_start};
pub use dal::DalConstants;
pub use differences::differences;
pub use levels::statuses;
pub use memory::{Gathering, MemberFile, MemberFiles, MemoryReplay};
pub use outbox::{Habit, Names, Outbox};
pub use outcome::{BlockRun, Outcome};
pub use recorded::Recorded;
pub use records::{Blocks, OfDatabase, OfFiles, Records, checked, protocols};
pub use reveals::{Attestation, Levels, Pages, PreImageSource, Reveals};
pub use run::{Commits, Origin, Reached, Replay};
