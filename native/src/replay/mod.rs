//! Replay: blocks of a data directory or a snapshot are run again, from contexts that are there, and what comes of them
//! is compared with what the store records.
//!
//! The rules are core's ([`rollsnap_core::replay`]); here are the threads, the store, and the data that kernels ask for.
//! [`run`] is the job. In reading order:
//!
//! * [`place`]: where the parts of what is replayed lie;
//! * [`scope`]: which blocks are run;
//! * `plan`, `worker`, `job`: spans of blocks that can be run on their own, the threads that run them, and the order;
//! * [`pre_images`]: those of a data directory, by their hashes;
//! * [`dal_node`]: where the content of pages comes from;
//! * [`levels`]: what a store knows of the levels of layer 1.

pub mod dal_node;
mod job;
pub mod levels;
mod options;
pub mod place;
mod plan;
pub mod pre_images;
pub mod scope;
mod worker;

pub use dal_node::DalNode;
pub use job::{Outlook, outlook, run};
pub use levels::StoreLevels;
pub use options::{EngineKind, Options};
pub use place::Place;
pub use pre_images::PreImages;
pub use rollsnap_core::replay::{
    Attestation, BlockRun, Commits, Levels, Outcome, Pages, PreImageSource, Reached, Reveals,
};
pub use scope::{Scope, Shard};
