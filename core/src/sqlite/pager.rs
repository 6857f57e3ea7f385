//! Reads pages through a small cache, and joins the records that are spread over several.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::header::Layout;
use super::page::{Cell, Node, Tree, word};
use crate::problem::Result;
use crate::read_at::ReadAt;

/// The cache never holds more pages than this, nor more than [`CACHE_BYTES`] of them.
const CACHE_PAGES: usize = 64;
const CACHE_BYTES: usize = 1 << 20;

/// Keys in an index are shorter than this, in bytes: a lookup reads many of them.
const MAX_KEY: usize = 4096;

/// The pages of a database.
pub(super) struct Pager<R> {
    pub(super) layout: Layout,
    reader: R,
    max_record: usize,
    cache: RefCell<Cache>,
}

/// How many more pages may be visited.
///
/// In a sound file every page has one place: one walk through a tree, its overflow pages
/// included, meets no page twice. A walk that gets as many pages as the file has therefore ends,
/// whatever loops or shared pages the file may have.
pub(super) struct Budget(u32);

#[derive(Default)]
struct Cache {
    slots: Vec<(u64, Arc<Node>)>,
    clock: u64,
}

impl<R: ReadAt> Pager<R> {
    /// Reads the header; records of more than `max_record` bytes will be refused.
    pub(super) fn open(reader: R, max_record: usize) -> Result<Self> {
        let layout = Layout::read(&reader)?;
        Ok(Self { layout, reader, max_record, cache: RefCell::default() })
    }

    /// Enough for one walk.
    pub(super) fn budget(&self) -> Budget {
        Budget(self.layout.pages)
    }

    /// The b-tree page of this number.
    pub(super) fn node(&self, page: u32, from: u32) -> Result<Arc<Node>> {
        if let Some(node) = self.cache.borrow_mut().get(page) {
            return Ok(node);
        }
        self.exists(page, from)?;
        let mut bytes = vec![0; self.layout.page_size];
        self.reader.read_at(self.layout.offset(page), &mut bytes)?;
        let node = Arc::new(Node::parse(&self.layout, page, bytes)?);
        let most = CACHE_PAGES.min(CACHE_BYTES / self.layout.page_size);
        self.cache.borrow_mut().put(Arc::clone(&node), most);
        Ok(node)
    }

    /// The whole record of a cell.
    pub(super) fn record<'n>(
        &self,
        node: &'n Node,
        cell: &Cell,
        budget: &mut Budget,
    ) -> Result<Cow<'n, [u8]>> {
        let layout = &self.layout;
        let (what, most) = match node.tree {
            Tree::Table => ("a row", self.max_record),
            Tree::Index => ("a key", MAX_KEY),
        };
        let most = (most as u64).min(u64::from(layout.pages) * layout.page_size as u64);
        if cell.size > most {
            let expected = format_args!("{what} of at most {most} bytes");
            return Err(layout.damaged(node.page, cell.at, expected, cell.size));
        }
        let local = node.local(cell);
        if cell.overflow == 0 {
            return Ok(Cow::Borrowed(local));
        }
        let size = cell.size as usize;
        let mut record = Vec::with_capacity(size);
        record.extend_from_slice(local);
        let mut from = node.page;
        let mut next = cell.overflow;
        let mut bytes = vec![0; layout.usable];
        while record.len() < size {
            self.exists(next, from)?;
            budget.spend(layout, next)?;
            let take = (size - record.len()).min(layout.usable - 4);
            let page = bytes.get_mut(..4 + take).unwrap_or_default();
            self.reader.read_at(layout.offset(next), page)?;
            record.extend_from_slice(page.get(4..).unwrap_or_default());
            from = next;
            next = word(page, 0).unwrap_or_default();
        }
        if next != 0 {
            let found = format_args!("page {next} after it");
            return Err(layout.damaged(from, 0, "the last page of a long row", found));
        }
        Ok(Cow::Owned(record))
    }

    fn exists(&self, page: u32, from: u32) -> Result<()> {
        if (1..=self.layout.pages).contains(&page) {
            return Ok(());
        }
        let expected = format_args!("a page from 1 to {}", self.layout.pages);
        Err(self.layout.damaged(from, 0, expected, format_args!("page {page}")))
    }
}

impl Budget {
    /// One more page; a problem when it is one too many.
    pub(super) fn spend(&mut self, layout: &Layout, page: u32) -> Result<()> {
        let pages = layout.pages;
        self.0 = self.0.checked_sub(1).ok_or_else(|| {
            let expected = format_args!("a walk over at most {pages} pages");
            layout.damaged(page, 0, expected, "pages that are linked more than once")
        })?;
        Ok(())
    }
}

impl Cache {
    fn get(&mut self, page: u32) -> Option<Arc<Node>> {
        self.clock += 1;
        let slot = self.slots.iter_mut().find(|(_, node)| node.page == page)?;
        slot.0 = self.clock;
        Some(Arc::clone(&slot.1))
    }

    /// Keeps this page, in place of the one that was not asked for the longest.
    fn put(&mut self, node: Arc<Node>, most: usize) {
        let fresh = (self.clock, node);
        if self.slots.len() < most {
            self.slots.push(fresh);
        } else if let Some(oldest) = self.slots.iter_mut().min_by_key(|slot| slot.0) {
            *oldest = fresh;
        }
    }
}
