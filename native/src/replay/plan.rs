//! The plan of a replay: spans of blocks that can be run on their own, each from a context that is there.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroUsize;

use rollsnap_core::chain::Block;
use rollsnap_core::context::Context;
use rollsnap_core::context::index::Entry;
use rollsnap_core::replay::{Available, Outcome, no_start};
use rollsnap_core::store::Rows;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::scope::{Scope, Shard};
use crate::context::Moment;
use crate::store::{AnyStore, Records};

/// How many blocks a span should have, where there is a context for each of them: to begin costs as much as some
/// blocks. Fewer where threads would have nothing to do.
const LEAST: u64 = 256;

/// How many spans each thread should get.
const SHARES: u64 = 4;

/// Blocks that are run one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The block whose context it begins with: the one before its first block.
    pub(super) start: i32,
    /// Its commit.
    pub(super) commit: Entry,
    /// Its last block.
    pub(super) last: i32,
}

impl Span {
    /// How many blocks it has.
    pub(super) fn blocks(&self) -> u64 {
        u64::try_from(i64::from(self.last) - i64::from(self.start)).unwrap_or(0)
    }
}

/// What is to be run, of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// In the order of their levels; none overlaps another.
    pub(super) spans: Vec<Span>,
    /// The level of the first context that is there.
    pub(super) first: i32,
    /// The newest block.
    pub(super) head: Block,
    /// The levels of the share, where several machines share the work.
    pub(super) share: Option<(i32, i32)>,
    /// How many contexts are to be made that are lost, or above the level that was named.
    pub(super) lost: u64,
}

/// Where spans can begin.
struct Starts(Available);

impl Plan {
    pub(super) fn new(
        store: &AnyStore,
        context: &Context<Moment>,
        scope: Scope,
        shard: Option<Shard>,
        threads: NonZeroUsize,
        feedback: &dyn Feedback,
    ) -> Result<Self> {
        let head_block = store.head()?;
        let head = head_block.level;
        let checked = matches!(scope, Scope::Lost(_));
        let available = Starts(Available::read(store, context, head, checked, feedback)?);
        let first = available.0.first();
        let all = (first.saturating_add(1), head);
        let share = shard.map(|shard| available.share(first, head, shard));
        let (from, to) = share.unwrap_or(all);
        let least = |from: i32, to: i32| {
            let blocks = u64::try_from(i64::from(to) - i64::from(from) + 1).unwrap_or(0);
            let share = blocks / (threads.get() as u64).saturating_mul(SHARES);
            i32::try_from(share.clamp(1, LEAST)).unwrap_or(1)
        };
        let spans = |from: i32, to: i32| available.spans(from, to, least(from, to));
        let mut lost = 0;
        let spans = match scope {
            Scope::All => spans(from, to)?,
            Scope::Last(count) => {
                let newest = head.saturating_sub(i32::try_from(count).unwrap_or(i32::MAX)).saturating_add(1);
                spans(from.max(newest), to)?
            }
            Scope::Levels(lowest, most) => {
                available.0.check(lowest, most, head)?;
                spans(from.max(lowest), to.min(most))?
            }
            Scope::Sample(count) => available.sample(from, to, count)?,
            Scope::Missing => available.missing(store, head)?,
            Scope::Lost(above) => {
                let gaps = available.gaps(store, head, above)?;
                lost = gaps.lost;
                Vec::from_iter(gaps.span)
            }
        };
        Ok(Self { spans, first, head: head_block, share, lost })
    }

    /// How many blocks are to be run.
    pub(super) fn blocks(&self) -> u64 {
        self.spans.iter().map(Span::blocks).sum()
    }

    /// How many ticks its blocks take, as the store says: what a replay costs grows with them. `None` where that cannot
    /// be told.
    ///
    /// # Errors
    /// Those of reading the store.
    pub(super) fn ticks(&self, records: &mut Records<'_>) -> Result<Option<u128>> {
        let mut all = 0u128;
        let mut spans = self.spans.iter().peekable();
        while let Some(span) = spans.next() {
            let (start, mut last) = (span.start, span.last);
            while let Some(next) = spans.next_if(|next| next.start == last) {
                last = next.last;
            }
            let begin = records.ticks(start.saturating_add(1))?;
            let end = records.ticks(last)?;
            let Some(ticks) = begin.zip(end).and_then(|((begin, _), (_, end))| end.checked_sub(begin)) else {
                return Ok(None);
            };
            all = all.saturating_add(ticks);
        }
        Ok(Some(all))
    }

    /// What came of it, before anything is run.
    pub(super) fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::new(self.first, &self.head, self.blocks());
        outcome.share = self.share;
        outcome
    }
}

impl Starts {
    /// The newest one at or below a level.
    fn at_or_below(&self, level: i32) -> Option<(usize, (i32, Entry))> {
        let at = self.0.at_or_below(level)?;
        Some((at, *self.0.all().get(at)?))
    }

    /// The blocks of these levels, in spans.
    fn spans(&self, from: i32, to: i32, least: i32) -> Result<Vec<Span>> {
        let mut spans = Vec::new();
        if from > to {
            return Ok(spans);
        }
        let (at, (mut start, mut commit)) =
            self.at_or_below(from.saturating_sub(1)).ok_or_else(|| no_start(from))?;
        for (level, next) in self.0.all().iter().skip(at).copied() {
            if level >= to {
                break;
            }
            if level > from && level.saturating_sub(start) >= least {
                spans.push(Span { start, commit, last: level });
                (start, commit) = (level, next);
            }
        }
        spans.push(Span { start, commit, last: to });
        Ok(spans)
    }

    /// Some blocks of these levels: one at random of each of as many stretches.
    fn sample(&self, from: i32, to: i32, count: u32) -> Result<Vec<Span>> {
        let blocks = u64::try_from(i64::from(to) - i64::from(from) + 1).unwrap_or(0);
        let count = u64::from(count).min(blocks);
        let random = RandomState::new();
        let mut spans: Vec<Span> = Vec::new();
        for number in 0..count {
            let (begin, end) = (blocks * number / count, blocks * (number + 1) / count);
            let mut hasher = random.build_hasher();
            hasher.write_u64(number);
            let at = begin + hasher.finish() % (end - begin).max(1);
            let level = i32::try_from(i64::from(from).saturating_add_unsigned(at)).unwrap_or(to);
            let (_, (start, commit)) =
                self.at_or_below(level.saturating_sub(1)).ok_or_else(|| no_start(level))?;
            match spans.last_mut() {
                // They share a context to begin with, or the first ends in the other.
                Some(span) if start < span.last => span.last = level,
                _ => spans.push(Span { start, commit, last: level }),
            }
        }
        Ok(spans)
    }

    /// The levels that one of several machines runs: cut where there are contexts.
    fn share(&self, first: i32, head: i32, shard: Shard) -> (i32, i32) {
        let blocks = i64::from(head) - i64::from(first);
        let cut = |number: u32| {
            let level = i64::from(first) + blocks * i64::from(number) / i64::from(shard.of());
            let level = i32::try_from(level).unwrap_or(head);
            if number == shard.of() {
                head
            } else {
                self.at_or_below(level).map_or(first, |(_, (level, _))| level)
            }
        };
        (cut(shard.number() - 1).saturating_add(1), cut(shard.number()))
    }

    /// What is to be run so that no context is missing any more, and none above a level is as it was.
    fn gaps(&self, store: &AnyStore, head: i32, above: Option<i32>) -> Result<Gaps> {
        let (_, first) =
            self.at_or_below(above.unwrap_or(i32::MAX)).ok_or_else(|| no_start(above.unwrap_or(0)))?;
        let newest = above.map(|_| first);
        let mut start = *self.0.all().first().ok_or_else(|| Problem::new(Code::ReplayStart))?;
        let (mut have, mut lost, mut last) = (self.0.all().iter().peekable(), 0, None);
        store.contexts(&mut |level, _| {
            if level > head || level < self.0.first() {
                return;
            }
            let found = have.next_if(|(found, _)| *found == level);
            match found.filter(|_| newest.is_none_or(|(newest, _)| level <= newest)) {
                Some(found) if lost == 0 => start = *found,
                Some(_) => {}
                None => {
                    lost += 1;
                    last = Some(level);
                }
            }
        })?;
        let (start, commit) = start;
        let span = last.filter(|last| *last > start).map(|last| Span { start, commit, last });
        Ok(Gaps { lost, span })
    }

    /// The blocks whose contexts are missing, each gap from the last context before it on. Where the newest is missing, or
    /// none any more, the last span ends with the head.
    fn missing(&self, store: &AnyStore, head: i32) -> Result<Vec<Span>> {
        let mut start = *self.0.all().first().ok_or_else(|| Problem::new(Code::ReplayStart))?;
        let (mut have, mut spans, mut gap) = (self.0.all().iter().peekable(), Vec::new(), None);
        store.contexts(&mut |level, _| {
            if level > head || level < start.0 {
                return;
            }
            match have.next_if(|(found, _)| *found == level) {
                Some(found) => {
                    let span = |last| Span { start: start.0, commit: start.1, last };
                    spans.extend(gap.take().map(span));
                    start = *found;
                }
                None => gap = Some(level),
            }
        })?;
        let (start, commit) = start;
        if start < head && (gap.is_some() || spans.is_empty()) {
            spans.push(Span { start, commit, last: head });
        }
        Ok(spans)
    }
}

/// Contexts that are missing between others.
struct Gaps {
    lost: u64,
    span: Option<Span>,
}
