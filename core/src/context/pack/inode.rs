//! Inodes: what a directory is made of.

use alloc::vec::Vec;

use super::primitive::{Reader, put_string, put_varint};
use super::{ENTRIES, Hash, Malformed};

/// Most bytes of an inode of the context that are read.
pub const MAX_INODE: u64 = max_inode(ENTRIES);

/// Most bytes of an inode with so many entries: their names have up to 64 KiB each.
pub const fn max_inode(entries: usize) -> u64 {
    entries as u64 * (64 << 10) + 64
}

/// A directory of the context, or a part of one.
pub type Inode<'a> = InodeOf<'a, ENTRIES>;

/// A directory, or a part of one, in a store where an inode has up to `N` entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InodeOf<'a, const N: usize> {
    /// One entry or more; two at the most in the context.
    Values([Option<Value<'a>>; N]),
    /// More entries than that, told apart by the hashes of their names: in the context, by one bit.
    Tree {
        /// How far below the root of the directory. In the context that is the bit, from the most
        /// significant one.
        depth: u64,
        /// How many entries there are below.
        len: u64,
        /// Where the entries with bit 0 and with bit 1 are, or with each number below `N`.
        pointers: [Option<Pointer>; N],
    },
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// Its name.
    pub step: Step<'a>,
    /// Whether it is a directory; else contents.
    pub node: bool,
    /// Where it is.
    pub child: Child,
}

/// The name of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The number of a name in the dictionary.
    Dict(u64),
    /// The name itself.
    Inline(&'a [u8]),
}

/// Where the entries with one value of a bit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The bit; outside the context, a number.
    pub index: u64,
    /// Where they are.
    pub child: Child,
}

/// How one object names another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// By its global offset.
    Offset(u64),
    /// By its hash. No writer of layer 2 does that, and nothing could find it.
    Hash(Hash),
}

impl<'a, const N: usize> InodeOf<'a, N> {
    /// Reads the value of an entry of kind `R` or `O`.
    ///
    /// # Errors
    /// When it is not one: more than `N` entries or pointers are malformed too.
    pub fn parse(value: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(value);
        let inode = match reader.varint()? {
            0 => {
                let mut values = [None; N];
                for value in slots(&mut values, reader.varint()?)? {
                    *value = Some(Value::read(&mut reader)?);
                }
                Self::Values(values)
            }
            1 => {
                let (depth, len) = (reader.varint()?, reader.varint()?);
                let mut pointers = [None; N];
                for pointer in slots(&mut pointers, reader.varint()?)? {
                    let index = reader.varint()?;
                    *pointer = Some(Pointer { index, child: Child::read(&mut reader)? });
                }
                Self::Tree { depth, len, pointers }
            }
            _ => return Err(Malformed("it is neither a list of entries nor a tree")),
        };
        reader.end()?;
        Ok(inode)
    }

    /// Appends the bytes of the inode.
    pub fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Values(values) => {
                out.push(0);
                put_varint(values.iter().flatten().count() as u64, out);
                for value in values.iter().flatten() {
                    value.put(out);
                }
            }
            Self::Tree { depth, len, pointers } => {
                out.push(1);
                put_varint(*depth, out);
                put_varint(*len, out);
                put_varint(pointers.iter().flatten().count() as u64, out);
                for pointer in pointers.iter().flatten() {
                    put_varint(pointer.index, out);
                    pointer.child.put(out);
                }
            }
        }
    }

    /// What it refers to, and whether that is a directory, contents or an inner part (`None`).
    pub fn children(&self) -> impl Iterator<Item = Child> + '_ {
        let (values, pointers) = match self {
            Self::Values(values) => (Some(values), None),
            Self::Tree { pointers, .. } => (None, Some(pointers)),
        };
        let values = values.into_iter().flatten().flatten().map(|value| value.child);
        values.chain(pointers.into_iter().flatten().flatten().map(|pointer| pointer.child))
    }
}

impl<'a> Value<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let tag = reader.varint()?;
        if !matches!(tag, 0 | 2 | 3 | 5 | 6 | 8 | 9 | 11) {
            return Err(Malformed("the tag of an entry is unknown"));
        }
        let step = if tag < 6 { Step::Dict(reader.varint()?) } else { Step::Inline(reader.string()?) };
        let child = if matches!(tag, 0 | 2 | 6 | 8) {
            Child::Offset(reader.natural64()?)
        } else {
            Child::Hash(reader.hash()?)
        };
        Ok(Self { step, node: matches!(tag, 2 | 5 | 8 | 11), child })
    }

    fn put(&self, out: &mut Vec<u8>) {
        let tag = match (self.step, self.child) {
            (Step::Dict(_), Child::Offset(_)) => 0,
            (Step::Dict(_), Child::Hash(_)) => 3,
            (Step::Inline(_), Child::Offset(_)) => 6,
            (Step::Inline(_), Child::Hash(_)) => 9,
        };
        out.push(tag + if self.node { 2 } else { 0 });
        match self.step {
            Step::Dict(id) => put_varint(id, out),
            Step::Inline(name) => put_string(name, out),
        }
        match self.child {
            Child::Offset(offset) => out.extend(offset.to_be_bytes()),
            Child::Hash(hash) => out.extend(hash),
        }
    }
}

impl Child {
    /// Reads an address: `00` and an offset, or `01` and a hash.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.byte()? {
            0 => reader.natural64().map(Self::Offset),
            1 => reader.hash().map(Self::Hash),
            _ => Err(Malformed("an address is neither an offset nor a hash")),
        }
    }

    /// Appends an address.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Offset(offset) => {
                out.push(0);
                out.extend(offset.to_be_bytes());
            }
            Self::Hash(hash) => {
                out.push(1);
                out.extend(hash);
            }
        }
    }
}

/// The first `count` of all places.
fn slots<T>(slots: &mut [T], count: u64) -> Result<&mut [T], Malformed> {
    let slots = usize::try_from(count).ok().and_then(|count| slots.get_mut(..count));
    slots.ok_or(Malformed("it has more entries than there may be in one part"))
}
