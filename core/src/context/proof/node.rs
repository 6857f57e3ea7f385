//! What a proof consists of: a part of a tree, and the hashes of what it leaves out.
//!
//! Nodes are in a list, each behind the one that refers to it: however deep a proof is, nothing here calls itself.

use alloc::vec::Vec;

use crate::context::MAX_BITS;
use crate::context::pack::{ENTRIES, Hash, Kind, Malformed, hashing};
use crate::context::parts::{bit, first_bits};

/// Most nodes of a proof. Nearly every one has a hash or a name of its own, so that this is what fits into its bytes.
pub(super) const MAX_NODES: usize = 1 << 19;

/// A node: its number is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Contents, a directory, or an inner part of one.
    pub(super) kind: Kind,
    pub(super) shape: Shape,
}

/// What is known of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Its hash alone.
    Blinded(Hash),
    /// The bytes of contents.
    Value(Vec<u8>),
    /// The entries of a directory or a part: their names and nodes.
    Entries(Vec<(Vec<u8>, usize)>),
    /// So many entries, and the part for each value of the next bit.
    Parts(u64, [Option<usize>; ENTRIES]),
    /// So many entries, all of them where these bits lead, one after the other.
    Extender(u64, Vec<u8>, usize),
}

/// Where a node is in its directory: how many bits lead to it, and which.
#[derive(Clone, Copy, Default)]
struct Way {
    depth: u64,
    bits: u64,
}

impl Way {
    fn below(self, bit: u64) -> Result<Self, Malformed> {
        if self.depth >= MAX_BITS {
            return Err(Malformed("a directory is deeper than any"));
        }
        Ok(Self { depth: self.depth + 1, bits: self.bits << 1 | bit })
    }
}

/// The hash of the first node, computed from all others.
pub(super) fn root_hash(nodes: &[Node]) -> Result<Hash, Malformed> {
    let ways = ways(nodes)?;
    let mut hashes = alloc::vec![[0; 32]; nodes.len()];
    let mut image = Vec::new();
    for (at, node) in nodes.iter().enumerate().rev() {
        let way = ways.get(at).copied().unwrap_or_default();
        let hash_of = |node: usize| hashes.get(node).copied().unwrap_or_default();
        image.clear();
        let hash = match &node.shape {
            Shape::Blinded(hash) => *hash,
            Shape::Value(bytes) => hashing::contents(bytes),
            Shape::Entries(entries) => {
                let images = entries.iter().map(|(name, child)| {
                    let directory = nodes.get(*child).is_some_and(|child| child.kind == Kind::Root);
                    (&name[..], directory, hash_of(*child))
                });
                if way.depth == 0 {
                    hashing::put_root(images, &mut image);
                } else {
                    hashing::put_values(images, &mut image);
                }
                hashing::hash(&image)
            }
            Shape::Parts(len, parts) => {
                let parts = (0..).zip(parts).filter_map(|(bit, part)| part.map(|part| (bit, hash_of(part))));
                let parts: Vec<(u64, Hash)> = parts.collect();
                hashing::put_tree(way.depth, *len, parts.into_iter(), &mut image);
                hashing::hash(&image)
            }
            Shape::Extender(len, segment, below) => {
                let mut hash = hash_of(*below);
                let mut depth = way.depth + segment.len() as u64;
                for bit in segment.iter().rev() {
                    depth -= 1;
                    image.clear();
                    hashing::put_tree(depth, *len, core::iter::once((u64::from(*bit), hash)), &mut image);
                    hash = hashing::hash(&image);
                }
                hash
            }
        };
        if let Some(place) = hashes.get_mut(at) {
            *place = hash;
        }
    }
    hashes.first().copied().ok_or(Malformed("it is empty"))
}

/// Where each node is in its directory; with that, whether the directories have the form that their entries give them.
fn ways(nodes: &[Node]) -> Result<Vec<Way>, Malformed> {
    let mut ways = alloc::vec![Way::default(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let way = ways.get(at).copied().unwrap_or_default();
        let mut set = |node: usize, way: Way| {
            if let Some(place) = ways.get_mut(node) {
                *place = way;
            }
        };
        match &node.shape {
            Shape::Blinded(_) | Shape::Value(_) => {}
            Shape::Entries(entries) => {
                if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
                    return Err(Malformed("entries are not in the order of their names"));
                }
                if entries.iter().any(|(name, _)| first_bits(hashing::bits(name), way.depth) != way.bits) {
                    return Err(Malformed("an entry is where the hash of its name does not lead"));
                }
            }
            Shape::Parts(len, parts) => {
                if *len <= ENTRIES as u64 {
                    return Err(Malformed("a directory has parts where its few entries would do"));
                }
                for (bit, part) in (0..).zip(parts) {
                    if let Some(part) = part {
                        set(*part, way.below(bit)?);
                    }
                }
            }
            Shape::Extender(len, segment, below) => {
                if *len <= ENTRIES as u64 {
                    return Err(Malformed("a directory has parts where its few entries would do"));
                }
                let mut end = way;
                for bit in segment {
                    end = end.below(u64::from(*bit))?;
                }
                set(*below, end);
            }
        }
    }
    Ok(ways)
}

/// What a directory has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// Nothing.
    None,
    /// This node.
    Node(usize),
    /// The proof leaves out the part that would have it.
    Hidden,
}

/// What is under a name in a directory, which is a node.
pub(super) fn child(nodes: &[Node], directory: usize, name: &[u8]) -> Child {
    let bits = hashing::bits(name);
    let (mut at, mut depth) = (directory, 0);
    loop {
        let Some(node) = nodes.get(at) else { return Child::None };
        match &node.shape {
            Shape::Blinded(_) if node.kind == Kind::Contents => return Child::None,
            Shape::Blinded(_) => return Child::Hidden,
            Shape::Value(_) => return Child::None,
            Shape::Entries(entries) => {
                let found = entries.iter().find(|(other, _)| other == name);
                return found.map_or(Child::None, |(_, node)| Child::Node(*node));
            }
            Shape::Parts(_, parts) => match parts.get(bit(bits, depth)).copied().flatten() {
                Some(part) => (at, depth) = (part, depth + 1),
                None => return Child::None,
            },
            Shape::Extender(_, segment, below) => {
                for wanted in segment {
                    if bit(bits, depth) != usize::from(*wanted) {
                        return Child::None;
                    }
                    depth += 1;
                }
                at = *below;
            }
        }
    }
}
