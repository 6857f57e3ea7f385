//! The entries of a directory, which may lie in many parts.
//!
//! An object may only refer to what was written before it, and an entry must lie where the hash of
//! its name places it. So reading ends whatever the bytes say: there is no way round in a circle,
//! and a directory is never longer than what is there.

use alloc::vec;
use alloc::vec::Vec;

use super::open::no_entry;
use super::pack::{Child, Inode, Kind, MAX_INODE, Step, Value, hashing};
use super::{Context, Link};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// No directory is deeper: an index of 50 bits or more is refused by the library.
pub(crate) const MAX_BITS: u64 = 50;

impl<F: Files> Context<F> {
    /// The entries of the directory at a global offset, in the order of names.
    ///
    /// # Errors
    /// [`Code::ContextShape`], [`Code::ContextEntry`], [`Code::ContextChild`]; whatever the files
    /// report.
    pub fn entries_of(&self, directory: u64) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        // Parts still to be read: offset, depth in the directory, bits that lead to it.
        let mut parts = vec![(directory, 0, 0)];
        let mut value = Vec::new();
        let mut announced = None;
        while let Some((offset, depth, bits)) = parts.pop() {
            match self.part_of(directory, offset, depth, &mut value)? {
                Inode::Values(values) => {
                    if values.iter().all(Option::is_none) {
                        return Err(shape(offset, "a directory without entries"));
                    }
                    for value in values.iter().flatten() {
                        let link = self.link(offset, value)?;
                        if depth > 0 && hashing::bits(&link.name) >> (64 - depth) != bits {
                            return Err(shape(offset, "an entry where the hash of its name does not lead"));
                        }
                        links.push(link);
                    }
                }
                Inode::Tree { len, pointers, .. } => {
                    announced = announced.or(Some(len));
                    let mut last = None;
                    for pointer in pointers.iter().flatten() {
                        if pointer.index > 1 || last >= Some(pointer.index) {
                            return Err(shape(offset, "the bits of its parts are not 0 and 1"));
                        }
                        last = Some(pointer.index);
                        parts.push((earlier(offset, pointer.child)?, depth + 1, bits << 1 | pointer.index));
                    }
                    if last.is_none() {
                        return Err(shape(offset, "a directory without parts"));
                    }
                }
            }
        }
        links.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if links.windows(2).any(|pair| pair[0].name == pair[1].name) {
            return Err(shape(directory, "two entries of one name"));
        }
        match announced {
            Some(len) if len != links.len() as u64 => Err(Problem::new(Code::ContextShape)
                .at(Place::Context(directory))
                .expected(format_args!("{len} entries"))
                .found(links.len())),
            _ => Ok(links),
        }
    }

    /// The entry of this name of the directory at a global offset.
    ///
    /// # Errors
    /// As [`Context::entries_of`].
    pub fn entry_of(&self, directory: u64, name: &[u8]) -> Result<Option<Link>> {
        let bits = hashing::bits(name);
        let mut value = Vec::new();
        let (mut offset, mut depth) = (directory, 0);
        loop {
            match self.part_of(directory, offset, depth, &mut value)? {
                Inode::Values(values) => {
                    for value in values.iter().flatten() {
                        let link = self.link(offset, value)?;
                        if link.name == name {
                            return Ok(Some(link));
                        }
                    }
                    return Ok(None);
                }
                Inode::Tree { pointers, .. } => {
                    let bit = bits >> (63 - depth) & 1;
                    let Some(pointer) = pointers.iter().flatten().find(|pointer| pointer.index == bit) else {
                        return Ok(None);
                    };
                    offset = earlier(offset, pointer.child)?;
                    depth += 1;
                }
            }
        }
    }

    /// The directory itself, or an inner part of it.
    fn part_of<'v>(
        &self,
        directory: u64,
        offset: u64,
        depth: u64,
        value: &'v mut Vec<u8>,
    ) -> Result<Inode<'v>> {
        let kind = if offset == directory { Kind::Root } else { Kind::Inner };
        self.object(offset, kind, MAX_INODE, value)?;
        let inode = Inode::parse(value).map_err(|why| no_entry(offset, why))?;
        match inode {
            Inode::Tree { depth: said, .. } if said != depth || depth >= MAX_BITS => {
                Err(Problem::new(Code::ContextShape)
                    .at(Place::Context(offset))
                    .expected(format_args!("depth {depth}, below {MAX_BITS}"))
                    .found(said))
            }
            inode => Ok(inode),
        }
    }

    /// An entry of a directory, its name looked up.
    pub(super) fn link(&self, offset: u64, value: &Value<'_>) -> Result<Link> {
        let name = self.name_of(offset, value.step)?.to_vec();
        Ok(Link { name, directory: value.node, offset: earlier(offset, value.child)? })
    }

    /// The name of an entry of the directory at a global offset.
    pub(crate) fn name_of<'a>(&'a self, offset: u64, step: Step<'a>) -> Result<&'a [u8]> {
        match step {
            Step::Inline(name) => Ok(name),
            Step::Dict(id) => self.dict().get(id).ok_or_else(|| {
                Problem::new(Code::ContextEntry)
                    .at(Place::Context(offset))
                    .expected(format_args!("one of the {} names of the dictionary", self.dict().len()))
                    .found(format_args!("number {id}"))
            }),
        }
    }
}

/// The offset of a child, which must have been written before its parent.
pub(crate) fn earlier(parent: u64, child: Child) -> Result<u64> {
    let wrong = |what: &str| Problem::new(Code::ContextChild).at(Place::Context(parent)).found(what);
    match child {
        Child::Offset(offset) if offset < parent => Ok(offset),
        Child::Offset(offset) => {
            Err(wrong("a reference to what was written later").because(format_args!("to offset {offset}")))
        }
        Child::Hash(_) => Err(wrong("a reference by hash, which nothing can resolve")),
    }
}

fn shape(offset: u64, found: &str) -> Problem {
    Problem::new(Code::ContextShape).at(Place::Context(offset)).found(found)
}
