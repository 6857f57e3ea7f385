//! From which contexts a replay can begin.

use alloc::vec::Vec;

use crate::code::Code;
use crate::context::index::Entry;
use crate::context::{Context, State};
use crate::feedback::Feedback;
use crate::problem::{Place, Problem, Result};
use crate::read_at::Files;
use crate::store::Rows;

/// The contexts that can be checked out, as far as the index of commits tells, by the levels of their blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available(Vec<(i32, Entry)>);

impl Available {
    /// Those of the blocks up to the head; with `checked`, as far as reading the commits tells.
    ///
    /// # Errors
    /// [`Code::ReplayStart`] without any; [`Code::LimitMemory`](crate::Code::LimitMemory); those of reading store and
    /// index; [`Code::Cancelled`].
    pub fn read<F: Files>(
        store: &impl Rows,
        context: &Context<F>,
        head: i32,
        checked: bool,
        feedback: &dyn Feedback,
    ) -> Result<Self> {
        let index = context.index(feedback)?;
        let allowance = feedback.allowance();
        let (mut found, mut levels, mut trouble) = (Vec::new(), 0u32, None);
        store.contexts(&mut |level, hash| {
            levels = levels.wrapping_add(1);
            if trouble.is_none() && levels.is_multiple_of(1 << 12) {
                let taken = size_of_val(&found[..]) as u64;
                trouble = feedback.checkpoint().and_then(|()| allowance.check(taken, "the contexts")).err();
            }
            let mut entry = index.get(&hash).filter(|entry| context.layout().find(entry.offset).is_some());
            if let Some(found) = entry.filter(|_| checked && trouble.is_none()) {
                match context.state_of(found) {
                    Ok(State::Available(_)) => {}
                    Ok(_) => entry = None,
                    Err(problem) => trouble = Some(problem),
                }
            }
            if let Some(entry) = entry.filter(|_| trouble.is_none() && level <= head) {
                found.push((level, *entry));
            }
        })?;
        if let Some(problem) = trouble {
            return Err(problem);
        }
        if found.is_empty() {
            return Err(Problem::new(Code::ReplayStart));
        }
        found.sort_unstable_by_key(|(level, _)| *level);
        found.dedup_by_key(|(level, _)| *level);
        Ok(Self(found))
    }

    /// All of them, the oldest first: there is one at least.
    pub fn all(&self) -> &[(i32, Entry)] {
        &self.0
    }

    /// The level of the oldest one.
    pub fn first(&self) -> i32 {
        self.0.first().map_or(i32::MAX, |(level, _)| *level)
    }

    /// The place of the newest one at or below a level.
    pub fn at_or_below(&self, level: i32) -> Option<usize> {
        self.0.partition_point(|(found, _)| *found <= level).checked_sub(1)
    }

    /// Whether all blocks of these levels, both included, can be run.
    ///
    /// # Errors
    /// [`Code::LevelUnavailable`] above the head, [`Code::ReplayStart`] without a context before them.
    pub fn check(&self, lowest: i32, most: i32, head: i32) -> Result<()> {
        // Where one of both is left out, the other may be on the wrong side of it.
        let (least, highest) = (lowest.min(most), lowest.max(most));
        if highest > head {
            let text = alloc::format!("level {highest} is higher than the head level {head}");
            return Err(Problem::new(Code::LevelUnavailable).headline(text));
        }
        if least <= self.first() {
            let first = self.first();
            return Err(no_start(least).because(format_args!("the first context is that of level {first}")));
        }
        Ok(())
    }
}

/// There is no context to begin with.
pub fn no_start(level: i32) -> Problem {
    Problem::new(Code::ReplayStart).at(Place::Level(level))
}
