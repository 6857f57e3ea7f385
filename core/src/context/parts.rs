//! Parts of directories, compared with their hashes as they are read.
//!
//! A commit names the hash of its root, and each part the hashes of what is below it. So what is read this way is what
//! the commit stands for, whatever else the files hold, and two parts with one hash are the same: nothing below them has
//! to be read.

use alloc::vec::Vec;

use super::open::no_entry;
use super::pack::{ENTRIES, Hash, Inode, Kind, MAX_INODE, hashing};
use super::{Commit, Context, Link, MAX_BITS, earlier, path};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// Where an object is, and the hash that was said of it by what refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Global offset.
    pub offset: u64,
    /// Its hash.
    pub hash: Hash,
}

/// An entry of a directory, whose hash its directory vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Its name, kind and place.
    pub link: Link,
    /// Its hash.
    pub hash: Hash,
    /// How many bytes contents are, as their entry says; 0 of directories.
    pub size: u64,
}

/// What a part of a directory consists of.
#[derive(Debug)]
pub(super) enum Part {
    /// One or two entries, in the order of their names.
    Values(Vec<Linked>),
    /// So many entries, in a part for each value of the next bit.
    Tree(u64, [Option<Named>; ENTRIES]),
}

impl Linked {
    /// Its place and hash.
    pub fn named(&self) -> Named {
        Named { offset: self.link.offset, hash: self.hash }
    }
}

impl<F: Files> Context<F> {
    /// The part of a directory that all names lead to whose hash begins with these `depth` bits; its root if that is 0.
    ///
    /// # Errors
    /// [`Code::ContextHash`] when it does not have its hash, [`Code::ContextShape`], [`Code::ContextEntry`],
    /// [`Code::ContextChild`]; whatever the files report.
    pub(super) fn named_part(&self, named: &Named, depth: u64, bits: u64) -> Result<Part> {
        let offset = named.offset;
        let kind = if depth == 0 { Kind::Root } else { Kind::Inner };
        let mut value = Vec::new();
        self.object(offset, kind, MAX_INODE, &mut value)?;
        let mut image = Vec::new();
        let part = match Inode::parse(&value).map_err(|why| no_entry(offset, why))? {
            Inode::Values(values) => {
                let mut entries: Vec<Linked> = Vec::new();
                for value in values.iter().flatten() {
                    let link = self.link(offset, value)?;
                    if entries.last().is_some_and(|last| last.link.name >= link.name) {
                        return Err(shape(offset, "entries that are not in the order of their names"));
                    }
                    if !leads(&link.name, depth, bits) {
                        return Err(shape(offset, "an entry where the hash of its name does not lead"));
                    }
                    let head = self.head(link.offset)?;
                    let kind = if link.directory { Kind::Root } else { Kind::Contents };
                    if head.kind != kind {
                        return Err(super::tree::other_kind(link.offset, kind, head.kind));
                    }
                    let size = if link.directory { 0 } else { head.value_len };
                    entries.push(Linked { link, hash: head.hash, size });
                }
                if entries.is_empty() {
                    return Err(shape(offset, "a directory without entries"));
                }
                let images =
                    entries.iter().map(|entry| (&entry.link.name[..], entry.link.directory, entry.hash));
                if depth == 0 {
                    hashing::put_root(images, &mut image);
                } else {
                    hashing::put_values(images, &mut image);
                }
                Part::Values(entries)
            }
            Inode::Tree { depth: said, len, pointers } => {
                if said != depth || depth >= MAX_BITS {
                    return Err(Problem::new(Code::ContextShape)
                        .at(Place::Context(offset))
                        .expected(format_args!("depth {depth}, below {MAX_BITS}"))
                        .found(said));
                }
                if len <= ENTRIES as u64 {
                    return Err(shape(offset, "parts where its few entries would do"));
                }
                let mut parts = [None; ENTRIES];
                let mut below = Vec::new();
                for pointer in pointers.iter().flatten() {
                    let place = usize::try_from(pointer.index).ok().and_then(|at| parts.get_mut(at));
                    let place = place.filter(|place| place.is_none());
                    let place =
                        place.ok_or_else(|| shape(offset, "the bits of its parts are not 0 and 1"))?;
                    let offset = earlier(offset, pointer.child)?;
                    let head = self.head(offset)?;
                    if head.kind != Kind::Inner {
                        return Err(super::tree::other_kind(offset, Kind::Inner, head.kind));
                    }
                    *place = Some(Named { offset, hash: head.hash });
                    below.push((pointer.index, head.hash));
                }
                if below.is_empty() {
                    return Err(shape(offset, "a directory without parts"));
                }
                hashing::put_tree(depth, len, below.into_iter(), &mut image);
                Part::Tree(len, parts)
            }
        };
        let found = hashing::hash(&image);
        if found != named.hash {
            return Err(Problem::new(Code::ContextHash)
                .at(Place::Context(offset))
                .expected(path::hex(&named.hash))
                .found(path::hex(&found)));
        }
        Ok(part)
    }

    /// The directory of the PVM state of a commit; `None` when the commit has none.
    ///
    /// # Errors
    /// As [`Context::named_entry`].
    pub fn pvm_state_of(&self, commit: &Commit) -> Result<Option<Named>> {
        let root = Named { offset: commit.root, hash: commit.root_hash };
        let state = self.named_entry(&root, b"pvm_state")?;
        Ok(state.filter(|state| state.link.directory).map(|state| state.named()))
    }

    /// The entry of this name in a directory; `None` when the directory has none.
    ///
    /// # Errors
    /// As a difference of trees has them: [`Code::ContextHash`], [`Code::ContextShape`], [`Code::ContextEntry`],
    /// [`Code::ContextChild`]; whatever the files report.
    pub fn named_entry(&self, directory: &Named, name: &[u8]) -> Result<Option<Linked>> {
        let wanted = hashing::bits(name);
        let (mut at, mut depth) = (*directory, 0);
        loop {
            match self.named_part(&at, depth, first_bits(wanted, depth))? {
                Part::Values(entries) => {
                    return Ok(entries.into_iter().find(|entry| entry.link.name == name));
                }
                Part::Tree(_, parts) => match parts.get(bit(wanted, depth)).copied().flatten() {
                    Some(next) => at = next,
                    None => return Ok(None),
                },
            }
            depth += 1;
        }
    }

    /// The bytes of contents of at most `most` bytes, which have their hash.
    ///
    /// # Errors
    /// [`Code::ContextHash`], [`Code::ContextEntry`], [`Code::ContextChild`]; whatever the files report.
    pub fn named_contents(&self, contents: &Named, most: u64) -> Result<Vec<u8>> {
        let mut value = Vec::new();
        self.object(contents.offset, Kind::Contents, most, &mut value)?;
        let found = hashing::contents(&value);
        if found == contents.hash {
            return Ok(value);
        }
        Err(Problem::new(Code::ContextHash)
            .at(Place::Context(contents.offset))
            .expected(path::hex(&contents.hash))
            .found(path::hex(&found)))
    }
}

/// The bit of a name's hash that decides which part of a directory it belongs to, at this depth.
pub(super) fn bit(bits: u64, depth: u64) -> usize {
    usize::from(bits >> (63 - depth.min(63)) & 1 == 1)
}

/// The first `depth` bits.
pub(super) fn first_bits(bits: u64, depth: u64) -> u64 {
    if depth == 0 { 0 } else { bits >> (64 - depth.min(64)) }
}

fn leads(name: &[u8], depth: u64, bits: u64) -> bool {
    first_bits(hashing::bits(name), depth) == bits
}

fn shape(offset: u64, found: &str) -> Problem {
    Problem::new(Code::ContextShape).at(Place::Context(offset)).found(found)
}
