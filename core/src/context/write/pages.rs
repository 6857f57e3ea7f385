//! Reads many small stretches that are near each other with few requests to the files.

use alloc::vec;
use alloc::vec::Vec;

use crate::context::layout::Part;
use crate::context::{Context, open};
use crate::problem::Result;
use crate::read_at::{Files, ReadAt};

/// How much is read at once, in bytes.
const PAGE: u64 = 128 << 10;

/// How many pages are kept: an entry may begin at the end of one and reach into two more.
const KEPT: usize = 4;

/// A context, read page by page; those that were used last are kept.
pub(super) struct Pages<'a, F: Files> {
    context: &'a Context<F>,
    /// The last used one at the end.
    pages: Vec<Page>,
}

#[derive(Debug)]
struct Page {
    part: Part,
    number: u64,
    bytes: Vec<u8>,
}

impl<'a, F: Files> Pages<'a, F> {
    pub(super) fn new(context: &'a Context<F>) -> Self {
        Self { context, pages: Vec::new() }
    }

    /// Fills `out` with the bytes from a global offset on, as far as they are there without a gap;
    /// gives how many.
    pub(super) fn read_some(&mut self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let Some(spot) = self.context.layout().find(at) else { break };
            let Some(page) = self.page(spot.part, spot.position / PAGE)? else { break };
            let within = usize::try_from(spot.position % PAGE).unwrap_or(usize::MAX);
            let bytes = page.bytes.get(within..).unwrap_or_default();
            let len = rest.len().min(bytes.len()).min(usize::try_from(spot.run).unwrap_or(usize::MAX));
            if len == 0 {
                break;
            }
            rest[..len].copy_from_slice(&bytes[..len]);
            done += len;
        }
        Ok(done)
    }

    /// Fills `out` with the bytes from a global offset on.
    ///
    /// # Errors
    /// [`Code::ContextChild`](crate::Code::ContextChild) when some of them were collected or never written.
    pub(super) fn read(&mut self, offset: u64, out: &mut [u8]) -> Result<()> {
        let wanted = out.len();
        match self.read_some(offset, out)? {
            read if read == wanted => Ok(()),
            read => Err(open::nothing_at(offset.saturating_add(read as u64))),
        }
    }

    fn page(&mut self, part: Part, number: u64) -> Result<Option<&Page>> {
        let known = self.pages.iter().rposition(|page| (page.part, page.number) == (part, number));
        let page = match known {
            Some(at) => self.pages.remove(at),
            None => {
                let Some(file) = self.context.part(part) else { return Ok(None) };
                let start = number * PAGE;
                let len = file.len().saturating_sub(start).min(PAGE);
                // The buffer of the page that was not used for the longest time.
                let mut bytes = if self.pages.len() < KEPT { vec![] } else { self.pages.remove(0).bytes };
                bytes.resize(usize::try_from(len).unwrap_or_default(), 0);
                file.read_at(start, &mut bytes)?;
                Page { part, number, bytes }
            }
        };
        self.pages.push(page);
        Ok(self.pages.last())
    }
}
