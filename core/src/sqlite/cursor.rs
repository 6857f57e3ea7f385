//! Walks a b-tree in order, from its start or from a place found by bisection.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::page::{Cell, Node, Tree};
use super::pager::{Budget, Pager};
use crate::problem::Result;
use crate::read_at::ReadAt;

/// No tree is deeper: with two children a page it would have a million pages.
const MAX_DEPTH: usize = 20;

/// A place in a b-tree.
pub(super) struct Cursor {
    tree: Tree,
    stack: Vec<Frame>,
    /// For the pages of the tree and for the overflow pages of what it holds.
    pub(super) budget: Budget,
    /// The rowid that the next one must be above.
    floor: Option<i64>,
}

/// One level of the way down. In a leaf, step n is cell n. In an interior page, step 2n is child n
/// and step 2n+1 is cell n, which lies between children n and n+1.
struct Frame {
    node: Arc<Node>,
    step: usize,
}

/// What a cursor finds: a cell and its page.
pub(super) struct Entry {
    pub(super) node: Arc<Node>,
    pub(super) cell: Cell,
}

impl Cursor {
    /// Before the first entry of the tree whose root page this is.
    pub(super) fn first<R: ReadAt>(pager: &Pager<R>, tree: Tree, root: u32) -> Result<Self> {
        let mut cursor = Self { tree, stack: Vec::new(), budget: pager.budget(), floor: None };
        cursor.enter(pager, root, root)?;
        Ok(cursor)
    }

    /// Before the first entry that is not `below` what is sought.
    pub(super) fn seek<R: ReadAt>(
        pager: &Pager<R>,
        tree: Tree,
        root: u32,
        below: impl Fn(&Node, &Cell, &mut Budget) -> Result<bool>,
    ) -> Result<Self> {
        let mut cursor = Self::first(pager, tree, root)?;
        let mut probes = pager.budget();
        loop {
            let Some(frame) = cursor.stack.last_mut() else { return Ok(cursor) };
            let node = Arc::clone(&frame.node);
            let (mut start, mut end) = (0, node.cells.len());
            while let Some(cell) = node.cells.get(start + (end - start) / 2).filter(|_| start < end) {
                let middle = start + (end - start) / 2;
                if below(&node, cell, &mut probes)? {
                    start = middle + 1;
                } else {
                    end = middle;
                }
            }
            if node.leaf {
                frame.step = start;
                return Ok(cursor);
            }
            frame.step = 2 * start + 1;
            if let Some(child) = node.child(start) {
                cursor.enter(pager, child, node.page)?;
            }
        }
    }

    /// The last entry of the tree.
    pub(super) fn last<R: ReadAt>(pager: &Pager<R>, tree: Tree, root: u32) -> Result<Option<Entry>> {
        let mut cursor = Self::first(pager, tree, root)?;
        while let Some(frame) = cursor.stack.last() {
            let node = Arc::clone(&frame.node);
            match node.child(node.cells.len()).filter(|_| !node.leaf) {
                Some(child) => cursor.enter(pager, child, node.page)?,
                None => return Ok(node.cells.last().copied().map(|cell| Entry { node, cell })),
            }
        }
        Ok(None)
    }

    /// The next entry.
    pub(super) fn next<R: ReadAt>(&mut self, pager: &Pager<R>) -> Result<Option<Entry>> {
        while let Some(frame) = self.stack.last_mut() {
            let step = frame.step;
            frame.step += 1;
            let node = Arc::clone(&frame.node);
            let at = if node.leaf { step } else { step / 2 };
            if !node.leaf && step % 2 == 0 {
                match node.child(at) {
                    Some(child) => self.enter(pager, child, node.page)?,
                    None => drop(self.stack.pop()),
                }
            } else if let Some(cell) = node.cells.get(at).copied() {
                if self.tree == Tree::Table {
                    self.check_order(pager, &node, &cell)?;
                }
                if node.leaf || self.tree == Tree::Index {
                    return Ok(Some(Entry { node, cell }));
                }
            } else if node.leaf {
                self.stack.pop();
            }
        }
        Ok(None)
    }

    fn enter<R: ReadAt>(&mut self, pager: &Pager<R>, page: u32, from: u32) -> Result<()> {
        let layout = &pager.layout;
        self.budget.spend(layout, page)?;
        if self.stack.len() >= MAX_DEPTH {
            let expected = format_args!("a tree of at most {MAX_DEPTH} levels");
            return Err(layout.damaged(page, 0, expected, "a deeper one"));
        }
        let node = pager.node(page, from)?;
        if node.tree != self.tree {
            let expected = format_args!("a page of {}", name(self.tree));
            return Err(layout.damaged(page, 0, expected, format_args!("one of {}", name(node.tree))));
        }
        self.stack.push(Frame { node, step: 0 });
        Ok(())
    }

    /// Rows ascend; the key in an interior page is no lower than any on its left, and lower than
    /// any on its right.
    fn check_order<R>(&mut self, pager: &Pager<R>, node: &Node, cell: &Cell) -> Result<()> {
        let key = cell.rowid;
        if let Some(floor) = self.floor
            && (key < floor || (node.leaf && key == floor))
        {
            let expected = format_args!("a row above {floor}");
            return Err(pager.layout.damaged(node.page, cell.at, expected, format_args!("row {key}")));
        }
        self.floor = Some(key);
        Ok(())
    }
}

const fn name(tree: Tree) -> &'static str {
    match tree {
        Tree::Table => "a table",
        Tree::Index => "an index",
    }
}
