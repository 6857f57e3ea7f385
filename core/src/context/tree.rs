//! The tree of a commit: directories, their entries in the order of names, contents.
//!
//! An object may only refer to what was written before it, and an entry must lie where the hash of
//! its name places it. So reading ends whatever the bytes say: there is no way round in a circle,
//! and a directory is never longer than what is there.

use alloc::vec;
use alloc::vec::Vec;

use super::open::{no_entry, nothing_at};
use super::pack::{Child, Hash, Head, Inode, Kind, MAX_INODE, Malformed, Step, Value, hashing};
use super::walk::Walk;
use super::{Context, Tree};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// How much of contents is read at once, in bytes.
const PIECE: usize = 1 << 16;

/// No directory is deeper: an index of 50 bits or more is refused by the library.
pub(crate) const MAX_BITS: u64 = 50;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A directory.
    Directory(Directory),
    /// Contents.
    Contents(Contents),
}

/// A directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Global offset of its entry.
    pub offset: u64,
    /// Its hash, as stored.
    pub hash: Hash,
    /// Length of its entry, in bytes.
    pub len: u64,
    /// How many entries it says that it has.
    pub entries: u64,
}

/// Contents: the bytes of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Global offset of their entry.
    pub offset: u64,
    /// Their hash, as stored.
    pub hash: Hash,
    /// Length of their entry, in bytes.
    pub len: u64,
    /// How many bytes they are.
    pub size: u64,
}

/// An entry of a directory: what is not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name. Any bytes.
    pub name: Vec<u8>,
    /// Whether it is a directory; else contents.
    pub directory: bool,
    /// Global offset.
    pub offset: u64,
}

impl Object {
    /// Its hash, as stored.
    pub fn hash(&self) -> &Hash {
        match self {
            Self::Directory(directory) => &directory.hash,
            Self::Contents(contents) => &contents.hash,
        }
    }

    /// Its global offset.
    pub fn offset(&self) -> u64 {
        match self {
            Self::Directory(directory) => directory.offset,
            Self::Contents(contents) => contents.offset,
        }
    }

    /// Length of its entry, in bytes.
    pub fn entry_len(&self) -> u64 {
        match self {
            Self::Directory(directory) => directory.len,
            Self::Contents(contents) => contents.len,
        }
    }

    /// The directory, if it is one.
    pub fn directory(&self) -> Option<&Directory> {
        if let Self::Directory(directory) = self { Some(directory) } else { None }
    }

    /// The contents, if it is contents.
    pub fn contents(&self) -> Option<&Contents> {
        if let Self::Contents(contents) = self { Some(contents) } else { None }
    }
}

impl<'c, F: Files> Tree<'c, F> {
    /// The tree below the directory at a global offset.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub fn new(context: &'c Context<F>, root: u64) -> Result<Self> {
        Ok(Self { context, root: context.directory(root)? })
    }

    /// Its root.
    pub fn root(&self) -> &Directory {
        &self.root
    }

    /// The context that it is in.
    pub fn context(&self) -> &'c Context<F> {
        self.context
    }

    /// What is at a path; `None` when nothing is.
    ///
    /// # Errors
    /// What is malformed on the way; whatever the files report.
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Object>> {
        let mut found = Object::Directory(self.root);
        for step in path {
            let Object::Directory(directory) = found else { return Ok(None) };
            let Some(link) = self.context.entry_of(directory.offset, step.as_ref())? else { return Ok(None) };
            found = self.context.follow(&link)?;
        }
        Ok(Some(found))
    }

    /// The entries of the directory at a path, in the order of names; `None` when there is no
    /// directory.
    ///
    /// # Errors
    /// As [`Tree::get`], and [`Code::ContextShape`].
    pub fn list<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Vec<(Link, Object)>>> {
        let Some(Object::Directory(directory)) = self.get(path)? else { return Ok(None) };
        let links = self.context.entries_of(directory.offset)?;
        let follow = |link: Link| self.context.follow(&link).map(|object| (link, object));
        links.into_iter().map(follow).collect::<Result<_>>().map(Some)
    }

    /// Everything in it, depth first, the entries of each directory in the order of names.
    pub fn walk(&self) -> Walk<'c, F> {
        Walk::new(self.context, self.root)
    }
}

impl<F: Files> Context<F> {
    /// The directory at a global offset.
    ///
    /// # Errors
    /// [`Code::ContextEntry`] and [`Code::ContextChild`] when there is none; whatever the files
    /// report.
    pub fn directory(&self, offset: u64) -> Result<Directory> {
        let mut value = Vec::new();
        let head = self.object(offset, Kind::Root, MAX_INODE, &mut value)?;
        let entries = match Inode::parse(&value).map_err(|why| no_entry(offset, why))? {
            Inode::Values(values) => values.iter().flatten().count() as u64,
            Inode::Tree { len, .. } => len,
        };
        Ok(Directory { offset, hash: head.hash, len: head.entry_len(), entries })
    }

    /// The contents at a global offset, not read yet.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub fn contents(&self, offset: u64) -> Result<Contents> {
        let head = self.head(offset)?;
        if head.kind != Kind::Contents {
            return Err(other_kind(offset, Kind::Contents, head.kind));
        }
        Ok(Contents { offset, hash: head.hash, len: head.entry_len(), size: head.value_len })
    }

    /// What an entry of a directory leads to.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub fn follow(&self, link: &Link) -> Result<Object> {
        if link.directory {
            self.directory(link.offset).map(Object::Directory)
        } else {
            self.contents(link.offset).map(Object::Contents)
        }
    }

    /// The bytes of contents, in pieces, and whether they have their hash: that is known after the
    /// last piece only.
    ///
    /// # Errors
    /// [`Code::ContextHash`]; those of `piece`; whatever the files report.
    pub fn read_contents<E: From<Problem>>(
        &self,
        contents: &Contents,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (start, size) = (contents.offset + (contents.len - contents.size), contents.size);
        let mut buffer = vec![0; usize::try_from(size).map_or(PIECE, |size| size.min(PIECE))];
        let mut hash = hashing::Pieces::new(size);
        let mut done = 0;
        while done < size {
            let len = usize::try_from(size - done).map_or(PIECE, |left| left.min(PIECE));
            let bytes = buffer.get_mut(..len).unwrap_or_default();
            let at = start.saturating_add(done);
            if self.read_some(at, bytes)? < len {
                return Err(no_entry(contents.offset, Malformed("it ends too early")).into());
            }
            hash.feed(bytes);
            piece(bytes)?;
            done += len as u64;
        }
        let found = hash.finish();
        if found != contents.hash {
            return Err(Problem::new(Code::ContextHash)
                .at(Place::Context(contents.offset))
                .expected(super::path::hex(&contents.hash))
                .found(super::path::hex(&found))
                .into());
        }
        Ok(())
    }

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

    /// Head and value of the object of this kind at a global offset, with one read where it is
    /// short.
    ///
    /// # Errors
    /// [`Code::ContextChild`] when nothing or something else is there, [`Code::ContextEntry`] when it
    /// is no entry or its value has more than `most` bytes; whatever the files report.
    pub fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        let mut first = [0; 192];
        let len = self.read_some(offset, &mut first)?;
        if len == 0 {
            return Err(nothing_at(offset));
        }
        let first = first.get(..len).unwrap_or_default();
        let head = Head::parse(first).and_then(|head| head.ok_or(Malformed("it ends too early")));
        let head = head.map_err(|why| no_entry(offset, why))?;
        if head.kind != kind {
            return Err(other_kind(offset, kind, head.kind));
        }
        let whole = usize::try_from(head.entry_len()).ok().and_then(|end| first.get(head.len..end));
        match whole {
            Some(whole) => {
                value.clear();
                value.extend_from_slice(whole);
            }
            None => self.value(offset, &head, most, value)?,
        }
        Ok(head)
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

/// There is something else than expected.
pub(super) fn other_kind(offset: u64, expected: Kind, found: Kind) -> Problem {
    Problem::new(Code::ContextChild)
        .at(Place::Context(offset))
        .expected(expected.words())
        .found(found.words())
}

fn shape(offset: u64, found: &str) -> Problem {
    Problem::new(Code::ContextShape).at(Place::Context(offset)).found(found)
}
