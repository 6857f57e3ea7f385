//! `rollsnap repair rewind`: takes a store back to an older level.

use std::path::Path;
use std::str::FromStr;

use rollsnap_core::chain::Block;
use rollsnap_core::context::Contexts;
use rollsnap_core::feedback::Phase;
use rollsnap_core::nodes::export::{
    level_above_head, level_below_first, no_cemented_commitment, no_context, no_finalized_block,
};
use rollsnap_core::nodes::import::no_block_at;
use rollsnap_core::report::Problems;
use rollsnap_core::store::Lacking;
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Place, Problem, Result};

use super::above::{self, Above};
use super::check::{hindered, judged};
use super::rewound::Rewound;
use super::states::Hashes;
use super::{Plan, Repair, Repaired, Subject};
use crate::modify::{Attempt, Writing};
use crate::store::{AnyStore, MarkChange, Reset, Rows};

/// The level that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// This one.
    Level(i32),
    /// That of the newest block that layer 1 will not take back.
    Finalized,
    /// That of the last cemented commitment.
    Cemented,
    /// The highest whose block has a context.
    LastCommitted,
    /// The highest at which everything holds that `verify` asks of a store.
    LastSound,
}

/// The words for them.
const WORDS: [(&str, To); 5] = [
    ("finalized", To::Finalized),
    ("lcc", To::Cemented),
    ("cemented", To::Cemented),
    ("last-committed", To::LastCommitted),
    ("last-sound", To::LastSound),
];

impl FromStr for To {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, to)) = WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)) {
            return Ok(*to);
        }
        // `parse` alone would also take a sign.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let level = is_number.then(|| text.parse().ok()).flatten();
        level.map(Self::Level).ok_or_else(|| {
            Problem::new(Code::LevelRequest)
                .headline(format!("{text:?} is no level to go back to"))
                .expected("a number, finalized, lcc, last-committed or last-sound")
        })
    }
}

/// Takes a store back.
#[derive(Debug)]
pub struct Rewind {
    to: To,
    reset: Option<(Reset, Above)>,
}

impl Rewind {
    /// To this level.
    pub const fn new(to: To) -> Self {
        Self { to, reset: None }
    }

    /// The level that is meant.
    fn level(&self, there: &There<'_>, store: &mut AnyStore, feedback: &mut dyn Feedback) -> Result<i32> {
        Ok(match self.to {
            To::Level(level) => level,
            To::Finalized => store.state()?.finalized.ok_or_else(no_finalized_block)?.level,
            To::Cemented => store.state()?.lcc.ok_or_else(no_cemented_commitment)?.level,
            To::LastCommitted => there.last_committed(store, store.head()?.level)?.ok_or_else(no_context)?,
            To::LastSound => there.last_sound(store, feedback)?,
        })
    }
}

impl Repair for Rewind {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let Subject { before, contexts, problems, phase } = subject;
        let root = before.root;
        let there = There { root, contexts, problems, phase: *phase };
        let store = &mut before.store;
        let level = self.level(&there, store, feedback)?;
        let head = store.head()?;
        if level > head.level {
            return Err(level_above_head(level, head.level));
        }
        let first = store.first_available()?;
        if level < first {
            return Err(level_below_first(level, first));
        }
        let shown = root.display();
        if level == head.level {
            let text = match self.to {
                To::LastSound => format!("{shown} is sound up to its head, level {level}"),
                _ => format!("{shown} is at level {level} already"),
            };
            return Ok(Plan { text, ..Plan::default() });
        }
        let block = store.block_at(level)?.ok_or_else(|| no_block_at(level))?;
        let notes = there.context_of(store, (&block, &head), feedback)?.into_iter().collect();
        let reset = reset(store, level)?;
        let mut repaired: Vec<Repaired> = reset.marks.iter().map(mark).collect();
        let (rows, above) = match store {
            AnyStore::Database(store) => (reset.rows(store)?, Above::default()),
            AnyStore::Files(store) => {
                let above = Above::find(store, level, feedback)?;
                (above.rows(), above)
            }
        };
        let rows = rows.into_iter().filter(|(_, count)| *count > 0);
        repaired.extend(rows.map(|(table, count)| removed(table, count, level)));
        let text = format!(
            "Took {shown} back from level {} to {level}, at which the last commitment is {}",
            head.level,
            block.most_recent_commitment()
        );
        self.reset = Some((reset, above));
        Ok(Plan { repaired, text, notes, ..Plan::default() })
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        _: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let Some((reset, above)) = &self.reset else { return Ok(()) };
        match attempt.writing(feedback)? {
            Writing::Database(store) => store.take_back(reset, feedback),
            Writing::Files(draft) => above.take_back(reset, draft, feedback),
        }
    }
}

/// What it takes to go back to a level.
fn reset(store: &AnyStore, level: i32) -> Result<Reset> {
    match store {
        AnyStore::Database(store) => Reset::plan(store, level),
        AnyStore::Files(store) => above::reset(store, level),
    }
}

/// What is known beside the store.
struct There<'a> {
    root: &'a Path,
    contexts: &'a Contexts,
    problems: &'a Problems,
    phase: Phase,
}

/// So many levels are tried, each below what does not hold at the one before. Behind them the next one is below all that
/// does not hold.
const TRIES: u32 = 32;

impl There<'_> {
    /// The highest level, up to this one, whose block has a context that is there.
    fn last_committed(&self, store: &AnyStore, most: i32) -> Result<Option<i32>> {
        let mut found = None;
        store.contexts(&mut |level, context| {
            if level <= most && self.contexts.contains(&context) {
                found = found.max(Some(level));
            }
        })?;
        Ok(found)
    }

    /// What there is to know about the context of the block that becomes the head.
    fn context_of(
        &self,
        store: &AnyStore,
        (block, head): (&Block, &Block),
        feedback: &dyn Feedback,
    ) -> Result<Option<String>> {
        let level = block.level;
        let Some(context) = block.context else {
            let goes_on = self.last_committed(store, level)?.ok_or_else(no_context)?;
            return Ok(Some(format!(
                "No context is kept of level {level}: the node goes back to level {goes_on} when it starts"
            )));
        };
        if self.contexts.contains(&context)
            && (self.contexts.are_files() || Hashes::open(self.root, feedback)?.of(&context)?.is_some())
        {
            return Ok(None);
        }
        let lacking = Lacking::at_the_head(store, self.contexts, head)?;
        if lacking.is_some_and(|lacking| lacking.is_compact()) {
            return Ok(Some(format!("The context of level {level} is not there, as in a compact snapshot")));
        }
        let why = "the context of its block cannot be checked out";
        Err(Problem::new(Code::RepairLevel).at(Place::Level(level)).because(why))
    }

    /// The highest level at which everything holds.
    fn last_sound(&self, store: &mut AnyStore, feedback: &mut dyn Feedback) -> Result<i32> {
        let (mut level, first) = (store.head()?.level, store.first_available()?);
        let mut problems = self.problems.clone();
        let mut tries = 0;
        loop {
            let Some(problem) = problems.iter().next().cloned() else { return Ok(level) };
            let none = || {
                let why = format!("{}: {}", problem.code(), problem.sentence());
                Problem::new(Code::RepairLevel)
                    .headline("there is no level at which everything holds")
                    .because(why)
            };
            tries += 1;
            let levels = problems.iter().filter_map(|problem| match problem.place() {
                Some(Place::Level(level)) => Some(*level),
                _ => None,
            });
            let faulty = if tries > TRIES || problems.left_out() > 0 { levels.min() } else { levels.max() };
            // What is of no level goes away at none.
            let faulty = faulty.ok_or_else(none)?;
            let reset = loop {
                // A mark that is wrong there is written anew.
                let next = if faulty < level { Some(faulty) } else { level.checked_sub(1) };
                level = next.filter(|level| *level >= first).ok_or_else(none)?;
                feedback.checkpoint()?;
                match reset(store, level) {
                    Ok(reset) => break reset,
                    Err(problem) if problem.code().is_about_contents() => {}
                    Err(problem) => return Err(problem),
                }
            };
            problems = self.at(store, &reset, feedback)?;
            hindered(&problems)?;
        }
    }

    /// What would not hold at an older level.
    fn at(&self, store: &mut AnyStore, reset: &Reset, feedback: &mut dyn Feedback) -> Result<Problems> {
        let Self { root, contexts, phase, .. } = *self;
        match store {
            AnyStore::Database(store) => {
                let mut rewound = Rewound::new(store, reset)?;
                Ok(judged(root, &mut rewound, contexts, phase, feedback)?.problems)
            }
            AnyStore::Files(store) => {
                let mut rewound = Rewound::new(&mut **store, reset)?;
                let mut problems = judged(root, &mut rewound, contexts, phase, feedback)?.problems;
                // Indexes that are damaged stay so.
                problems.extend(store.misplaced()?);
                Ok(problems)
            }
        }
    }
}

fn mark(change: &MarkChange) -> Repaired {
    let MarkChange { name, from, to: (hash, level) } = change;
    let was = from.as_ref().map(|(hash, level)| format!("{hash} (level {level})"));
    let is = format!("{hash} (level {level})");
    let text = match &was {
        Some(was) => format!("{name}: {was} becomes {is}"),
        None => format!("{name}: {is}"),
    };
    Repaired { what: "mark", level: Some(*level), from: was, to: Some(is), text }
}

fn removed(table: &'static str, count: u64, level: i32) -> Repaired {
    let rows = plural(count, "row", "rows");
    Repaired {
        what: "rows",
        level: None,
        from: Some(format!("{count} {rows} of {table}")),
        to: None,
        text: format!("{table}: {count} {rows} above level {level} removed"),
    }
}
