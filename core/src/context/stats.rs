//! What was counted in a context, as a report says it.

use alloc::vec::Vec;

use super::Stat;
use super::verify::Totals;
use crate::report::{ContextStats, HeadStats, Subtree};

/// Most subtrees in a report; the largest are kept.
const MAX_SUBTREES: usize = 200;

/// How many steps below the root a subtree gets a row of its own.
pub const DEPTH: u64 = 4;

impl From<&Totals> for ContextStats {
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

impl From<Stat> for HeadStats {
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
