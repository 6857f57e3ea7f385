//! Commits: which there are, which can be read, and what they say.

use alloc::format;
use alloc::vec::Vec;

use super::index::{Entry, Index};
use super::pack::{self, Child, Hash, Kind};
use super::{Context, Tree};
use crate::code::Code;
use crate::feedback::Feedback;
use crate::hash::ContextHash;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// Most bytes of a commit that are read. Layer 2 writes neither long authors nor long messages.
const MAX_COMMIT: u64 = 1 << 16;

/// A commit that was read, and whose hash is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash, as computed.
    pub hash: ContextHash,
    /// Its global offset.
    pub offset: u64,
    /// Length of its entry, in bytes.
    pub len: u64,
    /// The hash that its entry has; the library never looks at it.
    pub stored: Hash,
    /// Global offset of its root directory.
    pub root: u64,
    /// Hash of its root directory.
    pub root_hash: Hash,
    /// When it was made, in seconds since 1970; 0 on layer 2.
    pub date: i64,
    /// Who made it: `Tezos` for Octez, `Mavryk` for Mavkit.
    pub author: Vec<u8>,
    /// The message; empty but for `refutation_cache`.
    pub message: Vec<u8>,
}

/// A commit of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What the index says.
    pub entry: Entry,
    /// What is there.
    pub state: State,
}

/// What is where the index says that a commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The commit.
    Available(Commit),
    /// Nothing any more: it was collected.
    Collected,
    /// Nothing yet: it lies beyond the end that the control file tells.
    NotYet,
    /// Something else, or a commit that does not have this hash.
    Damaged(Problem),
}

impl Listed {
    /// The commit, if it can be read.
    pub fn available(&self) -> Option<&Commit> {
        if let State::Available(commit) = &self.state { Some(commit) } else { None }
    }
}

impl<F: Files> Context<F> {
    /// The index.
    ///
    /// # Errors
    /// As [`Index::load`].
    pub fn index(&self, feedback: &dyn Feedback) -> Result<Index> {
        Index::load(self.files(), feedback)
    }

    /// The commits of the index, in the order of their offsets: the oldest first. What is where an entry points to
    /// is read when its turn comes, and gives an error when the files report one; what is wrong with a commit is
    /// its state. Memory: the index.
    ///
    /// # Errors
    /// As [`Index::load`].
    pub fn commits(
        &self,
        feedback: &dyn Feedback,
    ) -> Result<impl DoubleEndedIterator<Item = Result<Listed>> + ExactSizeIterator> {
        let entries = self.index(feedback)?.by_offset().into_iter();
        Ok(entries.map(|entry| Ok(Listed { entry, state: self.state_of(&entry)? })))
    }

    /// What is where an entry of the index points to.
    ///
    /// # Errors
    /// Whatever the files report.
    pub fn state_of(&self, entry: &Entry) -> Result<State> {
        if self.is_beyond(entry) {
            return Ok(State::NotYet);
        }
        if self.layout().find(entry.offset).is_none() {
            return Ok(State::Collected);
        }
        match self.commit_at(entry.offset) {
            Ok(commit) if commit.hash == entry.hash => Ok(State::Available(commit)),
            Ok(commit) => Ok(State::Damaged(
                Problem::new(Code::ContextCommit)
                    .at(Place::Context(entry.offset))
                    .expected(entry.hash)
                    .found(commit.hash),
            )),
            Err(problem) if !problem.code().is_about_contents() => Err(problem),
            Err(problem) => Ok(State::Damaged(problem)),
        }
    }

    /// Reads the commit of this hash.
    ///
    /// # Errors
    /// [`Code::ContextCommit`] when the index does not know it, it was collected, it is not there
    /// yet, or something else is there; those of [`Index::find`].
    pub fn checkout(&self, hash: &ContextHash, feedback: &dyn Feedback) -> Result<Commit> {
        let cannot = |why: &str| {
            Problem::new(Code::ContextCommit)
                .headline(format!("commit {hash} of the context cannot be read"))
                .because(why)
        };
        let entry = Index::find(self.files(), hash, feedback)?;
        let entry = entry.ok_or_else(|| cannot("the index does not have it"))?;
        match self.state_of(&entry)? {
            State::Available(commit) => Ok(commit),
            State::Collected => {
                Err(cannot("it was collected as garbage; only its entry in the index is left"))
            }
            State::NotYet => Err(cannot("it lies beyond the end that the control file tells")),
            State::Damaged(problem) => Err(cannot(&problem.sentence()).at(Place::Context(entry.offset))),
        }
    }

    /// Reads whatever commit is at a global offset; its hash is computed, not believed.
    ///
    /// # Errors
    /// [`Code::ContextCommit`], [`Code::ContextEntry`], [`Code::ContextChild`]; whatever the files
    /// report.
    pub fn commit_at(&self, offset: u64) -> Result<Commit> {
        self.read_commit(offset, |_| {
            let found = "parents, which no commit of layer 2 has";
            Err(Problem::new(Code::ContextCommit).at(Place::Context(offset)).found(found))
        })
    }

    /// Like [`Context::commit_at`], where `hash_of` tells the hash of a parent.
    pub(crate) fn read_commit(
        &self,
        offset: u64,
        hash_of: impl FnMut(Child) -> Result<Hash>,
    ) -> Result<Commit> {
        let mut value = Vec::new();
        let head = self.object(offset, Kind::Commit, MAX_COMMIT, &mut value)?;
        let wrong = |why: &str| Problem::new(Code::ContextCommit).at(Place::Context(offset)).found(why);
        let mut parents = Vec::new();
        let commit = pack::Commit::with_parents(&value, |parent| parents.push(parent))
            .map_err(|malformed| wrong(malformed.0))?;
        let mut parents: Vec<Hash> = parents.into_iter().map(hash_of).collect::<Result<_>>()?;
        parents.sort_unstable();
        let Child::Offset(root) = commit.root else {
            return Err(wrong("a root directory that is named by its hash"));
        };
        if root >= offset {
            return Err(wrong("a root directory that was written after it"));
        }
        let root_head = self.head(root)?;
        if root_head.kind != Kind::Root {
            return Err(super::tree::other_kind(root, Kind::Root, root_head.kind));
        }
        let mut image = Vec::new();
        pack::hashing::put_commit(
            &root_head.hash,
            &parents,
            commit.date,
            commit.author,
            commit.message,
            &mut image,
        );
        Ok(Commit {
            hash: ContextHash::new(pack::hashing::hash(&image)),
            offset,
            len: head.entry_len(),
            stored: head.hash,
            root,
            root_hash: root_head.hash,
            date: commit.date,
            author: commit.author.to_vec(),
            message: commit.message.to_vec(),
        })
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub fn tree(&self, commit: &Commit) -> Result<Tree<'_, F>> {
        Tree::new(self, commit.root)
    }

    fn is_beyond(&self, entry: &Entry) -> bool {
        // The length is the index's word; a wrong one is for the reading to find.
        let end = entry.offset.saturating_add(u64::from(entry.len));
        entry.offset >= self.layout().end() || end > self.layout().end()
    }
}
