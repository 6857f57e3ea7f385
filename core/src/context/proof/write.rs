//! Proofs as bytes: writing them.

use alloc::vec;
use alloc::vec::Vec;

use super::node::{Node, Shape};
use super::{MAX_PROOF, Proof, VERSION};
use crate::context::pack::Kind;

/// What comes next.
#[derive(Clone, Copy)]
enum Next<'p> {
    /// The name of an entry.
    Name(&'p [u8]),
    /// A node.
    Node(usize),
    /// No part.
    None,
}

/// The bytes of a proof; `None` where a name is longer than the encoding takes, or all is longer than a proof may be.
pub(super) fn write(proof: &Proof) -> Option<Vec<u8>> {
    let mut out = vec![u8::from(proof.before.directory) << 1 | u8::from(proof.after.directory)];
    out.extend(VERSION.to_be_bytes());
    out.extend(proof.before.hash);
    out.extend(proof.after.hash);
    // What comes first is last.
    let mut next = vec![Next::Node(0)];
    while let Some(item) = next.pop() {
        match item {
            Next::Name(name) => put_short(name, &mut out)?,
            Next::None => out.push(0xe0),
            Next::Node(at) => put(proof.nodes.get(at)?, &mut out, &mut next)?,
        }
        if out.len() > MAX_PROOF {
            return None;
        }
    }
    Some(out)
}

fn put<'p>(node: &'p Node, out: &mut Vec<u8>, next: &mut Vec<Next<'p>>) -> Option<()> {
    let is_inner = node.kind == Kind::Inner;
    match &node.shape {
        Shape::Blinded(hash) => {
            out.push(match node.kind {
                Kind::Inner => 0xc0,
                Kind::Contents => 0xc8,
                _ => 0xd0,
            });
            out.extend(hash);
        }
        Shape::Value(bytes) => put_value(bytes, out)?,
        Shape::Entries(entries) => {
            out.push(0x80 | u8::try_from(entries.len()).ok()?);
            for (name, node) in entries.iter().rev() {
                next.extend([Next::Node(*node), Next::Name(name)]);
            }
        }
        Shape::Parts(len, parts) => {
            put_length(0, *len, out);
            next.extend(parts.iter().rev().map(|part| part.map_or(Next::None, Next::Node)));
        }
        Shape::Extender(len, segment, below) => {
            put_length(if is_inner { 0xd0 } else { 0xd8 }, *len, out);
            put_segment(segment, out)?;
            next.push(Next::Node(*below));
        }
    }
    Some(())
}

/// A tag that says how many bytes the number behind it has, and the number.
fn put_length(tag: u8, len: u64, out: &mut Vec<u8>) {
    let bytes = len.to_be_bytes();
    let (code, skipped) = match len {
        0..0x100 => (0, 7),
        0x100..0x1_0000 => (1, 6),
        0x1_0000..0x1_0000_0000 => (2, 4),
        _ => (3, 0),
    };
    out.push(tag | code);
    out.extend(bytes.iter().skip(skipped));
}

fn put_value(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let len = u32::try_from(bytes.len()).ok()?.to_be_bytes();
    let (code, skipped) = match bytes.len() {
        0..0x100 => (0xc0, 3),
        0x100..0x1_0000 => (0xc1, 2),
        _ => (0xc3, 0),
    };
    out.push(code);
    out.extend(len.iter().skip(skipped));
    out.extend(bytes);
    Some(())
}

/// The bits, a one, and zeros up to the end of the byte.
fn put_segment(segment: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = vec![0u8; segment.len() / 8 + 1];
    for (at, bit) in segment.iter().chain([&1]).enumerate() {
        *bytes.get_mut(at / 8)? |= (bit & 1) << (7 - at % 8);
    }
    put_short(&bytes, out)
}

/// Up to 255 bytes behind their length.
fn put_short(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.push(u8::try_from(bytes.len()).ok()?);
    out.extend(bytes);
    Some(())
}
