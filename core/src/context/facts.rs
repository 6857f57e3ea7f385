//! What a report says about a context beyond right and wrong.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::verify::Totals;
use super::{Stat, Tally};

/// Most subtrees in a report; the largest are kept.
const MAX_SUBTREES: usize = 200;

/// How many steps below the root subtrees are told apart.
pub const DEPTH: u64 = 4;

/// What the files of a context hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
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
    pub head: Option<Head>,
}

/// What one commit consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subtree {
    /// Its path, as [`super::path::show`] shows it.
    pub path: String,
    /// How many steps that are.
    pub depth: u64,
    /// Objects of it and below.
    pub objects: Tally,
}

impl From<&Totals> for Facts {
    fn from(totals: &Totals) -> Self {
        Self {
            objects: totals.all(),
            contents: totals.contents,
            directories: totals.directories,
            inner: totals.inner,
            commits: totals.commits,
            inner_depth: totals.deepest,
            head: None,
        }
    }
}

impl From<Stat> for Head {
    fn from(stat: Stat) -> Self {
        let mut subtrees: Vec<Subtree> = stat
            .subtrees
            .into_iter()
            .map(|subtree| Subtree { path: subtree.path, depth: subtree.depth, objects: subtree.objects })
            .collect();
        let left_out = stat.subtrees_left_out || subtrees.len() > MAX_SUBTREES;
        if subtrees.len() > MAX_SUBTREES {
            subtrees.sort_by_key(|subtree| core::cmp::Reverse(subtree.objects.bytes));
            subtrees.truncate(MAX_SUBTREES);
            subtrees.sort_by(|a, b| a.path.cmp(&b.path));
        }
        Self {
            objects: stat.objects,
            content_bytes: stat.content_bytes,
            depth: stat.depth,
            largest: stat.largest,
            subtrees,
            subtrees_left_out: left_out,
        }
    }
}
