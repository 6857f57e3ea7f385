//! `storage/irmin_store/`: what a node of store version 4 keeps about data availability, in an
//! irmin-pack store of another form than the context (`docs/FORMAT.md`, section 8): directories of
//! up to 32 entries a part, everything in the index, a branch `main` whose commits have parents.
//!
//! [`IrminStore`] reads what that branch holds, and proves it on the way: from the hash of the
//! branch on, every object has the hash that it is named by. [`slots`] knows what the values mean.

mod branches;
mod listing;
pub mod slots;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::code::{Code, Group};
use crate::context::pack::{Child, Hash, Kind};
use crate::context::{Commit, Context, path};
use crate::hash::ContextHash;
use crate::index::{Index, KeyOrder, Shape};
use crate::members::{self, CONTEXT, IRMIN_STORE};
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

use listing::Listing;

/// The branch of the node.
const MAIN: &str = "main";

/// Longest value that is read, in bytes. Those of a block have 55 bytes for each of its slots, of
/// which there are 256 at the most.
const MAX_VALUE: u64 = 16 << 10;

/// How many directories may lie in one another. A node has two below the root.
const MAX_DEPTH: usize = 8;

/// Where an object is, by its hash: global offset (8 bytes), length (4), kind (1).
const INDEX: Shape = Shape { key: 32, value: 13, order: KeyOrder::Bytes };

/// The store, opened read-only. Memory: its dictionary, and eight bytes for each entry in the log
/// of its index; objects are read when asked for.
#[derive(Debug)]
pub struct IrminStore<F: Files> {
    context: Context<Below<F>>,
    index: Index<F::File>,
    main: Option<Commit>,
}

/// The files below [`IRMIN_STORE`], named as irmin-pack names them.
#[derive(Debug)]
struct Below<F>(F);

impl<F: Files> Files for Below<F> {
    type File = F::File;

    fn open(&self, name: &str) -> Result<Option<F::File>> {
        self.0.open(&format!("{IRMIN_STORE}/{name}"))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        self.0.names(format!("{IRMIN_STORE}/{directory}").trim_end_matches('/'))
    }
}

impl<F: Files> IrminStore<F> {
    /// Opens it among the files of a data directory, and finds the commit of the branch.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], and what the source reports.
    pub fn open(files: F) -> Result<Self> {
        let index = Index::open(&files, &format!("{IRMIN_STORE}/index"), INDEX)?;
        let context = Context::open(Below(files)).map_err(told)?;
        let mut store = Self { context, index, main: None };
        if let Some(hash) = branches::find(store.context.files(), MAIN)? {
            store.main = Some(store.commit(hash).map_err(told)?);
        }
        Ok(store)
    }

    /// The commit of the branch; `None` before the first block that had anything to keep.
    pub fn main(&self) -> Option<&Commit> {
        self.main.as_ref()
    }

    /// Every value of the branch, with the names that lead to it, in no order.
    ///
    /// # Errors
    /// [`Code::StoreDamaged`], what the source reports, and those of `each`.
    pub fn values(&self, each: &mut Visit<'_>) -> Result<()> {
        let Some(commit) = &self.main else { return Ok(()) };
        // No two directories share an object, unless they are the same twice: so all that are read
        // are about as large as the store, whatever it says.
        let mut budget = self.context.layout().end().saturating_mul(2);
        self.below(commit.root, commit.root_hash, &mut Vec::new(), &mut budget, each).map_err(told)
    }

    /// Everything below a directory.
    fn below(
        &self,
        offset: u64,
        hash: Hash,
        path: &mut Vec<Vec<u8>>,
        budget: &mut u64,
        each: &mut Visit<'_>,
    ) -> Result<()> {
        if path.len() == MAX_DEPTH {
            return Err(shape(offset, "directories in directories without end"));
        }
        let mut listing = Listing::new(self, offset, hash, budget)?;
        while let Some(entry) = listing.next(self, budget)? {
            path.push(entry.name);
            if entry.is_directory {
                self.below(entry.offset, entry.hash, path, budget, each)?;
            } else {
                each(path, &self.value(entry.offset)?)?;
            }
            path.pop();
        }
        Ok(())
    }

    /// Contents, which have their hash.
    fn value(&self, offset: u64) -> Result<Vec<u8>> {
        let contents = self.context.contents(offset)?;
        if contents.size > MAX_VALUE {
            return Err(shape(offset, "a value longer than any that a node writes"));
        }
        let mut value = Vec::new();
        self.context.read_contents::<Problem>(&contents, |piece| {
            value.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(value)
    }

    /// The commit of this hash.
    fn commit(&self, hash: Hash) -> Result<Commit> {
        let offset = self.offset_of(&hash)?;
        let commit = self.context.read_commit(offset, |parent| {
            let head = self.context.head(self.place(offset, parent)?)?;
            if head.kind == Kind::Commit {
                Ok(head.hash)
            } else {
                Err(shape(offset, "a parent of another kind"))
            }
        })?;
        let expected = ContextHash::new(hash);
        if commit.hash == expected {
            return Ok(commit);
        }
        Err(wrong_hash(offset, expected.as_bytes(), commit.hash.as_bytes()))
    }

    /// Where an object is that another one refers to. It was written before that.
    fn place(&self, parent: u64, child: Child) -> Result<u64> {
        let child = match child {
            Child::Hash(hash) => Child::Offset(self.offset_of(&hash)?),
            offset => offset,
        };
        crate::context::earlier(parent, child)
    }

    fn offset_of(&self, hash: &Hash) -> Result<u64> {
        let found = self.index.find(hash)?;
        let offset = found.and_then(|value| value.first_chunk().copied()).map(u64::from_be_bytes);
        offset.ok_or_else(|| {
            let missing = format!("its index does not have object {}", path::hex(hash));
            Problem::damaged_store(&format!("{IRMIN_STORE}/index"), &missing)
        })
    }
}

/// What is called for each value: the names that lead to it, and its bytes.
pub type Visit<'v> = dyn FnMut(&[Vec<u8>], &[u8]) -> Result<()> + 'v;

/// What is said of a context, said of this store.
fn told(problem: Problem) -> Problem {
    if problem.code().group() != Group::CONTEXT {
        return problem;
    }
    let file = problem.member_name().and_then(|name| members::below(CONTEXT, name));
    let at = match (problem.place(), file) {
        (Some(Place::Context(offset)), _) => format!("{IRMIN_STORE}, object at {offset}"),
        (_, Some(file)) => format!("{IRMIN_STORE}/{file}"),
        _ => IRMIN_STORE.to_string(),
    };
    let mut told = Problem::damaged_store(
        &at,
        &format!("what it keeps of data availability cannot be read, {}", said(&problem)),
    );
    if let Some(expected) = problem.expected_text() {
        told = told.expected(expected);
    }
    if let Some(found) = problem.found_text() {
        told = told.found(found);
    }
    match problem.cause() {
        Some(cause) => told.because(cause),
        None => told,
    }
}

/// The words of the table, which speak of a context.
fn said(problem: &Problem) -> String {
    let title = problem.title().replace("there is no context", "there is no control file");
    title.replace(" of the context", "").replace("the context", "its store")
}

fn wrong_hash(offset: u64, expected: &Hash, found: &Hash) -> Problem {
    let problem = Problem::new(Code::ContextHash).at(Place::Context(offset));
    problem.expected(path::hex(expected)).found(path::hex(found))
}

fn shape(offset: u64, found: &str) -> Problem {
    Problem::new(Code::ContextShape).at(Place::Context(offset)).found(found)
}
