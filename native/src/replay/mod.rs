//! What replaying blocks takes besides a state and messages: the data that kernels ask for.
//!
//! * [`reveals`]: all of it, as the machine asks for it;
//! * [`pre_images`]: those of a data directory, by their hashes;
//! * [`dal_node`]: where the content of those pages comes from;
//! * [`levels`]: what a store knows of the levels of layer 1.

pub mod dal_node;
pub mod levels;
pub mod pre_images;
pub mod reveals;

pub use dal_node::DalNode;
pub use levels::StoreLevels;
pub use pre_images::PreImages;
pub use reveals::{Attestation, Levels, Pages, Reveals};
