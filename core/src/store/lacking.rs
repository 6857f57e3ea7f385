//! Contexts that a store names and that are not there.

use alloc::format;
use alloc::string::String;

use super::Rows;
use crate::chain::Block;
use crate::context::Contexts;
use crate::problem::Result;
use crate::words::plural;

/// How many blocks are looked at for the newest context before all contexts are gone through.
const MAX_STEPS: u32 = 4096;

/// Contexts are missing: of a compact snapshot all but the first, of others some.
///
/// Octez takes a snapshot for a compact one if the newest context that its store names is missing, and rebuilds those after
/// the first one, which has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lacking {
    /// The level of the first block that has a context.
    pub first: i32,
    /// How many contexts the store names, up to the head.
    pub named: u64,
    /// How many of them are missing: one at least.
    pub missing: u64,
    /// The lowest and the highest level whose context is missing.
    pub levels: (i32, i32),
    /// Whether the first one is there, from which the others can be rebuilt.
    pub has_first: bool,
    /// The level of the last one before those that are missing; that of the first one where it is missing itself.
    pub before: i32,
    /// Whether the newest one is there, as in a snapshot that nodes take for a full one.
    pub has_newest: bool,
    /// How many blocks have to be run again until none is missing. Where the newest context is missing, all are run up to
    /// the head, as the nodes run them.
    pub blocks: u64,
}

impl Lacking {
    /// What is missing of a store with this head; `None` if nothing is.
    ///
    /// # Errors
    /// Those of reading the store.
    pub fn read(store: &impl Rows, contexts: &Contexts, head: &Block) -> Result<Option<Self>> {
        let mut found = Counts::default();
        store.contexts(&mut |level, context| {
            if level <= head.level {
                found.add(level, contexts.contains(&context));
            }
        })?;
        Ok(found.lacking(head.level))
    }

    /// The same, if the newest context is missing; `None` if it is present, even if others are missing. This does not
    /// read all of them.
    ///
    /// # Errors
    /// Those of reading the store.
    pub fn at_the_head(store: &impl Rows, contexts: &Contexts, head: &Block) -> Result<Option<Self>> {
        let mut block = Some(*head);
        for _ in 0..MAX_STEPS {
            let Some(Block { level, context, .. }) = block else { break };
            match context {
                Some(newest) if contexts.contains(&newest) => return Ok(None),
                Some(_) => break,
                None => block = store.block_at(level.saturating_sub(1))?,
            }
        }
        Ok(Self::read(store, contexts, head)?.filter(|lacking| !lacking.has_newest))
    }

    /// Whether it is what a compact snapshot lacks: all but the first.
    pub fn is_compact(&self) -> bool {
        self.has_first && self.missing + 1 == self.named
    }

    /// What is missing, in words.
    pub fn words(&self) -> String {
        let Self { named, missing, levels: (lowest, highest), .. } = *self;
        let contexts = plural(named, "context", "contexts");
        match lowest == highest {
            true => format!(
                "{missing} of the {named} {contexts} that the store names is missing, that of level {lowest}"
            ),
            false => format!(
                "{missing} of the {named} {contexts} that the store names are missing, between the levels {lowest} and \
                 {highest}"
            ),
        }
    }
}

/// What is counted from level to level.
#[derive(Default)]
struct Counts {
    first: Option<(i32, bool)>,
    named: u64,
    missing: u64,
    levels: Option<(i32, i32)>,
    /// The last context before those that are missing.
    before: Option<i32>,
    /// The last context that is there.
    there: Option<i32>,
    /// The last one that is missing, if it is the last one at all.
    gap: Option<i32>,
    blocks: u64,
}

impl Counts {
    fn add(&mut self, level: i32, is_there: bool) {
        self.first.get_or_insert((level, is_there));
        self.named += 1;
        if is_there {
            if let Some(last) = self.gap.take() {
                self.run(last);
            }
            self.there = Some(level);
            self.before = if self.levels.is_none() { Some(level) } else { self.before };
        } else {
            self.missing += 1;
            self.gap = Some(level);
            self.levels = Some((self.levels.map_or(level, |(lowest, _)| lowest), level));
        }
    }

    /// Blocks are run from the last context that is there up to a level.
    fn run(&mut self, last: i32) {
        let blocks = self.there.map_or(0, |there| i64::from(last) - i64::from(there));
        self.blocks += u64::try_from(blocks).unwrap_or(0);
    }

    fn lacking(mut self, head: i32) -> Option<Lacking> {
        let has_newest = self.gap.take().is_none();
        if !has_newest {
            self.run(head);
        }
        let ((first, has_first), levels) = self.first.zip(self.levels)?;
        let Self { named, missing, before, blocks, .. } = self;
        let before = before.unwrap_or(first);
        Some(Lacking { first, named, missing, levels, has_first, before, has_newest, blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x`: there; `.`: missing; the levels are 10, 12, 14, …, and the head is one above the last of them.
    fn of(pattern: &str) -> Option<Lacking> {
        let mut found = Counts::default();
        let levels = (10..).step_by(2);
        levels.zip(pattern.chars()).for_each(|(level, there)| found.add(level, there == 'x'));
        found.lacking(9 + 2 * i32::try_from(pattern.len()).unwrap())
    }

    #[test]
    fn what_is_missing_is_counted() {
        for whole in ["", "x", "xxx"] {
            assert_eq!(of(whole), None, "{whole}");
        }
        for (pattern, missing, levels, has_first, has_newest, blocks, is_compact) in [
            ("x.", 1, (12, 12), true, false, 3, true),
            ("x...", 3, (12, 16), true, false, 7, true),
            ("xx..", 2, (14, 16), true, false, 5, false),
            ("x.x.x", 2, (12, 16), true, true, 4, false),
            ("x..x.x..", 5, (12, 24), true, false, 4 + 2 + 5, false),
            (".x", 1, (10, 10), false, true, 0, false),
            (".x.", 2, (10, 14), false, false, 3, false),
            ("..", 2, (10, 12), false, false, 0, false),
        ] {
            let lacking = of(pattern).unwrap();
            assert_eq!((lacking.first, lacking.named), (10, pattern.len() as u64), "{pattern}");
            let Lacking { missing: m, levels: l, has_first: f, has_newest: n, blocks: b, .. } = lacking;
            assert_eq!((m, l, f, n, b), (missing, levels, has_first, has_newest, blocks), "{pattern}");
            assert_eq!(lacking.is_compact(), is_compact, "{pattern}");
        }
        assert_eq!(
            of("x.x").unwrap().words(),
            "1 of the 3 contexts that the store names is missing, that of level 12"
        );
        assert_eq!(["x..x.", "xx.x", ".x."].map(|pattern| of(pattern).unwrap().before), [10, 12, 10]);
    }
}
