//! The way down from the commits: what they need is marked, in the order of offsets.

use alloc::vec::Vec;

use super::super::falling::{Falling, Item};
use super::super::pack::Kind;
use super::marks::Marks;
use super::outcome::Outcome;
use super::pages::Pages;
use super::reach::{MAX_WAITING, ROUNDS, WHAT, children};
use super::space::Space;
use super::table::Spot;
use crate::code::Code;
use crate::feedback::Feedback;
use crate::problem::{Problem, Result};
use crate::read_at::Files;

/// How many objects are visited between two looks at whether to go on.
const STRIDE: u64 = 1 << 12;

/// What is to be visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    spot: Spot,
    /// Whether it should refer to others.
    refers: bool,
}

impl Item for Due {
    const LEN: usize = 13;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.spot.part.to_le_bytes());
        out.extend(self.spot.position.to_le_bytes());
        out.push(u8::from(self.refers));
    }

    fn get(bytes: &[u8]) -> Self {
        let (part, rest) = bytes.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let (position, rest) = rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let spot = Spot { part: u32::from_le_bytes(*part), position: u64::from_le_bytes(*position) };
        Self { spot, refers: rest == [1] }
    }
}

/// Goes down from the commits, and marks everything that they need. So much memory is taken `around` it.
///
/// What refers comes after what it refers to. Should something refer to what comes after it, that is gone down from
/// once more.
pub(super) fn mark<F: Files>(
    pages: &mut Pages<'_, F>,
    space: &Space<'_>,
    commits: Vec<Spot>,
    around: u64,
    outcome: &mut Outcome,
    feedback: &mut dyn Feedback,
) -> Result<Marks> {
    let (mut from, mut marks, mut left) = (commits, Marks::default(), pages.total());
    for _ in 0..ROUNDS {
        let mut below = Below { marks, ahead: Vec::new(), around, left };
        let now = below.go(pages, space, from, feedback)?;
        (marks, left) = (now, 0);
        from = below.ahead;
        from.sort_unstable();
        from.dedup();
        let mut cursor = marks.up();
        let mut known = marks.next(&mut cursor)?;
        let mut unknown = Vec::new();
        for (number, spot) in from.into_iter().enumerate() {
            if number % 4096 == 0 {
                feedback.checkpoint()?;
            }
            while known.is_some_and(|known| known < spot) {
                known = marks.next(&mut cursor)?;
            }
            if known != Some(spot) {
                unknown.push(spot);
            }
        }
        from = unknown;
        if from.is_empty() {
            return Ok(marks);
        }
        if from.len() > MAX_WAITING {
            break;
        }
    }
    let cause = "too many objects refer to objects that come after them";
    outcome.unchecked.push(Problem::new(Code::ContextUnchecked).because(cause));
    Ok(marks)
}

/// One way down.
struct Below {
    /// What was marked before.
    marks: Marks,
    /// What comes after something that refers to it.
    ahead: Vec<Spot>,
    around: u64,
    /// How many bytes are to be told still.
    left: u64,
}

impl Below {
    /// Marks what is needed `from` somewhere, and what was marked before.
    fn go<F: Files>(
        &mut self,
        pages: &mut Pages<'_, F>,
        space: &Space<'_>,
        from: Vec<Spot>,
        feedback: &mut dyn Feedback,
    ) -> Result<Marks> {
        let allowance = feedback.allowance();
        let share = allowance.table() / 16;
        let mut due = Falling::new(feedback.scratch(), share);
        let mut marks = Marks::new(feedback.scratch(), share);
        for spot in from {
            due.push(Due { spot, refers: true })?;
        }
        let mut cursor = self.marks.down();
        let mut before = self.marks.next(&mut cursor)?;
        let mut visited = 0_u64;
        while let Some(Due { spot, refers }) = due.pop()? {
            while let Some(known) = before.filter(|known| *known >= spot) {
                marks.push(known)?;
                before = self.marks.next(&mut cursor)?;
            }
            if marks.last() == Some(spot) {
                continue;
            }
            marks.push(spot)?;
            visited += 1;
            if visited.is_multiple_of(STRIDE) {
                feedback.checkpoint()?;
                let now = pages.before(spot);
                feedback.advance(self.left.saturating_sub(now));
                self.left = self.left.min(now);
                let taken =
                    due.taken() + marks.taken() + self.marks.taken() + size_of_val(&self.ahead[..]) as u64;
                allowance.check(self.around.saturating_add(taken), WHAT)?;
            }
            if !refers {
                continue;
            }
            for (child, kind) in children(pages, space, spot)?.into_iter().flatten() {
                if child < spot {
                    due.push(Due { spot: child, refers: kind != Kind::Contents })?;
                } else if child > spot && self.ahead.len() <= MAX_WAITING {
                    self.ahead.push(child);
                }
            }
        }
        while let Some(known) = before {
            marks.push(known)?;
            before = self.marks.next(&mut cursor)?;
        }
        feedback.advance(self.left);
        Ok(marks)
    }
}
