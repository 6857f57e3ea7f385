//! Where the objects of a context are cut into shares, and whether an object begins at a place that
//! another share walks through.
//!
//! Every share proves that its walk goes from where the share begins to where it ends, and that an
//! object begins wherever index and mapping say so. To check another place, a share goes
//! from the last of those to it, from head to head, and reads little else.

use alloc::vec::Vec;

use super::super::layout::Part;
use super::super::open::Context;
use super::listed::Listed;
use super::pages::{Entry, Pages};
use super::space::Space;
use super::table::Spot;
use crate::feedback::Feedback;
use crate::problem::Result;
use crate::read_at::Files;

/// How many heads are read between two looks at whether to go on.
const STRIDE: u64 = 1 << 14;

/// Goes from head to head.
pub(super) struct Heads<'a, F: Files> {
    space: &'a Space<'a>,
    pages: Pages<'a, F>,
    /// Where the commits of the index are, ascending.
    commits: Vec<Spot>,
    /// An object begins here, or the part ends.
    at: Spot,
    read: u64,
}

impl<'a, F: Files> Heads<'a, F> {
    pub(super) fn new(context: &'a Context<F>, space: &'a Space<'a>, listed: &[Listed]) -> Self {
        let mut commits: Vec<Spot> =
            listed.iter().filter_map(|listed| space.spot(listed.entry.offset).ok()).collect();
        commits.sort_unstable();
        commits.dedup();
        let pages = Pages::near(context);
        // Before every place: what is sought first is sought from the place known before it.
        let at = Spot { part: u32::MAX, position: 0 };
        Self { space, pages, commits, at, read: 0 }
    }

    /// Memory that is taken, in bytes.
    pub(super) fn taken(&self) -> u64 {
        size_of_val(&self.commits[..]) as u64
    }

    /// Where the share begins that has so many bytes that count before it, or a few more: shares begin with
    /// objects. `None`: what is before that cannot be walked through.
    ///
    /// # Errors
    /// Whatever the files report, and [`Code::Cancelled`](crate::Code::Cancelled).
    pub(super) fn cut(&mut self, bytes: u64, feedback: &dyn Feedback) -> Result<Option<u64>> {
        let Some(spot) = self.pages.at(bytes) else { return Ok(Some(self.pages.total())) };
        Ok(self.go_to(spot, feedback)?.map(|at| self.pages.before(at)))
    }

    /// Whether an object begins at a spot.
    ///
    /// # Errors
    /// As [`Heads::cut`].
    pub(super) fn begins(&mut self, spot: Spot, feedback: &dyn Feedback) -> Result<bool> {
        Ok(self.go_to(spot, feedback)? == Some(spot))
    }

    /// The first object that begins at a spot or behind it, or the end of the part.
    fn go_to(&mut self, spot: Spot, feedback: &dyn Feedback) -> Result<Option<Spot>> {
        let known = self.known_before(spot);
        if self.at.part != spot.part || !(known.position..=spot.position).contains(&self.at.position) {
            self.at = known;
        }
        while self.at.position < spot.position {
            let len = match self.pages.entry(self.space, self.at, 0)? {
                Entry::Whole(head, _) | Entry::Long(head) => head.entry_len(),
                Entry::Bad(_) => return Ok(None),
            };
            self.at.position += len;
            self.read += 1;
            if self.read.is_multiple_of(STRIDE) {
                feedback.checkpoint()?;
            }
        }
        Ok(Some(self.at))
    }

    /// The last place at or before a spot of which shares prove that an object begins there.
    fn known_before(&self, spot: Spot) -> Spot {
        let mut position = self.pages.live(spot.part).0;
        if self.space.part(spot.part) == Some(Part::Prefix) {
            let ranges = self.space.layout.mapping().ranges();
            let after = ranges.partition_point(|range| range.position <= spot.position);
            let range = after.checked_sub(1).and_then(|at| ranges.get(at));
            position = position.max(range.map_or(0, |range| range.position));
        }
        let after = self.commits.partition_point(|commit| *commit <= spot);
        let commit = after.checked_sub(1).and_then(|at| self.commits.get(at));
        if let Some(commit) = commit.filter(|commit| commit.part == spot.part) {
            position = position.max(commit.position);
        }
        Spot { position, ..spot }
    }
}
