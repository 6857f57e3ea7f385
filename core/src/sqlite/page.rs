//! One page of a b-tree, taken apart and checked ("B-tree Pages", "Cell Payload Overflow Pages").
//!
//! Whatever a [`Node`] holds lies inside its page and fits into it once, so that those who use
//! it need not check again.

use alloc::vec::Vec;

use super::header::{self, Layout};
use super::record::varint;
use crate::problem::Result;

/// The two kinds of b-tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Rows by their 64-bit rowid; all rows are in the leaves.
    Table,
    /// Records in their own order; interior pages hold some of them.
    Index,
}

/// A page of a b-tree.
pub(super) struct Node {
    pub(super) page: u32,
    pub(super) tree: Tree,
    pub(super) leaf: bool,
    pub(super) cells: Vec<Cell>,
    /// The rightmost child; 0 in a leaf.
    right: u32,
    bytes: Vec<u8>,
}

/// An entry of a [`Node`].
#[derive(Clone, Copy)]
pub(super) struct Cell {
    /// Where it starts in the page.
    pub(super) at: usize,
    /// The left child; 0 in a leaf.
    pub(super) child: u32,
    /// The key in a table; 0 in an index.
    pub(super) rowid: i64,
    /// Length of the record, wherever its bytes are; 0 in an interior page of a table.
    pub(super) size: u64,
    /// The first page with the rest of the record; 0 when all of it is here.
    pub(super) overflow: u32,
    payload: usize,
    local: usize,
}

impl Node {
    /// Takes apart the page of this number.
    pub(super) fn parse(layout: &Layout, page: u32, bytes: Vec<u8>) -> Result<Self> {
        let start = if page == 1 { header::LEN } else { 0 };
        let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
        let (tree, leaf) = match byte(start) {
            2 => (Tree::Index, false),
            5 => (Tree::Table, false),
            10 => (Tree::Index, true),
            13 => (Tree::Table, true),
            other => return Err(layout.damaged(page, start, "a b-tree page (type 2, 5, 10 or 13)", other)),
        };
        let count = usize::from(u16::from_be_bytes([byte(start + 3), byte(start + 4)]));
        let array = start + if leaf { 8 } else { 12 };
        let content = array + 2 * count;
        if content > layout.usable {
            let room = (layout.usable - array) / 2;
            return Err(layout.damaged(page, start + 3, format_args!("at most {room} cells"), count));
        }
        let right = if leaf { 0 } else { word(&bytes, start + 8).unwrap_or_default() };
        let form = Form { tree, leaf, usable: layout.usable };
        // Cells never overlap. Without this a small page could stand for a great many large rows.
        let mut room = layout.usable - content;
        let mut cells = Vec::with_capacity(count);
        for pointer in (array..content).step_by(2) {
            let at = usize::from(u16::from_be_bytes([byte(pointer), byte(pointer + 1)]));
            let area = bytes.get(..layout.usable).unwrap_or_default();
            let cell = Some(at).filter(|at| *at >= content).and_then(|at| form.cell(area, at));
            let Some((cell, end)) = cell else {
                let expected = format_args!("a cell between bytes {content} and {}", layout.usable);
                return Err(layout.damaged(page, pointer, expected, format_args!("one at byte {at}")));
            };
            let Some(rest) = room.checked_sub(end - at) else {
                return Err(layout.damaged(page, at, "cells that do not overlap", "more cells than fit"));
            };
            room = rest;
            cells.push(cell);
        }
        Ok(Self { page, tree, leaf, cells, right, bytes })
    }

    /// The page of child `at`, counted from the left; there is one more child than cells.
    pub(super) fn child(&self, at: usize) -> Option<u32> {
        match self.cells.get(at) {
            Some(cell) => Some(cell.child),
            None => (at == self.cells.len()).then_some(self.right),
        }
    }

    /// The bytes of a cell's record that are in this page.
    pub(super) fn local(&self, cell: &Cell) -> &[u8] {
        self.bytes.get(cell.payload..cell.payload + cell.local).unwrap_or_default()
    }
}

/// What decides how the cells of a page look.
struct Form {
    tree: Tree,
    leaf: bool,
    usable: usize,
}

impl Form {
    /// The cell at this byte and where it ends, if all of it is inside `area`.
    fn cell(&self, area: &[u8], at: usize) -> Option<(Cell, usize)> {
        let mut cell = Cell { at, child: 0, rowid: 0, size: 0, overflow: 0, payload: 0, local: 0 };
        let mut next = at;
        if !self.leaf {
            cell.child = word(area, next)?;
            next += 4;
        }
        let with_payload = self.leaf || self.tree == Tree::Index;
        if with_payload {
            let (size, len) = varint(area.get(next..)?)?;
            cell.size = size;
            next += len;
        }
        if self.tree == Tree::Table {
            let (rowid, len) = varint(area.get(next..)?)?;
            cell.rowid = rowid as i64;
            next += len;
        }
        if with_payload {
            cell.payload = next;
            cell.local = self.local(cell.size);
            next += cell.local;
            if (cell.local as u64) < cell.size {
                cell.overflow = word(area, next)?;
                next += 4;
            }
        }
        (next <= area.len()).then_some((cell, next))
    }

    /// How many bytes of a payload of this size stay in the page.
    fn local(&self, size: u64) -> usize {
        let usable = self.usable;
        let most = match self.tree {
            Tree::Table => usable - 35,
            Tree::Index => (usable - 12) * 64 / 255 - 23,
        };
        let least = (usable - 12) * 32 / 255 - 23;
        if size <= most as u64 {
            return size as usize;
        }
        let fitting = least + ((size - least as u64) % (usable as u64 - 4)) as usize;
        if fitting <= most { fitting } else { least }
    }
}

/// The big-endian number of 4 bytes at this offset.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}
