//! What a report says about a context beyond right and wrong.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Tally;
use crate::words::plural;

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

impl ContextStats {
    /// What is said of a context of which all holds.
    pub fn words(&self) -> String {
        let Tally { count, bytes } = self.objects;
        let commits = commits_in_words(self.commits.count);
        format!("{count} objects of the context, {bytes} bytes, have their hashes and forms; {commits}")
    }

    /// Adds what another share has.
    pub(super) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.objects, other.objects),
            (&mut self.contents, other.contents),
            (&mut self.directories, other.directories),
            (&mut self.inner, other.inner),
            (&mut self.commits, other.commits),
        ];
        for (sum, more) in pairs {
            *sum = [*sum, more].into_iter().sum();
        }
        self.inner_depth = self.inner_depth.max(other.inner_depth);
    }

    /// Whether the objects are those of each kind together.
    pub(super) fn is_sum(&self) -> bool {
        [self.contents, self.directories, self.inner, self.commits].into_iter().sum::<Tally>() == self.objects
    }
}

/// `1 commit`, `5 commits`.
pub(crate) fn commits_in_words(count: u64) -> String {
    format!("{count} {}", plural(count, "commit", "commits"))
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
