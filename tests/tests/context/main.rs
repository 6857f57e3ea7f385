//! Contexts: read, verified, written, appended to; and the tree that changes.

mod append;
mod damaged;
mod diff;
mod forged;
mod hashes;
mod hostile;
mod irmin_store;
mod proof;
mod read;
mod reindex;
mod shares;
mod shares_forged;
mod tree_forged;
mod tree_order;
mod tree_stored;
mod verify;
mod write;
