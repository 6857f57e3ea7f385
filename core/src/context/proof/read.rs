//! Proofs as bytes: reading them.

use alloc::vec::Vec;

use super::node::{MAX_NODES, Node, Shape};
use super::{Kinded, MAX_PROOF, Proof, VERSION};
use crate::context::MAX_BITS;
use crate::context::pack::{ENTRIES, Hash, Kind, Malformed};
use crate::encoding::primitive::{bytes, end};

type Result<T> = core::result::Result<T, Malformed>;

/// A node of which some children are still to be read.
struct Open {
    node: usize,
    /// How many.
    left: usize,
}

/// Reads a proof; nothing may follow it.
pub(super) fn read(mut input: &[u8]) -> Result<Proof> {
    if input.len() > MAX_PROOF {
        return Err(Malformed("it is longer than any"));
    }
    let input = &mut input;
    let [tag] = bytes(input)?;
    if tag > 3 {
        return Err(Malformed("it is no proof of a tree"));
    }
    if u16::from_be_bytes(bytes(input)?) != VERSION {
        return Err(Malformed("it is no proof of a tree with parts for one bit each"));
    }
    let before = kinded(tag & 2 != 0, input)?;
    let after = kinded(tag & 1 != 0, input)?;
    let nodes = nodes(input)?;
    end(input)?;
    Ok(Proof { before, after, nodes })
}

fn kinded(directory: bool, input: &mut &[u8]) -> Result<Kinded> {
    Ok(Kinded { directory, hash: bytes(input)? })
}

fn nodes(input: &mut &[u8]) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    let first = tree(input)?;
    let mut open = Vec::new();
    begin(first, &mut nodes, &mut open)?;
    while let Some(Open { node, left }) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        let (parent, at) = (*node, *left);
        *left -= 1;
        let next = nodes.len();
        // Which child comes now is what the parent is waiting for.
        let child = match nodes.get_mut(parent).map(|node| &mut node.shape) {
            Some(Shape::Entries(entries)) => {
                let [len] = bytes(input)?;
                let name = take(input, usize::from(len))?.to_vec();
                entries.push((name, next));
                Some(tree(input)?)
            }
            Some(Shape::Parts(_, parts)) => {
                let child = part(input)?;
                if let Some(place) = parts.get_mut(ENTRIES - at) {
                    *place = child.as_ref().map(|_| next);
                }
                if at == 1 && parts.iter().all(Option::is_none) {
                    return Err(Malformed("a directory without parts"));
                }
                child
            }
            Some(Shape::Extender(_, _, below)) => {
                *below = next;
                Some(part(input)?.ok_or(Malformed("a directory without parts"))?)
            }
            _ => None,
        };
        if let Some(child) = child {
            begin(child, &mut nodes, &mut open)?;
        }
    }
    Ok(nodes)
}

/// Adds a node, whose children come next.
fn begin((node, left): (Node, usize), nodes: &mut Vec<Node>, open: &mut Vec<Open>) -> Result<()> {
    if nodes.len() >= MAX_NODES {
        return Err(Malformed("it has more nodes than any"));
    }
    if left > 0 {
        open.push(Open { node: nodes.len(), left });
    }
    nodes.push(node);
    Ok(())
}

/// A directory or contents, without its children: how many there are.
fn tree(input: &mut &[u8]) -> Result<(Node, usize)> {
    let [tag] = bytes(input)?;
    let (kind, (shape, left)) = match tag {
        0..=3 => (Kind::Root, parts(tag, input)?),
        0x81 | 0x82 => (Kind::Root, entries(tag)),
        0xc0 | 0xc1 | 0xc3 => (Kind::Contents, (Shape::Value(value(tag & 3, input)?), 0)),
        0xc8 => (Kind::Contents, (Shape::Blinded(hash(input)?), 0)),
        0xd0 => (Kind::Root, (Shape::Blinded(hash(input)?), 0)),
        0xd8..=0xdb => (Kind::Root, extender(tag & 3, input)?),
        _ => return Err(Malformed("the tag of a tree is unknown")),
    };
    Ok((Node { kind, shape }, left))
}

/// An inner part of a directory, or none, without its children: how many there are.
fn part(input: &mut &[u8]) -> Result<Option<(Node, usize)>> {
    let [tag] = bytes(input)?;
    let (shape, left) = match tag {
        0..=3 => parts(tag, input)?,
        0x81 | 0x82 => entries(tag),
        0xc0 => (Shape::Blinded(hash(input)?), 0),
        0xd0..=0xd3 => extender(tag & 3, input)?,
        0xe0 => return Ok(None),
        _ => return Err(Malformed("the tag of a part of a directory is unknown")),
    };
    Ok(Some((Node { kind: Kind::Inner, shape }, left)))
}

fn entries(tag: u8) -> (Shape, usize) {
    (Shape::Entries(Vec::new()), usize::from(tag & 3))
}

fn parts(code: u8, input: &mut &[u8]) -> Result<(Shape, usize)> {
    Ok((Shape::Parts(length(code, input)?, [None; ENTRIES]), ENTRIES))
}

fn extender(code: u8, input: &mut &[u8]) -> Result<(Shape, usize)> {
    let len = length(code, input)?;
    Ok((Shape::Extender(len, segment(input)?, 0), 1))
}

/// The bits of an extender: the last one of its bytes is behind them, and no one follows it.
fn segment(input: &mut &[u8]) -> Result<Vec<u8>> {
    let [len] = bytes(input)?;
    let bytes = take(input, usize::from(len))?;
    let Some(last) = bytes.last().filter(|last| **last != 0) else {
        return Err(Malformed("the bits of an extender have no end"));
    };
    let count = bytes.len() * 8 - last.trailing_zeros() as usize - 1;
    if count == 0 || count as u64 > MAX_BITS {
        return Err(Malformed("an extender has no bits, or more than any directory"));
    }
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |shift| byte >> shift & 1));
    Ok(bits.take(count).collect())
}

/// A natural number in as few bytes as it needs, of 1, 2, 4 and 8.
fn length(code: u8, input: &mut &[u8]) -> Result<u64> {
    let (value, least) = match code {
        0 => (u64::from(u8::from_be_bytes(bytes(input)?)), 0),
        1 => (u64::from(u16::from_be_bytes(bytes(input)?)), 1 << 8),
        2 => (u64::from(u32::from_be_bytes(bytes(input)?)), 1 << 16),
        _ => (u64::from_be_bytes(bytes(input)?), 1 << 32),
    };
    if value < least || value >> 62 != 0 {
        return Err(Malformed("a number is not written in as few bytes as it needs"));
    }
    Ok(value)
}

/// Bytes behind their length, which is as short as it can be.
fn value(code: u8, input: &mut &[u8]) -> Result<Vec<u8>> {
    let (len, least) = match code {
        0 => (usize::from(u8::from_be_bytes(bytes(input)?)), 0),
        1 => (usize::from(u16::from_be_bytes(bytes(input)?)), 1 << 8),
        _ => (u32::from_be_bytes(bytes(input)?) as usize, 1 << 16),
    };
    if len < least {
        return Err(Malformed("a length is not written in as few bytes as it needs"));
    }
    take(input, len).map(<[u8]>::to_vec)
}

fn take<'a>(input: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (head, rest) = input.split_at_checked(len).ok_or(Malformed("a length leads beyond its end"))?;
    *input = rest;
    Ok(head)
}

fn hash(input: &mut &[u8]) -> Result<Hash> {
    bytes(input)
}
