//! The tree of a commit: directories and contents, and the way to them.

use alloc::vec;
use alloc::vec::Vec;

use super::entry_at;
use super::open::no_entry;
use super::pack::{Hash, Head, Inode, Kind, MAX_INODE, Malformed, hashing};
use super::walk::Walk;
use super::{Context, Tree};
use crate::code::Code;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;

/// How much of contents is read at once, in bytes.
const PIECE: usize = 1 << 16;

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

    /// Head and value of the object of this kind at a global offset, with one read where it is
    /// short.
    ///
    /// # Errors
    /// [`Code::ContextChild`] when nothing or something else is there, [`Code::ContextEntry`] when it
    /// is no entry or its value has more than `most` bytes; whatever the files report.
    pub fn object(&self, offset: u64, kind: Kind, most: u64, value: &mut Vec<u8>) -> Result<Head> {
        entry_at::object(self, offset, kind, most, value)
    }
}

/// There is something else than expected.
pub(super) fn other_kind(offset: u64, expected: Kind, found: Kind) -> Problem {
    Problem::new(Code::ContextChild)
        .at(Place::Context(offset))
        .expected(expected.words())
        .found(found.words())
}
