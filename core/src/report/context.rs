//! What a report says about a context beyond right and wrong.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Tally;

/// What the files of a context hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextStats {
    /// All objects.
    pub objects: Tally,
    /// Contents.
    pub contents: Tally,
    /// Directories.
    pub directories: Tally,
    /// Inner parts of directories.
    pub inner: Tally,
    /// Commits.
    pub commits: Tally,
    /// Depth of the deepest tree of inner parts.
    pub inner_depth: u64,
    /// What the commit of the head consists of; `None` where it was not looked at by itself.
    pub head: Option<HeadStats>,
}

/// What one commit consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadStats {
    /// All its objects.
    pub objects: Tally,
    /// Bytes of its contents alone, without the heads of their entries.
    pub content_bytes: u64,
    /// Longest path, in steps.
    pub depth: u64,
    /// The largest contents, in bytes.
    pub largest: u64,
    /// Directories near the root, in the order of paths.
    pub subtrees: Vec<Subtree>,
    /// Whether there are more of them.
    pub subtrees_left_out: bool,
}

/// A directory with all that is below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtree {
    /// Its path, as [`path::show`](crate::context::path::show) shows it.
    pub path: String,
    /// How many steps that are.
    pub depth: u64,
    /// Objects of it and below.
    pub objects: Tally,
}
