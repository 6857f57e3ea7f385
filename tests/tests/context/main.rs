//! Contexts: read, verified, written, appended to; and the tree that changes.

mod append;
mod damaged;
mod forged;
mod hashes;
mod hostile;
mod irmin_store;
mod read;
mod reindex;
mod shares;
mod shares_forged;
mod tree_forged;
mod tree_order;
mod tree_stored;
mod verify;
mod write;
